"""Waiting for locks as text: Go's mutex and block profiles, and `contentionz` of C++.

    --- mutex:
    cycles/second=2399998840
    sampling period=5
    7104 2 @ 0x48aa00 0x4f2890                    cycles, times, stack

Values are scaled by the period, and cycles made nanoseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gocost.formats.pprof.legacy.lines import (
    Lines,
    UnrecognizedError,
    addresses_in,
    integer,
    is_comment,
    literal,
    told,
    trimmed,
    truncated,
    wrapped,
)
from gocost.formats.pprof.legacy.mappings import read_mappings, skip_to_mappings
from gocost.formats.pprof.legacy.samples import Samples, profile_of
from gocost.formats.pprof.profile import Header, Profile, ValueType
from gocost.model.errors import FormatError

_HEADERS: Final = (b"--- contentionz ", b"--- mutex:", b"--- contention:")
# Two numbers, with no space between them if need be: `123 @` is 12 and 3, as for pprof.
# Possessive, and not from within a number: linear on any line.
_SAMPLE: Final = re.compile(
    rb"(?<![0-9])(?:([0-9]++) ++([0-9]++)|([0-9]++)(?<=[0-9][0-9])) @([ x0-9a-f]*+)"
)


@dataclass(slots=True)
class _Attributes:
    """What stands before the samples."""

    cycles_per_second: int = 0
    period: int = 1
    milliseconds: int = 0


_NAMES: Final = {
    b"cycles/second": "cycles_per_second",
    b"sampling period": "period",
    b"ms since reset": "milliseconds",
}


def begins(data: bytes) -> bool:
    """Whether the first line is a header."""
    return data.startswith(_HEADERS)


def read(data: bytes, origin: str) -> Profile:
    """The profile. Raises FormatError."""
    lines = Lines(data)
    lines.advance()
    given = _attributes(lines)
    samples = Samples()
    while True:
        line = trimmed(lines.line)
        if line.startswith(b"---"):
            break
        if not is_comment(line):
            samples.add(*_sample(line, given, lines.offset))
        if not lines.advance():
            break
    header = Header(
        sample_types=(ValueType("contentions", "count"), ValueType("delay", "nanoseconds")),
        period_type=ValueType("contentions", "count"),
        period=given.period,
        duration_ns=wrapped(given.milliseconds * 1_000_000),
    )
    stacks = samples.stacks(header).of_calls()
    skip_to_mappings(lines)
    return profile_of(stacks, read_mappings(lines), origin)


def _attributes(lines: Lines) -> _Attributes:
    """The lines `NAME = VALUE`, up to the first that is none."""
    found = _Attributes()
    while lines.advance():
        line = trimmed(lines.line)
        if is_comment(line):
            continue
        if line.startswith(b"---"):
            break
        name, equals, value = line.partition(b"=")
        if not equals:
            break
        name = trimmed(name)
        if name == b"discarded samples":
            continue
        number = literal(trimmed(value)) if name in _NAMES else None
        if number is None:
            # `format` and `resolution` are of Java's form, which begins alike.
            raise UnrecognizedError(f"this is not understood: {told(line)}", offset=lines.offset)
        setattr(found, _NAMES[name], number)
    return found


def _sample(line: bytes, given: _Attributes, offset: int) -> tuple[list[int], list[int]]:
    """The values and addresses of a line."""
    match = _SAMPLE.search(line)
    if match is None:
        raise UnrecognizedError(f"this is no sample of waiting: {told(line)}", offset=offset)
    first, second, joined, stack = match.groups()
    delay = integer(joined[:-1] if joined else first)
    times = integer(joined[-1:] if joined else second)
    if delay is None or times is None:
        raise FormatError(f"a number of {told(line)} has over 64 bits", offset=offset)
    if given.period > 0:
        if given.cycles_per_second > 0:
            per_ns = given.cycles_per_second / 1e9
            delay = truncated(float(delay) * float(given.period) / per_ns)
        times = wrapped(times * given.period)
    return [times, delay], addresses_in(stack, offset)
