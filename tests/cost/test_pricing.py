"""Money: figures worked out by hand from the default price book, exact to the last digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.cost.price_book import PriceBook, load_prices
from gocost.cost.pricing import NO_DEPLOYMENT, Bill, Pricing, inputs
from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact
from gocost.model.quantity import Money, Unit, format_money
from gocost.model.service import Deployment
from gocost.model.subject import Subject

BOOK = load_prices()
GIB = 2**30


def bill(deployment: Deployment | None, book: PriceBook = BOOK, **values: float) -> Bill:
    facts = [
        Fact(name.replace("__", "."), value, all_metrics()[name.replace("__", ".")].unit)
        for name, value in values.items()
    ]
    return Pricing(book, deployment).bill(facts, Subject(service="pay"))


def amounts(found: Bill) -> dict[str, Any]:
    return {fact.metric: fact.value for fact in found.facts}


def test_allocation_is_the_larger_of_request_and_use() -> None:
    deployment = Deployment(replicas=2, memory=GIB, cpu=0.5)
    small = amounts(bill(deployment, memory__rss__steady=GIB // 4, process__cpu__cores=0.1))
    large = amounts(bill(deployment, memory__rss__steady=3 * GIB, process__cpu__cores=2.0))
    # 2 replicas x 730 h x 0.004237 and x 0.031611.
    assert small["cost.memory.month"] == 6.18602
    assert small["cost.memory.used.month"] == 1.546505
    assert small["cost.cpu.month"] == 23.07603
    assert small["cost.cpu.used.month"] == 4.615206
    assert small["cost.idle.month"] == pytest.approx(6.18602 - 1.546505 + 23.07603 - 4.615206)
    assert large["cost.memory.month"] == large["cost.memory.used.month"] == 18.55806
    assert large["cost.idle.month"] == 0


def test_cpu_follows_from_requests_where_they_are_known() -> None:
    deployment = Deployment(replicas=12, requests_per_month=90_000_000)
    found = amounts(bill(deployment, process__cpu__per_request=0.002, process__cpu__cores=9.0))
    # 180,000 CPU seconds are 50 vCPU hours.
    assert found["cost.cpu.used.month"] == float(Decimal("0.031611") * 50)
    assert found["cost.per_million_requests"] == pytest.approx(0.031611 * 50 / 90)


def test_the_image_s_bytes_are_stored_and_pulled() -> None:
    deployment = Deployment(replicas=10, deploys_per_month=40, memory=0)
    found = amounts(bill(deployment, binary__size=10**9))
    assert found["cost.registry.month"] == 4.0
    assert found["cost.transfer.month"] == pytest.approx(10 * 40 * 0.01 * 1e9 / GIB, abs=1e-6)
    assert found["cost.deploy"] == pytest.approx((4 + found["cost.transfer.month"]) / 40)


def test_memory_and_cpu_come_first_and_each_part_has_its_formula() -> None:
    found = bill(
        Deployment(replicas=2, memory=GIB, cpu=0.5, deploys_per_month=4),
        memory__rss__steady=GIB // 4,
        binary__size=10**7,
    )
    assert found.table is not None
    assert found.table.column("part") == [
        *("memory used", "memory idle", "CPU requested", "registry", "transfer")
    ]
    formula = str(found.table.column("formula")[0])
    assert formula == "256 MiB memory.rss.steady x 2 x 730 h x 0.004237 USD/GiB-hour"
    said = " ".join(found.assumptions)
    for word in ("gocost default", "OpenCost", "2026-", "Amazon ECR", "uncompressed", "by use"):
        assert word in said


def test_without_a_part_no_price_was_used_and_none_is_told() -> None:
    assert bill(Deployment(replicas=2)).assumptions == ()


@given(
    st.integers(1, 10_000),
    st.floats(0, 1e13),
    st.floats(0, 1e13),
    st.floats(0, 1e4),
    st.floats(0, 1e4),
    st.integers(0, 10**11),
    st.floats(0.001, 1e5),
)
def test_the_parts_always_add_up_to_the_whole(
    replicas: int,
    memory: float,
    used: float,
    cpu: float,
    cores: float,
    size: int,
    deploys: float,
) -> None:
    found = bill(
        Deployment(replicas, cpu, memory, deploys),
        memory__rss__peak=used,
        process__cpu__cores=cores,
        binary__size=size,
    )
    assert found.table is not None
    cells = found.table.column("amount")
    total = sum((cell.amount for cell in cells if isinstance(cell, Money)), Decimal(0))
    assert float(total) == amounts(found)["cost.month"]


def test_what_is_not_known_is_said() -> None:
    assert bill(None, binary__size=5).skipped == {"cost.*": NO_DEPLOYMENT}
    found = bill(Deployment(memory=GIB))
    skipped = dict(found.skipped or {})
    assert "requests_per_month" in skipped["cost.per_million_requests"]
    assert "run" in skipped["cost.memory.used.month"]
    assert "binary.size" in skipped["cost.registry.month"]
    assert not set(skipped) & set(amounts(found))


def test_money_of_a_change_is_that_of_head_less_that_of_base() -> None:
    pricing = Pricing(BOOK, Deployment(2, 0.5, GIB, 40, 90_000_000))
    for metric in ("memory.rss.peak", "process.cpu.cores", "binary.size", "binary.module.size"):
        head, base, delta = (pricing.of(metric, n) for n in (7e9, 4e9, 3e9))
        assert head is not None
        assert base is not None
        assert delta is not None
        assert abs(delta.amount - (head.amount - base.amount)) < Decimal("1e-11")
    assert pricing.of("latency.p99", 1.0) is None
    assert pricing.of("gc.pause.max", 1.0) is None


def test_a_little_money_is_never_nothing() -> None:
    pricing = Pricing(BOOK, Deployment(1, deploys_per_month=1))
    money = pricing.of("binary.size", 1)
    assert money is not None
    assert money.amount > 0
    assert format_money(money) == "< 0.01 USD"


def test_a_rule_over_money_measures_what_it_rests_on() -> None:
    assert set(inputs("cost.registry.month")) == {"binary.size"}
    assert "memory.rss.peak" in inputs("cost.month")
    assert inputs("binary.size") == ()
    for metric in all_metrics().values():
        if metric.family == "cost":
            assert inputs(metric.id)
            assert metric.unit in (Unit.MONEY, Unit.MONEY_PER_MONTH)
