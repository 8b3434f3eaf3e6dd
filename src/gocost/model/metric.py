"""What a fact's value means: the type of a catalogue entry (the entries are in `catalogue/`)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from gocost.model.quantity import Unit, format_quantity


class Worse(StrEnum):
    """The direction in which a metric gets worse."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Enforcer(StrEnum):
    """The three places where a rule can be enforced."""

    CHECK = "check"
    LIVE = "live"
    PROMETHEUS = "prometheus"


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue. `explain`, the policy's schema and the docs are made from it."""

    id: str
    """The name facts and rules use; with `statistics`, the part before the statistic."""
    summary: str
    """One line: what it is."""
    unit: Unit
    worse: Worse = Worse.HIGHER
    exact: bool
    """Exact: the same input gives the same value. Otherwise sampled, and judged on intervals."""
    how: str
    """How it is measured, and from what."""
    advice: str
    """What to do when it is too high (or too low)."""
    statistics: tuple[str, ...] = ()
    """Each makes a metric of its own: `gc.pause` with p99 and max is gc.pause.p99, gc.pause.max."""
    statistic: str = ""
    """Set on an expanded metric: which of the statistics it is."""
    values: tuple[str, ...] = ()
    """The words of an enumeration."""
    least: float | None = 0
    """The least that a number of it can be, and `most`; None where there is no such bound."""
    most: float | None = None
    labels: tuple[str, ...] = ()
    """The labels its facts carry, which a rule may select by."""
    limit: float | None = None
    """What most services keep, in the unit; the preset `standard` has it as a rule."""
    where: tuple[Enforcer, ...] = (Enforcer.CHECK,)
    """Where it can be measured, and so where a rule over it acts by default."""
    prometheus: str = ""
    """The expression over a Go service's own metrics page that gives it, where there is one."""

    def expand(self) -> Iterator[Metric]:
        """The metrics this entry stands for: itself, or one a statistic."""
        if not self.statistics:
            yield self
            return
        for name in self.statistics:
            yield msgspec.structs.replace(
                self,
                id=f"{self.id}.{name}",
                statistic=name,
                statistics=(),
                limit=self.limit if name == "p99" else None,
                unit=Unit.COUNT if name == "count" else self.unit,
                worse=Worse.NEITHER if name == "count" else self.worse,
            )

    def can_be(self, value: object) -> bool:
        """Whether a fact of it can have this value: of its kind, and in its range."""
        if self.unit is Unit.TEXT:
            return isinstance(value, str) and (not self.values or value in self.values)
        if self.unit is Unit.BOOLEAN:
            return isinstance(value, bool)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        below = self.least is not None and value < self.least
        return not below and not (self.most is not None and value > self.most)

    @property
    def range(self) -> str:
        """The numbers that it can be, in words: `at least 0 B`, `from 0% to 100%`."""
        least, most = (
            None if bound is None else format_quantity(bound, self.unit)
            for bound in (self.least, self.most)
        )
        if least is not None and most is not None:
            return f"from {least} to {most}"
        return f"at least {least}" if least is not None else f"at most {most or 'anything'}"

    @property
    def worse_sign(self) -> int:
        """+1 where more is worse (also where neither is: growth means more), -1 where less is."""
        return -1 if self.worse is Worse.LOWER else 1

    @property
    def family(self) -> str:
        """The first word of the id, which is also the catalogue file it stands in."""
        return self.id.partition(".")[0]
