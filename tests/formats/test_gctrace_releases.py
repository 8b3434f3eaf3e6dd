"""gctrace logs of one program by every release of Go that is at hand, held to its MemStats.

Go 1.6 to 1.15 wrote the layout that 1.16 and 1.17 write (their src/runtime/extern.go): it is held
to these two. Go 1.5 has a layout of its own, and a real log in test_gctrace.py.
"""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise

import pytest

from gocost.analyses.collector.window import window_of_cycles
from gocost.formats import gctrace
from tests.fixtures.binaries import Recipe, built

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


@pytest.mark.parametrize("toolchain", RELEASES)
def test_the_log_tells_what_the_runtime_counted(toolchain: str) -> None:
    program = built(Recipe(program="littering", toolchain=toolchain))
    done = subprocess.run(
        [program],
        env={**os.environ, "GODEBUG": "gctrace=1", "GOGC": "100"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    told = json.loads(done.stdout)
    cycles = gctrace.decode(done.stderr)
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
    # Two significant digits a stop.
    pauses = sum(sum(cycle.pauses) for cycle in cycles[: told["cycles"]])
    assert pauses == pytest.approx(told["pauses"] / 1e9, rel=0.1)
    assert all(a.at <= b.at for a, b in pairwise(cycles))
    window = window_of_cycles(cycles)
    # From the first collection to the last, in whole MiB.
    assert 0.75 * told["allocated"] < window.allocated < 1.05 * told["allocated"]
