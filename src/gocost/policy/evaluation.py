"""Facts against rules: findings. Pure; the day is given, so that waivers expire in tests too.

Unknown is never pass, and skipped is said. A metric with labels is judged fact by fact: each that
breaks the limit is a finding of its own, and those that keep it are one finding together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

import msgspec

from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact, Value
from gocost.model.finding import Finding, Limit, Location, Outcome
from gocost.model.metric import Enforcer, Metric
from gocost.model.quantity import Money, Unit, format_quantity
from gocost.model.report import Change, Verdict
from gocost.model.subject import Subject
from gocost.policy.baseline import Baseline
from gocost.policy.rules import Rule, Waiver, selected, worse_sign

NO_BASE = "no base to compare with was named: --base REF or --base REPORT.json"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one service when it is judged."""

    subject: Subject
    facts: Sequence[Fact] = ()
    changes: Sequence[Change] = ()
    """Of sampled metrics, from measures that ran base and head interleaved."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    baseline: Baseline | None = None
    comparable: Sequence[Fact] | None = None
    """Head's exact facts in the form the baseline has them (built the same way); None: `facts`."""


def _no_price(_metric: str, _amount: float) -> Money | None:
    return None


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges one service's evidence on one day, with what a metric's amounts cost a month."""

    evidence: Evidence
    today: date
    waivers: Sequence[Waiver] = ()
    price: Callable[[str, float], Money | None] = _no_price
    currency: str = ""
    """Of the price book, for metrics that are money."""

    def findings(self, rules: Iterable[Rule]) -> list[Finding]:
        """The findings of the rules that act in a check, in their order."""
        return [
            finding
            for rule in rules
            if Enforcer.CHECK in rule.where and self._concerns(rule)
            for limit in rule.limits.values()
            for finding in self._judge(rule, limit)
        ]

    def _shown(self, value: Value, unit: Unit, *, signed: bool = False) -> str:
        if signed and unit is Unit.RATIO and isinstance(value, int | float):
            # `237% by +207%` reads as if it were a share of the base.
            return f"{value * 100:+.3g} points"
        text = format_quantity(value, unit, signed=signed)
        if unit not in (Unit.MONEY, Unit.MONEY_PER_MONTH):
            return text
        amount, slash, per = text.partition("/")
        return f"{amount} {self.currency}{slash}{per}"

    def _interval(self, change: Change, metric: Metric) -> str:
        if change.low is None or change.high is None:
            return ""
        low = self._shown(change.low, metric.unit, signed=True)
        high = self._shown(change.high, metric.unit, signed=True)
        return f" ({low} to {high})"

    def _concerns(self, rule: Rule) -> bool:
        glob = rule.select.get("service")
        return glob is None or fnmatchcase(self.evidence.subject.service, glob)

    def _judge(self, rule: Rule, limit: Limit) -> list[Finding]:
        facts = [fact for fact in self.evidence.facts if self._selects(rule, fact)]
        if limit.kind == "growth":
            # A measure that ran both sides in turn says it better than two facts side by side.
            changes = self._changes(rule)
            if changes:
                return _summed_up([self._judge_change(rule, limit, each) for each in changes])
            missing = self._no_base(rule, limit)
            if missing is not None:
                return [missing]
            if not rule.metric.exact:
                return self._side_by_side(rule, limit)
            facts = [fact for fact in self._growth_facts() if self._selects(rule, fact)]
        if not facts:
            return [self._without_fact(rule, limit)]
        if limit.kind == "growth":
            return _summed_up([self._exact_growth(rule, limit, fact) for fact in facts])
        return _summed_up([self._absolute(rule, limit, fact) for fact in facts])

    def _selects(self, rule: Rule, fact: Fact) -> bool:
        return fact.metric == rule.metric.id and selected(
            rule.select, self.evidence.subject.service, fact.labels
        )

    def _without_fact(self, rule: Rule, limit: Limit) -> Finding:
        identifier = rule.metric.id
        if (reason := _reason(self.evidence.unknown, identifier)) is not None:
            return self._finding(rule, limit, Outcome.UNKNOWN, reason=reason)
        if (reason := _reason(self.evidence.skipped, identifier)) is not None:
            return self._finding(rule, limit, Outcome.SKIPPED, reason=reason)
        others = [fact for fact in self.evidence.facts if fact.metric == identifier]
        if others and limit.kind == "max" and rule.metric.family == "binary":
            wanted = _labelled({k: v for k, v in rule.select.items() if k != "service"})
            return self._finding(
                rule, limit, Outcome.PASS, message=f"{identifier}{wanted} is not there at all"
            )
        reason = (
            f"nothing that was measured has {_selector(rule.select)}"
            if others
            else "its measure gave no value"
        )
        return self._finding(rule, limit, Outcome.UNKNOWN, reason=reason)

    def _absolute(self, rule: Rule, limit: Limit, fact: Fact) -> Finding:
        name, value, metric = _name(fact), fact.value, rule.metric
        shown = self._shown(value, metric.unit)
        if _keeps(limit, value):
            verb = {"max": "within max", "min": "above min"}.get(limit.kind, "allowed:")
            message = f"{name} is {shown}, {verb} {_shown_limit(limit)}"
            return self._finding(
                rule, limit, Outcome.PASS, fact=fact, message=message, money=self._money(fact)
            )
        if limit.kind in ("max", "min"):
            assert isinstance(limit.value, int | float)
            over = abs(float(value) - limit.value)
            side = "over max" if limit.kind == "max" else "below min"
            # Of a ratio, a difference in percent would read as a share of something.
            by = "" if metric.unit is Unit.RATIO else f"{self._shown(over, metric.unit)} "
            message = f"{name} is {shown}, {by}{side} {limit.text}"
            money = self.price(metric.id, over) if limit.kind == "max" else None
            return self._violation(rule, limit, fact, message, money)
        allowed = f"must be {'one of ' if limit.kind == 'one_of' else ''}{_shown_limit(limit)}"
        return self._violation(rule, limit, fact, f"{name} is {shown}, {allowed}", None)

    def _exact_growth(self, rule: Rule, limit: Limit, fact: Fact) -> Finding:
        assert self.evidence.baseline is not None
        base = next(
            (
                each
                for each in self.evidence.baseline.facts
                if each.metric == fact.metric and each.labels == fact.labels
            ),
            None,
        )
        if base is None:
            if fact.labels:
                reason = f"{_name(fact)} is not in {self.evidence.baseline.name}"
                return self._finding(rule, limit, Outcome.SKIPPED, fact=fact, reason=reason)
            reason = f"{self.evidence.baseline.name} has no value of {fact.metric}"
            return self._finding(rule, limit, Outcome.UNKNOWN, fact=fact, reason=reason)
        assert isinstance(fact.value, int | float)
        assert isinstance(base.value, int | float)
        grown = fact.value - base.value
        worse = grown * worse_sign(rule.metric)
        allowed = _allowance(limit, base.value)
        shown = self._shown(grown, rule.metric.unit, signed=True)
        grew = f"{_name(fact)} went from {self._shown(base.value, rule.metric.unit)} by {shown}"
        if base.value and grown:
            grew += f" ({grown / base.value:+.1%})"
        if grown == 0:
            grew = f"{_name(fact)} is as in {self.evidence.baseline.name}"
        money = self.price(fact.metric, grown)
        if worse <= allowed:
            message = f"{grew}, within growth {limit.text}"
            return self._finding(
                rule, limit, Outcome.PASS, fact=fact, base=base, message=message, money=money
            )
        return self._violation(
            rule, limit, fact, f"{grew}, over growth {limit.text}", money, base=base
        )

    def _changes(self, rule: Rule) -> list[Change]:
        return [
            change
            for change in self.evidence.changes
            if change.metric == rule.metric.id
            and selected(rule.select, self.evidence.subject.service, change.labels)
        ]

    def _growth_facts(self) -> Sequence[Fact]:
        comparable = self.evidence.comparable
        return self.evidence.facts if comparable is None else comparable

    def _side_by_side(self, rule: Rule, limit: Limit) -> list[Finding]:
        """A sampled metric without a change: its facts of both sides are no comparison."""
        facts = [fact for fact in self.evidence.facts if self._selects(rule, fact)]
        if facts and any(each.metric == rule.metric.id for each in self.evidence.changes):
            # Others were compared, so both sides ran, and the base does not have this one.
            assert self.evidence.baseline is not None
            reason = f"{_name(facts[0])} is not in {self.evidence.baseline.name}"
            return [self._finding(rule, limit, Outcome.SKIPPED, reason=reason)]
        if facts:
            reason = "base and head were not measured interleaved, so there is no interval"
            return [self._finding(rule, limit, Outcome.UNKNOWN, reason=reason)]
        return [self._without_fact(rule, limit)]

    def _judge_change(self, rule: Rule, limit: Limit, change: Change) -> Finding:
        metric = rule.metric
        fact, base = _fact_of(change, change.head), _fact_of(change, change.base)
        if change.verdict is Verdict.UNKNOWN or change.delta is None or change.base is None:
            reason = f"{_name(fact)}: too few runs to say whether it changed"
            return self._finding(rule, limit, Outcome.UNKNOWN, fact=fact, base=base, reason=reason)
        assert isinstance(change.base, int | float)
        sign = worse_sign(metric)
        low = change.low if change.low is not None else change.delta
        high = change.high if change.high is not None else change.delta
        least = min(low * sign, high * sign)
        money = self.price(metric.id, change.delta)
        shown = self._shown(change.delta, metric.unit, signed=True)
        interval = self._interval(change, metric)
        before = self._shown(change.base, metric.unit)
        grew = f"{_name(fact)} went from {before} by {shown}{interval}"
        if least > _allowance(limit, change.base) and change.verdict is not Verdict.SAME:
            message = f"{grew}, over growth {limit.text}"
            return self._violation(rule, limit, fact, message, money, base=base)
        message = f"{grew}, not shown to be over growth {limit.text}"
        return self._finding(
            rule, limit, Outcome.PASS, fact=fact, base=base, message=message, money=money
        )

    def _no_base(self, rule: Rule, limit: Limit) -> Finding | None:
        baseline = self.evidence.baseline
        identifier = rule.metric.id
        if baseline is None:
            return self._finding(rule, limit, Outcome.SKIPPED, reason=NO_BASE)
        if (reason := _reason(baseline.unknown, identifier)) is not None:
            return self._finding(rule, limit, Outcome.UNKNOWN, reason=reason)
        if (reason := _reason(baseline.skipped, identifier)) is not None:
            return self._finding(rule, limit, Outcome.SKIPPED, reason=reason)
        return None

    def _violation(
        self,
        rule: Rule,
        limit: Limit,
        fact: Fact,
        message: str,
        money: Money | None,
        *,
        base: Fact | None = None,
    ) -> Finding:
        outcome, reason = Outcome.VIOLATED, ""
        for waiver in self.waivers:
            if waiver.rule != rule.id or not selected(
                waiver.select, self.evidence.subject.service, fact.labels
            ):
                continue
            if waiver.expired(self.today):
                reason = f"the waiver of {waiver.owner} expired on {waiver.expires}"
            elif waiver.limit is not None and not _keeps(waiver.limit, fact.value):
                reason = f"it is beyond the max {waiver.limit.text} of the waiver of {waiver.owner}"
            else:
                outcome = Outcome.WAIVED
                reason = f"{waiver.reason} (waived by {waiver.owner} until {waiver.expires})"
                break
        return self._finding(
            rule, limit, outcome, fact=fact, base=base, message=message, money=money, reason=reason
        )

    def _finding(
        self,
        rule: Rule,
        limit: Limit,
        outcome: Outcome,
        *,
        fact: Fact | None = None,
        base: Fact | None = None,
        message: str = "",
        reason: str = "",
        money: Money | None = None,
    ) -> Finding:
        if not message:
            what = "could not be measured" if outcome is Outcome.UNKNOWN else "was not measured"
            if limit.kind == "growth":
                what = what.replace("measured", "compared")
            message = f"{rule.metric.id} {what}"
        anchor = rule.anchor if rule.anchor != rule.place else rule.places[limit.kind]
        broken = outcome in (Outcome.VIOLATED, Outcome.WAIVED)
        return Finding(
            rule=rule.id,
            metric=rule.metric.id,
            outcome=outcome,
            severity=rule.severity,
            message=message,
            subject=self.evidence.subject,
            limit=limit,
            fact=fact,
            base=base,
            location=Location(path=anchor.path, line=anchor.line, column=anchor.column),
            money=money,
            advice=rule.metric.advice if broken else "",
            reason=reason,
        )

    def _money(self, fact: Fact) -> Money | None:
        if isinstance(fact.value, bool) or not isinstance(fact.value, int | float):
            return None
        return self.price(fact.metric, fact.value)


def _summed_up(findings: list[Finding]) -> list[Finding]:
    """Those that are not kept one by one, and the kept ones as one finding: the nearest to it."""
    kept = [finding for finding in findings if finding.outcome is Outcome.PASS]
    others = [finding for finding in findings if finding.outcome is not Outcome.PASS]
    skipped = [finding for finding in others if finding.outcome is Outcome.SKIPPED]
    if len(skipped) > 1:
        first = skipped[0]
        more = f"{first.message} (and {len(skipped) - 1} more)"
        others = [finding for finding in others if finding.outcome is not Outcome.SKIPPED]
        others.append(msgspec.structs.replace(first, message=more))
    if len(kept) <= 1:
        return others + kept
    nearest = max(kept, key=_nearness)
    message = f"{nearest.message} (and {len(kept) - 1} more)"
    return [*others, msgspec.structs.replace(nearest, message=message, money=None)]


def _nearness(finding: Finding) -> float:
    """How near a kept limit is, for comparing with others of the same rule and kind of limit."""
    value, limit = _number(finding.fact), finding.limit
    if limit is None or limit.kind != "growth":
        return -value if limit is not None and limit.kind == "min" else value
    before = _number(finding.base)
    grown = (value - before) * worse_sign(all_metrics()[finding.metric])
    return grown / abs(before) if limit.relative and before else grown


def _number(fact: Fact | None) -> float:
    return float(fact.value) if fact is not None and isinstance(fact.value, int | float) else 0.0


def _keeps(limit: Limit, value: object) -> bool:
    if limit.kind == "one_of":
        assert isinstance(limit.value, list)
        return value in limit.value
    if limit.kind == "is":
        return value == limit.value
    assert isinstance(limit.value, int | float)
    if isinstance(value, str) or not isinstance(value, int | float) or math.isnan(value):
        return False
    return value <= limit.value if limit.kind == "max" else value >= limit.value


def _allowance(limit: Limit, base: float) -> float:
    assert isinstance(limit.value, int | float)
    return abs(base) * limit.value if limit.relative else limit.value


def _fact_of(change: Change, value: object) -> Fact:
    return Fact(
        change.metric,
        value if isinstance(value, int | float | str) else "",
        change.unit,
        change.subject,
        change.labels,
    )


def _shown_limit(limit: Limit) -> str:
    if isinstance(limit.value, bool):
        return format_quantity(limit.value, Unit.BOOLEAN)
    return limit.text


def _name(fact: Fact) -> str:
    return f"{fact.metric}{_labelled(fact.labels)}"


def _labelled(labels: Mapping[str, str]) -> str:
    return f" of {', '.join(labels.values())}" if labels else ""


def _selector(select: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in select.items())


def _reason(reasons: Mapping[str, str], metric: str) -> str | None:
    if metric in reasons:
        return reasons[metric]
    return next((why for glob, why in reasons.items() if fnmatchcase(metric, glob)), None)
