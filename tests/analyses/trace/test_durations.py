"""Quantiles of durations: the same wherever they are shown, and bounded where buckets are kept."""

from __future__ import annotations

import numpy as np
import pytest

from gocost.analyses.trace.durations import Durations, bounded_quantile, quantile
from gocost.analyses.trace.spans import Spans
from gocost.analyses.trace.tables import span_table
from gocost.api.trace import trace
from gocost.api.trace_intervals import trace_users
from gocost.kernels.trace_run import bucket
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from tests.fixtures.traces import recorded


@pytest.mark.parametrize(
    ("count", "percent", "expected"),
    [(1, 50, 1), (2, 50, 1), (3, 50, 2), (100, 99, 99), (200, 99, 198), (99, 99, None),
     (10, 90, 9), (9, 90, None), (0, 50, None)],
)  # fmt: skip
def test_a_quantile_is_the_least_that_so_many_keep(
    count: int, percent: int, expected: int | None
) -> None:
    assert quantile(range(1, count + 1), percent) == expected


@pytest.mark.parametrize("percent", [50, 99])
def test_buckets_bound_the_exact_quantile(percent: int) -> None:
    values = np.random.default_rng(1).lognormal(12, 2, 1000).astype(int).tolist()
    counts = [0] * 512
    kept = Durations()
    for value in values:
        counts[bucket(value)] += 1
        kept.add(value)

    found = bounded_quantile(counts, percent)

    exact = quantile(sorted(values), percent)
    assert exact is not None
    assert found.low <= exact <= found.high < found.low * 9 / 8
    assert found.likely is not None
    assert found.likely[0] <= found.low < found.high <= found.likely[1]
    assert kept.quantile(percent) == pytest.approx(exact, rel=1 / 16)


def test_what_an_end_of_the_trace_cut_is_counted_and_no_quantile() -> None:
    starts, ends = np.array([0, 5, 20]), np.array([10, 25, 1000])
    whole = np.array([True, True, False])
    spans = Spans(["", "pay"], np.array([1, 1, 1]), starts, ends, whole)
    table = span_table("Tasks", "task", spans)
    assert table.rows == [("pay", 3, 1, 1010, 10, None, 20)]


def test_the_time_of_many_is_exact_however_long_they_took() -> None:
    ends = np.full(9, (1 << 61) + 1)
    spans = Spans(["pay"], np.zeros(9, np.int64), np.arange(9), ends, np.ones(9, np.bool_))
    (row,) = span_table("Tasks", "task", spans).rows
    assert row[3] == sum(span.took for span in spans) > 1 << 63


def test_tasks_and_regions_have_one_answer_in_every_view() -> None:
    path = recorded("go", "all")
    short, long = trace(path).tables, trace_users(path).tables["latencies"]
    exact = ("p50", "p99", "longest")
    for kind in ("task", "region"):
        table = short[f"{kind}s"]
        expected = {
            name: figures
            for name, *figures in zip(table.column(kind), *map(table.column, exact), strict=True)
        }
        assert expected == {
            name: figures
            for what, name, *figures in zip(
                long.column("what"), long.column("name"), *map(long.column, exact), strict=True
            )
            if what == kind
        }


def test_of_one_distribution_no_sample_is_said_to_be_better() -> None:
    """Given pairs of samples of one distribution, of few durations and of many."""
    random, apart = np.random.default_rng(2), 0
    for count in (100, 400, 1000, 20_000):
        for _ in range(40):
            found = []
            for _ in range(2):
                drawn = random.lognormal(10, 1.5, count).astype(int).tolist()
                histogram = np.bincount([*map(bucket, drawn)], minlength=512).tolist()
                found.append(bounded_quantile(histogram, 99).likely)
            one, other = found
            assert (one is None) == (count == 100), "of the greatest of few no end is known"
            if one and other:
                apart += one[1] < other[0] or other[1] < one[0]
    assert apart <= 2


def test_scheduler_latency_rises_and_says_the_interval_that_it_is_known_by() -> None:
    facts = [
        fact for fact in trace(recorded("go", "all")).facts
        if fact.metric.startswith("scheduler.latency.") and fact.unit is Unit.SECONDS
    ]  # fmt: skip
    assert [fact.metric.rpartition(".")[2] for fact in facts] == ["p50", "p99", "max"]
    p50, p99, longest = facts
    for fact in (p50, p99):
        low, high = ends(fact)
        assert isinstance(fact.value, float)
        assert low < fact.value <= high
    assert ends(p50)[1] <= ends(p99)[0]
    assert longest.low is None


def ends(fact: Fact) -> tuple[float, float]:
    assert fact.low is not None
    assert fact.high is not None
    return fact.low, fact.high
