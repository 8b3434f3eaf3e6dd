"""Quantities as a person would write them into a policy: short, and never below what is meant."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from gocost.model.quantity import Unit

_SCALES: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "bytes": (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1)),
    "seconds": (("h", 3600), ("s", 1), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)),
    "cores": (("", 1), ("m", 1e-3)),
    "count": (("", 1),),
    "ratio": (("%", 0.01),),
}
_SUFFIX: Final = {"": "", "second": "/s", "operation": "/op"}


def rounded_limit(value: float, unit: Unit, *, up: bool = True, digits: int = 3) -> str:
    """`value` with `digits` significant digits, rounded towards the looser side, with its unit.

    The text reads back (quantity.parse) as at least `value` (`up`), or at most.
    """
    if unit in (Unit.MONEY, Unit.MONEY_PER_MONTH):
        raise ValueError("money has a currency; see money_limit")
    base, _, per = unit.value.partition("/")
    name, factor = _scale(abs(value), base)
    number = Decimal(repr(value)) / Decimal(repr(factor))
    whole = _significant(number, digits, up=up)
    if base == "count" and not per:
        whole = whole.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    text = f"{whole:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    space = "" if name in ("", "%", "m") else " "
    return f"{text}{space}{name}{_SUFFIX[per]}"


def money_limit(value: float, currency: str, unit: Unit) -> str:
    """An amount rounded up to the cent."""
    amount = Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_CEILING)
    return f"{amount} {currency}{'/month' if unit is Unit.MONEY_PER_MONTH else ''}"


def with_headroom(value: float, headroom: float, *, up: bool = True) -> float:
    """`value` with `headroom` (a share) on its looser side; whole numbers stay whole."""
    # As people write them: of floats 0.1 and a half more is 0.15000000000000002.
    share = 1 + Decimal(repr(headroom)) if up else 1 - Decimal(repr(headroom))
    moved = float(Decimal(repr(value)) * share)
    if isinstance(value, int):
        return math.ceil(moved) if up else math.floor(moved)
    return moved


def _scale(value: float, base: str) -> tuple[str, float]:
    scales = _SCALES[base]
    if value == 0:
        return scales[-1] if base == "bytes" else scales[min(1, len(scales) - 1)]
    for name, factor in scales:
        if value >= factor:
            return name, factor
    return scales[-1]


def _significant(number: Decimal, digits: int, *, up: bool) -> Decimal:
    if number == 0:
        return Decimal(0)
    exponent = number.adjusted() - digits + 1
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    # Figures left of the point are kept: 1234 stays 1234, and only 12.345 becomes 12.4.
    return number.quantize(Decimal(1).scaleb(min(exponent, 0)), rounding)
