"""Comparing two families of benchmarks: what is called, what is certain, what is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

from gocost.analyses.benchmarks import Comparison, Row, Settings, compare, worse_of
from gocost.analyses.noise_floor import noise_floor
from gocost.formats.benchmark_text import BenchmarkText, decode
from gocost.model.metric import Worse
from gocost.model.report import Verdict
from tests.fixtures.benchstat import printed


def text(unit: str, values: Mapping[str, Iterable[float]], head: str = "") -> BenchmarkText:
    lines = [head]
    for name, series in values.items():
        lines += [f"Benchmark{name} 1 {value!r} {unit}" for value in map(float, series)]
    return decode("\n".join(lines).encode())


def compared(
    unit: str, base: list[float], head: list[float], settings: Settings | None = None
) -> Row:
    comparison = compare(text(unit, {"X": base}), text(unit, {"X": head}), settings or Settings())
    (row,) = comparison.rows
    return row


def verdicts(comparison: Comparison) -> list[Verdict]:
    return [row.verdict for row in comparison.rows]


STEADY = [100.0, 101, 99, 100.5, 99.5, 100.2, 99.8, 100.1, 99.9, 100.3]


@pytest.mark.parametrize(
    ("unit", "factor", "verdict"),
    [
        ("ns/op", 1.2, Verdict.WORSE),
        ("ns/op", 0.8, Verdict.BETTER),
        ("MB/s", 0.8, Verdict.WORSE),
        ("MB/s", 1.2, Verdict.BETTER),
        ("p99-ns", 1.2, Verdict.WORSE),
        ("hits/op", 1.2, Verdict.CHANGED),
        ("ns/op", 1.03, Verdict.SAME),
    ],
)
def test_a_change_is_called_in_the_direction_of_its_unit(
    unit: str, factor: float, verdict: Verdict
) -> None:
    # given ten steady runs a side, significantly apart
    row = compared(unit, STEADY, [value * factor for value in STEADY])
    # then what is at least the smallest effect is called, the worse way round for the unit
    assert row.q is not None
    assert row.q < 0.01
    assert row.verdict is verdict
    assert row.effect == pytest.approx(factor - 1, abs=0.005)
    assert row.low is not None
    assert row.high is not None
    assert row.low <= row.shift <= row.high


def test_a_unit_line_says_which_way_is_better() -> None:
    assert worse_of("hits/op", "higher") is Worse.LOWER
    assert worse_of("sec/op", "neither") is Worse.NEITHER
    base = text("hits/op", {"X": STEADY}, "Unit hits/op better=higher")
    (row,) = compare(base, text("hits/op", {"X": [v * 2 for v in STEADY]}), Settings()).rows
    assert row.verdict is Verdict.BETTER


def test_a_large_difference_that_may_be_chance_is_not_called() -> None:
    rng = np.random.default_rng(2)
    row = compared("ns/op", [*rng.lognormal(3, 0.5, 10)], [*rng.lognormal(3, 0.5, 10)])
    assert row.effect is not None
    assert abs(row.effect) > 0.05
    assert row.verdict is Verdict.SAME


@pytest.mark.parametrize("runs", [1, 2, 10])
@pytest.mark.parametrize("count", [20, 100, 7000])
@pytest.mark.parametrize("unit", ["allocs/op", "B/op"])
def test_five_percent_more_allocations_are_certain(unit: str, count: int, runs: int) -> None:
    row = compared(unit, [count] * runs, [count * 21 // 20] * runs)
    assert row.verdict is Verdict.WORSE
    assert row.exact
    assert (row.p, row.q) == (None, None)


def test_allocations_that_jitter_a_little_are_still_certain() -> None:
    row = compared("B/op", [1000, 1001, 1000], [1052, 1050, 1056])
    assert row.verdict is Verdict.WORSE
    assert row.exact
    assert (row.low, row.high) == (49, 56)


def test_allocations_that_jitter_much_are_tested() -> None:
    few = compared("B/op", [1000, 1100, 1050], [1200, 1250, 1300])
    assert not few.exact
    assert few.verdict is Verdict.UNKNOWN
    many = compared("B/op", [1000, 1100, 1050] * 4, [1200, 1250, 1300] * 4)
    assert many.verdict is Verdict.WORSE


def test_allocations_where_there_were_none_are_worse() -> None:
    row = compared("allocs/op", [0, 0], [1, 1])
    assert (row.delta, row.effect, row.verdict) == (None, None, Verdict.WORSE)
    assert compared("allocs/op", [0], [0]).verdict is Verdict.SAME


def test_a_unit_declared_exact_is_compared_by_its_most_frequent_value() -> None:
    base = text("size-B", {"X": [5, 5, 9]}, "Unit size-B assume=exact")
    (row,) = compare(base, text("size-B", {"X": [6, 6, 6]}), Settings()).rows
    assert (row.base.value, row.head.value, row.exact) == (5, 6, True)


def test_too_few_runs_are_unknown_with_the_number_that_would_do() -> None:
    # given three runs of each of ten benchmarks, clearly apart
    base = text("ns/op", {f"B{i}": [100.0 + i, 101 + i, 102 + i] for i in range(10)})
    head = text("ns/op", {f"B{i}": [200.0 + i, 201 + i, 202 + i] for i in range(10)})
    comparison = compare(base, head, Settings())
    # then nothing is called, and six runs would do for one change in a family of ten
    assert set(verdicts(comparison)) == {Verdict.UNKNOWN}
    assert {row.runs_needed for row in comparison.rows} == {6}


def test_the_family_is_adjusted_for_and_leaves_out_exact_figures() -> None:
    # given one benchmark of forty whose p is 0.01, and exact figures beside it
    rng = np.random.default_rng(4)
    shifted = [value * 1.08 for value in STEADY[:5]]
    base = {f"B{i}": rng.normal(100, 3, 5) for i in range(39)} | {"X": np.array(STEADY[:5])}
    head = {f"B{i}": rng.normal(100, 3, 5) for i in range(39)} | {"X": np.array(shifted)}
    alone = compare(text("ns/op", {"X": base["X"]}), text("ns/op", {"X": head["X"]}), Settings())
    family = compare(text("ns/op", base), text("ns/op", head), Settings())
    exact = compare(text("allocs/op", base), text("allocs/op", head), Settings(min_effect=9))
    # then alone it is a change, in the family it may be chance
    assert verdicts(alone) == [Verdict.WORSE]
    assert family.rows[-1].p == alone.rows[0].p
    assert family.rows[-1].verdict is not Verdict.WORSE
    assert (family.family, exact.family) == (40, len([r for r in exact.rows if not r.exact]))


def test_results_are_matched_by_package_and_by_what_tells_them_apart() -> None:
    base = decode(
        b"cpu: A\npkg: a\nBenchmarkX 1 1 x\npkg: b\nBenchmarkX 1 2 x\nBenchmarkOld 1 2 x\n"
    )
    head = decode(
        b"cpu: B\npkg: b\nBenchmarkX 1 4 x\npkg: a\nBenchmarkX 1 3 x\nBenchmarkNew 1 2 x\n"
    )
    comparison = compare(base, head, Settings())
    assert [(row.package, row.delta) for row in comparison.rows] == [("a", 2.0), ("b", 1.0)]
    assert [key[1] for key in comparison.only_base] == ["Old"]
    assert [key[1] for key in comparison.only_head] == ["New"]
    assert comparison.differing == (("cpu", "A", "B"),)


def test_medians_deltas_p_and_geomeans_are_what_benchstat_prints(tmp_path: Path) -> None:
    # given recorded results of two packages: tied, not tied, equal, zero, unequal runs, 2 to 60
    rng = np.random.default_rng(9)
    paths = [tmp_path / "old.txt", tmp_path / "new.txt"]
    for path in paths:
        lines = ["goos: linux"]
        for package in ("example.com/a", "example.com/b"):
            lines.append(f"pkg: {package}")
            for number in range(40):
                runs = 2 + (number * 7) % 59 if number % 3 else int(rng.integers(2, 61))
                scale = 1.0 if path.name == "old.txt" else (1.0, 1.1, 0.7)[number % 3]
                for _ in range(runs):
                    value = rng.normal(1000, 30) * scale
                    lines.append(
                        f"BenchmarkB/n={number}-8 100 {value:.{number % 3}f} ns/op "
                        f"{number // 2 * 8} B/op {rng.integers(10, 13) * scale:.0f} allocs/op"
                    )
        path.write_text("\n".join(lines))
    theirs = printed(*paths)
    # when both compare the files
    old_text, new_text = (decode(path.read_bytes()) for path in paths)
    comparison = compare(old_text, new_text, Settings(min_effect=0.0))
    # then every row has benchstat's medians, delta and p
    assert len(comparison.rows) == 240
    for row in comparison.rows:
        old, _, new, _, delta, tested = theirs[row.package, row.name, row.unit]
        assert row.base.value == pytest.approx(float(old), rel=1e-12)
        assert row.head.value == pytest.approx(float(new), rel=1e-12)
        if row.p is not None:
            p = re.search(r"p=([0-9.]+)", tested)
            assert float(p[1] if p else 0) == pytest.approx(row.p, abs=0.00051)
            if delta != "~":
                assert row.delta == pytest.approx(float(delta.rstrip("%")) / 100, abs=0.000051)
    for mean in comparison.geomeans:
        old, _, new, _, delta, *_ = theirs[mean.package, "geomean", mean.unit]
        for ours, printed_text in ((mean.base, old), (mean.head, new)):
            assert (ours is None) == (printed_text == "")
            assert ours is None or ours == pytest.approx(float(printed_text), rel=1e-9)
        assert mean.ratio is not None
        assert mean.ratio - 1 == pytest.approx(float(delta.rstrip("%")) / 100, abs=0.000051)


def test_the_noise_floor_is_what_would_be_found() -> None:
    # given twenty benchmarks against themselves with 2% of noise
    rng = np.random.default_rng(11)
    first, second = (
        text("ns/op", {f"B{i}": rng.normal(1000, 20, 10) for i in range(20)}) for _ in range(2)
    )
    floors = noise_floor(compare(first, second, Settings()), Settings())
    noise = float(np.median([floor.noise or 0 for floor in floors]))
    found = float(np.median([floor.found or 0 for floor in floors]))
    assert noise == pytest.approx(0.02, rel=0.25)
    # when a change of that size is made in one of twenty, then it is found nearly always
    hits = 0
    for _ in range(100):
        base, head = rng.normal(1000, 20, (20, 10)), rng.normal(1000, 20, (20, 10))
        head[0] *= 1 + found
        comparison = compare(
            text("ns/op", {f"B{i}": series for i, series in enumerate(base)}),
            text("ns/op", {f"B{i}": series for i, series in enumerate(head)}),
            Settings(),
        )
        hits += comparison.rows[0].verdict is Verdict.WORSE
    assert hits >= 85


def test_a_floor_of_too_few_runs_names_the_number_that_would_do() -> None:
    side = text("ns/op", {"X": [100.0, 101], "Y": [100.0, 101]})
    for floor in noise_floor(compare(side, side, Settings()), Settings()):
        assert (floor.found, floor.runs_needed) == (None, 5)
