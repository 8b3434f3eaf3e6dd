"""Units, and the two directions between numbers in base units and the text people write and read.

Inside gocost a value is a plain number in its unit's base (bytes, seconds, cores, counts, ratios).
People write `20 MiB`, `15 ms`, `500m` cores, `90 M` requests, `5%`, `40 USD/month`. KiB, MiB and
GiB are powers of 1024, kB, MB and GB of 1000; a month is 730 hours.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from gocost.model.errors import UsageError

HOURS_PER_MONTH: Final = 730
SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * 3600
ENDLESS: Final = 1 << 60
"""Nanoseconds that no recording lasts."""


class Unit(StrEnum):
    """What a number counts. The values are the words of the report contract."""

    BYTES = "bytes"
    SECONDS = "seconds"
    NANOSECONDS = "nanoseconds"
    """Whole numbers, where recordings count them and sums must be exact."""
    CORES = "cores"
    COUNT = "count"
    NUMBER = "number"
    """Tells one thing from another (a goroutine's id, a line) and counts nothing."""
    RATIO = "ratio"
    BYTES_PER_SECOND = "bytes/second"
    COUNT_PER_SECOND = "count/second"
    SECONDS_PER_OPERATION = "seconds/operation"
    BYTES_PER_OPERATION = "bytes/operation"
    COUNT_PER_OPERATION = "count/operation"
    MONEY = "money"
    MONEY_PER_MONTH = "money/month"
    BOOLEAN = "boolean"
    TEXT = "text"
    CODE = "code"
    """A line of a program's source or machine code, which is shown as it is."""


class Money(msgspec.Struct, frozen=True):
    """An amount in a currency. `price_book` names the prices it was computed from."""

    amount: Decimal
    currency: str = "USD"
    price_book: str = ""

    def __add__(self, other: Money) -> Money:
        """The sum; adding two currencies is a bug, not a conversion."""
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency, self.price_book)


_BYTES: Final[dict[str, float]] = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SECONDS: Final[dict[str, float]] = {
    "s": 1.0,
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_COUNT: Final[dict[str, float]] = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}

_SUFFIXES: Final[dict[Unit, dict[str, float]]] = {
    Unit.BYTES: dict(_BYTES),
    Unit.SECONDS: _SECONDS,
    Unit.NANOSECONDS: {name: factor * 1e9 for name, factor in _SECONDS.items()},
    Unit.CORES: {"": 1, "m": 1e-3},
    Unit.COUNT: dict(_COUNT),
    Unit.RATIO: {"": 1, "%": 0.01},
    Unit.BYTES_PER_SECOND: {f"{name}/s": factor for name, factor in _BYTES.items() if name},
    Unit.COUNT_PER_SECOND: {f"{name}/s": factor for name, factor in _COUNT.items()} | {"": 1},
    Unit.SECONDS_PER_OPERATION: {f"{n}/op": f for n, f in _SECONDS.items()} | _SECONDS,
    Unit.BYTES_PER_OPERATION: {f"{n}/op": f for n, f in _BYTES.items()} | _BYTES,
    Unit.COUNT_PER_OPERATION: {f"{n}/op": f for n, f in _COUNT.items()} | _COUNT,
}
_EXAMPLES: Final = {
    Unit.BYTES: "20 MiB",
    Unit.SECONDS: "15 ms",
    Unit.NANOSECONDS: "15 ms",
    Unit.CORES: "500m",
    Unit.COUNT: "5000",
    Unit.RATIO: "5%",
    Unit.BYTES_PER_SECOND: "128 MB/s",
    Unit.COUNT_PER_SECOND: "500/s",
    Unit.SECONDS_PER_OPERATION: "120 ns/op",
    Unit.BYTES_PER_OPERATION: "64 B/op",
    Unit.COUNT_PER_OPERATION: "3/op",
    Unit.MONEY: "1.20 USD",
    Unit.MONEY_PER_MONTH: "40 USD/month",
    Unit.BOOLEAN: "true",
    Unit.TEXT: "static",
}
_NUMBER = re.compile(
    r"\s*([+-]?(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*", re.DOTALL
)
_MONEY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Z]{3})\s*(/\s*month)?\s*")


def example(unit: Unit) -> str:
    """A quantity of this unit as a person would write it, for messages and docs."""
    return _EXAMPLES[unit]


def parse(text: str | float, unit: Unit) -> float:
    """The number in base units that a person wrote as `text`; ints stay ints where exact.

    Raises UsageError naming the text and an example of what would do.
    """
    if isinstance(text, bool) or unit not in _SUFFIXES:
        raise UsageError(f"{text!r} is not a quantity in {unit}", hint=f"write {example(unit)}")
    if isinstance(text, int | float):
        return text
    match = _NUMBER.fullmatch(text)
    factor = _SUFFIXES[unit].get(match[2].replace(" ", "")) if match else None
    if match is None or factor is None:
        raise UsageError(
            f"{text!r} is not a quantity in {unit}", hint=f"write for example {example(unit)!r}"
        )
    number = Decimal(match[1].replace("_", ""))
    if abs(number.adjusted()) > 30:
        raise UsageError(f"{text!r} is out of all proportion", hint=f"write {example(unit)}")
    # Decimal keeps `0.1 GB` exact: 100000000 and not 100000000.00000001.
    value = number * Decimal(str(factor))
    return int(value) if value == value.to_integral_value() else float(value)


def parse_option(
    option: str, text: str, unit: Unit = Unit.SECONDS, *, like: str | None = None
) -> float:
    """The amount that a person wrote for an option, in `unit`; `like` is one that would do.

    Raises UsageError naming the option and what to write.
    """
    timed = unit in (Unit.SECONDS, Unit.NANOSECONDS)
    try:
        return parse(text, unit)
    except UsageError:
        what = "a time" if timed else f"an amount of {unit}"
        would = like or ("5s" if timed else repr(example(unit)))
        raise UsageError(
            f"{option} is {what} with its unit, and not {text!r}",
            hint=f"write for example {option} {would}",
        ) from None


def parse_between(start: str | None, end: str | None) -> tuple[int, int] | None:
    """A part of a recording's time, in nanoseconds since it began, whose ends a person wrote; an
    end that was left out is that of the recording, and None stands for all of it.

    Raises UsageError where it is no time, or begins after its end.
    """
    if not start and not end:
        return None
    first = int(parse_option("--from", start, Unit.NANOSECONDS)) if start else 0
    last = min(int(parse_option("--to", end, Unit.NANOSECONDS)), ENDLESS) if end else ENDLESS
    if not 0 <= first < last:
        raise UsageError(
            "--from has to be 0 s or later, and before --to",
            hint="write for example --from 1s --to 2s",
        )
    return first, last


def parse_money(text: str) -> Money:
    """`1.20 USD` or `40 USD/month` as Money. Raises UsageError."""
    match = _MONEY.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not an amount of money", hint="write for example '1.20 USD'")
    return Money(Decimal(match[1]), match[2])


def format_quantity(
    value: float | str | Decimal | None, unit: Unit | str, *, signed: bool = False
) -> str:
    """`value` as people read it: three significant digits, the unit that suits its size.

    None is `unknown`. `signed` puts a plus sign before what is not negative (differences).
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if unit == Unit.NUMBER:
        return str(value)
    number = float(value)
    sign = "-" if number < 0 else "+" if signed else ""
    text = _format_positive(abs(number), Unit(unit))
    if text.startswith("< "):
        # Less than a cent, more or less: `> -0.01` as for amounts, and a plus sign tells nothing.
        return f"> -{text[2:]}" if number < 0 else text
    return sign + text


def format_money(money: Money, *, signed: bool = False) -> str:
    """An amount to the cent; what is less than a cent is `< 0.01`, never `0.00`."""
    amount = abs(money.amount)
    sign = "-" if money.amount < 0 else "+" if signed and money.amount else ""
    if 0 < amount < Decimal("0.005"):
        return f"{'> -' if money.amount < 0 else '< '}0.01 {money.currency}"
    return f"{sign}{amount:,.2f} {money.currency}"


def _format_positive(number: float, unit: Unit) -> str:
    if unit is Unit.NANOSECONDS:
        number, unit = number / 1e9, Unit.SECONDS
    base, _, per = unit.value.partition("/")
    suffix = {"": "", "second": "/s", "operation": "/op", "month": "/month"}[per]
    if base == "bytes":
        return _scaled(number, (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))) + suffix
    if base == "seconds":
        if number >= 119.5:  # from there on it would be rounded to 120 s
            return f"{number / 60:.1f} min{suffix}"
        scale = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
        return _scaled(number, scale, zero="0 s") + suffix
    if unit is Unit.RATIO:
        return f"{_digits(number * 100, 3)}%"
    if base == "cores":
        return _digits(number, 3)
    if base == "count":
        whole = number == int(number)
        return (f"{int(number):,}" if whole and number < 1e15 else _digits(number, 4)) + suffix
    # Money: what is less than a cent is said to be that, and never to be nothing.
    return f"< 0.01{suffix}" if 0 < number < 0.005 else f"{number:,.2f}{suffix}"


def _digits(number: float, count: int) -> str:
    """So many significant digits, and no digit before the point replaced by an exponent."""
    if 10 ** (count - 1) <= number < 1e15:
        return f"{number:,.0f}"
    return f"{number:,.{count}g}"


def _scaled(number: float, scale: tuple[tuple[str, float], ...], *, zero: str = "0 B") -> str:
    if number == 0:
        return zero
    larger, above = "", math.inf
    for name, factor in scale:
        if number >= factor or factor == scale[-1][1]:
            scaled = number / factor
            text = f"{scaled:.0f}" if scaled >= 100 or name == "B" else f"{scaled:.3g}"
            # What is rounded up to the next unit is one of that: 1 s, and not 1000 ms.
            reached = float(text) > 1 and float(text) >= round(above / factor, 6)
            return f"1 {larger}" if reached else f"{text} {name}"
        larger, above = name, factor
    raise AssertionError("unreachable: the last scale takes everything")
