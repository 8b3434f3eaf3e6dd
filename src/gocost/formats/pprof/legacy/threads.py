"""The stacks of all threads, as C++ servers print them (`threadz`).

    --- threadz 1 ---

    --- Thread 7f794ab90940 (name: main/14748) stack: ---
      0x40be31 (nil)
      PC: 0x40be30 Foo()
    --- Thread 7f794aa8f940 (name: worker/14749) stack: ---
      same as previous thread
    --- Memory map: ---

Addresses are the hexadecimal numbers with 0x, wherever they stand.
"""

from __future__ import annotations

from typing import Final

from gocost.formats.pprof.legacy.lines import (
    Lines,
    UnrecognizedError,
    addresses_in,
    expression,
    first_line,
    told,
    trimmed,
)
from gocost.formats.pprof.legacy.mappings import begins_mappings, read_mappings, skip_to_mappings
from gocost.formats.pprof.legacy.samples import Samples, profile_of
from gocost.formats.pprof.profile import Header, Profile, ValueType

_HEADER: Final = expression(rb"--- threadz \d+ ---")
_THREAD: Final = expression(rb"--- Thread ([[:xdigit:]]+) \(name: (.*)/(\d+)\) stack: ---")
_COUNTED: Final = ValueType("thread", "count")


def begins(data: bytes) -> bool:
    """Whether the first line that is no comment is a header, or that of a thread."""
    line = first_line(data)
    return _HEADER.search(line) is not None or _THREAD.search(line) is not None


def read(data: bytes, origin: str) -> Profile:
    """The profile. Raises FormatError."""
    lines = Lines(data)
    lines.skip_comments()
    line = lines.line
    if _HEADER.search(line) is not None:
        while lines.advance():
            line = lines.line
            if begins_mappings(line) or line.startswith(b"-"):
                break
    samples = Samples()
    while not begins_mappings(line) and not line.startswith(b"---- no stack trace for"):
        if _THREAD.search(line) is None:
            raise UnrecognizedError(f"no thread begins with {told(line)}", offset=lines.offset)
        line, addresses = _stack(lines)
        if addresses:
            samples.add((1,), addresses)
        else:
            samples.again()
    stacks = samples.stacks(Header((_COUNTED,), period_type=_COUNTED, period=1))
    skip_to_mappings(lines)
    return profile_of(stacks.of_calls(leaves=False), read_mappings(lines), origin, doubled=True)


def _stack(lines: Lines) -> tuple[bytes, list[int]]:
    """The line after the stack, and its addresses: none where they are as of the thread before."""
    addresses: list[int] = []
    same = False
    line = b""
    while lines.advance():
        line = trimmed(lines.line)
        if line.startswith(b"---"):
            break
        if b"same as previous thread" in line:
            same = True
        elif line:
            addresses += addresses_in(line, lines.offset)
    return line, [] if same else addresses
