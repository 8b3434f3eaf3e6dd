"""Which goroutines leak: certainly, probably, or not as far as can be told.

**certain**: the runtime says so (`(leaked)` in a header, the goroutineleak profile), or what they
wait on can never happen: a nil channel, an empty select outside main.
**probable**: three dumps of a service under steady load; in both intervals at least 8 arrive, and
so few leave that it would happen with a probability under 0.01/groups if as many left as came
(Poisson); those that arrived first are still there, by the same test; nothing on the allow-list.
A trace of two intervals or more tells the same by itself.
**parked**: everything else. Age alone is no leak: a pool's workers wait as long as it lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gocost.analyses.goroutines.allowances import Allow, nothing
from gocost.analyses.goroutines.groups import Dumps, Group
from gocost.analyses.goroutines.names import is_system
from gocost.analyses.goroutines.patterns import UNKNOWN, Pattern, allowed, pattern
from gocost.analyses.goroutines.poisson import at_most
from gocost.model.quantity import Unit, format_quantity

LEAST_ARRIVALS: Final = 8
ERROR: Final = 0.01
"""How often one group of all may be called a leak by chance."""
NOT_WAITING: Final = frozenset({"running", "runnable", "syscall", "preempted", "copystack"})


class Verdict(StrEnum):
    """How sure it is."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Judged:
    """A group with its verdict and what it rests on."""

    group: Group
    verdict: Verdict
    evidence: str
    pattern: Pattern
    system: bool
    excuse: str = ""
    """What allows that it grows, where it would be a probable leak otherwise."""


def judge(found: Dumps, groups: Sequence[Group], *, allow: Allow = nothing) -> list[Judged]:
    """The groups with their verdicts, in their order.

    What has a function in its stack or creator that `allow` excuses is no probable leak.
    """
    system = {id(each): is_system(each.stack, each.creator) for each in groups}
    tested = {each.key for each in groups if not system[id(each)]}
    limit = ERROR / max(len(tested), 1)
    return [_judged(found, each, limit, allow, system=system[id(each)]) for each in groups]


def _judged(found: Dumps, group: Group, limit: float, allow: Allow, *, system: bool) -> Judged:
    state = group.state or ""
    waiting = state not in NOT_WAITING
    seen = pattern(group.state, group.stack, group.creator) if waiting else UNKNOWN
    if group.certain:
        return Judged(group, Verdict.CERTAIN, _proof(group), seen, system)
    if system:
        return Judged(group, Verdict.PARKED, "the runtime's own", seen, system)
    probability = _probability(group) if found.tell_leaks and waiting else None
    if probability is None or probability >= limit:
        return Judged(group, Verdict.PARKED, _movement(found, group), seen, system)
    said = (allow(frame.function) for frame in (*group.stack, *group.creator))
    if excuse := allowed(state, group.stack) or next(filter(None, said), ""):
        evidence = f"{_movement(found, group)}; not judged: {excuse}"
        return Judged(group, Verdict.PARKED, evidence, seen, system, excuse)
    evidence = f"{_movement(found, group)}; by chance in {probability:.1g} of cases"
    return Judged(group, Verdict.PROBABLE, evidence, seen, system)


def _probability(group: Group) -> float | None:
    """How likely it is that it only looks like a leak; None where too little arrived to say."""
    first, second = group.intervals[:2] if len(group.intervals) == 2 else (None, None)
    if first is None or second is None:
        return None
    if first.arrived < LEAST_ARRIVALS or second.arrived < LEAST_ARRIVALS:
        return None
    return max(
        at_most(first.departed, first.arrived),
        at_most(second.departed, second.arrived),
        at_most(group.gone, first.arrived),
    )


def _proof(group: Group) -> str:
    if group.leaked:
        return "the runtime found that nothing which can still run reaches what it waits on"
    if group.state and "nil chan" in group.state:
        return "it waits on a nil channel, on which nothing can happen"
    return "it waits in a select without cases"


def _movement(found: Dumps, group: Group) -> str:
    """What changed between the dumps, in words; empty with one dump."""
    if found.traced is not None:
        first, second = group.intervals
        return (
            f"{first.arrived:,} and {second.arrived:,} came and stayed in the halves of a trace of "
            f"{format_quantity(found.traced.length_ns / 1e9, Unit.SECONDS)}, and "
            f"{first.departed:,} went on there"
        )
    if len(found.dumps) < 2 or not group.counts:
        return ""
    if not group.intervals:
        return f"{' → '.join(f'{count:,}' for count in group.counts)} in {len(found.dumps)} dumps"
    arrived = " and ".join(f"{each.arrived:,}" for each in group.intervals)
    departed = " and ".join(f"{each.departed:,}" for each in group.intervals)
    times = ""
    if found.every:
        times = f" in {format_quantity(found.every, Unit.SECONDS)}"
        times += " each" if len(group.intervals) > 1 else ""
    return f"{arrived} came and {departed} left{times}"
