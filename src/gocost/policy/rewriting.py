"""`gocost policy tighten`: limits of a policy's own text brought down to what is measured now.

The scalars are replaced where they stand and not a byte around them is touched, so comments,
quotes and layout stay as their author left them (a YAML library that writes the file anew keeps
comments, but not the layout).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gocost.formats.yaml_document import Node, Place
from gocost.model.fact import Fact
from gocost.model.finding import Limit
from gocost.model.metric import Metric
from gocost.model.quantity import Unit
from gocost.policy.kinds.interface import Bound
from gocost.policy.kinds.registry import KINDS
from gocost.policy.loading import read_text
from gocost.policy.rules import Rule
from gocost.policy.writing import money_limit, rounded_limit, with_headroom


@dataclass(frozen=True, slots=True)
class Tightening:
    """One limit that can come down (or, where it is a lower bound, up)."""

    rule: str
    kind: str
    place: Place
    before: str
    after: str
    measured: float
    unit: Unit
    headroom: float
    """How far the new limit stays from what was measured, as a share of it."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A rule and the facts that it is judged by, of all services that it holds for."""

    rule: Rule
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True)
class Headroom:
    """How far above what is measured limits stay, as shares of it."""

    exact: float = 0.1
    sampled: float = 0.5
    """Of what varies from run to run: one measurement says little of the next."""

    def of(self, metric: Metric) -> float:
        """What a limit over the metric is given."""
        return self.exact if metric.exact else max(self.exact, self.sampled)


def tightenings(
    measurements: Sequence[Measurement], path: str, headroom: Headroom, currency: str
) -> list[Tightening]:
    """The limits written in the file `path` that are looser than what was measured, plus headroom.

    What is sampled counts with the worse end of its interval, and where it measured 0 its limit
    stays: nothing says how far it varies. A limit that holds for several services or labels follows
    the worst of them; one that nothing was measured for stays as it is. Limits are never loosened.
    """
    worst: dict[tuple[Place, str], tuple[Rule, list[float]]] = {}
    for measurement in measurements:
        for kind, place in measurement.rule.places.items():
            if KINDS[kind].bound is Bound.NONE or place.path != path:
                continue
            up, exact = KINDS[kind].bound is Bound.UPPER, measurement.rule.metric.exact
            ends = [_worse_end(fact, up=up) for fact in measurement.facts]
            values = [end for end in ends if end or (end == 0 and exact)]
            worst.setdefault((place, kind), (measurement.rule, []))[1].extend(values)
    found = [
        tightening
        for (place, kind), (rule, values) in worst.items()
        if values and (tightening := _tighter(rule, kind, place, values, headroom, currency))
    ]
    return sorted(found, key=lambda each: (each.place.line, each.place.column))


def rewritten(text: str, path: str, changes: Sequence[Tightening]) -> str:
    """`text` with the limits of `changes` in place of those that stand there."""
    _, places, _ = read_text(text, path)
    by_place: dict[tuple[int, int], Node] = {
        (node.place.line, node.place.column): node
        for node in places.nodes.values()
        if node.kind == "text"
    }
    lines = text.splitlines(keepends=True)
    for change in sorted(
        changes, key=lambda each: (each.place.line, each.place.column), reverse=True
    ):
        node = by_place[change.place.line, change.place.column]
        if node.end[0] != change.place.line:
            raise change.place.error(
                "a limit over several lines cannot be rewritten", hint="write it on one line"
            )
        line = lines[change.place.line - 1]
        start, end = change.place.column - 1, node.end[1] - 1
        lines[change.place.line - 1] = line[:start] + _quoted(change.after, node) + line[end:]
    return "".join(lines)


def _worse_end(fact: Fact, *, up: bool) -> float | None:
    """The fact's value, or the end of its interval that is nearer to the limit; None for words."""
    if isinstance(fact.value, bool | str):
        return None
    end = fact.high if up else fact.low
    return fact.value if end is None else (max if up else min)(fact.value, end)


def _tighter(
    rule: Rule,
    kind: str,
    place: Place,
    values: Sequence[float],
    headroom: Headroom,
    currency: str,
) -> Tightening | None:
    up = KINDS[kind].bound is Bound.UPPER
    choose: Callable[[Sequence[float]], float] = max if up else min
    measured = choose(values)
    limit: Limit = rule.limits[kind]
    unit = rule.metric.unit
    room = headroom.of(rule.metric)
    goal = with_headroom(measured, room, up=up)
    if unit in (Unit.MONEY, Unit.MONEY_PER_MONTH):
        after, value = money_limit(goal, currency, unit), goal
    else:
        after = rounded_limit(goal, unit, up=up)
        value = _meant(after, unit)
    assert isinstance(limit.value, int | float)
    if (value >= limit.value) if up else (value <= limit.value):
        return None
    return Tightening(rule.id, kind, place, limit.text, after, measured, unit, room)


def _meant(text: str, unit: Unit) -> float:
    from gocost.model.quantity import parse

    return 0 if text.split(" ")[0].rstrip("%m") == "0" else parse(text, unit)


def _quoted(text: str, node: Node) -> str:
    """The new text in the quotes of the old one; a quantity needs none by itself."""
    return text if node.plain else f'"{text}"'
