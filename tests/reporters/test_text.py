"""Text for a terminal: nothing wider than it, nothing that drives it, the gravest first."""

from __future__ import annotations

import io
import re
from decimal import Decimal

import msgspec
import pytest
from rich.cells import cell_len

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Limit, Outcome, Severity
from gocost.model.quantity import Money, Unit
from gocost.model.report import Change, Column, Layout, Report, Series, Table, Verdict
from gocost.model.subject import Subject
from gocost.reporters.interface import Settings
from gocost.reporters.registry import reporter
from gocost.reporters.text_table import cut, grid, wrap
from tests.reporters.conftest import rendered
from tests.reporters.reports import REPORTS

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("name", REPORTS)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    text = rendered("text", REPORTS[name](), Settings(width=width))

    assert [line for line in text.splitlines() if cell_len(line) > width] == []


@pytest.mark.parametrize("name", REPORTS)
def test_colour_changes_nothing_but_the_colour(name: str) -> None:
    plain = rendered("text", REPORTS[name](), Settings(color=False))
    coloured = rendered("text", REPORTS[name](), Settings(color=True))

    assert "\x1b" not in plain
    assert "\x1b[1m" in coloured
    stripped = [line.rstrip() for line in ESCAPE.sub("", coloured).splitlines()]
    assert stripped == plain.splitlines()


def test_nothing_hostile_reaches_the_terminal_or_the_log_of_a_runner() -> None:
    text = rendered("text", REPORTS["hostile"](), Settings(color=False))

    assert all(character.isprintable() or character == "\n" for character in text)
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


@pytest.mark.parametrize("width", range(30, 90, 7))
def test_wrapping_never_puts_a_runner_command_at_the_start_of_a_line(width: int) -> None:
    text = rendered("text", REPORTS["hostile"](), Settings(width=width))

    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in text


def test_what_breaks_comes_before_what_is_unknown_and_that_before_what_is_fine() -> None:
    text = rendered("text", REPORTS["check"]())

    places = [
        text.index(f"\n{title}")
        for title in ("Violated", "Unknown", "Waived", "Skipped", "Passed", "Changed", "Assumed")
    ]
    assert places == sorted(places)
    assert text.startswith("payments, orders: 2 rules violated, 1 warning, 1 unknown")


@pytest.mark.parametrize(
    "said",
    [
        "71.2 MiB is above the limit of 64 MiB",
        "costs 1.82 USD/month",
        "do: `gocost portrait --run`",
        "at: gocost.yaml:21:9",
        "vendor's tool needs paths",
        "golangci-lint is not installed",
        "between +12 MiB and +14.4 MiB",
    ],
)
def test_a_finding_says_what_where_how_much_and_what_to_do(said: str) -> None:
    assert said in rendered("text", REPORTS["check"]())


def test_many_passes_are_counted_instead_of_listed() -> None:
    report = REPORTS["clean"]()
    findings = [
        msgspec.structs.replace(each, rule=f"{each.rule}.{n}")
        for n in range(6)
        for each in report.findings
    ]
    many = Report("check", "0", findings=findings, layout=Layout(facts=()))

    text = rendered("text", many)

    assert "Passed: 24 rules" in text
    assert len(text.splitlines()) < 12


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_a_rule_with_many_findings_is_one_rule(format_: str) -> None:
    findings = REPORTS["check"]().findings
    many = Report("check", "0", findings=[*findings, *findings[:1] * 3])

    assert "2 rules violated, 1 warning" in rendered(format_, many)


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_money_without_a_currency_of_its_own_is_in_that_of_the_prices(format_: str) -> None:
    table = Table("Costs", (Column("amount", Unit.MONEY_PER_MONTH),), [(Money(Decimal(9), "EUR"),)])
    change = Change(
        "cost.month", Unit.MONEY_PER_MONTH, 10, 12.5, 2.5, Verdict.WORSE, low=2.25, high=2.75
    )
    fact = Fact("cost.idle.month", 3.5, Unit.MONEY_PER_MONTH)
    report = Report("check", "0", facts=[fact], changes=[change], tables={"costs": table})

    text = rendered(format_, report)

    assert "+2.50 EUR/month" in text
    assert "10.00 EUR/month" in text
    assert "+2.25 EUR/month" in text
    assert "3.50 EUR/month" in text
    # and two currencies are not mixed up
    other = msgspec.structs.replace(change, money=Money(Decimal(1), "USD"))
    mixed = msgspec.structs.replace(report, changes=[other])
    assert "+2.50/month" in rendered(format_, mixed)


def costing(metric: str, unit: Unit, base: float, delta: float, money: str) -> Change:
    change = Change(metric, unit, base, base + delta, delta, Verdict.WORSE)
    amount = Money(Decimal(money), "USD")
    return msgspec.structs.replace(change, low=0.9 * delta, high=1.1 * delta, money=amount)


COSTLY = [
    costing("cost.memory.used.month", Unit.MONEY_PER_MONTH, 0.48, 0.27, "0.27"),
    costing("memory.allocation.per_request", Unit.BYTES_PER_OPERATION, 1e4, 4270, "1.21"),
    costing("memory.rss.peak", Unit.BYTES, 14_155_776, 11_010_048, "0.0031"),
]
"""Changes as a check with a base has them; their figures are wide."""


@pytest.mark.parametrize("width", [50, 60, 80, 100, 120])
def test_money_and_verdict_stay_in_every_width(width: int) -> None:
    text = rendered("text", Report("check", "0", changes=COSTLY), Settings(width=width))

    rows = re.findall(r"\n  (\w\S+) .*worse +(\S.*)", text)
    assert [money for _, money in rows] == ["+0.27", "+1.21", "< 0.01"]
    assert [name[:11] for name, _ in rows] == [change.metric[:11] for change in COSTLY]
    assert re.search(r"verdict +USD a month\n", text)
    if width >= 80:
        # the heading has the currency, so that the name has its room
        assert re.search(r"\n  cost\.memory\.used\.month +0\.48/month +0\.75/month", text)
    # and what gave way is in a second line
    for said in ("no room for", "+10.5 MiB", "+77.8%", "13.5 MiB"):
        assert (said in text) is (said != "no room for")


def test_a_row_with_labels_costs_the_others_nothing_of_their_names() -> None:
    labelled = msgspec.structs.replace(
        costing("binary.module.size", Unit.BYTES, 1e5, 1e3, "0.01"),
        labels={"module": "example.com/payments/with/a/long/path"},
    )
    text = rendered("text", Report("check", "0", changes=[*COSTLY, labelled]))

    for change in COSTLY:
        assert f"\n  {change.metric}  " in text


def test_a_very_narrow_terminal_has_the_money_too() -> None:
    text = rendered("text", Report("check", "0", changes=COSTLY), Settings(width=36))

    assert re.findall(r"(\S+|< \S+) USD/month\n", text)[-1] == "< 0.01"
    assert "+1.21 USD/month" in text


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_a_difference_of_ratios_and_its_bounds_are_in_points(format_: str) -> None:
    change = Change(
        "gc.cpu.share", Unit.RATIO, 0.015, 0.025, 0.01, Verdict.WORSE, low=0.004, high=0.016
    )
    text = rendered(format_, Report("check", "0", changes=[change]))

    assert "+1 pp" in text
    assert re.search(r"\+0\.4 pp (and|to) \+1\.6 pp", text)


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_an_interval_that_is_certain_is_not_repeated(format_: str) -> None:
    exact = msgspec.structs.replace(changed("bench.time"), low=754.9e-6, high=755.1e-6)

    text = rendered(format_, Report("bench", "0", changes=[exact]))
    assert "+755 µs/op" in text
    assert not re.search(r"(and|to) \+755", text)


def unmeasured(rule: str, reason: str, kind: str = "max", service: str = "") -> Finding:
    limit = Limit(kind, 1, "1")
    outcome = Outcome.SKIPPED if "no base" in reason else Outcome.UNKNOWN
    return Finding(
        rule,
        rule,
        outcome,
        Severity.ERROR,
        "was not measured",
        Subject(service),
        limit,
        reason=reason,
    )


NO_GO = "there is no `go` on PATH; install Go"


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "github"])
def test_a_reason_that_many_rules_share_is_told_once(format_: str) -> None:
    rules = ("build.stripped", "binary.linkage", "gc.pause.max", "latency.p99")
    findings = [unmeasured(rule, NO_GO) for rule in rules]
    findings.append(unmeasured("memory.rss.peak", "the port is in use"))

    text = rendered(format_, Report("check", "0", findings=findings))

    told = text.replace("<code>", "`").replace("</code>", "`")
    most = 2 if format_ == "markdown" else 1  # on top, and below where it is unfolded
    assert told.count(NO_GO) == most
    assert "the port is in use" in text
    if format_ != "github":
        assert all(rule in text for rule in rules)


def test_a_reason_is_told_however_many_rules_share_it() -> None:
    findings = [unmeasured(f"rule{number}", "no base was named") for number in range(40)]

    text = rendered("text", Report("check", "0", findings=findings))

    assert text.count("no base was named") == 1
    assert "rule39" in text


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "junit", "github"])
def test_two_limits_of_one_rule_are_told_apart(format_: str) -> None:
    broken = [
        msgspec.structs.replace(unmeasured("size", "x", kind), outcome=Outcome.VIOLATED)
        for kind in ("max", "growth")
    ]
    one = msgspec.structs.replace(unmeasured("linkage", "x", "is"), outcome=Outcome.VIOLATED)

    text = rendered(format_, Report("check", "0", findings=[*broken, one]))

    assert "size (max)" in text
    assert "size (growth)" in text
    # a rule with one limit is known by its name alone
    assert "linkage (" not in text


def changed(metric: str, **labels: str) -> Change:
    unit = Unit.SECONDS_PER_OPERATION
    return Change(metric, unit, 35.3e-6, 791e-6, 755e-6, Verdict.WORSE, labels=labels)


def test_rows_of_changes_are_told_apart_by_the_labels_that_differ() -> None:
    package = "example.com/payments/internal/api"
    changes = [
        changed(metric, benchmark=name, package=package)
        for name in ("CreateQuote", "CreatePayment")
        for metric in ("bench.time", "bench.throughput")
    ]

    wide = rendered("text", Report("bench", "0", changes=changes), Settings(width=120))
    narrow = rendered("text", Report("bench", "0", changes=changes), Settings(width=60))

    assert "  CreateQuote bench.time  " in wide
    assert re.search(r"\n  CreatePayment +35\.3 µs/op .*\n  bench\.throughput\n", narrow)
    # a package that is the same in every row says nothing
    assert package not in wide + narrow


def test_labels_of_several_kinds_keep_what_differs_at_their_end() -> None:
    changes = [
        changed("bench.time", benchmark=name, package=f"example.com/a/very/long/path/to/{where}")
        for name in ("Sign", "Verify", "Parse")
        for where in ("first", "second")
    ]

    text = rendered("text", Report("bench", "0", changes=changes), Settings(width=70))

    rows = re.findall(r"\n  ([A-Z]\w+) [^…]*…\S+/(\w+)", text)
    names = ("Sign", "Verify", "Parse")
    assert rows == [(name, where) for name in names for where in ("first", "second")]


def test_one_row_keeps_the_label_that_it_has() -> None:
    one = [changed("binary.module.size", module="std")]

    assert "\n  std binary.module.size  " in rendered("text", Report("x", "0", changes=one))


def test_a_stream_that_knows_only_ascii_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    reporter("text").render(REPORTS["portrait"](), stream, Settings())
    stream.flush()

    assert b"memory.rss" in raw.getvalue()
    assert b"__..,,--==++**##" in raw.getvalue() or b"#####" in raw.getvalue()


def test_a_long_path_is_cut_in_its_middle_and_numbers_stay_whole() -> None:
    path = "github.com/aws/aws-sdk-go-v2/service/internal/presigned-url/signer/v4/deep/down"
    table = Table("t", (Column("package"), Column("bytes", Unit.BYTES)), [[path, 123_456_789]])

    [line] = next(grid(table, 50).by_row())

    assert len(line) == 50
    assert line.startswith("github.com/aws/")
    assert "…" in line
    assert line.endswith("deep/down  118 MiB")


def test_columns_that_do_not_fit_are_named_and_the_judging_one_stays() -> None:
    text = rendered("text", REPORTS["bench"](), Settings(width=60))

    assert "no room for: low, high, q" in text
    assert "worse" in text


def test_the_layout_chooses_columns() -> None:
    report = REPORTS["bench"]()
    chosen = Report(
        "bench",
        "0",
        tables=report.tables,
        layout=Layout(columns={"benchmarks": ("benchmark", "verdict", "no such column")}),
    )

    text = rendered("text", chosen)

    assert "benchmark                                            verdict" in text
    assert "ratio" not in text


@pytest.mark.parametrize("text", ["", "a", "日本語のとても長い名前", "a" * 30, "x y  z"])
@pytest.mark.parametrize("width", [1, 2, 5, 12])
def test_cutting_and_wrapping_stay_within_their_width(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) <= width
    assert all(cell_len(line) <= max(width, 2) for line in wrap(text, width))


def test_a_series_of_gaps_says_so_and_a_peak_survives_resampling() -> None:
    spike: list[float | None] = [1.0] * 5_000
    spike[3_333] = 9.0
    series = [
        Series("gap", Unit.COUNT, 0, 1, [None, None]),
        Series("spike", Unit.COUNT, 0, 1, spike),
    ]

    text = rendered("text", Report("portrait", "0", series=series))

    assert "gap    no values" in text
    assert text.count("█") == 1
    assert "1 to 9" in text
    # up to the last value, and not as long again as a value stands for
    assert "from start to 83.3 min" in text
