"""What a profile's values cost: by hand, and what has no price."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gocost.cost.price_book import load_prices
from gocost.cost.profiled import Measured, Tariff, tariff
from gocost.model.service import Deployment

BOOK = load_prices()
MONTH = Decimal(730)


def of(measured: Measured, deployment: Deployment | None = None) -> Tariff:
    found = tariff(measured, BOOK, deployment)
    assert isinstance(found, Tariff), found
    return found


def test_cpu_time_over_its_window_is_cores_of_all_replicas() -> None:
    found = of(Measured("cpu", 15_000_000_000, 1.0, 30.0), Deployment(replicas=12))

    (half, none, less) = found.of([15_000_000_000, 0, -15_000_000_000])
    assert half.amount == pytest.approx(Decimal("0.5") * 12 * MONTH * BOOK.prices["cpu"].amount)
    assert not none.amount
    assert less.amount == -half.amount
    assert (half.currency, half.price_book) == ("USD", BOOK.name)
    price = BOOK.prices["cpu"]
    assert f"{price.source}, {price.date}" in found.assumptions[0]
    assert "0.5 cores x 12 x 730 h x 0.031611 USD/vCPU-hour" in found.assumptions[0]
    assert "each replica is taken to use as much" in found.assumptions[-1]
    assert found.shown(15_000_000_000) == "138.46 USD/month"
    assert found.shown(0) == "0 USD/month"
    assert found.shown(-15_000_000_000, signed=True) == "-138.46 USD/month"


def test_microseconds_cost_a_thousand_times_as_much_as_nanoseconds() -> None:
    (nano,) = of(Measured("cpu", 10**9, 1.0, 1.0)).of([10**9])
    (micro,) = of(Measured("cpu", 10**6, 1000.0, 1.0)).of([10**6])

    assert nano == micro


def test_live_bytes_are_memory_that_is_held() -> None:
    found = of(Measured("inuse_space", 3 << 30, 1.0, None), Deployment(replicas=2))

    (whole,) = found.of([3 << 30])
    assert whole.amount == pytest.approx(3 * 2 * MONTH * BOOK.prices["memory"].amount)
    assert "3 GiB x 2 x 730 h x 0.004237 USD/GiB-hour" in found.assumptions[0]
    assert "live bytes alone" in found.assumptions[-1]


def test_of_several_profiles_it_is_what_they_hold_and_use_on_average() -> None:
    (one,) = of(Measured("inuse_space", 1 << 30, 1.0, None)).of([1 << 30])
    two = of(Measured("inuse_space", 2 << 30, 1.0, None, profiles=2))
    cpu = of(Measured("cpu", 10**9, 1.0, 4.0, profiles=2))

    assert two.of([2 << 30])[0].amount == one.amount
    assert "1 GiB x 1 x" in two.assumptions[0]
    for found in (two, cpu):
        assert any(
            "2 profiles are taken to be of one instance each" in x for x in found.assumptions
        )


def test_without_a_policy_it_is_one_instance() -> None:
    assert any("one instance" in said for said in of(Measured("cpu", 1, 1.0, 1.0)).assumptions)


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        (Measured("delay", 5, 1.0, 30.0), "there is no price for delay"),
        (Measured("alloc_space", 5, 1.0, 30.0), "no price for alloc_space"),
        (Measured("cpu", 5, None, 30.0), "there is no price for cpu"),
        (Measured("cpu", 5, 1.0, None), "where its window is known"),
        (Measured("inuse_space", 5, 1.0, 30.0), "record the heap without --seconds"),
        (Measured("cpu", 5, 1.0, 30.0, unpriced="means have none"), "means have none"),
    ],
)
def test_what_has_no_price_says_so_in_one_line(measured: Measured, says: str) -> None:
    found = tariff(measured, BOOK, None)

    assert isinstance(found, str)
    assert says in found
    assert "\n" not in found
