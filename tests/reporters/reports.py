"""Hand-made reports, as real commands would make them; the goldens are made of these."""

from __future__ import annotations

from decimal import Decimal

from gocost.model.fact import Fact
from gocost.model.quantity import Money, Unit
from gocost.model.report import (
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
from tests.reporters.hostile import hostile
from tests.reporters.judged import PAYMENTS, check, clean


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


def flamed() -> Report:
    """`gocost profile flame --base`, and what a bill would add: money beside the values."""
    ns = Unit.NANOSECONDS
    frames = [
        ("main.main", None, 0, 0),
        ("example.com/shop/cart.(*Cart).Total", 0, 3_000_000_000, 1_000_000_000),
        ("encoding/json.Marshal", 1, 2_000_000_000, 2_000_000_000),
        ("encoding/json.Marshal", 0, 500_000_000, 900_000_000),
        ("(small)", 0, 10, 0),
    ]
    return Report(
        command="profile",
        gocost="0.1.0",
        facts=[Fact("profile.total", 1_600_000_010, Unit.COUNT, labels={"unit": "nanoseconds"})],
        tables={
            "functions": Table(
                "cpu by function",
                (Column("function"), Column("flat", ns, additive=True)),
                [[frames[1][0], 2_000_000_000], [frames[2][0], -400_000_000], ["main.main", 0]],
            ),
            "stacks": Table(
                "cpu by stack",
                (
                    Column("function", Unit.TEXT, "what the frame is of"),
                    Column("parent", Unit.COUNT, "the row, counted from 0, of its caller"),
                    Column("self", ns, "cpu in itself", additive=True),
                    Column("base", ns, "the same before", additive=True),
                    Column("delta", ns, "self less base", additive=True),
                    Column("money", Unit.MONEY_PER_MONTH, "what self costs", additive=True),
                    Column("money_delta", Unit.MONEY_PER_MONTH, "what delta costs", additive=True),
                ),
                [
                    [
                        *row,
                        row[2] - row[3],
                        *(
                            Money(Decimal(value) / 400_000_000, "USD", "list")
                            for value in (row[2], row[2] - row[3])
                        ),
                    ]
                    for row in frames
                ],
                SumsTo("delta", "profile.total"),
            ),
        },
        notes=[Note("info", "frames below 0.01% of the total are (small) in the flame graph")],
        layout=Layout(
            title="cpu.pb.gz: cpu, 1.6 s", tables=("functions",), facts=(), flames=("stacks",)
        ),
    )


REPORTS = {
    "check": check,
    "clean": clean,
    "size": size,
    "bench": bench,
    "portrait": portrait,
    "explain": explain,
    "flamed": flamed,
    "hostile": hostile,
}
