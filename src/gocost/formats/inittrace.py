"""Lines of GODEBUG=inittrace=1: one for each package with work to do before main, on stderr.

Specified in Go's src/runtime/extern.go (since Go 1.16) and written by doInit1 in
src/runtime/proc.go:

    init net/http @1.1 ms, 0.24 ms clock, 15408 bytes, 82 allocs

The time after @ counts from the start of the runtime. Packages without work have no line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"\d{1,18}(?:\.\d{1,9})?"
_LINE = re.compile(
    rf"init (?P<package>\S{{1,1024}}) @(?P<at>{_NUMBER}) ms, (?P<clock>{_NUMBER}) ms clock, "
    r"(?P<bytes>\d{1,18}) bytes, (?P<allocs>\d{1,18}) allocs"
)


@dataclass(frozen=True, slots=True)
class PackageInit:
    """The initialisation of one package. Times in seconds."""

    package: str
    at: float
    """When it began, since the runtime started."""
    clock: float
    """How long it took."""
    allocated_bytes: int
    allocations: int


def parse_line(line: str) -> PackageInit | None:
    """The initialisation that a line of stderr tells of; None for other lines."""
    match = _LINE.search(line) if "init " in line else None
    if match is None:
        return None
    return PackageInit(
        match["package"],
        float(f"{match['at']}e-3"),
        float(f"{match['clock']}e-3"),
        int(match["bytes"]),
        int(match["allocs"]),
    )
