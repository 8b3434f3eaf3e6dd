"""The catalogue is complete, and every metric has exactly one giver."""

from __future__ import annotations

import re

import pytest

from gocost.measures.registry import SPECS
from gocost.model.catalogue import FAMILIES, all_metrics, find_metric
from gocost.model.errors import UsageError
from gocost.model.metric import Enforcer, Metric
from gocost.model.quantity import Unit

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
    """A measure, or pricing: what nobody gives cannot be limited, and two would contradict."""
    givers = [spec.name for spec in SPECS if spec.takes(metric.id)]
    if metric.family == "cost":
        assert givers == []
    else:
        assert len(givers) == 1


def test_every_family_has_metrics() -> None:
    assert {metric.family for metric in METRICS} == set(FAMILIES)


def test_an_unknown_metric_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean gc\.pause\.max"):
        find_metric("gc.puase.max")
