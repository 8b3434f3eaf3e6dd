"""What an execution trace holds, without its events: format, generations, batches.

Layout: 16 bytes `go 1.NN trace`, padded with zeros, then batches (see kernels/trace_index). Up to
format 25 the next generation's number ends a generation, from 26 a byte of its own does; a trace
that ends without it was cut off. Generations count up by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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
_MAGIC: Final = re.compile(rb"go 1\.(\d{1,3}) trace\x00\x00\x00")

ReadInto = Callable[[memoryview, int], int]
"""Fills the buffer with the file's bytes from an offset on; returns how many there were."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation's batches, in the file's order: a column a batch (rows of trace_index)."""

    number: int
    batches: npt.NDArray[np.int64]
    whole: bool
    """False where the file ends in it."""

    def of_kind(self, *kinds: int) -> npt.NDArray[np.int64]:
        """The batches whose data start with one of these bytes."""
        return self.batches[:, np.isin(self.batches[kernel.KIND], kinds)]


def read_format(head: bytes) -> int:
    """The number of the format that the first bytes name. Raises FormatError."""
    found = _MAGIC.match(head)
    if found is None:
        raise FormatError("this is not an execution trace of Go", hint=_told(head))
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


def _told(head: bytes) -> str:
    if head.startswith(b"\x1f\x8b"):
        return "it is compressed: unpack it first, or see `gocost profile top` for a profile"
    if head.startswith(b"\x7fELF"):
        return "it is an executable: see `gocost size`"
    if head.startswith(b"goroutine "):
        return "it is a goroutine dump: see `gocost goroutines`"
    if not head:
        return "it is empty: record it again"
    return "record one with /debug/pprof/trace?seconds=5 or runtime/trace"


def generations(read_into: ReadInto, size: int, version: int) -> Iterator[Generation]:
    """The generations of a trace of `size` bytes, whose batches are hopped over.

    A generation that the file ends in is given last, with `whole` false, as far as it goes.
    Raises FormatError where the generations are out of order, or a header is malformed that is not
    the first thing of a generation that might have been cut.
    """
    parts: list[npt.NDArray[np.int64]] = []
    number = 0
    for batches in _headers(read_into, size):
        start = 0
        count = batches.shape[1]
        while start < count:
            rest = batches[:, start:]
            ends = rest[kernel.KIND] == kernel.END_OF_GENERATION
            other = ~ends & (rest[kernel.GENERATION] != (number or rest[kernel.GENERATION, 0]))
            stops = np.flatnonzero(ends | other)
            stop = int(stops[0]) if len(stops) else count - start
            if stop:
                number = number or int(rest[kernel.GENERATION, 0])
                if number == 0:
                    raise FormatError("a batch names generation 0", offset=int(rest[4, 0]))
                parts.append(rest[:, :stop])
            start += stop
            if not len(stops):
                break
            if ends[stop]:
                start += 1
                if version < 26:
                    raise FormatError("a generation ends as only Go 1.26 ends it",
                                      offset=int(rest[kernel.START, stop]))  # fmt: skip
                if parts:
                    yield Generation(number, np.concatenate(parts, axis=1), whole=True)
                parts, number = [], 0
                continue
            following = int(rest[kernel.GENERATION, stop])
            if version >= 26 or following != number + 1:
                raise FormatError(
                    f"generation {following} starts within generation {number}",
                    offset=int(rest[kernel.START, stop]),
                )
            yield Generation(number, np.concatenate(parts, axis=1), whole=True)
            parts, number = [], following
    if parts:
        found = np.concatenate(parts, axis=1)
        cut = int(found[kernel.START, -1] + found[kernel.SIZE, -1]) > size
        yield Generation(number, found, whole=version < 26 and not cut)


def _headers(read_into: ReadInto, size: int) -> Iterator[npt.NDArray[np.int64]]:
    """The headers, some at a time."""
    buffer = bytearray(_WINDOW)
    offset = HEADER
    while offset < size:
        got = read_into(memoryview(buffer), offset)
        if got <= 0:
            return
        window = np.frombuffer(buffer, np.uint8, got)
        last = offset + got >= size
        try:
            found, following = kernel.scan_headers(window, offset, offset, last=last)
        except FormatError:
            if last:
                return  # the file ends in a header: what stands before it is whole
            raise
        if found.shape[1] == 0 and following == offset:
            return
        yield found
        offset = following
