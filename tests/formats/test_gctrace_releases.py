"""gctrace logs of one program by every release of Go that is at hand, held to its MemStats.

Go 1.6 to 1.15 wrote the layout that 1.16 and 1.17 write (their src/runtime/extern.go): it is held
to these two. Go 1.5 has a layout of its own, and a real log in test_gctrace.py.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest

from gocost.analyses.collector.window import window_of_cycles
from gocost.formats import gctrace
from gocost.formats.gctrace import Cycle
from tests.fixtures.binaries import Recipe, built

Run = tuple[dict[str, Any], Sequence[Cycle]]

RELEASES = (
    "go1.16.15",
    "go1.17.13",
    "go1.18.10",
    "go1.19.13",
    "go1.20.14",
    "go1.21.13",
    "go1.22.12",
    "go1.23.12",
    "go1.24.13",
    "go1.25.14",
    "go1.27.4",
    "go",
)
WITHOUT_ROOTS = ("go1.16", "go1.17")


def littered(toolchain: str) -> Run:
    """What the program says of itself, and the cycles of its log."""
    program = built(Recipe(program="littering", toolchain=toolchain))
    done = subprocess.run(
        [program],
        env={**os.environ, "GODEBUG": "gctrace=1", "GOGC": "100"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout), gctrace.decode(done.stderr)


def again(toolchain: str, first: Run) -> Iterator[Run]:
    """Runs until one is as it should be, at most five."""
    yield first
    for _ in range(4):
        yield littered(toolchain)


def pauses_agree(told: dict[str, Any], cycles: Sequence[Cycle]) -> bool:
    """Whether the log has the stops of MemStats, of two significant digits each.

    The runtime reads the clock once for either: on a busy machine a thread that is preempted
    between the two makes them differ in that run.
    """
    pauses = sum(sum(cycle.pauses) for cycle in cycles[: told["cycles"]])
    return bool(pauses == pytest.approx(told["pauses"] / 1e9, rel=0.1))


@pytest.mark.parametrize("toolchain", RELEASES)
def test_the_log_tells_what_the_runtime_counted(toolchain: str) -> None:
    told, cycles = littered(toolchain)
    # One more may have ended after the program asked.
    assert 0 <= len(cycles) - told["cycles"] <= 1
    assert [cycle.number for cycle in cycles] == [*range(1, len(cycles) + 1)]
    assert told["forced"] == 3
    # The line is written when the world runs again, and says of the cycle that is then the last one
    # begun whether it was forced: another's may show, and its own not.
    assert 1 <= sum(cycle.forced for cycle in cycles) <= 6
    assert {cycle.procs for cycle in cycles} == {told["procs"]}
    known = not told["go"].startswith(WITHOUT_ROOTS)
    assert all((cycle.stacks is not None) == known for cycle in cycles)
    assert any(pauses_agree(*each) for each in again(toolchain, (told, cycles)))
    assert all(a.at <= b.at for a, b in pairwise(cycles))
    window = window_of_cycles(cycles)
    # From the first collection to the last, in whole MiB.
    assert 0.75 * told["allocated"] < window.allocated < 1.05 * told["allocated"]
