"""What the runtime writes on stderr: gctrace and inittrace lines among anything else."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.formats import gctrace, inittrace


def decode(data: bytes) -> None:
    """A log as a whole, and each of its lines as the service's stderr gives them."""
    cycles = gctrace.decode(data)
    assert gctrace.lost(cycles) >= 0
    for cycle in cycles:
        assert all(pause >= 0 for pause in cycle.pauses)
        assert cycle.cpu >= 0
    for line in data.decode("utf-8", "replace").split("\n"):
        inittrace.parse_line(line)


HARNESS = Harness("gctrace", decode, corpus("gctrace"))

if __name__ == "__main__":
    main(HARNESS)
