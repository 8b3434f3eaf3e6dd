"""Two traces beside each other: what is said of metrics that both have."""

from __future__ import annotations

import pytest

import gocost
from gocost.analyses.trace.changes import facts_compared
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Verdict
from tests.fixtures.traces import recorded


def latency(value: float, low: float | None, high: float | None) -> Fact:
    return Fact("scheduler.latency.p99", value, Unit.SECONDS, low=low, high=high)


@pytest.mark.parametrize(
    ("base", "head", "verdict"),
    [
        ((2.0, 1.9, 2.1), (3.0, 2.9, 3.1), Verdict.WORSE),
        ((3.0, 2.9, 3.1), (2.0, 1.9, 2.1), Verdict.BETTER),
        ((2.0, 1.9, 2.5), (2.6, 2.5, 2.7), Verdict.SAME),
        ((2.0, None, None), (3.0, 2.9, 3.1), Verdict.CHANGED),
        ((2.0, None, None), (2.0, None, None), Verdict.SAME),
    ],
)
def test_better_or_worse_is_what_lies_in_other_intervals(
    base: tuple[float, float | None, float | None],
    head: tuple[float, float | None, float | None],
    verdict: Verdict,
) -> None:
    (change,) = facts_compared([latency(*head)], [latency(*base)])
    assert (change.base, change.head, change.delta) == (base[0], head[0], head[0] - base[0])
    assert change.verdict is verdict


def test_a_metric_that_one_trace_lacks_is_not_compared() -> None:
    other = Fact("gc.pause.max", 1.0, Unit.SECONDS)
    assert facts_compared([latency(2.0, None, None)], [other]) == []


def test_a_trace_beside_another_says_what_became_of_its_metrics() -> None:
    report = gocost.trace(recorded("go", "all"), base=recorded("go", "cpu"))
    told = {change.metric: change for change in report.changes}
    assert {"scheduler.utilisation", "scheduler.latency.p99"} <= told.keys()
    facts = {fact.metric: fact.value for fact in report.facts}
    for metric, change in told.items():
        assert change.head == facts[metric]
    assert not [metric for metric in told if metric.endswith(".count")], "lengths differ"
    assert gocost.trace(recorded("go", "all")).changes == []
