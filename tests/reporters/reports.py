"""Hand-made reports, as real commands would make them; the goldens are made of these."""

from __future__ import annotations

from decimal import Decimal

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Limit, Location, Outcome, Severity
from gocost.model.quantity import Money, Unit
from gocost.model.report import (
    Cell,
    Change,
    Column,
    Layout,
    Note,
    Report,
    Series,
    SumsTo,
    Table,
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


def size() -> Report:
    """`gocost size`: tables whose rows sum to the file, with shares and long paths."""
    total = 14_050_304
    modules = [
        ("std", "go1.26.8", 6_291_456),
        ("example.com/payments", "(devel)", 2_097_152),
        ("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "v0.61.0", 1_835_008),
        ("github.com/aws/aws-sdk-go-v2/service/internal/presigned-url", "v1.12.17", 1_572_864),
        ("google.golang.org/protobuf", "v1.36.6", 1_310_720),
        ("unknown", "", 943_104),
    ]
    functions = [
        ("std", "runtime", "runtime.mallocgc", "code", 3_145_728),
        ("std", "net/http", "net/http.(*Server).Serve", "code", 2_097_152),
        ("std", "net/http", "net/http.(*conn).serve", "pclntab", 1_048_576),
        ("example.com/payments", "main", "main.main", "code", 1_048_576),
        (
            "example.com/payments",
            "example.com/payments/internal/settle",
            "example.com/payments/internal/settle.Batch[go.shape.struct { A int; B string }]",
            "code",
            1_048_576,
        ),
    ]
    functions.append(("unknown", "", "", "unknown", total - sum(row[4] for row in functions)))
    bytes_ = Column("bytes", Unit.BYTES, "bytes in the file", additive=True)
    share = Column("share", Unit.RATIO, "share of the file", additive=True)
    return Report(
        command="size",
        gocost="0.1.0",
        subject=PAYMENTS,
        facts=[
            Fact("binary.size", total, Unit.BYTES, PAYMENTS, origin="file length"),
            Fact("binary.coverage", 0.933, Unit.RATIO, PAYMENTS, origin="bytes that are named"),
        ],
        tables={
            "modules": Table(
                "By module",
                (
                    Column("module", Unit.TEXT, "module path"),
                    Column("version", Unit.TEXT, "module version"),
                    bytes_,
                    share,
                ),
                [[*row, row[2] / total] for row in modules],
                SumsTo("bytes", "binary.size"),
            ),
            "functions": Table(
                "By function",
                (
                    Column("module", Unit.TEXT, "module path"),
                    Column("package", Unit.TEXT, "import path"),
                    Column("function", Unit.TEXT, "symbol"),
                    Column("kind", Unit.TEXT, "what the bytes are"),
                    bytes_,
                ),
                [list(row) for row in functions],
                SumsTo("bytes", "binary.size"),
            ),
        },
        notes=[Note("info", "stripping with -s -w would save 4.1 MiB (29.3%)")],
        layout=Layout(
            title="payments: 13.4 MiB, 93.3% of it explained",
            tables=("modules",),
            rows=4,
            treemap="functions",
        ),
    )


def bench() -> Report:
    """`gocost bench --base origin/main`."""
    columns = (
        Column("benchmark", Unit.TEXT, "name"),
        Column("base", Unit.SECONDS_PER_OPERATION, "median of the base"),
        Column("head", Unit.SECONDS_PER_OPERATION, "median of the head"),
        Column("ratio", Unit.RATIO, "difference of medians over the base's"),
        Column("low", Unit.SECONDS_PER_OPERATION, "interval of the shift, from"),
        Column("high", Unit.SECONDS_PER_OPERATION, "interval of the shift, to"),
        Column("q", Unit.TEXT, "p adjusted for the false discovery rate"),
        Column("verdict", Unit.TEXT, "better, worse, same or unknown"),
    )
    return Report(
        command="bench",
        gocost="0.1.0",
        subject=PAYMENTS,
        tables={
            "benchmarks": Table(
                "Benchmarks (n=10, interleaved)",
                columns,
                [
                    ["Settle-2", 1.204e-6, 1.481e-6, 0.230, 2.61e-7, 2.94e-7, 0.0001, "worse"],
                    ["VerifySignature-2", 8.41e-7, 8.39e-7, -0.002, -6e-9, 4e-9, 0.74, "same"],
                    [
                        "Store/put-with-a-long-sub-benchmark-name/parallel-2",
                        1.1e-7,
                        9.7e-8,
                        -0.118,
                        -1.5e-8,
                        -1.1e-8,
                        0.0002,
                        "better",
                    ],
                    ["Export-2", 3.2e-4, 3.3e-4, 0.031, None, None, None, "unknown"],
                ],
            )
        },
        changes=[
            Change(
                "bench.time",
                Unit.SECONDS_PER_OPERATION,
                1.204e-6,
                1.481e-6,
                2.77e-7,
                Verdict.WORSE,
                PAYMENTS,
                {"benchmark": "Settle-2"},
                low=2.61e-7,
                high=2.94e-7,
            ),
        ],
        notes=[
            Note("warning", "Export-2 ran 3 times; a family of 4 needs 6 runs a side to be judged")
        ],
        layout=Layout(title="payments: 1 of 4 benchmarks worse, 1 better", facts=()),
    )


def portrait() -> Report:
    """`gocost portrait --run`: sampled facts and series."""
    rss = [12e6 + 48e6 * min(i, 40) / 40 for i in range(100)]
    goroutines: list[float | None] = [8.0] * 20 + [520.0] * 60 + [None] * 5 + [12.0] * 15
    facts = [
        ("memory.rss.peak", 60_000_000, Unit.BYTES, None),
        ("memory.heap.live", 21_233_664, Unit.BYTES, (20_971_520, 22_020_096)),
        ("gc.pause.p50", 0.000_041, Unit.SECONDS, None),
        ("gc.pause.max", 0.000_93, Unit.SECONDS, None),
        ("gc.cpu.share", 0.031, Unit.RATIO, (0.028, 0.034)),
        ("goroutines.leaked", 4, Unit.COUNT, None),
        ("process.cpu.per_request", 0.000_412, Unit.SECONDS, (0.000_401, 0.000_42)),
        ("latency.p99", 0.0042, Unit.SECONDS, None),
    ]
    return Report(
        command="portrait",
        gocost="0.1.0",
        subject=PAYMENTS,
        facts=[
            Fact(
                metric,
                value,
                unit,
                PAYMENTS,
                origin="procfs every 200 ms",
                n=100 if bounds else None,
                low=bounds[0] if bounds else None,
                high=bounds[1] if bounds else None,
            )
            for metric, value, unit, bounds in facts
        ],
        series=[
            Series("memory.rss", Unit.BYTES, 0.0, 0.2, list(rss)),
            Series("goroutines.count", Unit.COUNT, 0.0, 0.2, goroutines),
            Series("gc.pause", Unit.SECONDS, 0.0, 0.2, [None] * 100),
        ],
        notes=[Note("info", "gc.pause.p99 is unknown: 41 pauses, a p99 needs 100")],
        layout=Layout(title="payments under 500 requests/s for 10 s"),
    )


def explain() -> Report:
    """`gocost explain gc.pause.p99`: words rather than numbers."""
    return Report(
        command="explain",
        gocost="0.1.0",
        tables={
            "metric": Table(
                "gc.pause.p99",
                (Column("field", Unit.TEXT), Column("text", Unit.TEXT)),
                [
                    [
                        "meaning",
                        "how long the garbage collector stops every goroutine, 99th of 100",
                    ],
                    ["unit", "seconds"],
                    [
                        "measured",
                        "from the two pauses of every cycle in GODEBUG=gctrace=1, when gocost "
                        "starts the process; unknown with fewer than 100 pauses",
                    ],
                    ["what to do", "fewer pointers in the live heap, fewer goroutines, GOGC"],
                ],
            )
        },
    )


HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>",
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)|`code`|**bold** <details> -->",
    "a\x1b[31mred\x07\x00\r\n::error file=x::owned",
    "::stop-commands::token",
    "\u202eexe.gpj\u2066 ]]> &amp; <!-- gocost:report -->",
    'comma, "quote"; percent %0A 100% \ud800',
    "{{ 7*7 }} {% raw %} ${{ secrets.TOKEN }} @everyone #1 [x](javascript:alert(3))",
)


def hostile() -> Report:
    """Every name that comes from outside is an attack."""
    subject = Subject(service=HOSTILE[0], version=HOSTILE[3])
    text = Column("na|me<b>", Unit.TEXT, HOSTILE[0])
    rows: list[list[Cell]] = [[word, -1] for word in HOSTILE]
    rows += [["nan", float("nan")], ["big", 2**70]]
    return Report(
        command="check",
        gocost="0.1.0",
        subject=subject,
        findings=[
            Finding(
                rule=word,
                metric=word,
                outcome=outcome,
                severity=Severity.ERROR,
                message=word,
                subject=subject,
                fact=Fact(word, word, Unit.TEXT, subject, {word: word}),
                location=Location(word, 3, 1, word, word, word),
                money=Money(Decimal("0.001"), "USD", word),
                advice=word,
                reason=word,
            )
            for word, outcome in zip(HOSTILE, [*Outcome, *Outcome], strict=False)
        ],
        facts=[Fact(word, word, Unit.TEXT, subject, {word: word}, word) for word in HOSTILE],
        changes=[
            Change(word, Unit.TEXT, word, word, None, Verdict.CHANGED, subject, {word: word})
            for word in HOSTILE
        ],
        tables={
            "names": Table(
                HOSTILE[0],
                (text, Column("bytes", Unit.BYTES, additive=True)),
                rows,
            )
        },
        series=[Series(HOSTILE[0], Unit.BYTES, 0, 1, [1.0, float("inf"), None, float("nan"), 2.0])],
        notes=[Note("error", word) for word in HOSTILE],
        assumptions=list(HOSTILE),
        layout=Layout(title=HOSTILE[0], treemap="names"),
    )


REPORTS = {
    "check": check,
    "clean": clean,
    "size": size,
    "bench": bench,
    "portrait": portrait,
    "explain": explain,
    "hostile": hostile,
}
