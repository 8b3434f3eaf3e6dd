"""The tables of one generation: strings, stacks, CPU samples, the clock.

Ids of strings and stacks are a generation's own. Of several frames for one program counter the
first holds. From format 25 on the clock is `50, 8 frequency, 51 [ticks since the batch's time,
monotonic ns, wall s, wall ns]`, before it is `8 frequency` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.formats.exectrace.index import Generation, ReadInto
from gocost.kernels import trace_index as kernel
from gocost.kernels.varint import decode_uvarints
from gocost.model.errors import FormatError

_SPARSE: Final = (8, 1 << 16)
"""Go numbers strings and stacks from 1 on; ids over 8 times their number plus this are refused."""
_TIMES: Final = 24
_USUAL: Final = 4 << 20
"""Bytes of tables that are not counted; Go writes tens of kilobytes a generation."""
_STACKS, _STRINGS, _SAMPLES, _FREQUENCY, _SYNC = 2, 4, 6, 8, 50
_SNAPSHOT: Final = 51


@dataclass(frozen=True, slots=True)
class Clock:
    """How ticks become nanoseconds, and what time of day it was."""

    tick_ns: float
    snapshot_ns: int | None = None
    """The time, in nanoseconds of the trace, at which the two others were read."""
    monotonic_ns: int | None = None
    wall_ns: int | None = None
    """Since 1970. None before format 25."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What the events of a generation refer to."""

    clock: Clock
    texts: list[str]
    """By id; ids that are not there are empty."""
    known: npt.NDArray[np.bool_]
    """Which ids of texts are there."""
    stack_end: npt.NDArray[np.int64]
    """By id: where in `frames` its frames end, leaf first."""
    stack_start: npt.NDArray[np.int64]
    frames: npt.NDArray[np.int64]
    """Columns function (a text), file (a text), line."""
    pcs: npt.NDArray[np.uint64]
    samples: npt.NDArray[np.uint64]
    """CPU samples: columns (ticks, thread, P, goroutine, stack)."""

    def root(self, stack: int) -> str:
        """The outermost function of a stack, empty for none."""
        if stack <= 0 or self.stack_start[stack] == self.stack_end[stack]:
            return ""
        return self.texts[int(self.frames[0, self.stack_end[stack] - 1])]

    def roots(self) -> npt.NDArray[np.int64]:
        """The text of the outermost function of each stack, -1 for none: the runtime writes a frame
        without a name where it could not walk a stack.
        """
        sizes = self.stack_end - self.stack_start
        outermost = np.where(sizes > 0, self.stack_end - 1, 0)
        found = np.where(sizes > 0, self.frames[0, outermost] if self.frames.size else 0, -1)
        found[:1] = -1  # the stack of what has none
        named = np.array([bool(text) for text in self.texts], np.bool_)
        return np.where((found >= 0) & named[found], found, -1)


def read_tables(read_into: ReadInto, generation: Generation, version: int) -> Tables:
    """The tables of a generation. Raises FormatError where one is malformed or incomplete."""
    clock = read_clock(read_into, generation, version)
    texts, known = _texts(read_into, generation)
    start, end, frames, pcs = _stacks(read_into, generation, known)
    parts = [kernel.read_samples(data) for data in _data(read_into, generation, _SAMPLES)]
    samples = np.concatenate(parts, axis=1) if parts else np.zeros((5, 0), np.uint64)
    return Tables(clock, texts, known, end, start, frames, pcs, samples)


def held_by_tables(generation: Generation) -> int:
    """Bytes of memory that the tables of a generation may take, beyond what those of any program
    are: a frame of four bytes becomes a hundred, while the frames of a generation are put in order.
    """
    batches = generation.of_kind(_STACKS, _STRINGS, _SAMPLES)
    return _TIMES * max(0, int(batches[kernel.SIZE].sum()) - _USUAL)


def _data(read_into: ReadInto, generation: Generation, *kinds: int) -> list[npt.NDArray[np.uint8]]:
    found = []
    for offset, size in generation.of_kind(*kinds)[[kernel.START, kernel.SIZE]].T.tolist():
        buffer = bytearray(size)
        if read_into(memoryview(buffer), offset) != size:
            raise FormatError("the file ends within a table", offset=offset)
        found.append(np.frombuffer(buffer, np.uint8))
    return found


def read_clock(read_into: ReadInto, generation: Generation, version: int) -> Clock:
    """A generation's clock alone. Raises FormatError where it is malformed or missing."""
    kind = _FREQUENCY if version < 25 else _SYNC
    batches = generation.of_kind(kind)
    frequency: int | None = None
    snapshot: tuple[int, int, int, int] | None = None
    for data, time in zip(
        _data(read_into, generation, kind), batches[kernel.TIME].tolist(), strict=True
    ):
        at = 0 if version < 25 else 1
        while at < len(data):
            event, wanted = int(data[at]), 1 if data[at] == _FREQUENCY else 4
            again = frequency if event == _FREQUENCY else snapshot
            if event not in (_FREQUENCY, _SNAPSHOT) or again is not None:
                raise FormatError(f"the clock of generation {generation.number} is malformed")
            if len(data) - at - 1 < wanted:
                raise FormatError(f"the clock of generation {generation.number} is cut off")
            values, used = decode_uvarints(data[at + 1 :], wanted)
            numbers = values.tolist()
            if event == _FREQUENCY:
                frequency = numbers[0]
            else:
                snapshot = (time + numbers[0], *numbers[1:])
            at += 1 + used
    if not frequency:
        raise FormatError(f"generation {generation.number} does not say how its clock ticks")
    if version >= 25 and snapshot is None:
        raise FormatError(f"generation {generation.number} does not say what time it was")
    # The same arithmetic as Go's, so that times are equal to the nanosecond.
    tick_ns = 1.0 / (float(frequency) / 1e9)
    if snapshot is None:
        return Clock(tick_ns)
    ticks, monotonic, seconds, nanoseconds = snapshot
    return Clock(tick_ns, int(ticks * tick_ns), monotonic, seconds * 10**9 + nanoseconds)


def _texts(read_into: ReadInto, generation: Generation) -> tuple[list[str], npt.NDArray[np.bool_]]:
    parts = [(data, kernel.read_strings(data)) for data in
             _data(read_into, generation, _STRINGS)]  # fmt: skip
    ids = np.concatenate([found[0] for _, found in parts]) if parts else np.zeros(0, np.int64)
    _check_ids(ids, "string")
    count = int(ids.max(initial=0)) + 1
    texts = [""] * count
    known = np.zeros(count, np.bool_)
    known[ids] = True
    known[0] = True  # 0 is the empty text
    for data, found in parts:
        raw = data.tobytes()
        for id_, start, size in found.T.tolist():
            texts[id_] = raw[start : start + size].decode("utf-8", "backslashreplace")
    return texts, known


def _stacks(
    read_into: ReadInto, generation: Generation, known: npt.NDArray[np.bool_]
) -> tuple[
    npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint64]
]:
    parts = [kernel.read_stacks(data) for data in _data(read_into, generation, _STACKS)]
    if not parts:
        one = np.zeros(1, np.int64)
        return one, one.copy(), np.zeros((3, 0), np.int64), np.zeros(0, np.uint64)
    ids = np.concatenate([found[0] for found, _ in parts])
    _check_ids(ids, "stack")
    before = np.cumsum([0, *(frames.shape[1] for _, frames in parts[:-1])])
    ends = np.concatenate([found[1] + base for (found, _), base in zip(parts, before, strict=True)])
    raw = np.concatenate([frames for _, frames in parts], axis=1)
    pcs, numbers = raw[0], raw[1:]
    if numbers.size and int(numbers[:2].max()) >= len(known):
        raise FormatError("a frame names a string that is not in its table")
    # The first frame of a program counter holds for all.
    _, first, of_pc = np.unique(pcs, return_index=True, return_inverse=True)
    frames = numbers.astype(np.int64)[:, first[of_pc.reshape(-1)]]
    if not known[frames[:2]].all():
        raise FormatError("a frame names a string that is not in its table")
    count = int(ids.max(initial=0)) + 1
    start, end = np.zeros(count, np.int64), np.zeros(count, np.int64)
    end[ids] = ends
    start[ids] = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    return start, end, frames, pcs


def _check_ids(ids: npt.NDArray[np.int64], what: str) -> None:
    if not len(ids):
        return
    cap = _SPARSE[0] * len(ids) + _SPARSE[1]
    if int(ids.max()) > cap:
        raise FormatError(f"a {what} has the id {int(ids.max())}, over the cap of {cap}")
    if int(ids.min()) == 0:
        raise FormatError(f"a {what} has the id 0, which stands for none")
    if np.bincount(ids).max() > 1:
        raise FormatError(f"two {what}s of a generation have the same id")
