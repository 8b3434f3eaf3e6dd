"""`growth`: how much worse than the base it may get.

Exact facts are compared as they are. What was sampled is compared only where base and head ran in
turn, by the change's interval: growth is broken where even its better end is beyond the limit.
"""

from __future__ import annotations

from gocost.model.errors import PolicyError
from gocost.model.finding import Limit
from gocost.model.metric import Metric
from gocost.model.quantity import Unit, example, parse
from gocost.model.report import Change, Verdict
from gocost.policy.kinds.amounts import Amount, number, read_difference, worded
from gocost.policy.kinds.interface import Case, Ruling, Spot, Written
from gocost.policy.places import at_place


class Growth(Amount):
    """A share of the base, or an amount in the metric's unit."""

    key = "growth"
    description = "How much worse than the base it may get: 5%, or an amount like 64 KiB."
    needs_base = True

    def example(self, metric: Metric) -> str:
        """A share, which fits every unit."""
        del metric
        return f"{self.key}: 5%"

    def read(self, written: Written, metric: Metric, spot: Spot) -> Limit:
        """`5%`, or a quantity such as 64 KiB."""
        assert isinstance(written, str)
        text = written.strip()
        if text.endswith("%"):
            share = at_place(spot.place, self.key, lambda: parse(written, Unit.RATIO))
            limit = Limit(self.key, share, text, relative=True)
        else:
            try:
                limit = read_difference(self.key, written, metric, spot)
            except PolicyError as error:
                hint = f"write 5%, or an amount such as {example(metric.unit)}"
                raise spot.place.error(f"growth cannot be {text!r}", hint=hint) from error
        if not _possible(limit, metric):
            raise spot.place.error(
                f"{metric.id} cannot get worse by {text}",
                hint=f"write a growth that it can have: it is {metric.range}",
            )
        return limit

    def tighter(self, new: Limit, old: Limit) -> bool:
        """Less is tighter; a share and an amount cannot be told."""
        return new.relative == old.relative and number(new.value) <= number(old.value)

    def judge(self, case: Case) -> Ruling:
        """The difference, in the direction in which the metric gets worse."""
        assert case.base is not None
        if case.change is not None:
            return self._sampled(case, case.change)
        base, grown = number(case.base.value), number(case.fact.value) - number(case.base.value)
        unit, limit = case.metric.unit, case.limit
        shown = case.show(grown, unit, signed=True)
        grew = f"{case.name} went from {case.show(case.base.value, unit)} by {shown}"
        if base and grown:
            grew += f" ({grown / base:+.1%})"
        if grown == 0:
            grew = f"{case.name} is as in {case.base_name}"
        kept = grown * case.metric.worse_sign <= _allowance(limit, base)
        said = f"{grew}, {'within' if kept else 'over'} growth {_worded(limit, unit)}"
        return Ruling(kept, said, grown, _nearness(case, grown))

    def _sampled(self, case: Case, change: Change) -> Ruling:
        unit, limit, sign = case.metric.unit, case.limit, case.metric.worse_sign
        assert change.delta is not None
        assert isinstance(change.base, int | float)
        low = change.low if change.low is not None else change.delta
        high = change.high if change.high is not None else change.delta
        interval = ""
        if change.low is not None and change.high is not None:
            ends = (case.show(end, unit, signed=True) for end in (change.low, change.high))
            interval = f" ({' to '.join(ends)})"
        shown = case.show(change.delta, unit, signed=True)
        grew = f"{case.name} went from {case.show(change.base, unit)} by {shown}{interval}"
        least = min(low * sign, high * sign)
        broken = least > _allowance(limit, change.base) and change.verdict is not Verdict.SAME
        said = f"{grew}, {'' if broken else 'not shown to be '}over growth {_worded(limit, unit)}"
        grown = number(case.fact.value) - number(change.base)
        return Ruling(not broken, said, change.delta, _nearness(case, grown))


def _worded(limit: Limit, unit: Unit) -> str:
    """The limit as it is shown beside a difference: of a ratio, what is no share is in points."""
    if limit.relative:
        return limit.text
    said = worded(limit, unit)
    return f"{said.removesuffix('%')} points" if unit is Unit.RATIO else said


def _possible(limit: Limit, metric: Metric) -> bool:
    """Whether a metric of its range can change by so much, in the direction that is worse."""
    change = number(limit.value)
    if limit.relative:
        # What is never below 0 cannot lose more than all that it is.
        return metric.least != 0 or change * metric.worse_sign >= -1
    return metric.least is None or metric.most is None or abs(change) <= metric.most - metric.least


def _allowance(limit: Limit, base: float) -> float:
    return abs(base) * number(limit.value) if limit.relative else number(limit.value)


def _nearness(case: Case, grown: float) -> float:
    assert case.base is not None
    worse, before = grown * case.metric.worse_sign, number(case.base.value)
    return worse / abs(before) if case.limit.relative and before else worse
