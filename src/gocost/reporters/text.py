"""The report as text for a terminal: what breaks first, calm at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TextIO

from gocost.model.finding import Finding, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Layout, Report, Series, Table, is_rest
from gocost.reporters import wording
from gocost.reporters.interface import Settings
from gocost.reporters.outline import Outline, by_service, headline, outline, told_once
from gocost.reporters.text_changes import write_changes
from gocost.reporters.text_page import WIDEST_PROSE, Page, Piece
from gocost.reporters.text_stacks import write_stacks
from gocost.reporters.text_table import Grid, aligned, cells, cut, fit, grid, wrap

SPARK: Final = 32
LISTED: Final = 20
"""More passes than this, or reasons, are counted and not listed."""


class TextReporter:
    """Headline, findings, changes, facts, tables, series, notes and assumptions, in that order.

    A verdict is kept short: its facts and series are left to the forms that have room for them.
    """

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write what a person reads; no line is wider than the settings' width."""
        content = outline(report, settings)
        page = Page(stream, settings)
        _head(page, content)
        _findings(page, content)
        write_changes(page, content)
        if not content.judged:
            _facts(page, content)
        for name, table in content.tables:
            _table(page, table, report.layout, name)
        if not content.judged:
            _series(page, report.series)
        _notes(page, content)
        _assumptions(page, content)
        if content.judged:
            _elsewhere(page, content)


def _head(page: Page, content: Outline) -> None:
    style = "head"
    if content.judged:
        style = (
            "bad" if content.blocking else "warn" if content.violated or content.unknown else "good"
        )
    page.prose(headline(content), style)
    if content.judged and content.report.layout.title:
        page.prose(wording.plain(content.report.layout.title), "dim")


def _findings(page: Page, content: Outline) -> None:
    if content.violated:
        page.heading("Violated")
        for finding in content.violated:
            kind = "violated" if finding.severity is Severity.ERROR else "softer"
            _finding(page, finding, kind, content)
    if content.unknown:
        page.heading("Unknown (declared, but not measurable: not a pass)")
        for findings in told_once(content.unknown):
            if len(findings) == 1:
                _finding(page, findings[0], "unknown", content)
            else:
                _many(page, "unknown", findings, content)
                _said(page, findings[0].reason)
    for title, kind, findings in (
        ("Waived", "waived", content.waived),
        ("Skipped", "skipped", content.skipped),
        ("Passed", "passed", content.passed),
    ):
        if findings:
            _short(page, title, kind, findings, content)


def _finding(page: Page, finding: Finding, kind: str, content: Outline) -> None:
    about = []
    if finding.subject.service and content.many:
        about.append((wording.plain(finding.subject.service), "dim"))
    if finding.severity is not Severity.ERROR:
        about.append((f"({finding.severity.value})", "warn"))
    _title(page, kind, content.name(finding, with_metric=True), about)
    _said(page, finding.message)
    _said(page, finding.reason)
    if finding.money is not None:
        page.prose(f"costs {wording.monthly(finding.money)}", "name", indent=4)
    if finding.advice:
        page.prose(wording.plain(finding.advice), indent=4, bullet="do: ")
    if place := wording.location(finding.location):
        page.prose(place, "dim", indent=4, bullet="at: ")


def _title(page: Page, kind: str, rule: str, about: Sequence[Piece]) -> None:
    """The mark, the rule and what it is about on one line, or on two where that is too long."""
    behind = [piece for text, style in about for piece in (("  ", ""), (text, style))]
    if 4 + cells(rule) + sum(cells(text) for text, _ in behind) <= page.width:
        page.line(page.mark(kind), (rule, "name"), *behind, indent=2)
        return
    page.line(page.mark(kind), (cut(rule, page.width - 4), "name"), indent=2)
    for text, style in about:
        page.prose(text, style, indent=4)


def _many(page: Page, kind: str, findings: Sequence[Finding], content: Outline) -> None:
    """The names of findings of which one thing is to be said."""
    names = ", ".join(content.name(finding) for finding in findings)
    service = wording.plain(findings[0].subject.service) if content.many else ""
    first, *more = wrap(f"{service}: {names}" if service else names, page.width - 4)
    page.line(page.mark(kind), (first, "name"), indent=2)
    for line in more:
        page.line((line, "name"), indent=4)


def _said(page: Page, text: str) -> None:
    for line in wording.lines(text):
        page.prose(line, indent=4)


def _short(
    page: Page, title: str, kind: str, findings: Sequence[Finding], content: Outline
) -> None:
    groups = told_once(findings)
    if len(groups) > LISTED:
        page.heading(f"{title}: {content.rules(findings)} rules")
        rules = dict.fromkeys(wording.plain(finding.rule) for finding in findings)
        page.prose(", ".join(rules), "dim", indent=2)
        return
    page.heading(title)
    names = [_short_name(group[0], content) if len(group) == 1 else "" for group in groups]
    room = min(max(map(cells, names)), page.width // 2)
    for name, group in zip(names, groups, strict=True):
        text = wording.short(group[0])
        if not name:
            _many(page, kind, group, content)
            page.prose(text, "dim", indent=4)
            continue
        first, *more = wrap(text, max(min(page.width, WIDEST_PROSE) - room - 6, 10))
        cell = aligned(name, room, right=False) + "  "
        page.line(page.mark(kind), (cell, ""), (first, "dim"), indent=2)
        for line in more:
            page.line((line, "dim"), indent=room + 6)


def _short_name(finding: Finding, content: Outline) -> str:
    service = wording.plain(finding.subject.service) if content.many else ""
    name = content.name(finding)
    return f"{service}: {name}" if service else name


def _elsewhere(page: Page, content: Outline) -> None:
    """A verdict is to be taken in at a glance; what else was measured stands in other forms."""
    counts = (("figures", len(content.facts)), ("series over time", len(content.report.series)))
    said = " and ".join(f"{count} {name}" for name, count in counts if count)
    if said:
        page.line()
        page.prose(f"Also measured: {said}; --format html or json shows them.", "dim")


def _facts(page: Page, content: Outline) -> None:
    for service, facts in by_service(content, content.facts):
        page.heading(f"Facts: {wording.plain(service)}" if service else "Facts")
        rows = [
            [
                wording.fact_name(f),
                wording.quantity(f.value, f.unit, currency=content.currency),
                wording.sampled(f, content.currency),
            ]
            for f in facts
        ]
        fitted = fit(
            [""] * 3, rows, right=[False, True, False], prose=[False] * 3, width=page.width - 2
        )
        # No cell of these is wrapped.
        for [line] in fitted.by_row():
            page.line((line, ""), indent=2)


def _table(page: Page, table: Table, layout: Layout, name: str) -> None:
    heading = wording.heading(table)
    if heading != wording.plain(layout.title):
        page.heading(heading)
    if not table.rows:
        page.line(("(nothing)", "dim"), indent=2)
        return
    column = layout.stacks.get(name)
    if column in table.names():
        write_stacks(page, table, column)
        return
    fitted = grid(table, page.width - 2, whole=layout.whole.get(name, ()))
    page.line((fitted.heading(), "dim"), indent=2)
    for row, lines in zip(table.rows, fitted.by_row(), strict=True):
        for line in lines:
            page.line((line, "dim" if is_rest(row[0]) else ""), indent=2)
    _left_out(page, fitted)


def _left_out(page: Page, fitted: Grid) -> None:
    if fitted.left_out:
        page.prose(f"no room for: {', '.join(fitted.left_out)}", "dim", indent=2)


def _series(page: Page, series: Sequence[Series]) -> None:
    # One value is no course of anything; the fact has it.
    drawn = [(item, wording.extremes(item.values)) for item in series if len(item.values) > 1]
    if not drawn:
        return
    page.heading("Over time")
    names = [wording.series_name(item) for item, _ in drawn]
    spreads = [
        f"{wording.quantity(known[0], item.unit)} to {wording.quantity(known[1], item.unit)}"
        if known
        else "no values"
        for item, known in drawn
    ]
    free = page.width - 6 - max(map(cells, spreads))
    spark = max(min(SPARK, max(free - max(map(cells, names)), free // 2)), 1)
    room = min(max(map(cells, names)), max(free - spark, 1))
    for (item, known), name, spread in zip(drawn, names, spreads, strict=True):
        left = aligned(name, room, right=False) + "  "
        if known is None:
            page.line((left, ""), (spread, "dim"), indent=2)
            continue
        bars = wording.sparkline(item.values, spark)
        page.line((left, ""), (f"{bars:<{spark}}", "spark"), (f"  {spread}", ""), indent=2)
    span = max(item.start + item.step * (len(item.values) - 1) for item, _ in drawn)
    page.line((f"from start to {wording.quantity(span, Unit.SECONDS)}", "dim"), indent=2)


def _notes(page: Page, content: Outline) -> None:
    if not content.report.notes:
        return
    page.line()
    for note in content.report.notes:
        style = {"error": "bad", "warning": "warn"}.get(note.level, "dim")
        bullet = f"{wording.plain(note.level)}: " if note.level != "info" else "note: "
        first, *more = wording.lines(note.text) or [""]
        page.prose(first, style, bullet=bullet)
        for line in more:
            page.prose(line, style, indent=len(bullet))


def _assumptions(page: Page, content: Outline) -> None:
    if content.assumptions:
        page.heading("Assumed")
    for text in content.assumptions:
        page.prose(wording.plain(text), "dim", indent=2, bullet="- ")
