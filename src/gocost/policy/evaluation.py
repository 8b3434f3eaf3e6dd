"""Facts against rules: findings. Pure; the day is given, so that waivers expire in tests too.

Here is what there is to judge; whether it keeps a limit is for the limit's kind to say (kinds/).
Unknown is never pass, and skipped is said. A metric with labels is judged fact by fact: each that
breaks the limit is a finding of its own, and those that keep it are one finding together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase

import msgspec

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Limit, Location, Outcome
from gocost.model.metric import Enforcer
from gocost.model.quantity import Money
from gocost.model.report import Change, Verdict
from gocost.model.subject import Subject
from gocost.policy.baseline import Baseline
from gocost.policy.kinds.amounts import worded
from gocost.policy.kinds.interface import Case, Kind, Ruling, Show, named
from gocost.policy.kinds.registry import KINDS
from gocost.policy.rules import Rule, Waiver, selected

_COUNTED = ("binary", "cpu")
"""Families in which what has no fact has nothing: a package not linked in, or without CPU."""
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
    causes: Mapping[str, str] = field(default_factory=dict)
    """By metric, what outside of the code makes its value what it is."""


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

    def _concerns(self, rule: Rule) -> bool:
        glob = rule.select.get("service")
        return glob is None or fnmatchcase(self.evidence.subject.service, glob)

    def _judge(self, rule: Rule, limit: Limit) -> list[Finding]:
        kind = KINDS[limit.kind]
        found = (self._compared if kind.needs_base else self._alone)(rule, limit)
        others = [each for each in found if isinstance(each, Finding)]
        kept: list[tuple[Ruling, Finding]] = []
        for case in found:
            if isinstance(case, Finding):
                continue
            ruling = kind.judge(case)
            if self._open(kind, case, ruling):
                others.append(self._undecided(rule, limit, case))
            elif ruling.kept:
                kept.append((ruling, self._ruled(rule, Outcome.PASS, case, ruling)))
            else:
                others.append(self._violation(rule, case, ruling))
        return [*_skips_summed_up(others), *_nearest(kept)]

    def _open(self, kind: Kind, case: Case, ruling: Ruling) -> bool:
        """Whether a fact of which only bounds are known lies on both sides of the limit.

        Such a fact is given as one of its own bounds; an interval around a measured value is not.
        """
        fact = case.fact
        if fact.low is None or fact.high is None or fact.low == fact.high:
            return False
        if fact.value not in (fact.low, fact.high) or case.base is not None:
            return False
        other = fact.low if fact.value == fact.high else fact.high
        there = msgspec.structs.replace(fact, value=other)
        return kind.judge(replace(case, fact=there)).kept is not ruling.kept

    def _undecided(self, rule: Rule, limit: Limit, case: Case) -> Finding:
        low, high = (
            case.show(end or 0, case.metric.unit) for end in (case.fact.low, case.fact.high)
        )
        reason = (
            f"{case.name} is known to lie between {low} and {high}, and {limit.kind} "
            f"{worded(limit, case.metric.unit)} lies between them"
        )
        return self._finding(rule, limit, Outcome.UNKNOWN, fact=case.fact, reason=reason)

    def _alone(self, rule: Rule, limit: Limit) -> list[Case | Finding]:
        """The facts that the rule selects, or why there is none."""
        facts = [fact for fact in self.evidence.facts if self._selects(rule, fact)]
        if not facts:
            return [self._without_fact(rule, limit)]
        return [self._case(rule, limit, fact) for fact in facts]

    def _compared(self, rule: Rule, limit: Limit) -> list[Case | Finding]:
        """The differences against the base that the rule selects, or why there is none."""
        # A measure that ran both sides in turn says it better than two facts side by side.
        changes = self._changes(rule)
        if changes:
            return [self._changed(rule, limit, change) for change in changes]
        missing = self._no_base(rule, limit)
        if missing is not None:
            return [missing]
        if not rule.metric.exact:
            return [self._side_by_side(rule, limit)]
        comparable = self.evidence.comparable
        facts = self.evidence.facts if comparable is None else comparable
        chosen = [fact for fact in facts if self._selects(rule, fact)]
        if not chosen:
            return [self._without_fact(rule, limit)]
        return [self._beside_its_base(rule, limit, fact) for fact in chosen]

    def _case(
        self,
        rule: Rule,
        limit: Limit,
        fact: Fact,
        base: Fact | None = None,
        change: Change | None = None,
    ) -> Case:
        baseline = self.evidence.baseline
        name = baseline.name if baseline is not None else ""
        return Case(rule.metric, limit, fact, Show(self.currency), base, name, change)

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
        if others and KINDS[limit.kind].absent_keeps and rule.metric.family in _COUNTED:
            wanted = {k: v for k, v in rule.select.items() if k != "service"}
            absent = named(Fact(identifier, 0, rule.metric.unit, labels=wanted))
            return self._finding(rule, limit, Outcome.PASS, message=f"{absent} is not there at all")
        reason = (
            f"nothing that was measured has {_selector(rule.select)}"
            if others
            else "its measure gave no value"
        )
        return self._finding(rule, limit, Outcome.UNKNOWN, reason=reason)

    def _beside_its_base(self, rule: Rule, limit: Limit, fact: Fact) -> Case | Finding:
        assert self.evidence.baseline is not None
        base = next(
            (
                each
                for each in self.evidence.baseline.facts
                if each.metric == fact.metric and each.labels == fact.labels
            ),
            None,
        )
        if base is not None:
            return self._case(rule, limit, fact, base)
        if fact.labels:
            reason = f"{named(fact)} is not in {self.evidence.baseline.name}"
            return self._finding(rule, limit, Outcome.SKIPPED, fact=fact, reason=reason)
        reason = f"{self.evidence.baseline.name} has no value of {fact.metric}"
        return self._finding(rule, limit, Outcome.UNKNOWN, fact=fact, reason=reason)

    def _changes(self, rule: Rule) -> list[Change]:
        return [
            change
            for change in self.evidence.changes
            if change.metric == rule.metric.id
            and selected(rule.select, self.evidence.subject.service, change.labels)
        ]

    def _side_by_side(self, rule: Rule, limit: Limit) -> Finding:
        """A sampled metric without a change: its facts of both sides are no comparison."""
        facts = [fact for fact in self.evidence.facts if self._selects(rule, fact)]
        if not facts:
            return self._without_fact(rule, limit)
        if any(_family(each.metric) == rule.metric.family for each in self.evidence.changes):
            # Others were compared, so both sides ran, and the base does not have this one.
            assert self.evidence.baseline is not None
            reason = f"{named(facts[0])} is not in {self.evidence.baseline.name}"
            return self._finding(rule, limit, Outcome.SKIPPED, reason=reason)
        reason = "base and head were not measured interleaved, so there is no interval"
        return self._finding(rule, limit, Outcome.UNKNOWN, reason=reason)

    def _changed(self, rule: Rule, limit: Limit, change: Change) -> Case | Finding:
        fact, base = _fact_of(change, change.head), _fact_of(change, change.base)
        if change.verdict is Verdict.UNKNOWN or change.delta is None or change.base is None:
            reason = f"{named(fact)}: too few runs to say whether it changed"
            return self._finding(rule, limit, Outcome.UNKNOWN, fact=fact, base=base, reason=reason)
        return self._case(rule, limit, fact, base, change)

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

    def _violation(self, rule: Rule, case: Case, ruling: Ruling) -> Finding:
        outcome, reason = Outcome.VIOLATED, self.evidence.causes.get(rule.metric.id, "")
        for waiver in self.waivers:
            if waiver.rule != rule.id or not selected(
                waiver.select, self.evidence.subject.service, case.fact.labels
            ):
                continue
            if waiver.expired(self.today):
                reason = f"the waiver of {waiver.owner} expired on {waiver.expires}"
            elif waiver.limit is not None and not self._covers(waiver.limit, case):
                most = worded(waiver.limit, rule.metric.unit)
                reason = f"it is beyond the max {most} of the waiver of {waiver.owner}"
            else:
                outcome = Outcome.WAIVED
                reason = f"{waiver.reason} (waived by {waiver.owner} until {waiver.expires})"
                break
        return self._ruled(rule, outcome, case, ruling, reason)

    def _covers(self, limit: Limit, case: Case) -> bool:
        return KINDS[limit.kind].judge(Case(case.metric, limit, case.fact, case.show)).kept

    def _ruled(
        self, rule: Rule, outcome: Outcome, case: Case, ruling: Ruling, reason: str = ""
    ) -> Finding:
        money = None if ruling.amount is None else self.price(case.metric.id, ruling.amount)
        return self._finding(
            rule,
            case.limit,
            outcome,
            fact=case.fact,
            base=case.base,
            message=ruling.says,
            money=money,
            reason=reason,
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
        anchor = rule.anchor if rule.anchor != rule.place else rule.places[limit.kind]
        broken = outcome in (Outcome.VIOLATED, Outcome.WAIVED)
        return Finding(
            rule=rule.id,
            metric=rule.metric.id,
            outcome=outcome,
            severity=rule.severity,
            message=message or _unjudged(rule, KINDS[limit.kind], outcome),
            subject=self.evidence.subject,
            limit=limit,
            fact=fact,
            base=base,
            location=Location(path=anchor.path, line=anchor.line, column=anchor.column),
            money=money,
            advice=rule.metric.advice if broken else "",
            reason=reason,
        )


def _unjudged(rule: Rule, kind: Kind, outcome: Outcome) -> str:
    done = "compared" if kind.needs_base else "measured"
    how = "could not be" if outcome is Outcome.UNKNOWN else "was not"
    return f"{rule.metric.id} {how} {done}"


def _skips_summed_up(findings: list[Finding]) -> list[Finding]:
    """The skipped ones as one finding, the first; behind the others."""
    skipped = [finding for finding in findings if finding.outcome is Outcome.SKIPPED]
    if len(skipped) <= 1:
        return findings
    others = [finding for finding in findings if finding.outcome is not Outcome.SKIPPED]
    message = f"{skipped[0].message} (and {len(skipped) - 1} more)"
    return [*others, msgspec.structs.replace(skipped[0], message=message)]


def _nearest(kept: list[tuple[Ruling, Finding]]) -> list[Finding]:
    """Of those that are kept the one that is nearest to the limit, which speaks for all."""
    if len(kept) <= 1:
        return [finding for _, finding in kept]
    _, nearest = max(kept, key=lambda pair: pair[0].nearness)
    message = f"{nearest.message} (and {len(kept) - 1} more)"
    return [msgspec.structs.replace(nearest, message=message, money=None)]


def _fact_of(change: Change, value: object) -> Fact:
    return Fact(
        change.metric,
        value if isinstance(value, int | float | str) else "",
        change.unit,
        change.subject,
        change.labels,
    )


def _family(metric: str) -> str:
    return metric.partition(".")[0]


def _selector(select: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in select.items())


def _reason(reasons: Mapping[str, str], metric: str) -> str | None:
    if metric in reasons:
        return reasons[metric]
    return next((why for glob, why in reasons.items() if fnmatchcase(metric, glob)), None)
