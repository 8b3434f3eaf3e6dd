"""Head against base, fact by fact, with what each difference costs a month."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gocost.cost.pricing import Bill, Pricing, inputs
from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact
from gocost.model.metric import Metric, Worse
from gocost.model.report import Change, Verdict
from gocost.policy.evaluation import Evidence


def changes_between(evidence: Evidence, pricing: Pricing) -> list[Change]:
    """The changes of measures that ran both sides in turn, then those of exact facts.

    Of labelled facts (one a module, one a function) only those that differ are listed.
    """
    changes = [_priced(change, pricing) for change in evidence.changes]
    if evidence.baseline is None:
        return changes
    told = {(change.metric, *sorted(change.labels.items())) for change in changes}
    metrics = all_metrics()
    base = {_key(fact): fact for fact in evidence.baseline.facts}
    facts = evidence.facts if evidence.comparable is None else evidence.comparable
    head = {_key(fact): fact for fact in facts if metrics[fact.metric].exact}
    # Where one side never looked at a metric, its modules are neither new nor gone.
    both = {key[0] for key in head} & {key[0] for key in base}
    for key in [*head, *(key for key in base if key not in head)]:
        metric = metrics.get(str(key[0]))
        if metric is None or key in told or key[0] not in both or _said_twice(head.get(key)):
            continue
        change = _change(metric, base.get(key), head.get(key), evidence)
        if change is not None:
            changes.append(_priced(change, pricing))
    return sorted(changes, key=_importance)


def _said_twice(fact: Fact | None) -> bool:
    """Whether it is what belongs to no package, as a package, beside its row as a module."""
    labels = fact.labels if fact is not None else {}
    package = labels.get("package", "")
    return package.startswith("(") and package == labels.get("module")


def cost_change(
    pricing: Pricing, facts: Sequence[Fact], changes: Sequence[Change], bill: Bill
) -> list[Change]:
    """How the service's bill changes by what was sampled on both sides in turn.

    The bill of the base, and of both ends of each interval: prices are linear above what is
    requested, so the ends of the interval of the facts are those of the money.
    """
    found = []
    metrics = all_metrics()
    by_metric = {change.metric: change for change in changes if not change.labels}
    for fact in bill.facts:
        metric = metrics[fact.metric]
        under = [by_metric[name] for name in inputs(fact.metric) if name in by_metric]
        usable = [change for change in under if _sound(change)]
        if metric.exact or not usable or len(usable) != len(under):
            continue
        base = _bill_with(pricing, facts, {c.metric: c.base for c in usable}, fact.metric)
        low = _bill_with(pricing, facts, {c.metric: _end(c, c.low) for c in usable}, fact.metric)
        high = _bill_with(pricing, facts, {c.metric: _end(c, c.high) for c in usable}, fact.metric)
        if base is None or low is None or high is None:
            continue
        assert isinstance(fact.value, int | float)
        delta = fact.value - base
        ends = sorted((low - base, high - base))
        settled = ends[0] > 0 or ends[1] < 0
        found.append(
            Change(
                metric=fact.metric,
                unit=fact.unit,
                base=base,
                head=fact.value,
                delta=delta,
                verdict=_verdict(metric, delta) if settled else Verdict.SAME,
                subject=fact.subject,
                low=ends[0],
                high=ends[1],
            )
        )
    return found


def _bill_with(
    pricing: Pricing, facts: Sequence[Fact], values: dict[str, object], metric: str
) -> float | None:
    other = [
        msgspec.structs.replace(fact, value=values[fact.metric])
        if fact.metric in values and not fact.labels
        else fact
        for fact in facts
    ]
    for fact in pricing.bill(other, facts[0].subject).facts:
        if fact.metric == metric and isinstance(fact.value, int | float):
            return fact.value
    return None


def _sound(change: Change) -> bool:
    numbers = (change.base, change.head, change.delta)
    return change.verdict is not Verdict.UNKNOWN and all(
        isinstance(number, int | float) for number in numbers
    )


def _end(change: Change, bound: float | None) -> float:
    assert isinstance(change.base, int | float)
    assert change.delta is not None
    return max(0.0, change.base + (change.delta if bound is None else bound))


def _change(
    metric: Metric, base: Fact | None, head: Fact | None, evidence: Evidence
) -> Change | None:
    either = head or base
    assert either is not None
    if either.labels:
        # A module that is not there weighs nothing; of other things, only what is on both sides.
        if base is None or head is None:
            if metric.family != "binary":
                return None
        elif base.value == head.value:
            return None
    elif base is None or head is None:
        return None
    b = base.value if base is not None else 0
    h = head.value if head is not None else 0
    delta = None
    if _is_number(b) and _is_number(h):
        delta = h - b  # type: ignore[operator]
        verdict = _verdict(metric, delta)
    else:
        verdict = Verdict.SAME if b == h else Verdict.CHANGED
    return Change(
        metric=metric.id,
        unit=either.unit,
        base=b,
        head=h,
        delta=delta,
        verdict=verdict,
        subject=evidence.subject,
        labels=either.labels,
    )


def _verdict(metric: Metric, delta: float) -> Verdict:
    if delta == 0:
        return Verdict.SAME
    if metric.worse is Worse.NEITHER:
        return Verdict.CHANGED
    worse = (delta > 0) == (metric.worse is Worse.HIGHER)
    return Verdict.WORSE if worse else Verdict.BETTER


def _priced(change: Change, pricing: Pricing) -> Change:
    if change.money is not None or change.delta is None or change.base is None:
        return change
    assert isinstance(change.head, int | float)
    assert isinstance(change.base, int | float)
    head, base = (pricing.of(change.metric, value) for value in (change.head, change.base))
    if head is None or base is None:
        return change
    money = msgspec.structs.replace(head, amount=head.amount - base.amount)
    return msgspec.structs.replace(change, money=money)


_FAMILIES = ("cost", "memory", "process", "gc", "goroutines", "latency", "bench", "binary")


def _importance(change: Change) -> tuple[int, float]:
    """Memory and CPU before bytes of a file, and those before what shipping them costs.

    Within a family the larger money first.
    """
    family = change.metric.partition(".")[0]
    if family == "cost" and all_metrics()[change.metric].exact:
        return len(_FAMILIES), 0.0
    rank = _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES)
    return rank, -abs(float(change.money.amount)) if change.money is not None else 0.0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(fact: Fact) -> tuple[object, ...]:
    return (fact.metric, *sorted(fact.labels.items()))
