"""What a comparison says beside its rows."""

from __future__ import annotations

import pytest

from gocost.analyses.benchmark_notes import comparison_notes, fault_notes
from gocost.analyses.benchmarks import Settings, compare
from gocost.formats.benchmark_text import BenchmarkText, decode


def recorded(
    *names: str, goos: str = "linux", runs: int = 6, first: int = 100, spread: float = 1.0
) -> BenchmarkText:
    lines = [f"goos: {goos}", "pkg: example.com/shop"]
    for name in names:
        lines += [f"Benchmark{name} 1 {first + spread * (run % 5)} ns/op" for run in range(runs)]
    return decode("\n".join(lines).encode())


@pytest.mark.parametrize(
    ("base", "head", "level", "says"),
    [
        (
            recorded("A"),
            recorded("A", goos="darwin"),
            "warning",
            "goos is not the same: linux at base, darwin at head",
        ),
        (
            recorded("A", runs=2),
            recorded("A", runs=2),
            "warning",
            "too few runs to say anything of 1 of 1 figures; for a family of 1 tests 4 runs a side",
        ),
        (
            recorded("A", spread=20),
            recorded("A", spread=20),
            "info",
            "1 figure shows no change but is too noisy to rule out one of 5%: the intervals",
        ),
        (
            recorded("A", *(f"Old{n}" for n in range(7))),
            recorded("A"),
            "info",
            "only in the base, not compared: Old0, Old1, Old2, Old3, Old4 and 2 more",
        ),
        (
            recorded("A", "B"),
            recorded("A", "B", first=120),
            "info",
            "geometric mean of sec/op over 2 benchmarks of example.com/shop: +19.70%",
        ),
    ],
)
def test_a_comparison_says_what_its_rows_do_not(
    base: BenchmarkText, head: BenchmarkText, level: str, says: str
) -> None:
    notes = comparison_notes(compare(base, head, Settings()), Settings())
    assert any(note.level == level and says in note.text for note in notes), notes
    # and nothing of that where there is nothing to say
    steady = recorded("A", "B")
    assert comparison_notes(compare(steady, steady, Settings()), Settings()) == []


def test_lines_that_could_not_be_read_are_counted() -> None:
    text = decode(b"BenchmarkA 1 2 ns/op\nBenchmarkA x\nBenchmarkA y\n")
    (note,) = fault_notes(text, "old.txt")
    assert note.text == "old.txt, line 2, left out: 'x' is not an iteration count, and 1 more"
