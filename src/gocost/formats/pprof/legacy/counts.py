"""Counts of stacks as Go prints them: goroutines, created threads, profiles of one's own.

goroutine profile: total 43
40 @ 0x47db85 0x41f1e5 0x4fc669
"""

from __future__ import annotations

import re
from typing import Final

from gocost.formats.pprof.legacy.lines import (
    Lines,
    addresses_in,
    first_line,
    is_comment,
    literal,
    told,
)
from gocost.formats.pprof.legacy.mappings import read_mappings, skip_to_mappings
from gocost.formats.pprof.legacy.samples import Samples, profile_of
from gocost.formats.pprof.profile import Header, Profile, ValueType
from gocost.model.errors import FormatError

_HEADER: Final = re.compile(rb"([^\t\n\f\r ]+) profile: total [0-9]+")
_SAMPLE: Final = re.compile(rb"([0-9]++) @((?: 0x[0-9a-f]++)++)")


def begins(data: bytes) -> bool:
    """Whether the first line that is no comment is a header."""
    return _HEADER.fullmatch(first_line(data)) is not None


def read(data: bytes, origin: str) -> Profile:
    """The profile. Raises FormatError."""
    lines = Lines(data)
    lines.skip_comments()
    match = _HEADER.fullmatch(lines.line)
    assert match is not None, "the caller has asked whether it begins so"
    counted = ValueType(match[1].decode("utf-8", "backslashreplace"), "count")
    samples = Samples()
    while lines.advance():
        line = lines.line
        if is_comment(line):
            continue
        if line.startswith(b"---"):
            break
        match = _SAMPLE.fullmatch(line)
        count = literal(match[1]) if match else None
        if match is None or count is None:
            raise FormatError(f"this is no count of a stack: {told(line)}", offset=lines.offset)
        samples.add((count,), addresses_in(match[2], lines.offset))
    stacks = samples.stacks(Header((counted,), period_type=counted, period=1)).of_calls()
    skip_to_mappings(lines)
    return profile_of(stacks, read_mappings(lines), origin)
