"""Quantities between people's words and numbers in base units."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example as at_least
from hypothesis import given
from hypothesis import strategies as st

from gocost.model.errors import UsageError
from gocost.model.quantity import (
    Money,
    Unit,
    example,
    format_money,
    format_quantity,
    parse,
    parse_money,
)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("20 MiB", Unit.BYTES, 20 * 2**20),
        ("20MB", Unit.BYTES, 20_000_000),
        ("0.1 GB", Unit.BYTES, 100_000_000),
        (7, Unit.BYTES, 7),
        ("15 ms", Unit.SECONDS, 0.015),
        ("2 min", Unit.SECONDS, 120),
        ("500m", Unit.CORES, 0.5),
        (2, Unit.CORES, 2),
        ("90 M", Unit.COUNT, 90_000_000),
        ("50_000", Unit.COUNT, 50_000),
        ("5%", Unit.RATIO, 0.05),
        ("0.3", Unit.RATIO, 0.3),
        ("128 MB/s", Unit.BYTES_PER_SECOND, 128_000_000),
        ("500/s", Unit.COUNT_PER_SECOND, 500),
        ("120 ns/op", Unit.SECONDS_PER_OPERATION, 1.2e-7),
        ("-3 KiB", Unit.BYTES, -3072),
    ],
)
def test_parses_what_people_write(text: str | int, unit: Unit, value: float) -> None:
    assert parse(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("12 MiB", Unit.SECONDS),
        ("5 mb", Unit.BYTES),
        ("", Unit.BYTES),
        ("five", Unit.COUNT),
        ("1e", Unit.COUNT),
        ("3 m", Unit.SECONDS),
        (True, Unit.COUNT),
        ("static", Unit.TEXT),
    ],
)
def test_refuses_with_an_example(text: str, unit: Unit) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, unit)
    assert example(unit) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, Unit.BYTES, "0 B"),
        (1023, Unit.BYTES, "1023 B"),
        (12.5 * 2**20, Unit.BYTES, "12.5 MiB"),
        (0.0153, Unit.SECONDS, "15.3 ms"),
        (1.5e-9, Unit.SECONDS, "1.5 ns"),
        (600, Unit.SECONDS, "10.0 min"),
        (0.1234, Unit.RATIO, "12.3%"),
        (1234567, Unit.COUNT, "1,234,567"),
        (1234567, Unit.NUMBER, "1234567"),
        (0.5, Unit.CORES, "0.5"),
        (True, Unit.BOOLEAN, "yes"),
        ("static", Unit.TEXT, "static"),
        (None, Unit.BYTES, "unknown"),
        (2048, Unit.BYTES_PER_SECOND, "2 KiB/s"),
    ],
)
def test_formats_for_people(value: float | str | None, unit: Unit, text: str) -> None:
    assert format_quantity(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.9994, Unit.SECONDS, "999 ms"),
        (0.9996, Unit.SECONDS, "1 s"),
        (999_600_000, Unit.NANOSECONDS, "1 s"),
        (9.996e-7, Unit.SECONDS, "1 µs"),
        (9.996e-4, Unit.SECONDS_PER_OPERATION, "1 ms/op"),
        (119.4, Unit.SECONDS, "119 s"),
        (119.6, Unit.SECONDS, "2.0 min"),
        (1023.4 * 2**10, Unit.BYTES, "1023 KiB"),
        (1023.99 * 2**10, Unit.BYTES, "1 MiB"),
        (1023.6 * 2**20, Unit.BYTES_PER_SECOND, "1 GiB/s"),
        (1023.7, Unit.BYTES_PER_SECOND, "1 KiB/s"),
        (9.996, Unit.RATIO, "1,000%"),
        (999.6, Unit.CORES, "1,000"),
        (1234.5, Unit.CORES, "1,234"),
        (999.96, Unit.COUNT_PER_SECOND, "1,000/s"),
        (12345.6, Unit.COUNT_PER_SECOND, "12,346/s"),
    ],
)
def test_what_is_rounded_up_to_the_next_unit_is_one_of_it(
    value: float, unit: Unit, text: str
) -> None:
    assert format_quantity(value, unit) == text


@given(
    st.floats(1e-9, 1e12),
    st.sampled_from(
        [
            Unit.SECONDS,
            Unit.SECONDS_PER_OPERATION,
            Unit.BYTES,
            Unit.BYTES_PER_SECOND,
            Unit.CORES,
            Unit.COUNT,
            Unit.COUNT_PER_SECOND,
            Unit.RATIO,
        ]
    ),
)
@at_least(value=121.0, unit=Unit.SECONDS)
def test_what_a_person_reads_reads_the_same_when_it_is_written_again(
    value: float, unit: Unit
) -> None:
    text = format_quantity(value, unit)

    again = parse(text.replace(",", ""), unit)

    assert format_quantity(again, unit) == text
    # Three digits; bytes are whole, and minutes tenths.
    half = 0.5 if unit.value.startswith("bytes") else 3.0 if text.count(" min") else 0.0
    assert again == pytest.approx(value, rel=0.005, abs=half + 1e-9 * half)


def test_signed_differences_show_their_sign() -> None:
    assert format_quantity(2048, Unit.BYTES, signed=True) == "+2 KiB"
    assert format_quantity(-2048, Unit.BYTES, signed=True) == "-2 KiB"
    # of less than a cent no amount is known that a sign could belong to
    assert format_quantity(0.001, Unit.MONEY_PER_MONTH, signed=True) == "< 0.01/month"
    assert format_quantity(-0.001, Unit.MONEY_PER_MONTH, signed=True) == "> -0.01/month"


@given(st.integers(0, 2**50))
def test_bytes_round_trip_exactly(value: int) -> None:
    assert parse(f"{value} B", Unit.BYTES) == value


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("12.345", "12.34 USD"),
        ("0.001", "< 0.01 USD"),
        ("-0.001", "> -0.01 USD"),
        ("0", "0.00 USD"),
        ("1234567.5", "1,234,567.50 USD"),
    ],
)
def test_money_is_never_rounded_to_nothing(amount: str, text: str) -> None:
    assert format_money(Money(Decimal(amount))) == text


def test_money_parses_and_refuses() -> None:
    assert parse_money("40 USD/month") == Money(Decimal("40"), "USD")
    with pytest.raises(UsageError, match="not an amount of money"):
        parse_money("forty dollars")


def test_two_currencies_are_not_added() -> None:
    with pytest.raises(ValueError, match="cannot add EUR to USD"):
        Money(Decimal(1), "USD") + Money(Decimal(1), "EUR")
