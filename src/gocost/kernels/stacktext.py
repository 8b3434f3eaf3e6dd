"""The inner loop over goroutine stacks as text: lines in, a row a goroutine out.

Written by `goroutineheader`, `traceback2`, `printcreatedby1` and `printAncestorTraceback` of Go's
src/runtime/traceback.go:

    goroutine 18 gp=0xc1 m=nil [chan receive (leaked), 5 minutes, locked to thread labels:{"a": "b"}]:
    main.wait(0xc000012345, {0x1, 0x2})
    \t/src/main.go:12 +0x1d fp=0xc1 sp=0xc2 pc=0xc3
    ...23 frames elided...
    created by main.start in goroutine 1
    \t/src/main.go:7 +0x35
    [originating from goroutine 1]:
    main.start(...)
    \t/src/main.go:8 +0x35

with an empty line behind each. Go 1.27 puts labels behind the bracket: `[select] {a: b}:`.
`\tgoroutine running on other thread; stack unavailable` may stand for the frames. Anything may
stand around that, for stacks are found in logs, and every line may have a prefix like its header's.

Stacks, creators, states and labels are interned by what they say, without arguments and addresses:
a frame is `function\\nfile:line\\n`. A hundred thousand goroutines are a few different texts.

One class, whole: the reader's state is between any two lines, and what reads text is in _text_bytes.
"""  # noqa: E501 - a header is as long as that

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels._text_bytes import (
    _copy,
    _digits_end,
    _find,
    _hash,
    _line_end,
    _number,
    _prefix_end,
    _same,
    _starts,
)
from gocost.model.errors import FormatError

# Rows of `columns`. A text is a number, -1 where there is none.
ID = 0
PARENT = 1  # the goroutine that created it; 0 where that is not said
FLAGS = 2
STATUS = 3  # what stands in the brackets of the header, without labels
STACK = 4
CREATOR = 5
LABELS = 6
ANCESTORS = 7
FIELDS = 8

# Bits of FLAGS.
ELIDED = 1  # frames, by the runtime
UNAVAILABLE = 2  # it was running on another thread
TOO_LONG = 4  # for this reader, which left frames out

ROWS = 1 << 15
MAX_STACK = 1 << 18
"""Bytes of a stack without arguments; the runtime prints at most a hundred frames."""
MAX_PREFIX = 1 << 9
"""Bytes that a log may write before each line for its numbers to be told from its words."""
MAX_CHARACTERS = 256 << 20
"""Bytes of all texts that differ."""
MAX_GOROUTINES = 1 << 23

_IDLE = cython.declare(cython.int, 0)
_BODY = cython.declare(cython.int, 1)
_TAIL = cython.declare(cython.int, 2)  # the creator is known: only ancestors may follow
_FUNCTION = cython.declare(cython.int, 1)
_PERHAPS = cython.declare(cython.int, 2)  # a function if a place follows
_CREATOR = cython.declare(cython.int, 3)
_MOST_NOISE = cython.declare(cython.int, 8)
_ROOM = cython.declare(cython.Py_ssize_t, MAX_STACK)


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled else array.data


def _word(text: bytes) -> Any:
    return _view(np.frombuffer(text, np.uint8))


@cython.cclass
class Scanner:
    """Takes text piece by piece: `feed` it, `end` it, then `columns` and `texts` are what it found.

    Memory is what the different texts take, and 64 bytes a goroutine.
    """

    _data: cython.const[cython.uchar][::1]
    _scratch: cython.uchar[::1]
    _arena: cython.uchar[::1]
    _text_at: cython.longlong[::1]
    _slots: cython.int[::1]
    _rows: cython.longlong[:, ::1]
    _goroutine: cython.const[cython.uchar][::1]
    _labels: cython.const[cython.uchar][::1]
    _close: cython.const[cython.uchar][::1]
    _created: cython.const[cython.uchar][::1]
    _within: cython.const[cython.uchar][::1]
    _origin: cython.const[cython.uchar][::1]
    _elsewhere: cython.const[cython.uchar][::1]
    _main: cython.const[cython.uchar][::1]
    _arrays: list[Any]
    _pieces: list[Any]
    _full: cython.Py_ssize_t  # rows in the pieces
    _texts: cython.Py_ssize_t
    _count: cython.Py_ssize_t
    _seed: cython.ulonglong
    _mode: cython.int
    _used: cython.Py_ssize_t  # of scratch: the frames so far
    _pending: cython.Py_ssize_t  # bytes of a function behind them, whose place comes next
    _kind: cython.int  # of what is pending
    _behind: cython.bint  # the frames are those of ancestors
    _noise: cython.int  # lines in a row that are no goroutine's
    _prefix: cython.Py_ssize_t  # bytes before each line of this goroutine
    _asked: cython.bint  # the next line tells how long the prefix is
    _head: cython.uchar[::1]  # what stands before the header in its line
    _mark: cython.ulonglong  # the first bytes of that
    _placed: cython.bint  # the last line was a whole place: it had an offset
    _framed: cython.bint  # something was said of its stack
    _skip: cython.bint  # the rest of a line that is too long

    def __init__(self, seed: int) -> None:
        """`seed` makes collisions unpredictable to whoever wrote the text; results are the same."""
        arena = np.empty(1 << 20, np.uint8)
        text_at = np.zeros(1 << 10, np.int64)
        slots = np.full(1 << 11, -1, np.int32)
        rows = np.empty((FIELDS, ROWS), np.int64)
        self._arrays = [arena, text_at, slots, rows]
        self._arena, self._text_at = _view(arena), _view(text_at)
        self._slots, self._rows = _view(slots), _view(rows)
        self._scratch = _view(np.empty(MAX_STACK, np.uint8))
        self._head = _view(np.zeros(MAX_PREFIX, np.uint8))
        self._goroutine, self._labels = _word(b"goroutine "), _word(b" labels:{")
        self._close = _word(b"] {")
        self._created, self._within = _word(b"created by "), _word(b" in goroutine ")
        self._origin = _word(b"[originating from goroutine ")
        self._elsewhere = _word(b"goroutine running on other thread")
        self._main = _word(b"main.main\n")
        self._pieces = []
        self._seed = seed & 0x7FFFFFFF
        self._full = self._texts = self._count = 0
        self._used = self._pending = self._prefix = 0
        self._mode = self._kind = self._noise = 0
        self._mark = 0
        self._behind = self._asked = self._placed = self._framed = self._skip = False

    def feed(self, data: npt.NDArray[np.uint8], *, last: bool = False) -> int:
        """Read all whole lines; returns where the first line starts that has no end yet.

        With `last` the text ends here, and what has no end is a line too. Raises FormatError where
        more is different, or there are more goroutines, than memory is for.
        """
        self._data = _view(np.ascontiguousarray(data))
        return self._feed(0, len(data), last)

    def skip(self) -> None:
        """Leave out everything up to the next end of a line: the line is too long to be kept."""
        self._skip = True

    def end(self, *, whole: bool) -> int:
        """The text has ended; `whole` says that its last line did. Returns 0 where all is whole,
        else the number of the goroutine that is not, which is left out.
        """
        if self._mode == 0:
            return 0
        closed = self._kind != 1 and self._kind != 3 and self._framed
        if not whole:
            closed = closed and self._placed and (self._mode == 2 or self._outermost())
        if not closed:
            self._mode = 0
            return int(self._rows[0, self._count])
        self._finish()
        return 0

    def columns(self) -> npt.NDArray[np.int64]:
        """(FIELDS, goroutines): what was read of each."""
        return np.concatenate([*self._pieces, self._arrays[3][:, : self._count]], axis=1)

    def texts(self) -> list[bytes]:
        """The texts by their numbers."""
        whole = self._arrays[0][: self._text_at[self._texts]].tobytes()
        at = self._arrays[1][: self._texts + 1].tolist()
        return [whole[at[i] : at[i + 1]] for i in range(self._texts)]

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _feed(
        self, at: cython.Py_ssize_t, end: cython.Py_ssize_t, last: cython.bint
    ) -> cython.Py_ssize_t:
        stop: cython.Py_ssize_t
        size: cython.Py_ssize_t
        while at < end:
            stop = _line_end(self._data, at, end)
            if stop < 0:
                if not last:
                    return at
                stop = end
            if self._skip:
                self._skip = False
            else:
                size = stop - at
                if size and self._data[stop - 1] == 13:
                    size -= 1
                if self._text_at[self._texts] + size + _ROOM > self._arena.shape[0]:
                    self._grow_arena(size)
                self._line(at, at + size)
            at = stop + 1
        return end

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _line(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """One line; returns 0."""
        found: cython.Py_ssize_t
        if (
            end - at > 12
            and self._data[end - 1] == 58
            and (self._data[end - 2] == 93 or self._data[end - 2] == 125)  # ]: or }:
        ):
            found = _find(self._data, at, end, self._goroutine)
            if found >= 0 and self._header(at, found, end):
                return 0
        if self._mode == _IDLE:
            return 0
        if self._prefix:
            at = self._behind_prefix(at, end)
        while end > at and self._data[end - 1] == 32:
            end -= 1
        if at >= end:
            self._finish()
        elif self._data[at] == 91 and _starts(self._data, at, end, self._origin):  # [
            self._ancestor()
        elif self._mode == _TAIL:
            self._finish()
        elif self._data[at] == 9:
            self._place(at + 1, end)
        elif self._data[at] == 99 and _starts(self._data, at, end, self._created):  # c
            self._creator(at + 11, end)
        elif self._data[at] == 46 and end - at > 3 and self._data[at + 1] == 46:  # ...23 frames
            self._rows[2, self._count] |= 1
            self._used = self._append_word(self._used, 46)
            self._pending = self._kind = 0
            self._placed = False
        else:
            self._function(at, end)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _header(
        self, line: cython.Py_ssize_t, at: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Begin a goroutine where this is its header; returns whether it is."""
        data: cython.const[cython.uchar][::1] = self._data
        first: cython.Py_ssize_t = at + 10
        k: cython.Py_ssize_t = _digits_end(data, first, end)
        stop: cython.Py_ssize_t
        number: cython.longlong = _number(data, first, k)
        if number < 0 or k >= end or data[k] != 32:
            return 0
        # gp=0xc000002380 m=0 mp=0x5b2f60 may stand before the bracket.
        while k < end and data[k] != 91 and k - first < 128:
            k += 1
        if k >= end or data[k] != 91:
            return 0
        stop = end - 2
        if data[stop] == 125:  # [select] {a: b}:
            stop = _find(data, k, end, self._close)
            if stop < 0:
                return 0
        if self._mode != _IDLE:
            self._finish()
        if self._count == self._rows.shape[1]:
            self._keep_rows()
        self._rows[6, self._count] = -1
        if stop < end - 2:
            self._rows[6, self._count] = self._intern(data, stop + 2, end - 1)
        elif data[stop - 1] == 125:  # [select labels:{"a": "b"}]:
            stop = _find(data, k, end, self._labels)
            if stop < 0:
                stop = end - 2
            else:
                self._rows[6, self._count] = self._intern(data, stop + 8, end - 2)
        self._rows[0, self._count] = number
        self._rows[1, self._count] = 0
        self._rows[2, self._count] = 0
        self._rows[3, self._count] = self._intern(data, k + 1, stop)
        self._rows[4, self._count] = -1
        self._rows[5, self._count] = -1
        self._rows[7, self._count] = -1
        self._mode = _BODY
        self._used = self._pending = self._kind = self._noise = 0
        self._behind = self._placed = self._framed = False
        self._prefix = at - line
        self._asked = self._prefix > 0
        if self._prefix <= self._head.shape[0]:
            _copy(data, line, at, self._head, 0)
        self._mark = 0
        for k in range(line, at if at - line < 8 else line + 8):
            self._mark = self._mark << 8 | data[k]
        return 1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _behind_prefix(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where the runtime's line begins behind what a log wrote: before every line or, as is
        learned of the first one, only before the header.
        """
        k: cython.Py_ssize_t
        mark: cython.ulonglong = 0
        found: cython.Py_ssize_t = -1
        asked: cython.bint = self._asked
        self._asked = False
        if self._prefix <= self._head.shape[0]:
            found = _prefix_end(self._head, self._prefix, self._data, at, end)
        if found >= 0:
            return found
        if asked:
            for k in range(at, at + 8 if self._prefix > 8 else at + self._prefix):
                if k < end:
                    mark = mark << 8 | self._data[k]
            if mark != self._mark or end - at <= self._prefix:
                self._prefix = 0
                while at + self._prefix < end and self._data[at + self._prefix] == 32:
                    self._prefix += 1
                # What is indented is so by as much, whatever the header had before it.
                for k in range(min(self._prefix, self._head.shape[0])):
                    self._head[k] = 32
        return at + self._prefix

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _function(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """A function with its arguments, or a line of something else; returns 0."""
        k: cython.Py_ssize_t = at
        stop: cython.Py_ssize_t = end
        self._placed = False
        if self._data[end - 1] == 41:  # )
            # Arguments hold no parentheses, and a name no blank before its first one.
            while stop > at and self._data[stop - 1] != 40:
                stop -= 1
            stop -= 1
            while k < stop and self._data[k] > 32 and self._data[k] != 40 and self._data[k] != 91:
                k += 1
            if stop > at and (k == stop or self._data[k] != 32):
                self._noise = 0
                self._kind = _FUNCTION
                self._pending = self._append(self._used, at, stop) - self._used
                return 0
            stop = end
        if self._kind == _FUNCTION or self._kind == _CREATOR:
            return 0  # something that another thread wrote between a function and its place
        self._noise += 1
        if self._noise > _MOST_NOISE:
            self._finish()
            return 0
        self._kind = _PERHAPS  # a function of C has no parentheses
        self._pending = self._append(self._used, at, stop) - self._used
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _creator(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """`created by` a function, with the number of its goroutine from Go 1.21 on; returns 0."""
        k: cython.Py_ssize_t = end
        while k > at and 48 <= self._data[k - 1] <= 57:
            k -= 1
        if k < end and k - at > 14 and _starts(self._data, k - 14, end, self._within):
            if not self._behind:
                self._rows[1, self._count] = max(0, _number(self._data, k, end))
            end = k - 14
        self._kind = _FUNCTION if self._behind else _CREATOR
        self._pending = self._append(self._used, at, end) - self._used
        self._noise = 0
        self._framed = True
        self._placed = False
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _place(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """`file:line +0x1d`: makes what is pending a frame, or the creator; returns 0."""
        k: cython.Py_ssize_t = end - 1
        stop: cython.Py_ssize_t
        frame: cython.Py_ssize_t
        if self._kind == 0 or self._pending == 0:
            if _starts(self._data, at, end, self._elsewhere):
                self._rows[2, self._count] |= 2
                self._framed = True
            return 0
        while k > at and self._data[k] != 58:
            k -= 1
        stop = _digits_end(self._data, k + 1, end)
        self._placed = end - stop > 3 and self._data[stop] == 32 and self._data[stop + 1] == 43
        if stop == k + 1 or k == at or (stop < end and self._data[stop] != 32):
            if self._kind == _PERHAPS:
                self._pending = self._kind = 0
                return 0
            stop = end  # a place without a line: of C, where no symbols are
        frame = self._append_word(self._used + self._pending, 0)
        frame = self._append(frame, at, stop)
        frame = self._append_word(frame, 0)
        self._noise = 0
        self._framed = True
        if self._kind == _CREATOR:
            if not self._rows[2, self._count] & 4:
                self._rows[5, self._count] = self._intern(self._scratch, self._used, frame)
            self._mode = _TAIL
        elif not self._rows[2, self._count] & 4:
            self._used = frame
        self._pending = self._kind = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _ancestor(self) -> cython.Py_ssize_t:
        """Frames of the goroutine that created this one, or that one, follow; returns 0."""
        if not self._behind:
            self._rows[4, self._count] = self._intern(self._scratch, 0, self._used)
            self._behind = True
            self._used = 0
        else:
            self._used = self._append_word(self._used, 42)
        self._pending = self._kind = self._noise = 0
        self._mode = _BODY
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _finish(self) -> cython.Py_ssize_t:
        """The goroutine is whole: its row stays; returns 0."""
        self._rows[7 if self._behind else 4, self._count] = self._intern(
            self._scratch, 0, self._used
        )
        self._count += 1
        self._mode = _IDLE
        self._kind = 0
        if self._count == self._rows.shape[1]:
            self._keep_rows()
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _outermost(self) -> cython.Py_ssize_t:
        """Whether the last frame is that of main.main, which nothing created."""
        at: cython.Py_ssize_t = self._used - 2
        lines: cython.int = 0
        while at > 0:
            if self._scratch[at] == 10:
                lines += 1
                if lines == 2:
                    at += 1
                    break
            at -= 1
        return self._used > 2 and _starts(self._scratch, max(at, 0), self._used, self._main)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _append(
        self, to: cython.Py_ssize_t, at: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Copy a part of the line; returns where the copy ends."""
        if end - at + to + 8 > self._scratch.shape[0]:
            self._rows[2, self._count] |= 4
            return to
        return _copy(self._data, at, end, self._scratch, to)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _append_word(self, to: cython.Py_ssize_t, mark: cython.uchar) -> cython.Py_ssize_t:
        """The end of a line or, with a mark, a frame that is none: `...` or `***`."""
        k: cython.Py_ssize_t
        if to + 8 > self._scratch.shape[0]:
            self._rows[2, self._count] |= 4
            return to
        if mark:
            for k in range(3):
                self._scratch[to + k] = mark
            self._scratch[to + 3] = 10
            to += 4
        self._scratch[to] = 10
        return to + 1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _intern(
        self,
        data: cython.const[cython.uchar][::1],
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        """The number of a text. There is room for it: `_feed` has seen to that."""
        mask: cython.ulonglong = self._slots.shape[0] - 1
        slot: cython.ulonglong = _hash(data, at, end, self._seed) & mask
        known: cython.Py_ssize_t
        first: cython.Py_ssize_t
        while self._slots[slot] >= 0:
            known = self._slots[slot]
            first = self._text_at[known]
            if self._text_at[known + 1] - first == end - at and _same(
                data, at, end, self._arena, first
            ):
                return known
            slot = (slot + 1) & mask
        known = self._texts
        first = self._text_at[known]
        self._slots[slot] = known
        self._texts += 1
        self._text_at[self._texts] = _copy(data, at, end, self._arena, first)
        if self._texts + 2 > self._text_at.shape[0]:
            self._grow_texts()
        return known

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _grow_texts(self) -> cython.Py_ssize_t:
        """Twice the texts; returns 0."""
        k: cython.Py_ssize_t
        slot: cython.ulonglong
        mask: cython.ulonglong
        text_at = np.zeros(2 * self._text_at.shape[0], np.int64)
        text_at[: self._texts + 1] = self._arrays[1][: self._texts + 1]
        slots = np.full(4 * self._text_at.shape[0], -1, np.int32)
        self._arrays[1], self._arrays[2] = text_at, slots
        self._text_at, self._slots = _view(text_at), _view(slots)
        mask = self._slots.shape[0] - 1
        for k in range(self._texts):
            slot = _hash(self._arena, self._text_at[k], self._text_at[k + 1], self._seed) & mask
            while self._slots[slot] >= 0:
                slot = (slot + 1) & mask
            self._slots[slot] = k
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _grow_arena(self, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Room for what a line can bring; returns 0."""
        used: int = self._text_at[self._texts]
        if used > MAX_CHARACTERS:
            raise FormatError(
                f"more than {MAX_CHARACTERS >> 20} MiB of stacks are different",
                hint="cut the file into parts",
            )
        arena = np.empty(2 * (used + size + MAX_STACK), np.uint8)
        arena[:used] = self._arrays[0][:used]
        self._arrays[0] = arena
        self._arena = _view(arena)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _keep_rows(self) -> cython.Py_ssize_t:
        """Put full rows aside; returns 0."""
        self._pieces.append(self._arrays[3][:, : self._count].copy())
        self._full += self._count
        self._count = 0
        if self._full >= MAX_GOROUTINES:
            raise FormatError(
                f"more than {MAX_GOROUTINES:,} goroutines", hint="cut the file into parts"
            )
        return 0
