"""The catalogue is complete, and every metric has exactly one giver."""

from __future__ import annotations

import re

import pytest

from gocost.gate.plan import RECORDED
from gocost.measures.registry import SPECS
from gocost.model.catalogue import FAMILIES, all_metrics, find_metric
from gocost.model.errors import UsageError
from gocost.model.metric import Enforcer, Metric
from gocost.model.quantity import Unit
from gocost.policy.loading import load, preset_path

METRICS = list(all_metrics().values())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.id)
def test_an_entry_says_everything(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z0-9_]+)+", metric.id)
    assert metric.family in FAMILIES
    for text in (metric.summary, metric.how, metric.advice):
        assert len(text) > 8, "an entry says what it is, how it is measured, what to do"
        assert "\n" not in text
    ended = metric.summary.removesuffix("...").endswith(".")
    assert not ended, "a summary is a phrase that stands in lists"
    assert Enforcer.CHECK in metric.where
    if Enforcer.PROMETHEUS in metric.where:
        assert metric.prometheus
    if metric.values:
        assert metric.unit is Unit.TEXT


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.id)
def test_a_metric_has_one_giver(metric: Metric) -> None:
    """A measure, or pricing: what nobody gives cannot be limited, and two would contradict.

    Besides the measure that runs the service there are those of what was recorded of it: the plan
    takes the one whose recording is given.
    """
    givers = [spec for spec in SPECS if spec.takes(metric.id)]
    running = [spec for spec in givers if not spec.needs & RECORDED.keys()]
    if metric.family == "cost":
        assert givers == []
    else:
        assert givers
        assert len(running) <= 1


def test_the_standard_preset_has_the_limits_of_the_catalogue() -> None:
    rules = load(preset_path("standard"), to_extend=True).rules
    limits = {rule.metric.id: rule.limits["max"].value for rule in rules if "max" in rule.limits}
    assert {each.id: each.limit for each in METRICS if each.limit is not None}.items() <= (
        limits.items()
    )


def test_every_family_has_metrics() -> None:
    assert {metric.family for metric in METRICS} == set(FAMILIES)


def test_an_unknown_metric_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean gc\.pause\.max"):
        find_metric("gc.puase.max")
