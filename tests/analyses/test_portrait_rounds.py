"""Runs of head against runs of base."""

from __future__ import annotations

import pytest

from gocost.analyses.portrait.outcome import Outcome
from gocost.analyses.portrait.rounds import changes, middle
from gocost.model.report import Verdict
from gocost.model.subject import Subject


def runs(metric: str, *values: float) -> list[Outcome]:
    outcomes = []
    for value in values:
        outcome = Outcome(Subject(service="a"))
        outcome.give(metric, value, "somewhere")
        outcomes.append(outcome)
    return outcomes


@pytest.mark.parametrize(
    ("metric", "base", "head", "verdict"),
    [
        ("memory.rss.peak", (100, 101, 102, 103, 104), (120, 121, 122, 123, 124), Verdict.WORSE),
        ("memory.rss.peak", (120, 121, 122, 123, 124), (100, 101, 102, 103, 104), Verdict.BETTER),
        ("gc.cycles", (100, 101, 102, 103, 104), (120, 121, 122, 123, 124), Verdict.CHANGED),
        # One run of the five overlaps.
        ("memory.rss.peak", (100, 101, 102, 103, 121), (120, 122, 123, 124, 125), Verdict.SAME),
        # Certain, and too small to matter.
        ("memory.rss.peak", (1000, 1001, 1002), (1010, 1011, 1012), Verdict.UNKNOWN),
        (
            "memory.rss.peak",
            (1000, 1001, 1002, 1003, 1004),
            (1010, 1011, 1012, 1013, 1014),
            Verdict.SAME,
        ),
    ],
)
def test_a_change_is_called_by_its_interval(
    metric: str, base: tuple[float, ...], head: tuple[float, ...], verdict: Verdict
) -> None:
    (change,) = changes(runs(metric, *base), runs(metric, *head), Subject())
    assert change.verdict is verdict
    if verdict is not Verdict.UNKNOWN:
        assert change.low is not None
        assert change.high is not None
        assert change.delta is not None
        assert change.low <= change.delta <= change.high


def test_the_middle_of_the_runs_with_its_spread() -> None:
    outcome = middle(runs("memory.rss.peak", 5, 1, 3, 2, 4, 6, 7), Subject())
    (fact,) = outcome.facts
    assert (fact.value, fact.n) == (4, 7)
    assert fact.low is not None
    assert fact.high is not None
    assert fact.low <= 4 <= fact.high
    assert "median of 7 runs" in fact.origin


def test_what_one_run_had_is_not_unknown() -> None:
    first, second = runs("memory.rss.peak", 5, 6)
    second.facts.clear()
    second.cannot("no reason", "memory.rss.peak", "latency.p99")
    outcome = middle([first, second], Subject())
    assert outcome.unknown == {"latency.p99": "no reason"}


def test_a_metric_of_one_side_is_no_change() -> None:
    assert changes(runs("memory.rss.peak", 1), runs("gc.cycles", 1), Subject()) == []
