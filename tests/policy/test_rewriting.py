"""Limits brought down in place, and quantities as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact
from gocost.model.quantity import Unit, parse
from gocost.policy.loading import load_text
from gocost.policy.rewriting import Headroom, Measurement, rewritten, tightenings
from gocost.policy.writing import money_limit, rounded_limit, with_headroom

TEXT = """\
# What pay may cost; ümläute and → before the limits, on purpose.
version: 1
services:
  pay:
    rules:
      - {metric: binary.size,   max: "12 MiB" , growth: 5%}   # talk to Ana first
rules:
- metric: memory.rss.peak
  max: 64 MiB       # from the incident of June
- {metric: goroutines.leaked, max: 3}
- {metric: cost.month, max: 200 USD/month}
"""


def tightened(text: str, **values: float) -> tuple[str, list[str]]:
    policy = load_text(text, Path("gocost.yaml"))
    facts = [
        Fact(name.replace("_", "."), value, all_metrics()[name.replace("_", ".")].unit)
        for name, value in values.items()
    ]
    measurements = [
        Measurement(rule, [fact for fact in facts if fact.metric == rule.metric.id])
        for governed in policy.services
        for rule in governed.rules
    ]
    changes = tightenings(measurements, "gocost.yaml", Headroom(0.1, 0.5), "USD")
    return rewritten(text, "gocost.yaml", changes), [change.rule for change in changes]


def test_only_the_numbers_change() -> None:
    text, rules = tightened(
        TEXT, binary_size=8 << 20, memory_rss_peak=33_000_000, cost_month=98.499092
    )
    expected = (
        TEXT.replace('"12 MiB"', '"8.81 MiB"')
        .replace("64 MiB ", "47.3 MiB ")
        .replace("200 USD/month", "147.75 USD/month")
    )
    assert text == expected
    assert rules == ["binary.size", "memory.rss.peak", "cost.month"]


def test_limits_are_never_loosened() -> None:
    assert tightened(TEXT, binary_size=100 << 20, goroutines_leaked=3) == (TEXT, [])


def test_what_varies_from_run_to_run_gets_more_room() -> None:
    text = "version: 1\nservices: {a: {}}\nrules: [{metric: latency.p99, max: 1 s}]\n"
    (governed,) = load_text(text, Path("gocost.yaml")).services
    fact = Fact("latency.p99", 0.125, Unit.SECONDS)
    after = {}
    for name, one, room in (
        ("one run", fact, Headroom(0.1, 0.5)),
        ("several", replace(fact, low=0.1, high=0.25), Headroom(0.1, 0.5)),
        ("asked for more", fact, Headroom(2, 0.5)),
    ):
        (change,) = tightenings([Measurement(governed.rules[0], [one])], "gocost.yaml", room, "USD")
        after[name] = change.after
    assert after == {"one run": "188 ms", "several": "375 ms", "asked for more": "375 ms"}


def test_what_was_sampled_as_nothing_says_nothing_of_the_next_run() -> None:
    assert tightened(TEXT, goroutines_leaked=0) == (TEXT, [])


def test_windows_line_ends_are_kept() -> None:
    text, _ = tightened(TEXT.replace("\n", "\r\n"), binary_size=8 << 20)
    assert text == TEXT.replace('"12 MiB"', '"8.81 MiB"').replace("\n", "\r\n")


def test_a_limit_follows_the_worst_of_its_services() -> None:
    text = "version: 1\nservices: {a: {}, b: {}}\nrules: [{metric: binary.size, max: 9 MiB}]\n"
    policy = load_text(text, Path("gocost.yaml"))
    sizes = {"a": 1 << 20, "b": 4 << 20}
    measurements = [
        Measurement(
            governed.rules[0],
            [Fact("binary.size", sizes[governed.service.name], Unit.BYTES)],
        )
        for governed in policy.services
    ]
    (change,) = tightenings(measurements, "gocost.yaml", Headroom(0), "USD")
    assert change.after == "4 MiB"


@given(
    st.one_of(st.integers(0, 2**50), st.floats(1e-9, 1e12)),
    st.sampled_from(
        [
            Unit.BYTES,
            Unit.SECONDS,
            Unit.CORES,
            Unit.COUNT,
            Unit.RATIO,
            Unit.BYTES_PER_SECOND,
            Unit.COUNT_PER_SECOND,
            Unit.SECONDS_PER_OPERATION,
            Unit.BYTES_PER_OPERATION,
            Unit.COUNT_PER_OPERATION,
        ],
    ),
)
def test_a_written_limit_reads_back_on_the_looser_side(value: float, unit: Unit) -> None:
    assert parse(rounded_limit(value, unit), unit) >= value * (1 - 1e-12)
    assert parse(rounded_limit(value, unit, up=False), unit) <= value * (1 + 1e-12)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (8_923_423, Unit.BYTES, "8.52 MiB"),
        (0.0153, Unit.SECONDS, "15.3 ms"),
        (5123, Unit.COUNT, "5123"),
        (0.3, Unit.RATIO, "30%"),
        (0.5, Unit.CORES, "500m"),
        (123e-9, Unit.SECONDS_PER_OPERATION, "123 ns/op"),
        (0, Unit.BYTES, "0 B"),
    ],
)
def test_limits_look_as_people_write_them(value: float, unit: Unit, text: str) -> None:
    assert rounded_limit(value, unit) == text


def test_headroom_and_money() -> None:
    assert with_headroom(10, 0.25) == 13
    assert with_headroom(0.1, 0.5, up=False) == 0.05
    assert with_headroom(0.1, 0.5) == 0.15
    assert money_limit(0.001, "USD", Unit.MONEY_PER_MONTH) == "0.01 USD/month"
