"""What a fact's value means: the type of a catalogue entry (the entries are in `catalogue/`)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from gocost.model.quantity import Unit


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
    labels: tuple[str, ...] = ()
    """The labels its facts carry, which a rule may select by."""
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
                unit=Unit.COUNT if name == "count" else self.unit,
                worse=Worse.NEITHER if name == "count" else self.worse,
            )

    @property
    def worse_sign(self) -> int:
        """+1 where more is worse (also where neither is: growth means more), -1 where less is."""
        return -1 if self.worse is Worse.LOWER else 1

    @property
    def family(self) -> str:
        """The first word of the id, which is also the catalogue file it stands in."""
        return self.id.partition(".")[0]
