"""What a person should see of a report, and in which order; text, Markdown and HTML follow it.

First what breaks, then what is not known, then what was excused, and last what is fine; money and
the worst changes before the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import msgspec

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Change, Report, Table, Verdict
from gocost.reporters.interface import Settings
from gocost.reporters.wording import cell, currency, plain, price_books, subject

Item = TypeVar("Item", Change, Fact)

_SEVERITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_VERDICT = {
    Verdict.WORSE: 0,
    Verdict.CHANGED: 1,
    Verdict.UNKNOWN: 2,
    Verdict.BETTER: 3,
    Verdict.SAME: 4,
}


@dataclass(frozen=True, slots=True)
class Outline:
    """The report's content, sorted for a reader."""

    report: Report
    violated: list[Finding]
    unknown: list[Finding]
    waived: list[Finding]
    skipped: list[Finding]
    passed: list[Finding]
    changes: list[Change]
    """Everything that is not the same, worst first."""
    unchanged: list[Change]
    facts: list[Fact]
    tables: list[tuple[str, Table]]
    services: list[str]
    currency: str
    """Of facts and changes that are money, which are plain numbers."""
    assumptions: list[str]
    """The report's, after the price books that it has amounts of and does not name."""
    limits: dict[tuple[str, str], set[str]]
    """By service and rule: the kinds of limits that it has findings of."""

    @property
    def judged(self) -> bool:
        """Whether the report judges anything at all."""
        return bool(self.report.findings)

    @property
    def blocking(self) -> list[Finding]:
        """The violated findings that make the exit code 1 by default."""
        return [f for f in self.violated if f.severity is Severity.ERROR]

    @property
    def many(self) -> bool:
        """Whether a line must say which service it is about."""
        return len(self.services) > 1

    def name(self, finding: Finding, *, with_metric: bool = False) -> str:
        """The rule, and which of its limits it is where it has several: `binary.size (growth)`."""
        about = [finding.metric] if with_metric and finding.metric != finding.rule else []
        if finding.limit is not None and len(self.limits[_rule(finding)]) > 1:
            about.append(finding.limit.kind)
        said = ", ".join(word for word in about if word)
        return plain(f"{finding.rule} ({said})" if said else finding.rule)

    @staticmethod
    def rules(findings: Sequence[Finding]) -> int:
        """How many rules these findings are of; one rule of two services is two."""
        return len(set(map(_rule, findings)))


def outline(report: Report, settings: Settings) -> Outline:
    """Sort a report's content for a reader; tables are cut to the rows that were asked for."""
    by_outcome: dict[Outcome, list[Finding]] = {outcome: [] for outcome in Outcome}
    for finding in sorted(report.findings, key=lambda f: _SEVERITY[f.severity]):
        by_outcome[finding.outcome].append(finding)
    changes = sorted(report.changes, key=lambda change: _VERDICT[change.verdict])
    layout = report.layout
    return Outline(
        report=report,
        violated=by_outcome[Outcome.VIOLATED],
        unknown=by_outcome[Outcome.UNKNOWN],
        waived=by_outcome[Outcome.WAIVED],
        skipped=by_outcome[Outcome.SKIPPED],
        passed=by_outcome[Outcome.PASS],
        changes=[c for c in changes if c.verdict is not Verdict.SAME],
        unchanged=[c for c in changes if c.verdict is Verdict.SAME],
        facts=[f for f in report.facts if layout.facts is None or f.metric in layout.facts],
        tables=[
            (name, seen_columns(report, name, in_units(_cut(report, settings, name, part))))
            for name, table in shown_tables(report)
            for part in _parts(report, name, table)
        ],
        services=_services(report),
        currency=currency(report),
        assumptions=[*_unnamed_prices(report), *report.assumptions],
        limits=_limits(report.findings),
    )


def told_once(findings: Sequence[Finding]) -> list[list[Finding]]:
    """The findings, those of a service together that are unknown or skipped for the same reason.

    Where Go is missing every rule is unknown for that reason, and a reader wants to hear it once.
    """
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        shared = finding.reason and finding.outcome in (Outcome.UNKNOWN, Outcome.SKIPPED)
        key = (finding.subject.service, finding.reason) if shared else number
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def shown_tables(report: Report) -> list[tuple[str, Table]]:
    """The tables that the layout shows, in its order, whole."""
    chosen = report.layout.tables
    names = report.tables if chosen is None else [n for n in chosen if n in report.tables]
    return [(name, report.tables[name]) for name in names]


def _parts(report: Report, name: str, table: Table) -> list[Table]:
    """The table in pieces, one for each run of equal words in the columns that the layout names."""
    columns = report.layout.split.get(name)
    if not columns or not table.rows:
        return [table]
    places = [table.names().index(column) for column in columns]
    parts = []
    for words, rows in groupby(table.rows, key=lambda row: [row[at] for at in places]):
        title = ", ".join(str(word) for word in words if word not in (None, ""))
        parts.append(msgspec.structs.replace(table, title=title or table.title, rows=list(rows)))
    return parts


def _cut(report: Report, settings: Settings, name: str, table: Table) -> Table:
    """The rows that were asked for, and one for the rest; what has not changed is of the rest."""
    count = _rows(report, settings)
    column = report.layout.changed.get(name)
    if column is None or settings.top is not None:
        return table.top(count)
    place = table.names().index(column)
    moved = [row for row in table.rows if row[place]]
    still = [row for row in table.rows if not row[place]]
    if not moved or len(still) < 2:
        return table.top(count)
    return msgspec.structs.replace(table, rows=[*moved, *still]).top(min(count, len(moved)))


def in_units(table: Table) -> Table:
    """The table with numbers in words where each row names its own unit."""
    names = table.names()
    places = {
        place: names.index(column.unit_in)
        for place, column in enumerate(table.columns)
        if isinstance(column.unit_in, str) and column.unit_in in names
    }
    if not places:
        return table
    return msgspec.structs.replace(
        table,
        rows=[
            [
                cell(value, unit_of(row[places[place]])) if place in places else value
                for place, value in enumerate(row)
            ]
            for row in table.rows
        ],
    )


def unit_of(value: Cell) -> Unit:
    """The unit of that name; a count for what is no unit's."""
    return Unit(value) if isinstance(value, str) and value in set(Unit) else Unit.COUNT


def seen_columns(report: Report, name: str, table: Table) -> Table:
    """The table with the columns that a person sees, in the layout's order."""
    wanted = [column for column in report.layout.columns.get(name, ()) if column in table.names()]
    if not wanted:
        return table
    places = [table.names().index(column) for column in wanted]
    return msgspec.structs.replace(
        table,
        columns=tuple(table.columns[i] for i in places),
        rows=[[row[i] for i in places] for row in table.rows],
    )


def by_service(content: Outline, items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """Changes or facts under the name of their service, or all under no name when there is one."""
    if not content.many:
        return [("", list(items))] if items else []
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.subject.service, []).append(item)
    return [(name, groups[name]) for name in ["", *content.services] if name in groups]


def headline(content: Outline) -> str:
    """One line: who, and the verdict in counts (or the report's title where nothing is judged)."""
    who = ", ".join(plain(name) for name in content.services)
    if not content.judged:
        return plain(content.report.layout.title) or " ".join(
            word
            for word in (plain(content.report.command), subject(content.report.subject) or who)
            if word
        )
    return f"{who}: {verdict(content)}" if who else verdict(content)


def verdict(content: Outline) -> str:
    """`2 rules violated, 1 unknown, 9 passed`, or `all limits kept (9 passed)`; never a zero.

    Rules are counted, each once for a service however many findings it has.
    """
    blocking = content.rules(content.blocking)
    softer = content.rules([f for f in content.violated if f.severity is not Severity.ERROR])
    counts = [
        (blocking, f"{blocking} {'rule' if blocking == 1 else 'rules'} violated"),
        (softer, f"{softer} {'warning' if softer == 1 else 'warnings'}"),
        *(
            (count, f"{count} {outcome}")
            for count, outcome in (
                (content.rules(content.unknown), "unknown"),
                (content.rules(content.waived), "waived"),
                (content.rules(content.skipped), "skipped"),
                (content.rules(content.passed), "passed"),
            )
        ),
    ]
    said = ", ".join(text for count, text in counts if count)
    return said if content.violated or content.unknown else f"all limits kept ({said})"


def _unnamed_prices(report: Report) -> list[str]:
    books = price_books(report.findings, report.changes)
    said = report.assumptions
    return [f"prices: {book}" for book in books if not any(book in text for text in said)]


def _rule(finding: Finding) -> tuple[str, str]:
    return finding.subject.service, finding.rule


def _limits(findings: Sequence[Finding]) -> dict[tuple[str, str], set[str]]:
    kinds: dict[tuple[str, str], set[str]] = {}
    for finding in findings:
        of_rule = kinds.setdefault(_rule(finding), set())
        of_rule |= {finding.limit.kind} if finding.limit is not None else set()
    return kinds


def _rows(report: Report, settings: Settings) -> int:
    return report.layout.rows if settings.top is None else settings.top


def _services(report: Report) -> list[str]:
    groups: Sequence[Sequence[Finding | Change | Fact]] = (
        report.findings,
        report.changes,
        report.facts,
    )
    named = [item.subject.service for group in groups for item in group if item.subject.service]
    return list(dict.fromkeys(named)) or [name for name in (report.subject.service,) if name]
