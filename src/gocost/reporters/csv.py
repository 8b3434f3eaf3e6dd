"""One table of the report as CSV, for spreadsheets and scripts.

Which one: the findings of a report that judges, else its main table, if it has one, else its facts.
The main table is a listing, whose lines another table only sums up, or the first of the layout, or
the first. Every row is written unless `--top` says how many; numbers are raw, in base units. An
amount of money takes two columns, `name` and `name_currency`. A text that a spreadsheet would run
as a formula gets a quote before it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from typing import Final, TextIO

from gocost.model.fact import Fact
from gocost.model.finding import Finding
from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Column, Report, Table
from gocost.reporters import wording
from gocost.reporters.interface import Settings
from gocost.reporters.outline import shown_tables

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class CsvReporter:
    """RFC 4180 with LF line ends, UTF-8."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the heading and the rows."""
        table = main_table(report)
        if settings.top:
            table = table.top(settings.top)
        paid = [
            any(isinstance(row[i], Money) for row in table.rows) for i in range(len(table.columns))
        ]
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_heading(table, paid))
        for row in table.rows:
            writer.writerow(_cells(row, paid))


def main_table(report: Report) -> Table:
    """The table that stands for the report."""
    if report.findings:
        return _findings(report.findings)
    tables = shown_tables(report) or list(report.tables.items())
    tables = [each for each in tables if each[0] in report.layout.split] or tables
    return tables[0][1] if tables else _facts(report.facts)


def _heading(table: Table, paid: Sequence[bool]) -> list[str]:
    names = []
    for column, money in zip(table.columns, paid, strict=True):
        names.append(safe_text(column.name))
        if money:
            names.append(safe_text(f"{column.name}_currency"))
    return names


def _cells(row: Sequence[Cell], paid: Sequence[bool]) -> list[str]:
    cells: list[str] = []
    for value, money in zip(row, paid, strict=True):
        if isinstance(value, Money):
            cells += [format(value.amount, "f"), safe_text(value.currency)]
        else:
            cells += [_cell(value), *([""] if money else [])]
    return cells


def _cell(value: Cell) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return safe_text(value)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return str(value)


def safe_text(text: str) -> str:
    """A text as it stands in every CSV of gocost: nothing in it is run by whoever opens it."""
    if text.lstrip(" ").startswith(_FORMULA):
        text = f"'{text}"
    return wording.plain(text)


def _findings(findings: Sequence[Finding]) -> Table:
    columns = (
        *(Column(name) for name in ("rule", "metric", "service", "outcome", "severity")),
        *(Column(name) for name in ("value", "unit", "limit", "message", "reason")),
        Column("money", Unit.MONEY_PER_MONTH),
        *(Column(name) for name in ("path", "line", "function", "advice")),
    )
    rows: list[list[Cell]] = [
        [
            finding.rule,
            finding.metric,
            finding.subject.service,
            finding.outcome.value,
            finding.severity.value,
            finding.fact.value if finding.fact else None,
            finding.fact.unit.value if finding.fact else None,
            f"{finding.limit.kind} {finding.limit.text}" if finding.limit else None,
            finding.message,
            finding.reason,
            finding.money,
            finding.location.path,
            finding.location.line or None,
            finding.location.function,
            finding.advice,
        ]
        for finding in findings
    ]
    return Table("Findings", columns, rows)


def _facts(facts: Sequence[Fact]) -> Table:
    labels = sorted({name for fact in facts for name in fact.labels})
    columns = (
        *(Column(name) for name in ("metric", "value", "unit", "service")),
        *(Column(name) for name in ("n", "low", "high", "origin")),
        *(Column(f"label_{name}") for name in labels),
    )
    rows: list[list[Cell]] = [
        [
            fact.metric,
            fact.value,
            fact.unit.value,
            fact.subject.service,
            fact.n,
            fact.low,
            fact.high,
            fact.origin,
            *(fact.labels.get(name) for name in labels),
        ]
        for fact in facts
    ]
    return Table("Facts", columns, rows)
