"""Go's benchmark format, and the comparison of whatever it holds with a real text."""

from __future__ import annotations

import sys
from math import isfinite
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.analyses.benchmarks import Settings, compare
from gocost.formats.benchmark_text import BenchmarkText, without_gomaxprocs
from gocost.formats.benchmark_text import decode as read

SEEDS = corpus("benchmark_text")
PLAIN = read(SEEDS[1])


def decode(data: bytes) -> None:
    """What is read is finite and stands in the text; it can be compared with anything."""
    text = read(data)
    assert text.fault_count >= len(text.faults)
    for sample in text.samples:
        assert len(sample.values)
        assert all(map(isfinite, sample.values))
    _compare(PLAIN, text)
    _compare(text, without_gomaxprocs(text))


def _compare(base: BenchmarkText, head: BenchmarkText) -> None:
    for row in compare(base, head, Settings()).rows:
        assert row.p is None or 0 <= row.p <= 1
        assert row.q is None or 0 <= row.q <= 1


HARNESS = Harness("benchmark_text", decode, SEEDS)

if __name__ == "__main__":
    main(HARNESS)
