"""What an analysis of a run comes to: facts, and for every other metric why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from gocost.model.catalogue import all_metrics, find_metric
from gocost.model.fact import Fact
from gocost.model.subject import Subject


@dataclass(slots=True)
class Outcome:
    """Facts of one subject, metrics that are unknown, metrics that were skipped."""

    subject: Subject = field(default_factory=Subject)
    facts: list[Fact] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    """Declared, tried, not measurable."""
    skipped: dict[str, str] = field(default_factory=dict)
    """There was nothing to measure it with."""

    def give(self, metric: str, value: float, origin: str, n: int | None = None) -> None:
        """A fact; its unit is the catalogue's. Counts become whole numbers."""
        whole = int(value) if value == int(value) else value
        unit = find_metric(metric).unit
        self.facts.append(Fact(metric, whole, unit, subject=self.subject, origin=origin, n=n))

    def value(self, metric: str) -> float | None:
        """The value given for a metric, or None."""
        for fact in self.facts:
            if fact.metric == metric:
                return float(fact.value)
        return None

    def skip(self, reason: str, *metrics: str) -> None:
        """Nothing was there to measure them with."""
        self.skipped.update(dict.fromkeys(metrics, reason))

    def cannot(self, reason: str, *metrics: str) -> None:
        """They could have been measured, and were not."""
        self.unknown.update(dict.fromkeys(metrics, reason))

    def sorted(self) -> Outcome:
        """Facts in the catalogue's order, which is the order a person reads them in."""
        order = {name: rank for rank, name in enumerate(all_metrics())}
        self.facts.sort(key=lambda fact: order[fact.metric])
        return self
