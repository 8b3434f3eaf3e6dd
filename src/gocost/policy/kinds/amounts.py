"""What limits that are amounts have in common: read in the metric's unit, compared as numbers."""

from __future__ import annotations

import math

from gocost.model.fact import Value
from gocost.model.finding import Limit
from gocost.model.metric import Metric
from gocost.model.quantity import Unit, example, format_quantity, parse, parse_money
from gocost.policy.kinds.interface import Case, Kind, Ruling, Spot, Written
from gocost.policy.places import at_place, parsed


class Amount(Kind):
    """A kind whose limit is one amount in the metric's unit."""

    def suits(self, metric: Metric) -> bool:
        """Numbers of any unit."""
        return metric.unit not in (Unit.TEXT, Unit.BOOLEAN)

    def example(self, metric: Metric) -> str:
        """In the metric's unit."""
        return f"{self.key}: {example(metric.unit)}"

    def read(self, written: Written, metric: Metric, spot: Spot) -> Limit:
        """A quantity such as 12 MiB."""
        return read_amount(self.key, written, metric, spot)


def read_amount(key: str, written: Written, metric: Metric, spot: Spot) -> Limit:
    """The limit of an amount that the metric can be, in its unit. Raises PolicyError."""
    limit = read_difference(key, written, metric, spot)
    if not metric.can_be(limit.value):
        raise spot.place.error(
            f"{metric.id} cannot be {limit.text}", hint=f"write a limit that it can: {metric.range}"
        )
    return limit


def read_difference(key: str, written: Written, metric: Metric, spot: Spot) -> Limit:
    """The limit of an amount in the metric's unit, whatever its size. Raises PolicyError."""
    assert isinstance(written, str)
    if metric.unit in (Unit.MONEY, Unit.MONEY_PER_MONTH):
        money = at_place(spot.place, key, lambda: parse_money(written))
        return Limit(key, float(money.amount), written.strip())
    return Limit(key, parsed(written, metric.unit, spot.place, key), written.strip())


def worded(limit: Limit, unit: Unit) -> str:
    """The limit as its author wrote it, but a bare number in the unit that values are shown in.

    `0.3` beside a value of 245% is 30%.
    """
    text = limit.text
    try:
        value = float(text)
    except ValueError:
        return text
    if unit is Unit.RATIO:
        return f"{value * 100:.10g}%"
    shown = format_quantity(value, unit)
    # What three digits do not say exactly stays as it is.
    exact = unit is Unit.BYTES and parse(shown, unit) == value
    return shown if exact else text


def held(case: Case, *, most: bool) -> Ruling:
    """The case against one bound: the most that is allowed, or else the least.

    What is over the most has a price; of what is missing to the least nobody knows one.
    """
    unit, bound, value = case.metric.unit, number(case.limit.value), measured(case.fact.value)
    found = f"{case.name} is {case.show(case.fact.value, unit)}"
    limit = worded(case.limit, unit)
    if value is not None and (value <= bound if most else value >= bound):
        said = f"{found}, {'within max' if most else 'above min'} {limit}"
        return Ruling(True, said, value, nearness=value if most else -value)
    beyond = abs(number(case.fact.value) - bound)
    # Of a ratio, a difference in percent would read as a share of something.
    by = "" if unit is Unit.RATIO else f"{case.show(beyond, unit)} "
    said = f"{found}, {by}{'over max' if most else 'below min'} {limit}"
    return Ruling(False, said, beyond if most else None)


def number(value: object) -> float:
    """A limit's or a fact's value as a number; 0 for text, which is compared with nothing."""
    return value if isinstance(value, int | float) else 0


def measured(value: Value) -> float | None:
    """A fact's value where it is a number; NaN keeps no limit, and is no number either."""
    if isinstance(value, str) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return value
