"""Facts against rules: what passes, what breaks, what is unknown, skipped and waived."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact, Value
from gocost.model.finding import Finding, Outcome
from gocost.model.quantity import Money, Unit
from gocost.model.report import Change, Verdict
from gocost.model.subject import Subject
from gocost.policy.baseline import Baseline
from gocost.policy.evaluation import NO_BASE, Evidence, Judge
from gocost.policy.loading import load_text
from tests.policy.texts import with_rules

TODAY = date(2026, 11, 23)
APP = Subject(service="app")


def fact(metric: str, value: Value, **labels: str) -> Fact:
    return Fact(metric, value, all_metrics()[metric].unit, APP, labels)


def judged(
    *rules: str,
    facts: list[Fact] | None = None,
    baseline: Baseline | None = None,
    changes: list[Change] | None = None,
    unknown: dict[str, str] | None = None,
    skipped: dict[str, str] | None = None,
    comparable: list[Fact] | None = None,
    waivers: str = "",
    today: date = TODAY,
) -> list[Finding]:
    policy = load_text(with_rules(*rules) + waivers, Path("gocost.yaml"))
    governed = policy.services[0]
    evidence = Evidence(
        APP,
        facts or [],
        changes or [],
        unknown or {},
        skipped or {},
        baseline,
        comparable,
    )
    price = lambda metric, amount: Money(Decimal(str(amount)))  # noqa: E731
    return Judge(evidence, today, governed.waivers, price, "USD").findings(governed.rules)


def outcomes(findings: list[Finding]) -> list[str]:
    return [finding.outcome.value for finding in findings]


@pytest.mark.parametrize(
    ("rule", "value", "outcome"),
    [
        ("{metric: binary.size, max: 100 B}", 100, "pass"),
        ("{metric: binary.size, max: 100 B}", 101, "violated"),
        ("{metric: binary.size, min: 100 B}", 99, "violated"),
        ("{metric: binary.size, min: 100 B}", 100, "pass"),
        ("{metric: binary.linkage, one_of: [static, static-pie]}", "static-pie", "pass"),
        ("{metric: binary.linkage, one_of: [static, static-pie]}", "dynamic", "violated"),
        ("{metric: binary.linkage, is: static}", "static", "pass"),
        ("{metric: build.trimpath, is: true}", True, "pass"),
        ("{metric: build.trimpath, is: true}", False, "violated"),
        ("{metric: memory.heap.growth, max: 0.3}", 0.31, "violated"),
        ("{metric: memory.heap.growth, max: 0.3}", float("nan"), "violated"),
        ("{metric: goroutines.leaked, max: 0}", -3, "pass"),
        ("{metric: gc.cycles, min: 1}", 0, "violated"),
    ],
)
def test_absolute_limits(rule: str, value: Value, outcome: str) -> None:
    metric = rule.split(",")[0].removeprefix("{metric: ")
    (found,) = judged(rule, facts=[fact(metric, value)])
    assert found.outcome == outcome
    assert found.location.path == "gocost.yaml"
    assert found.location.line == 5
    assert bool(found.advice) == (outcome == "violated")


def test_a_violation_says_by_how_much_and_what_the_excess_costs() -> None:
    (found,) = judged("{metric: binary.size, max: 1 MiB}", facts=[fact("binary.size", 3 << 20)])
    assert found.message == "binary.size is 3 MiB, 2 MiB over max 1 MiB"
    assert found.money == Money(Decimal(2 << 20))


def test_a_difference_of_ratios_is_in_points() -> None:
    rule = "{metric: memory.heap.growth, max: 0.3, growth: 5%}"
    change = Change(
        *("memory.heap.growth", Unit.RATIO, 0.3, 2.37, 2.07, Verdict.WORSE), low=1.9, high=2.2
    )
    found = judged(rule, facts=[fact("memory.heap.growth", 2.37)], changes=[change])
    assert [each.message for each in found] == [
        "memory.heap.growth is 237%, over max 30%",
        "memory.heap.growth went from 30% by +207 points (+190 points to +220 points), "
        "over growth 5%",
    ]


def test_a_finding_points_at_the_limit_it_breaks() -> None:
    both = judged(
        "{metric: binary.size, max: 1 MiB, growth: 5%}", facts=[fact("binary.size", 3 << 20)]
    )
    assert [each.location.column for each in both] == [32, 47]


def test_unknown_is_not_pass_and_skipped_says_why() -> None:
    rules = ("{metric: gc.pause.p99, max: 1 s}", "{metric: latency.p99, max: 1 s}")
    found = judged(*rules, unknown={"gc.pause.*": "84 pauses"}, skipped={"latency.p99": "no run"})
    assert outcomes(found) == ["unknown", "skipped"]
    assert [each.reason for each in found] == ["84 pauses", "no run"]


def test_a_metric_that_nobody_gave_is_unknown() -> None:
    (found,) = judged("{metric: binary.size, max: 1 MiB}")
    assert found.outcome is Outcome.UNKNOWN


def test_growth_of_exact_facts_against_a_base() -> None:
    base = Baseline("main", [fact("binary.size", 1000)])
    for rule, value, outcome in (
        ("{metric: binary.size, growth: 5%}", 1050, "pass"),
        ("{metric: binary.size, growth: 5%}", 1051, "violated"),
        ("{metric: binary.size, growth: 10 B}", 1010, "pass"),
        ("{metric: binary.size, growth: 10 B}", 1011, "violated"),
        ("{metric: binary.size, growth: 0%}", 900, "pass"),
        ("{metric: binary.size, growth: -20%}", 900, "violated"),
    ):
        (found,) = judged(rule, facts=[fact("binary.size", value)], baseline=base)
        assert found.outcome == outcome, rule
        assert found.base is not None
        assert found.base.value == 1000


def test_growth_is_judged_on_what_was_built_the_same_way() -> None:
    (found,) = judged(
        "{metric: binary.size, growth: 0%}",
        facts=[fact("binary.size", 1500)],
        comparable=[fact("binary.size", 1000)],
        baseline=Baseline("main", [fact("binary.size", 1000)]),
    )
    assert found.outcome is Outcome.PASS


def test_growth_without_a_base_is_skipped_and_with_a_broken_one_unknown() -> None:
    rule, facts = "{metric: binary.size, growth: 5%}", [fact("binary.size", 1)]
    (found,) = judged(rule, facts=facts)
    assert (found.outcome, found.reason) == (Outcome.SKIPPED, NO_BASE)
    (found,) = judged(rule, facts=facts, baseline=Baseline("m", unknown={"*": "does not build"}))
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "does not build")
    (found,) = judged(rule, facts=facts, baseline=Baseline("m"))
    assert found.outcome is Outcome.UNKNOWN


def change(delta: float, low: float, high: float, verdict: Verdict = Verdict.WORSE) -> Change:
    unit = all_metrics()["bench.time"].unit
    labels = {"benchmark": "Pay", "package": "p"}
    return Change("bench.time", unit, 1.0, 1 + delta, delta, verdict, APP, labels, low, high)


@pytest.mark.parametrize(
    ("moved", "outcome"),
    [
        (change(0.10, 0.06, 0.14), "violated"),
        (change(0.10, 0.04, 0.16), "pass"),
        (change(0.10, 0.06, 0.14, Verdict.SAME), "pass"),
        (change(-0.10, -0.14, -0.06, Verdict.BETTER), "pass"),
        (change(0.10, 0.06, 0.14, Verdict.UNKNOWN), "unknown"),
    ],
)
def test_sampled_growth_is_judged_on_the_interval(moved: Change, outcome: str) -> None:
    (found,) = judged(
        "{metric: bench.time, growth: 5%}", changes=[moved], baseline=Baseline("main")
    )
    assert found.outcome == outcome


def test_sampled_facts_side_by_side_are_no_comparison() -> None:
    facts = [fact("memory.rss.peak", 9)]
    (found,) = judged(
        "{metric: memory.rss.peak, growth: 5%}", facts=facts, baseline=Baseline("m", facts)
    )
    assert found.outcome is Outcome.UNKNOWN
    assert "interleaved" in found.reason


def test_a_sampled_figure_that_the_base_does_not_have_is_skipped() -> None:
    # given two sides that ran in turn, of which the base never collected and so has no pause
    cycles = Change("gc.cycles", Unit.COUNT, 0, 9, 9, Verdict.CHANGED, low=8, high=10)
    (found,) = judged(
        "{metric: gc.pause.max, growth: 5%}",
        facts=[fact("gc.pause.max", 0.001)],
        changes=[cycles],
        baseline=Baseline("main"),
    )
    assert (found.outcome, found.reason) == (Outcome.SKIPPED, "gc.pause.max is not in main")


def test_labelled_facts_break_one_by_one_and_pass_together() -> None:
    facts = [fact("bench.allocations", n, benchmark=f"B{n}", package="p") for n in (1, 2, 3, 8, 9)]
    found = judged("{metric: bench.allocations, max: 5/op}", facts=facts)
    assert outcomes(found) == ["violated", "violated", "pass"]
    assert "B8" in found[0].message
    assert "3/op" in found[2].message
    assert "and 2 more" in found[2].message


def test_selectors_take_labels_with_wildcards() -> None:
    facts = [fact("bench.allocations", n, benchmark=f"B{n}", package="p") for n in (1, 9)]
    rule = "{{metric: bench.allocations, max: 5/op, select: {{benchmark: {}}}}}"
    assert outcomes(judged(rule.format('"B1*"'), facts=facts)) == ["pass"]
    (found,) = judged(rule.format("Other"), facts=facts)
    assert found.outcome is Outcome.UNKNOWN
    assert "benchmark Other" in found.reason


WAIVERS = (
    "waivers:\n  - {{rule: binary.size, owner: pay, reason: vendor, expires: {}, max: 200 B}}\n"
)


def test_a_waiver_acts_until_it_expires_and_up_to_its_own_max() -> None:
    rule = "{metric: binary.size, max: 100 B}"
    for day, value, outcome, says in (
        ("2026-11-23", 150, "waived", "vendor (waived by pay until 2026-11-23)"),
        ("2026-11-22", 150, "violated", "expired on 2026-11-22"),
        ("2026-11-23", 250, "violated", "beyond the max 200 B"),
        ("2026-11-23", 50, "pass", ""),
    ):
        (found,) = judged(rule, facts=[fact("binary.size", value)], waivers=WAIVERS.format(day))
        assert found.outcome == outcome
        assert says in found.reason


def test_a_waiver_of_another_service_does_not_act() -> None:
    text = (
        "version: 1\nservices: {app: {}, other: {}}\n"
        "rules: [{metric: binary.size, max: 1 B}]\n"
        "waivers: [{rule: binary.size, select: {service: other}, owner: a, reason: b,"
        " expires: 2030-01-01}]\n"
    )
    governed = load_text(text, Path("gocost.yaml")).services[0]
    evidence = Evidence(APP, [fact("binary.size", 5)])
    (found,) = Judge(evidence, TODAY, governed.waivers).findings(governed.rules)
    assert found.outcome is Outcome.VIOLATED


def test_rules_that_act_elsewhere_or_for_others_say_nothing() -> None:
    assert judged("{metric: gc.pause.max, max: 1 s, where: [live, prometheus]}") == []


def test_money_is_shown_with_its_currency() -> None:
    (found,) = judged("{metric: cost.month, max: 100 USD/month}", facts=[fact("cost.month", 147.7)])
    assert found.message == "cost.month is 147.70 USD/month, 47.70 USD/month over max 100 USD/month"


def test_of_several_that_are_kept_the_nearest_to_the_limit_is_shown() -> None:
    sizes = [
        fact("binary.module.size", 900, module="large"),
        fact("binary.module.size", 100, module="small"),
    ]
    before = Baseline(
        "b",
        [
            fact("binary.module.size", 899, module="large"),
            fact("binary.module.size", 60, module="small"),
        ],
    )
    for limit, nearest in (
        ("max: 1 kB", "large"),
        ("min: 50 B", "small"),
        ("growth: 90%", "small"),
        ("growth: 50 B", "small"),
    ):
        rule = f"{{metric: binary.module.size, {limit}}}"
        (found,) = judged(rule, facts=sizes, baseline=before)
        assert f"of {nearest} " in found.message, limit
        assert found.message.endswith("(and 1 more)")


def test_a_violation_names_what_outside_of_the_code_causes_it() -> None:
    text = with_rules("{metric: build.vcs.stamped, is: true}")
    rules = load_text(text, Path("gocost.yaml")).services[0].rules
    for value, reason in ((False, "GOFLAGS"), (True, "")):
        evidence = Evidence(
            APP, [fact("build.vcs.stamped", value)], causes={"build.vcs.stamped": "GOFLAGS"}
        )
        (found,) = Judge(evidence, TODAY).findings(rules)
        assert found.reason == reason
