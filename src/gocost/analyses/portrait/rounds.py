"""Several runs of one service put together, and the runs of head against those of base.

Time, memory and latency differ from run to run of the same binary, so one run a side says nothing.
A metric's change is the Hodges-Lehmann shift of its runs, and its interval decides: with five runs
a side every value of one side must lie beyond every value of the other (p = 0.008) before a change
is called, and what is smaller than LEAST_EFFECT of the base is none however sure it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from gocost.analyses.portrait.outcome import Outcome
from gocost.analyses.statistics.shift import hodges_lehmann
from gocost.analyses.statistics.summary import median
from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact
from gocost.model.metric import Metric, Worse
from gocost.model.report import Change, Verdict
from gocost.model.subject import Subject

ROUNDS = 5
CONFIDENCE = 0.99
LEAST_EFFECT = 0.05


def middle(outcomes: Sequence[Outcome], subject: Subject) -> Outcome:
    """The median of each metric over the runs; what no run has keeps the last one's reason."""
    joined = Outcome(subject)
    for facts in _by_metric(outcomes).values():
        values = sorted(float(fact.value) for fact in facts)
        center = median(values)
        whole = int(center.value) if center.value == int(center.value) else center.value
        last = facts[-1]
        origin = f"{last.origin}; median of {len(facts)} runs"
        joined.facts.append(
            replace(
                last, value=whole, origin=origin, n=len(facts), low=center.low, high=center.high
            )
        )
    have = {fact.metric for fact in joined.facts}
    for outcome in outcomes:
        joined.unknown |= {m: why for m, why in outcome.unknown.items() if m not in have}
        joined.skipped |= {m: why for m, why in outcome.skipped.items() if m not in have}
    return joined.sorted()


def changes(base: Sequence[Outcome], head: Sequence[Outcome], subject: Subject) -> list[Change]:
    """Head against base for every metric that both have, in the catalogue's order."""
    before, after = _by_metric(base), _by_metric(head)
    return [
        _change(metric, before[metric.id], after[metric.id], subject)
        for metric in all_metrics().values()
        if metric.id in before and metric.id in after
    ]


def _by_metric(outcomes: Sequence[Outcome]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for outcome in outcomes:
        for fact in outcome.facts:
            found.setdefault(fact.metric, []).append(fact)
    return found


def _change(metric: Metric, before: list[Fact], after: list[Fact], subject: Subject) -> Change:
    first = sorted(float(fact.value) for fact in before)
    second = sorted(float(fact.value) for fact in after)
    shift = hodges_lehmann(first, second, CONFIDENCE)
    base = median(first).value
    return Change(
        metric=metric.id,
        unit=metric.unit,
        base=base,
        head=median(second).value,
        delta=shift.shift,
        low=shift.low,
        high=shift.high,
        verdict=_verdict(metric, base, shift.shift, shift.low, shift.high),
        subject=subject,
    )


def _verdict(
    metric: Metric, base: float, delta: float, low: float | None, high: float | None
) -> Verdict:
    if low is None or high is None:
        return Verdict.UNKNOWN
    if low <= 0 <= high or abs(delta) < LEAST_EFFECT * abs(base):
        return Verdict.SAME
    if metric.worse is Worse.NEITHER:
        return Verdict.CHANGED
    return Verdict.WORSE if (delta > 0) == (metric.worse is Worse.HIGHER) else Verdict.BETTER
