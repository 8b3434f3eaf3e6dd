"""The binary CPU profile of gperftools and of Go before 1.9 (`profilez`).

Words of four or eight bytes, of either byte order:

    0, 3, 0 (or 1 where Java wrote it), microseconds between samples, 0
    count, size of the stack, its addresses          for each stack
    0, 1, 0                                          the end
    the mappings, or what Java's addresses stand for, as text

The first address is where the program was, the others are what calls return to.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.formats.pprof.legacy.java import read_names
from gocost.formats.pprof.legacy.lines import Lines, UnrecognizedError, wrapped
from gocost.formats.pprof.legacy.mappings import read_mappings
from gocost.formats.pprof.legacy.samples import Samples, Stacks, profile_of
from gocost.formats.pprof.profile import Header, Profile, UInt64s, ValueType

_WORDS: Final = ("<u4", ">u4", "<u8", ">u8")
_HEADER: Final = 5
_SIMILAR: Final = 32
"""One in so many samples may differ where the others have a frame of the profiler's own."""
_FRAMES: Final = 2
"""How many such frames there may be."""


def begins(data: bytes) -> bool:
    """Whether the first words are a header."""
    return _kind(data) is not None


def _kind(data: bytes) -> tuple[str, bool, int] | None:
    """The kind of word, whether Java wrote it, and the period in microseconds."""
    for kind in _WORDS:
        size = np.dtype(kind).itemsize
        if len(data) >= _HEADER * size:
            zero, version, java, period, padding = np.frombuffer(data, kind, _HEADER).tolist()
            if (zero, version, padding) == (0, 3, 0) and java in (0, 1) and period > 0:
                return kind, java == 1, wrapped(period)
    return None


def read(data: bytes, origin: str) -> Profile:
    """The profile. Raises FormatError."""
    kind = _kind(data)
    assert kind is not None, "the caller has asked whether it begins so"
    word, java, microseconds = kind
    period = wrapped(microseconds * 1000)
    header = Header(
        sample_types=(ValueType("samples", "count"), ValueType("cpu", "nanoseconds")),
        period_type=ValueType("cpu", "nanoseconds"),
        period=period,
    )
    stacks, rest = _stacks(data, word, header)
    if java:
        return profile_of(stacks, [], origin, names=read_names(data[rest:], stacks.addresses))
    stacks = _without_handler(stacks.of_calls(leaves=False))
    return profile_of(stacks, read_mappings(Lines(data, rest)), origin, doubled=True)


def _stacks(data: bytes, word: str, header: Header) -> tuple[Stacks, int]:
    """The samples as they stand, and where they end."""
    size = np.dtype(word).itemsize
    words: npt.NDArray[Any] = np.frombuffer(data, word, len(data) // size)
    samples = Samples()
    at = _HEADER
    while at * size < len(data):
        left = len(data) - (at + 2) * size
        if left < 0 or int(words[at + 1]) > left // 4:
            raise UnrecognizedError("a stack of the CPU profile is cut off", offset=at * size)
        count, depth = wrapped(int(words[at])), int(words[at + 1])
        addresses: UInt64s = words[at + 2 : at + 2 + depth].astype(np.uint64)
        at += 2 + depth
        if count == 0 and depth == 1 and not addresses.any():
            break
        # Half of a last stack of long words may be missing; those addresses are 0.
        stack = addresses.tolist() + [0] * (depth - len(addresses))
        samples.add((count, wrapped(count * header.period)), stack)
    return samples.stacks(header), min(at * size, len(data))


def _without_handler(stacks: Stacks) -> Stacks:
    """The stacks without the frame of the signal handler, where nearly all have it second."""
    count = len(stacks.values)
    for _ in range(_FRAMES):
        places, second = stacks.callers()
        found, often = np.unique(second, return_counts=True)
        common = found[often >= count - count // _SIMILAR]
        if len(common):
            stacks = stacks.without(places[second == common[0]])
    return stacks
