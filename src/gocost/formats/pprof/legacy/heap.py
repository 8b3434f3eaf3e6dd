"""Heap profiles as text: of Go, tcmalloc's heap, growth and fragmentation.

    heap profile: 3: 960 [12: 4096] @ heap/1048576
    1: 320 [4: 1024] @ 0x41f1e5 0x4fc669          objects: bytes [allocated: bytes] @ stack

After the @ is how samples were taken: `heap/N` about every N/2 bytes, `heap_v2/N` or `heapz_v2/N`
every N bytes (both are scaled up), `heapprofile`, `growth` and `fragmentation` all of them.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gocost.formats.pprof.legacy.lines import (
    Lines,
    UnrecognizedError,
    addresses_in,
    expression,
    integer,
    is_comment,
    quotient,
    told,
    trimmed,
)
from gocost.formats.pprof.legacy.mappings import begins_mappings, read_mappings, skip_to_mappings
from gocost.formats.pprof.legacy.samples import Samples, Stacks, profile_of
from gocost.formats.pprof.legacy.unsampling import unsampled
from gocost.formats.pprof.profile import Header, Profile, ValueType
from gocost.model.errors import FormatError

_TOTALS: Final = rb"heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\]"
_HEADER: Final = expression(_TOTALS + rb" *@ *(heap[_a-z0-9]*)/?(\d*)")
_OTHER: Final = expression(_TOTALS + rb" @ (growth|fragmentation)z?")
# Possessive, and not from within a number: linear on any line.
_SAMPLE: Final = re.compile(
    rb"(-[0-9]++|(?<![-0-9])[0-9]++): *+(-?[0-9]++) *+\[ *+([0-9]++): *+([0-9]++) *+\]"
    rb" @([ x0-9a-f]*+)"
)
_OBJECTS: Final = ("objects", "count")
_SPACE: Final = ("space", "bytes")


@dataclass(frozen=True, slots=True)
class _Sampling:
    """How the samples were taken."""

    period: int
    scaled: bool
    allocated: bool
    """What was allocated is told apart from what is in use."""


def begins(data: bytes) -> bool:
    """Whether the first line is a header."""
    line = data[:65_536].split(b"\n", 1)[0]
    return _HEADER.search(line) is not None or _OTHER.search(line) is not None


def read(data: bytes, origin: str) -> Profile:
    """The profile. Raises FormatError."""
    lines = Lines(data)
    lines.advance()
    sampling = _sampling(lines.line)
    stacks = _stacks(lines, sampling).of_calls()
    if sampling.scaled:
        stacks = _unsampled(stacks, sampling.period)
    skip_to_mappings(lines)
    return profile_of(stacks, read_mappings(lines), origin)


def _sampling(line: bytes) -> _Sampling:
    header = _HEADER.search(line)
    if header is None:
        return _Sampling(period=1, scaled=False, allocated=False)
    objects, space, all_objects, all_space, how, given = header.groups()
    period = integer(given) if given else 0
    if period is None:
        raise UnrecognizedError("the heap profile's period has more than 64 bits", offset=0)
    # The texts are compared, as pprof does: `07` is not `7`.
    allocated = all_objects not in (objects, b"0") or all_space not in (space, b"0")
    if how in (b"heap_v2", b"heapz_v2"):
        return _Sampling(period, scaled=True, allocated=allocated)
    if how == b"heap":
        return _Sampling(period // 2, scaled=True, allocated=allocated)
    if how == b"heapprofile":
        return _Sampling(period=1, scaled=False, allocated=allocated)
    raise UnrecognizedError(f"this kind of heap profile is not known: {told(line)}", offset=0)


def _stacks(lines: Lines, sampling: _Sampling) -> Stacks:
    """The samples, not scaled yet."""
    samples, blocks = Samples(), array("q")
    while lines.advance():
        line = trimmed(lines.line)
        if is_comment(line):
            continue
        if begins_mappings(line):
            break
        match = _SAMPLE.search(line)
        if match is None:
            raise FormatError(f"this is no sample of a heap: {told(line)}", offset=lines.offset)
        *words, stack = match.groups()
        numbers = [integer(word) for word in words]
        objects, space, all_objects, all_space = numbers
        values = [all_objects, all_space, objects, space] if sampling.allocated else numbers[:2]
        checked = [value for value in values if value is not None]
        if len(checked) < len(values):
            raise FormatError(f"a number of {told(line)} has over 64 bits", offset=lines.offset)
        samples.add(checked, addresses_in(stack, lines.offset))
        blocks.append(_block(checked, lines.offset))
    prefixes = ("alloc_", "inuse_") if sampling.allocated else ("",)
    header = Header(
        sample_types=tuple(
            ValueType(prefix + name, unit)
            for prefix in prefixes
            for name, unit in (_OBJECTS, _SPACE)
        ),
        period_type=ValueType(*_SPACE),
        period=sampling.period,
    )
    return replace(samples.stacks(header), block_bytes=np.array(blocks, np.int64))


def _block(values: list[int], offset: int) -> int:
    """The bytes of one block: of those in use, or else of those allocated."""
    size = 0
    for count, space in zip(values[::2], values[1::2], strict=True):
        if count:
            size = quotient(space, count)
        elif space:
            raise FormatError(f"no objects have {space} bytes", offset=offset)
    return size


def _unsampled(stacks: Stacks, rate: int) -> Stacks:
    values = stacks.values.copy()
    for column in range(0, values.shape[1], 2):
        values[:, column], values[:, column + 1] = unsampled(
            values[:, column], values[:, column + 1], rate
        )
    return replace(stacks, values=values)
