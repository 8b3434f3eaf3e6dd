"""Hand-made reports of `gocost check`, as the gate makes them."""

from __future__ import annotations

from decimal import Decimal

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Limit, Location, Outcome, Severity
from gocost.model.quantity import Money, Unit
from gocost.model.report import (
    Change,
    Layout,
    Note,
    Report,
    Verdict,
)
from gocost.model.subject import Subject

BOOK = "default (OpenCost list prices, 2026-08-01)"
PAYMENTS = Subject(service="payments", commit="3f2c1ab9d0e4")
ORDERS = Subject(service="orders", commit="3f2c1ab9d0e4")


def usd(amount: str) -> Money:
    """An amount from the price book of these reports."""
    return Money(Decimal(amount), "USD", BOOK)


def check() -> Report:
    """`gocost check --base origin/main` on two services: every outcome, money, changes."""
    return Report(
        command="check",
        gocost="0.1.0",
        findings=_findings(),
        changes=_changes(),
        facts=[
            Fact("binary.size", 14_050_304, Unit.BYTES, PAYMENTS, origin="file length"),
            Fact("binary.size", 9_830_400, Unit.BYTES, ORDERS, origin="file length"),
            Fact(
                "memory.rss.peak", 74_658_611, Unit.BYTES, PAYMENTS, origin="VmHWM in /proc", n=50
            ),
        ],
        notes=[
            Note("warning", "the working tree has uncommitted changes; the stamp says modified"),
            Note("info", "sampled metrics ran interleaved, base and head in turn, 10 times each"),
        ],
        assumptions=[
            "90,000,000 requests a month, 12 replicas (deployment of payments in gocost.yaml)",
            f"prices: {BOOK}: CPU 0.031611 USD per vCPU-h, memory 0.004237 USD per GiB-h",
        ],
        layout=Layout(facts=()),
    )


def _findings() -> list[Finding]:
    policy = "gocost.yaml"
    return [
        Finding(
            rule="memory.rss.peak",
            metric="memory.rss.peak",
            outcome=Outcome.VIOLATED,
            severity=Severity.ERROR,
            message="71.2 MiB is above the limit of 64 MiB by 7.2 MiB",
            subject=PAYMENTS,
            limit=Limit("max", 67_108_864, "64 MiB"),
            fact=Fact("memory.rss.peak", 74_658_611, Unit.BYTES, PAYMENTS, n=50),
            location=Location(policy, 21, 9),
            money=usd("1.82"),
            advice=(
                "`gocost portrait --run` shows when it peaks; keep large buffers in a sync.Pool "
                "and set GOMEMLIMIT below the container's limit"
            ),
        ),
        Finding(
            rule="bench.allocations",
            metric="bench.allocs",
            outcome=Outcome.VIOLATED,
            severity=Severity.ERROR,
            message="BenchmarkSettle allocates 14 times an operation, 3 in the base (+367%)",
            subject=PAYMENTS,
            limit=Limit("growth", 0.05, "5%", relative=True),
            base=Fact("bench.allocs", 3, Unit.COUNT_PER_OPERATION, PAYMENTS),
            fact=Fact(
                "bench.allocs",
                14,
                Unit.COUNT_PER_OPERATION,
                PAYMENTS,
                labels={"benchmark": "BenchmarkSettle"},
            ),
            location=Location(
                "internal/settle/settle.go", 41, 7, "example.com/payments/internal/settle.Batch"
            ),
            money=usd("0.0004"),
            advice="`go build -gcflags=-m` names what escapes; reuse the slice between calls",
        ),
        Finding(
            rule="pauses",
            metric="gc.pause.p99",
            outcome=Outcome.VIOLATED,
            severity=Severity.WARNING,
            message="18.4 ms is above the limit of 15 ms by 3.4 ms",
            subject=ORDERS,
            limit=Limit("max", 0.015, "15 ms"),
            location=Location(policy, 34, 5),
            advice="shrink the live heap or the number of pointers in it",
        ),
        Finding(
            rule="gc.pause.p99",
            metric="gc.pause.p99",
            outcome=Outcome.UNKNOWN,
            severity=Severity.ERROR,
            message="not measurable",
            subject=PAYMENTS,
            reason="only 41 pauses were seen and a p99 needs 100; let the load run longer",
            location=Location(policy, 34, 5),
        ),
        Finding(
            rule="build.trimpath",
            metric="build.trimpath",
            outcome=Outcome.WAIVED,
            severity=Severity.ERROR,
            message="built without -trimpath",
            subject=PAYMENTS,
            reason="vendor's tool needs paths (checkout, until 2027-03-31)",
            location=Location(policy, 44, 5),
        ),
        Finding(
            rule="lint.performance.issues",
            metric="lint.performance.issues",
            outcome=Outcome.SKIPPED,
            severity=Severity.WARNING,
            message="not measured",
            subject=ORDERS,
            reason="golangci-lint is not installed",
            location=Location(policy, 36, 5),
        ),
        *(
            Finding(
                rule=rule,
                metric=rule,
                outcome=Outcome.PASS,
                severity=Severity.ERROR,
                message=message,
                subject=subject,
                location=Location(policy, 30, 5),
            )
            for rule, message, subject in (
                ("binary.size", "9.38 MiB, limit 12 MiB", ORDERS),
                ("binary.linkage", "static", PAYMENTS),
                ("binary.linkage", "static", ORDERS),
                ("goroutines.leaked", "0, limit 5,000", PAYMENTS),
            )
        ),
    ]


def _changes() -> list[Change]:
    return [
        Change("binary.linkage", Unit.TEXT, "static", "static", None, Verdict.SAME, PAYMENTS),
        Change(
            "binary.size",
            Unit.BYTES,
            13_107_200,
            14_050_304,
            943_104,
            Verdict.WORSE,
            PAYMENTS,
            money=usd("0.0031"),
        ),
        Change(
            "memory.rss.peak",
            Unit.BYTES,
            60_817_408,
            74_658_611,
            13_841_203,
            Verdict.WORSE,
            PAYMENTS,
            low=12_582_912,
            high=15_099_494,
            money=usd("1.82"),
        ),
        Change(
            "process.cpu.per_request",
            Unit.SECONDS,
            0.000_412,
            0.000_398,
            -0.000_014,
            Verdict.BETTER,
            PAYMENTS,
            low=-0.000_021,
            high=-0.000_008,
            money=usd("-3.11"),
        ),
        Change("binary.size", Unit.BYTES, 9_830_400, 9_830_400, 0, Verdict.SAME, ORDERS),
        Change("gc.pause.p99", Unit.SECONDS, 0.0179, 0.0184, 0.0005, Verdict.UNKNOWN, ORDERS),
    ]


def clean() -> Report:
    """A check in which everything is kept."""
    kept = [finding for finding in _findings() if finding.outcome is Outcome.PASS]
    return Report("check", "0.1.0", subject=PAYMENTS, findings=kept, layout=Layout(facts=()))
