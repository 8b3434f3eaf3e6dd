"""What an execution trace holds, without its events: format, generations, batches.

Layout: 16 bytes `go 1.NN trace`, padded with zeros, then batches (see kernels/trace_index). Up to
format 25 the next generation's number ends a generation, from 26 a byte of its own does; a trace
that ends without it was cut off. Generations count up by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.kernels import trace_index as kernel
from gocost.model.errors import FormatError

HEADER: Final = 16
FORMATS: Final = (22, 23, 25, 26)
"""The formats that are read; Go 1.24 writes 23, Go 1.27 writes 26."""
OLD_FORMATS: Final = (5, 7, 8, 9, 10, 11, 19, 21)
_WINDOW: Final = 1 << 12
_ROOM: Final = 1 << 10
"""Headers that are looked at together."""
_MAGIC: Final = re.compile(rb"go 1\.(\d{1,3}) trace\x00\x00\x00")

ReadInto = Callable[[memoryview, int], int]
"""Fills the buffer with the file's bytes from an offset on; returns how many there were."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation's batches, in the file's order: a column a batch (rows of trace_index)."""

    number: int
    batches: npt.NDArray[np.int64]

    def of_kind(self, *kinds: int) -> npt.NDArray[np.int64]:
        """The batches whose data start with one of these bytes."""
        return self.batches[:, np.isin(self.batches[kernel.KIND], kinds)]


def read_format(head: bytes) -> int:
    """The number of the format that the first bytes name; more of them tell better what else it is.

    Raises FormatError.
    """
    found = _MAGIC.match(head)
    if found is None:
        raise _named(head)
    version = int(found[1])
    if version in FORMATS:
        return version
    if version in OLD_FORMATS:
        raise FormatError(
            f"the trace is of format 1.{version}, which Go 1.21 and older wrote",
            hint="build the service with Go 1.22 or newer and record it again, or use the"
            " `go tool trace` of that version",
        )
    raise FormatError(
        f"the trace is of format 1.{version}, which this gocost does not know",
        hint="use a newer gocost",
    )


def _named(head: bytes) -> FormatError:
    """Why there is no trace in a file: what it is."""
    from gocost.formats.recognition import GZIP, Kind, mistaken, recognise

    if not head:
        return FormatError(
            "this is not an execution trace of Go", hint="it is empty: record it again"
        )
    if head.startswith(GZIP) and recognise(head).kind is Kind.TRACE:
        return FormatError("the trace is compressed", hint="unpack it first: gunzip FILE")
    return mistaken(head, Kind.TRACE) or FormatError(
        "this is not an execution trace of Go",
        hint="record one with /debug/pprof/trace?seconds=5 or runtime/trace",
    )


@dataclass(frozen=True, slots=True)
class Index:
    """The generations of a trace that are whole, and what of it is lost."""

    generations: tuple[Generation, ...]
    lost: str
    """Empty where the trace is whole."""


def read_index(read_into: ReadInto, size: int, version: int) -> Index:
    """The generations of a trace of `size` bytes, whose batches are hopped over.

    What the file ends in, or what follows a header that is malformed, is lost, and said to be.
    Raises FormatError where generations are mixed.
    """
    found: list[Generation] = []
    coming = each_generation(read_into, size, version)
    while True:
        try:
            found.append(next(coming))
        except StopIteration as end:
            return Index(tuple(found), end.value)


def each_generation(
    read_into: ReadInto, size: int, version: int
) -> Generator[Generation, None, str]:
    """The same one after the other, as they are found; returns what is lost."""
    parts: list[npt.NDArray[np.int64]] = []
    number = 0
    reached = HEADER
    for batches, reached in _headers(read_into, size):  # noqa: B007 - where it ends is looked at
        start = 0
        while start < batches.shape[1]:
            rest = batches[:, start:]
            number = number or int(rest[kernel.GENERATION, 0])
            ends = rest[kernel.KIND] == kernel.END_OF_GENERATION
            stops = np.flatnonzero(ends | (rest[kernel.GENERATION] != number))
            stop = int(stops[0]) if len(stops) else rest.shape[1]
            if stop:
                parts.append(rest[:, :stop])
            start += stop
            if not len(stops):
                break
            following = 0 if ends[stop] else int(rest[kernel.GENERATION, stop])
            _check_order(number, following, version, int(rest[kernel.START, stop]), bool(parts))
            start += bool(ends[stop])
            if parts:
                yield Generation(number, np.concatenate(parts, axis=1))
            parts, number = [], following
    if parts and version < 26 and reached == size:  # the last one is whole: nothing else ends it
        yield Generation(number, np.concatenate(parts, axis=1))
    elif parts or reached != size:
        last = f"generation {number}" if parts else "what follows"
        why = "is cut off" if reached >= size else f"is damaged at byte {reached:,}"
        return f"the trace {why}: {last} is lost"
    return ""


def _check_order(number: int, following: int, version: int, offset: int, some: bool) -> None:
    """Raises FormatError where a generation does not follow on the one before it."""
    if following == 0 and version >= 26:
        return
    if following == 0:
        raise FormatError("a generation ends as only Go 1.26 ends it", offset=offset)
    if some and (version >= 26 or following != number + 1):
        raise FormatError(f"generation {following} starts within {number}", offset=offset)


def _headers(read_into: ReadInto, size: int) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
    """The headers, some at a time, and the offset that they reach."""
    buffer = bytearray(_WINDOW)
    view, whole = memoryview(buffer), np.frombuffer(buffer, np.uint8)
    found = np.empty((kernel.FIELDS, _ROOM), np.int64)
    state = np.array([HEADER, 0], np.int64)
    offset, malformed = HEADER, False
    while offset < size and not malformed:
        got = read_into(view, offset)
        window = whole if got == _WINDOW else whole[: max(got, 0)]
        malformed = got <= 0 or kernel.scan_headers(
            window, offset, found, state, last=offset + got >= size
        )
        before, offset = offset, int(state[0])
        if malformed and got > 0 and _could_go_on(window[offset - before :]):
            offset = size + 1
        full = state[1] == _ROOM
        if full:
            yield found.copy(), offset
            state[1] = 0
        elif offset == before:
            break
    yield found[:, : int(state[1])].copy(), offset


def _could_go_on(rest: npt.NDArray[np.uint8]) -> bool:
    """Whether the file ends within a header: with more bytes it would be one."""
    if len(rest) >= kernel.HEADER:
        return False
    more = np.concatenate([rest, np.zeros(kernel.HEADER, np.uint8)])
    found, state = np.empty((kernel.FIELDS, 1), np.int64), np.zeros(2, np.int64)
    return not kernel.scan_headers(more, 0, found, state, last=True)
