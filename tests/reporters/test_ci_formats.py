"""JUnit, GitHub's commands, GitLab's code quality, and CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Column, Layout, Report, Table
from gocost.reporters.interface import Settings
from tests.reporters.conftest import rendered
from tests.reporters.hostile import HOSTILE
from tests.reporters.judged import usd
from tests.reporters.reports import REPORTS


@pytest.mark.parametrize("name", REPORTS)
def test_junit_is_valid_against_the_schema_of_jenkins(name: str, junit_schema: Any) -> None:
    junit_schema.validate(rendered("junit", REPORTS[name]()))


def test_junit_fails_only_what_blocks() -> None:
    root = ET.fromstring(rendered("junit", REPORTS["check"]()))

    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"payments", "orders"}
    assert {k: root.get(k) for k in ("tests", "failures", "errors")} == {
        "tests": "10",
        "failures": "2",
        "errors": "1",
    }
    cases = {
        (suite, case.get("name", "")): [part.tag for part in case]
        for suite in suites
        for case in suites[suite]
    }
    assert cases["payments", "memory.rss.peak"] == ["failure"]
    assert cases["payments", "gc.pause.p99"] == ["error"]
    assert cases["payments", "build.trimpath"] == ["skipped"]
    assert cases["orders", "pauses"] == ["system-out"]
    assert cases["orders", "binary.size"] == []
    assert ("payments", "bench.allocations {benchmark=BenchmarkSettle}") in cases


def test_github_commands_put_each_finding_on_its_line() -> None:
    lines = rendered("github", REPORTS["check"]()).splitlines()

    assert lines[0].startswith("::error file=gocost.yaml,line=21,col=9,title=gocost%3A memory")
    assert "%0Acosts 1.82 USD/month%0A" in lines[0]
    assert "(+367%25)" in lines[1]
    assert [line.split()[0] for line in lines[:5]] == [
        "::error",
        "::error",
        "::warning",
        "::warning",
        "::warning",
    ]
    assert lines[-1].startswith("payments, orders: 2 rules violated")


def test_no_name_ends_a_github_command_or_begins_another() -> None:
    text = rendered("github", REPORTS["hostile"]())

    for line in text.splitlines():
        if not line.startswith("::"):
            assert line == text.splitlines()[-1]
            continue
        head, found, _ = line[2:].partition("::")
        assert found
        properties = head.partition(" ")[2].split(",")
        assert {p.partition("=")[0] for p in properties} <= {"file", "line", "col", "title"}
        assert len(properties) == len({p.partition("=")[0] for p in properties})
        assert "::" not in head


def test_gitlab_gets_what_its_code_quality_needs() -> None:
    issues = json.loads(rendered("gitlab", REPORTS["check"]()))

    assert [(issue["check_name"], issue["severity"]) for issue in issues] == [
        ("memory.rss.peak", "critical"),
        ("bench.allocations", "critical"),
        ("pauses", "minor"),
        ("gc.pause.p99", "major"),
    ]
    assert issues[1]["location"] == {
        "path": "internal/settle/settle.go",
        "lines": {"begin": 41},
    }
    assert all(issue["description"] for issue in issues)


def test_gitlab_fingerprints_are_unique_even_where_findings_repeat() -> None:
    report = Report("check", "0", findings=REPORTS["check"]().findings * 2)

    prints = [issue["fingerprint"] for issue in json.loads(rendered("gitlab", report))]

    assert len(set(prints)) == len(prints) == 8


def rows_of(report: Report, top: int | None = None) -> list[list[str]]:
    """The CSV's rows as a spreadsheet reads them."""
    return list(csv.reader(io.StringIO(rendered("csv", report, Settings(top=top)))))


def test_csv_is_the_main_table_with_raw_numbers() -> None:
    rows = rows_of(REPORTS["size"]())

    assert rows[0] == ["module", "version", "bytes", "share"]
    assert rows[1][:3] == ["std", "go1.26.8", "6291456"]
    assert len(rows) == 7


def test_csv_of_a_check_is_its_findings_and_of_a_portrait_its_facts() -> None:
    findings = rows_of(REPORTS["check"]())
    facts = rows_of(REPORTS["portrait"]())

    first = dict(zip(findings[0], findings[1], strict=True))
    assert first["rule"] == "memory.rss.peak"
    assert (first["money"], first["money_currency"]) == ("1.82", "USD")
    assert facts[0][:3] == ["metric", "value", "unit"]
    assert facts[1][:3] == ["memory.rss.peak", "60000000", "bytes"]


def test_csv_of_a_listing_is_its_lines() -> None:
    functions = Table("f", (Column("function"), Column("n", Unit.BYTES)), [["main.f", 3]])
    lines = Table("l", (Column("function"), Column("line", Unit.COUNT)), [["main.f", 7]])
    layout = Layout(split={"lines": ("function",)})
    tables = {"functions": functions, "lines": lines}

    assert rows_of(Report("profile", "0", tables=tables, layout=layout))[0] == ["function", "line"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r=", "\uff1d"])
def test_csv_runs_no_formula(start: str) -> None:
    table = Table("t", (Column(f"{start}name"), Column("n", Unit.BYTES)), [[f"{start}1+1", -1]])

    rows = rows_of(Report("size", "0", tables={"t": table}))

    for text in (rows[0][0], rows[1][0]):
        assert text.startswith("'") or text.strip()[0] not in "=+-@\uff1d"
    assert rows[1][1] == "-1"


def test_csv_keeps_every_hostile_name_in_its_cell() -> None:
    rows = rows_of(REPORTS["hostile"]())
    names = rows_of(Report("size", "0", tables=REPORTS["hostile"]().tables))

    assert len(rows) == 1 + len(HOSTILE)
    assert {len(row) for row in rows} == {16}
    assert len(names) == 1 + len(HOSTILE) + 2
    assert {len(row) for row in names} == {2}


def test_csv_money_takes_two_columns_only_where_there_is_money() -> None:
    table = Table(
        "t",
        (Column("name"), Column("cost", Unit.MONEY)),
        [["a", usd("0.000001")], ["b", None]],
    )

    assert rows_of(Report("size", "0", tables={"t": table})) == [
        ["name", "cost", "cost_currency"],
        ["a", "0.000001", "USD"],
        ["b", "", ""],
    ]


def test_a_finding_without_a_service_has_a_suite_and_a_place() -> None:
    report = Report(
        "check", "0", findings=[Finding("r", "r", Outcome.VIOLATED, Severity.ERROR, "m")]
    )

    assert ET.fromstring(rendered("junit", report))[0].get("name") == "gocost check"
    assert "file=gocost.yaml,line=1" in rendered("github", report)
    assert json.loads(rendered("gitlab", report))[0]["location"]["path"] == "gocost.yaml"
