"""Head against base: directions, labels, money, and the bill's own interval."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gocost.cost.price_book import load_prices
from gocost.cost.pricing import Pricing
from gocost.gate.changes import changes_between, cost_change
from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact, Value
from gocost.model.report import Change, Verdict
from gocost.model.service import Deployment
from gocost.model.subject import Subject
from gocost.policy.baseline import Baseline
from gocost.policy.evaluation import Evidence

APP = Subject(service="app")
GIB = 2**30
PRICING = Pricing(load_prices(), Deployment(2, 0.5, GIB, 40, 90_000_000))


def fact(metric: str, value: Value, **labels: str) -> Fact:
    return Fact(metric, value, all_metrics()[metric].unit, APP, labels)


def between(base: list[Fact], head: list[Fact]) -> list[Change]:
    return changes_between(Evidence(APP, head, baseline=Baseline("b", base)), PRICING)


@pytest.mark.parametrize(
    ("metric", "base", "head", "verdict", "delta"),
    [
        ("binary.size", 5, 7, "worse", 2),
        ("binary.size", 7, 5, "better", -2),
        ("binary.size", 5, 5, "same", 0),
        ("binary.linkage", "static", "dynamic", "changed", None),
        ("binary.cgo", False, True, "changed", None),
        ("build.toolchain", "go1.26.8", "go1.26.8", "same", None),
    ],
)
def test_directions(
    metric: str, base: Value, head: Value, verdict: str, delta: float | None
) -> None:
    (change,) = between([fact(metric, base)], [fact(metric, head)])
    assert (change.verdict.value, change.delta) == (verdict, delta)


def test_modules_that_came_went_or_grew_are_listed_and_the_rest_is_not() -> None:
    base = [fact("binary.module.size", n, module=m) for m, n in (("a", 5), ("b", 5), ("old", 3))]
    head = [fact("binary.module.size", n, module=m) for m, n in (("a", 5), ("b", 9), ("new", 4))]
    found = {change.labels["module"]: change.delta for change in between(base, head)}
    assert found == {"b": 4, "new": 4, "old": -3}


def test_modules_that_only_one_side_looked_at_are_neither_new_nor_gone() -> None:
    with_modules = [fact("binary.size", 8), fact("binary.module.size", 5, module="a")]
    alone = [fact("binary.size", 9)]
    for base, head in ((with_modules, alone), (alone, with_modules)):
        assert [change.metric for change in between(base, head)] == ["binary.size"]


def test_sampled_facts_are_not_compared_side_by_side() -> None:
    assert between([fact("memory.rss.peak", 5)], [fact("memory.rss.peak", 9)]) == []


def test_memory_and_cpu_come_before_bytes_and_carry_their_money() -> None:
    unit = all_metrics()["memory.rss.peak"].unit
    sampled = Change(
        "memory.rss.peak", unit, GIB, 2 * GIB, float(GIB), Verdict.WORSE, APP, {}, 1.0, 2.0
    )
    evidence = Evidence(
        APP,
        [fact("binary.size", 9)],
        [sampled],
        baseline=Baseline("b", [fact("binary.size", 5)]),
    )
    memory, size = changes_between(evidence, PRICING)
    assert (memory.metric, size.metric) == ("memory.rss.peak", "binary.size")
    assert memory.money is not None
    assert memory.money.amount == Decimal("0.004237") * 730 * 2
    assert size.money is not None
    assert size.money.amount > 0


def test_the_bytes_come_before_what_shipping_them_costs() -> None:
    found = between(
        [fact("cost.registry.month", 1), fact("binary.size", 5)],
        [fact("cost.registry.month", 2), fact("binary.size", 9)],
    )
    assert [change.metric for change in found] == ["binary.size", "cost.registry.month"]


def test_what_belongs_to_no_package_is_listed_once() -> None:
    anonymous = "(anonymous types)"
    base, head = (
        [
            fact("binary.module.size", size, module=anonymous),
            fact("binary.package.size", size, module=anonymous, package=anonymous),
            fact("binary.package.size", size, module="a", package="a"),
        ]
        for size in (5, 7)
    )
    found = [(change.metric, change.labels["module"]) for change in between(base, head)]
    assert found == [("binary.module.size", anonymous), ("binary.package.size", "a")]


def test_the_bill_changes_where_use_passes_the_request() -> None:
    unit = all_metrics()["memory.rss.steady"].unit
    change = Change(
        *("memory.rss.steady", unit, GIB, 3 * GIB, 2.0 * GIB, Verdict.WORSE, APP, {}),
        low=1.5 * GIB,
        high=2.5 * GIB,
    )
    facts = [fact("memory.rss.steady", 3 * GIB)]
    bill = PRICING.bill(facts, APP)
    by_metric = {each.metric: each for each in cost_change(PRICING, facts, [change], bill)}
    month = by_metric["cost.memory.month"]
    one = 0.004237 * 730 * 2
    assert month.delta == pytest.approx(2 * one)
    assert (month.low, month.high) == pytest.approx((1.5 * one, 2.5 * one))
    assert month.verdict is Verdict.WORSE


def test_below_the_request_the_bill_stays_the_same() -> None:
    unit = all_metrics()["memory.rss.steady"].unit
    change = Change(
        *("memory.rss.steady", unit, GIB // 4, GIB // 2, GIB / 4, Verdict.WORSE, APP, {}),
        low=GIB / 5,
        high=GIB / 3,
    )
    facts = [fact("memory.rss.steady", GIB // 2)]
    bill = PRICING.bill(facts, APP)
    by_metric = {each.metric: each for each in cost_change(PRICING, facts, [change], bill)}
    assert by_metric["cost.memory.month"].verdict is Verdict.SAME
    assert by_metric["cost.memory.used.month"].verdict is Verdict.WORSE
    assert by_metric["cost.idle.month"].verdict is Verdict.BETTER
