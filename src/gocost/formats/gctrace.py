"""Lines of GODEBUG=gctrace=1: one a garbage collection, on the program's stderr.

Specified in Go's src/runtime/extern.go and written by gcMarkTermination in src/runtime/mgc.go:

    gc 8 @0.882s 0%: 0.26+0.47+0.003 ms clock, 0.52+0/0.55/0.28+0.007 ms cpu, \
4->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)

Layouts (recorded of Go 1.5 and 1.16 to 1.27; of 1.6 to 1.15, which document 1.16's, by that
alone): stacks and globals since Go 1.18; `(checking for goroutine leaks)` before the colon where
the cycle looked for them; Go 1.5 has five clock phases instead of three (the first and the last
stop the world in both) and one more CPU figure. Times have two significant digits, heap sizes are
rounded down to whole MiB.

The runtime writes a line in pieces, so what the program logs at that moment may stand in the
middle of it: such a line is lost, and that shows as a gap in the cycles' numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gocost.model.errors import FormatError

MAX_CYCLES = 10_000_000
"""Cycles decoded from one log."""

_NUMBER = r"\d{1,18}(?:\.\d{1,9})?"
_SIZE = r"\d{1,12}"
_LINE = re.compile(
    rf"gc (?P<number>\d{{1,10}}) @(?P<at>{_NUMBER})s (?P<percent>\d{{1,3}})%"
    r"(?: \(checking for goroutine leaks\))?: "
    rf"(?P<clock>{_NUMBER}(?:\+{_NUMBER}){{2,4}}) ms clock, "
    rf"(?P<cpu>{_NUMBER}(?:[+/]{_NUMBER}){{4,6}}) ms cpu, "
    rf"(?P<start>{_SIZE})->(?P<end>{_SIZE})->(?P<live>{_SIZE}) MB, (?P<goal>{_SIZE}) MB goal, "
    rf"(?:(?P<stacks>{_SIZE}) MB stacks, (?P<globals>{_SIZE}) MB globals, )?"
    r"(?P<procs>\d{1,9}) P(?P<forced> \(forced\))?"
)


@dataclass(frozen=True, slots=True)
class Cycle:
    """One garbage collection. Times in seconds, sizes in bytes."""

    number: int
    """Counts from 1 since the program started."""
    at: float
    """When it began, since the runtime started."""
    collector_share: float
    """Of the CPU time available to the program (GOMAXPROCS times wall) since it started."""
    sweep_termination: float
    """The first stop of the world."""
    mark: float
    """Concurrent with the program."""
    mark_termination: float
    """The second stop of the world."""
    assist_cpu: float
    """Marking that goroutines did because they allocated."""
    dedicated_cpu: float
    """Dedicated and fractional mark workers."""
    idle_cpu: float
    """Marking on cores that had nothing else to do."""
    heap_start: int
    heap_end: int
    heap_live: int
    goal: int
    stacks: int | None
    globals: int | None
    procs: int
    """GOMAXPROCS."""
    forced: bool
    """The program called runtime.GC or debug.FreeOSMemory. The line is written when the world runs
    again: on a busy machine this may be of the next cycle, which has begun meanwhile.
    """

    @property
    def pauses(self) -> tuple[float, float]:
        """The two stops of the world, in seconds."""
        return self.sweep_termination, self.mark_termination

    @property
    def cpu(self) -> float:
        """CPU seconds of the cycle. A stop occupies one core: the others are idle meanwhile."""
        return sum(self.pauses) + self.assist_cpu + self.dedicated_cpu + self.idle_cpu


def parse_line(line: str) -> Cycle | None:
    """The cycle that a line of stderr tells of, whatever stands before it; None for other lines."""
    match = _LINE.search(line) if "gc " in line else None
    if match is None:
        return None
    clock = match["clock"].split("+")
    cpu = re.split(r"[+/]", match["cpu"])
    if (len(clock), len(cpu)) not in ((3, 5), (5, 7)):
        return None
    # From the back: both layouts end in assist / dedicated / idle + mark termination.
    assist, dedicated, idle = map(_milliseconds, cpu[-4:-1])
    return Cycle(
        number=int(match["number"]),
        at=float(match["at"]),
        collector_share=int(match["percent"]) / 100,
        sweep_termination=_milliseconds(clock[0]),
        mark=sum(map(_milliseconds, clock[1:-1])),
        mark_termination=_milliseconds(clock[-1]),
        assist_cpu=assist,
        dedicated_cpu=dedicated,
        idle_cpu=idle,
        heap_start=_mebibytes(match["start"]),
        heap_end=_mebibytes(match["end"]),
        heap_live=_mebibytes(match["live"]),
        goal=_mebibytes(match["goal"]),
        stacks=_mebibytes(match["stacks"]) if match["stacks"] else None,
        globals=_mebibytes(match["globals"]) if match["globals"] else None,
        procs=int(match["procs"]),
        forced=match["forced"] is not None,
    )


def decode(data: bytes) -> list[Cycle]:
    """Every cycle of a log, in its order, among whatever else was logged.

    Raises FormatError where there are more than MAX_CYCLES.
    """
    cycles: list[Cycle] = []
    offset = 0
    for line in data.split(b"\n"):
        cycle = parse_line(line.decode("utf-8", "replace"))
        if cycle is not None:
            if len(cycles) == MAX_CYCLES:
                raise FormatError(f"more than {MAX_CYCLES:,} gctrace lines", offset=offset)
            cycles.append(cycle)
        offset += len(line) + 1
    return cycles


def lost(cycles: Iterable[Cycle]) -> int:
    """How many cycles between the first and the last are missing, by their numbers."""
    numbers = {cycle.number for cycle in cycles}
    return max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0


def _milliseconds(text: str) -> float:
    """Seconds, as exact as the text: 0.24 ms is 0.00024 s and not 0.00023999999999999998."""
    return float(f"{text}e-3")


def _mebibytes(text: str) -> int:
    return int(text) << 20
