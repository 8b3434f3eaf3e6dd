"""gzip undone in pieces, all members of it: dumps, traces, and answers that a proxy compressed.

What is cut off or damaged gives what stands before that. Profiles, which are read whole and refused
then, have `pprof/deflate`, and the words for what is wrong from here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gocost.model.errors import FormatError

GZIP: Final = b"\x1f\x8b"
"""What each member begins with."""
CUT: Final = "the gzip stream is cut off"
_AGAIN: Final = "record or copy it again"
_PIECE: Final = 1 << 20
"""Bytes that are made at once, however well they were compressed."""
_FIRST_STEP: Final = 512
_LARGEST_STEP: Final = 1 << 16
"""Bytes that are given to zlib at once, more and more within a member: what it has left over behind
one it copies, and there may be a member every twenty bytes.
"""


def cut_off() -> FormatError:
    """The error for a stream whose end is not there."""
    return FormatError(CUT, hint=_AGAIN)


def damaged() -> FormatError:
    """The error for what cannot be inflated. The library's own words for it, and the place, which
    is that of a whole piece, tell nobody more: they stay in what this is raised from.
    """
    return FormatError("the gzip stream is damaged", hint=_AGAIN)


def followed(offset: int) -> FormatError:
    """The error for something else behind a whole member, which begins there."""
    return FormatError(
        "something that is not gzip follows the gzip stream", hint=_AGAIN, offset=offset
    )


class Gunzip:
    """What some bytes of gzip hold, as they come."""

    def __init__(self, library: Any = zlib) -> None:
        """`library` is zlib, or has its functions."""
        self._library = library
        self._begin()
        self._begun = False
        self._taken = 0
        """Bytes of what came before."""
        self._after = False
        """Whether a whole member stands before this one."""

    def _begin(self) -> None:
        """A member."""
        self._inflater = self._library.decompressobj(wbits=31)
        self._step = _FIRST_STEP
        self._mark = b""
        """Its first bytes, which may come one by one."""

    @property
    def whole(self) -> bool:
        """Whether it ended as gzip does; after `end`."""
        return bool(self._inflater.eof) or not self._begun

    def add(self, data: bytes | memoryview) -> Iterator[bytes]:
        """What these bytes add. Raises FormatError where they are no gzip."""
        view, at = memoryview(data), 0
        while at < len(view):
            piece = bytes(view[at : at + self._step])
            at += len(piece)
            if self._inflater.eof:
                piece = piece.lstrip(b"\0")  # tapes and disks pad with zeros
                if not piece:
                    continue
                self._begin()
                self._after = True
            self._check_mark(piece, self._taken + at - len(piece))
            yield from self._inflated(piece)
            at -= len(self._inflater.unused_data)
        self._taken += len(view)

    def _check_mark(self, piece: bytes, offset: int) -> None:
        """Whether what begins is a member."""
        seen = len(self._mark)
        if seen < len(GZIP):
            self._mark += piece[: len(GZIP) - seen]
            if not GZIP.startswith(self._mark):
                raise followed(offset - seen) if self._after else damaged()

    def _inflated(self, piece: bytes) -> Iterator[bytes]:
        self._begun = True
        self._step = min(2 * self._step, _LARGEST_STEP)
        while piece:
            try:
                made = self._inflater.decompress(piece, _PIECE)
            except self._library.error as error:
                raise damaged() from error
            if made:
                yield made
            piece = self._inflater.unconsumed_tail

    def end(self) -> bytes:
        """What was held back of a stream that is cut off."""
        held: bytes = b"" if self.whole else self._inflater.flush()
        return held


def gunzipped(
    pieces: Iterable[bytes | memoryview], stream: Gunzip | None = None
) -> Iterator[bytes]:
    """The bytes without gzip; of what is cut off those before. Raises FormatError where damaged.

    A `stream` of the caller's tells in the end whether it was whole.
    """
    stream = Gunzip() if stream is None else stream
    for piece in pieces:
        yield from stream.add(piece)
    if held := stream.end():
        yield held
