"""The report as text for a terminal: what breaks first, calm at 80 columns and without colour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TextIO

from rich.color import ColorSystem
from rich.style import Style

from gocost.model.finding import Finding, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Change, Report, Series, Table, Verdict
from gocost.reporters import wording
from gocost.reporters.interface import Settings
from gocost.reporters.outline import Outline, by_service, headline, outline
from gocost.reporters.text_table import (
    Grid,
    aligned,
    cells,
    cut,
    fit,
    grid,
    wrap,
)

WIDEST_PROSE: Final = 100
SPARK: Final = 32
PASSES_LISTED: Final = 20
"""More passes than this are counted, not listed."""

_STYLES: Final = {
    "head": Style(bold=True),
    "bad": Style(color="red", bold=True),
    "warn": Style(color="yellow"),
    "good": Style(color="green"),
    "dim": Style(dim=True),
    "name": Style(bold=True),
    "spark": Style(color="cyan"),
    "": Style(),
}
_MARKS: Final = {
    "violated": ("✗", "x", "bad"),
    "softer": ("!", "!", "warn"),
    "unknown": ("?", "?", "warn"),
    "waived": ("~", "~", "dim"),
    "skipped": ("-", "-", "dim"),
    "passed": ("✓", "+", "good"),
}
_VERDICTS: Final = {
    Verdict.WORSE: "bad",
    Verdict.BETTER: "good",
    Verdict.UNKNOWN: "warn",
    Verdict.CHANGED: "",
    Verdict.SAME: "dim",
}
_ASCII: Final = str.maketrans(
    dict(zip("▁▂▃▄▅▆▇█", "_.,-=+*#", strict=True)) | {"✗": "x", "✓": "+", "…": "~", "µ": "u"}
)

_REST: Final = re.compile(r"\([\d,]+ others\)")

SHORTEST_NAME: Final = 18
"""A label or metric of a change is not cut below this: `bench.allocations` fits."""

CHANGES_OF_A_VERDICT = 12
"""How many changes a person sees under a verdict, the worst first; the other forms have all."""

Piece = tuple[str, str]
"""Text and the name of its style."""


class TextReporter:
    """Headline, findings, changes, facts, tables, series, notes and assumptions, in that order.

    A verdict is kept short: its facts and series are left to the forms that have room for them.
    """

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write what a person reads; no line is wider than the settings' width."""
        content = outline(report, settings)
        page = _Page(stream, settings)
        _head(page, content)
        _findings(page, content)
        _changes(page, content)
        if not content.judged:
            _facts(page, content)
        for _, table in content.tables:
            _table(page, table, report.layout.title)
        if not content.judged:
            _series(page, report.series)
        _notes(page, content)
        _assumptions(page, content)
        if content.judged:
            _elsewhere(page, content)


class _Page:
    """Lines on a stream: wrapped, indented, coloured where that was asked for."""

    def __init__(self, stream: TextIO, settings: Settings) -> None:
        self.width = max(settings.width, 30)
        self._stream = stream
        self._system = ColorSystem.STANDARD if settings.color else None
        self._ascii = not _can_write(stream, "✗▁…µ")
        self._blank = False

    def line(self, *pieces: Piece, indent: int = 0) -> None:
        """One line as it is."""
        text = "".join(self._paint(text, style) for text, style in pieces)
        line = " " * indent + text if self._system else (" " * indent + text).rstrip()
        self._stream.write(self._encodable(line) + "\n")

    def prose(self, text: str, style: str = "", *, indent: int = 0, bullet: str = "") -> None:
        """Words, wrapped; the lines after the first hang under the text behind the bullet."""
        hang = indent + len(bullet)
        for number, part in enumerate(wrap(text, min(self.width, WIDEST_PROSE) - hang)):
            self.line(
                (bullet if number == 0 else " " * len(bullet), style), (part, style), indent=indent
            )

    def heading(self, text: str) -> None:
        """A blank line and a title."""
        self.line()
        self.prose(text, "head")

    def mark(self, kind: str) -> Piece:
        """The sign of an outcome."""
        sign, _, style = _MARKS[kind]
        return f"{sign} ", style

    def _paint(self, text: str, style: str) -> str:
        if self._system is None or not style or not text.strip():
            return text
        return _STYLES[style].render(text, color_system=self._system)

    def _encodable(self, line: str) -> str:
        if not self._ascii or line.isascii():
            return line
        encoding = getattr(self._stream, "encoding", None) or "ascii"
        return line.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _head(page: _Page, content: Outline) -> None:
    style = "head"
    if content.judged:
        style = (
            "bad" if content.blocking else "warn" if content.violated or content.unknown else "good"
        )
    page.prose(headline(content), style)
    if content.judged and content.report.layout.title:
        page.prose(wording.plain(content.report.layout.title), "dim")


def _findings(page: _Page, content: Outline) -> None:
    if content.violated:
        page.heading("Violated")
        for finding in content.violated:
            kind = "violated" if finding.severity is Severity.ERROR else "softer"
            _finding(page, finding, kind, content)
    if content.unknown:
        page.heading("Unknown (declared, but not measurable: not a pass)")
        for finding in content.unknown:
            _finding(page, finding, "unknown", content)
    for title, kind, findings in (
        ("Waived", "waived", content.waived),
        ("Skipped", "skipped", content.skipped),
        ("Passed", "passed", content.passed),
    ):
        if findings:
            _short(page, title, kind, findings, content)


def _finding(page: _Page, finding: Finding, kind: str, content: Outline) -> None:
    about = []
    if finding.subject.service and content.many:
        about.append((wording.plain(finding.subject.service), "dim"))
    if finding.severity is not Severity.ERROR:
        about.append((f"({finding.severity.value})", "warn"))
    _title(page, kind, _rule(finding), about)
    for line in wording.lines(finding.message):
        page.prose(line, indent=4)
    for line in wording.lines(finding.reason):
        page.prose(line, indent=4)
    if finding.money is not None:
        page.prose(f"costs {wording.monthly(finding.money)}", "name", indent=4)
    if finding.advice:
        page.prose(wording.plain(finding.advice), indent=4, bullet="do: ")
    if place := wording.location(finding.location):
        page.prose(place, "dim", indent=4, bullet="at: ")


def _title(page: _Page, kind: str, rule: str, about: Sequence[Piece]) -> None:
    """The mark, the rule and what it is about on one line, or on two where that is too long."""
    behind = [piece for text, style in about for piece in (("  ", ""), (text, style))]
    if 4 + cells(rule) + sum(cells(text) for text, _ in behind) <= page.width:
        page.line(page.mark(kind), (rule, "name"), *behind, indent=2)
        return
    page.line(page.mark(kind), (cut(rule, page.width - 4), "name"), indent=2)
    for text, style in about:
        page.prose(text, style, indent=4)


def _rule(finding: Finding) -> str:
    if finding.rule == finding.metric or not finding.metric:
        return wording.plain(finding.rule)
    return wording.plain(f"{finding.rule} ({finding.metric})")


def _short(
    page: _Page, title: str, kind: str, findings: Sequence[Finding], content: Outline
) -> None:
    if len(findings) > PASSES_LISTED:
        page.heading(f"{title}: {content.rules(findings)} rules")
        rules = dict.fromkeys(wording.plain(finding.rule) for finding in findings)
        page.prose(", ".join(rules), "dim", indent=2)
        return
    page.heading(title)
    names = [_short_name(finding, content) for finding in findings]
    room = min(max(map(len, names)), page.width // 2)
    for name, finding in zip(names, findings, strict=True):
        text = wording.short(finding)
        sign, style = page.mark(kind)
        lines = wrap(text, max(min(page.width, WIDEST_PROSE) - room - 6, 10))
        page.line((sign, style), (f"{cut(name, room):<{room}}  ", ""), (lines[0], "dim"), indent=2)
        for line in lines[1:]:
            page.line((line, "dim"), indent=room + 6)


def _short_name(finding: Finding, content: Outline) -> str:
    service = finding.subject.service if content.many else ""
    return wording.plain(f"{service}: {finding.rule}" if service else finding.rule)


def _changes(page: _Page, content: Outline) -> None:
    if not content.report.changes:
        return
    for service, changes in by_service(content, content.changes):
        page.heading(
            "Changed against the base" + (f": {wording.plain(service)}" if service else "")
        )
        shown = changes[:CHANGES_OF_A_VERDICT] if content.judged else changes
        _change_rows(page, shown, content.currency)
        if len(shown) < len(changes):
            page.line((f"and {len(changes) - len(shown)} more", "dim"), indent=2)
    if content.unchanged:
        apart = wording.told_apart(content.unchanged)
        names = dict.fromkeys(" ".join(words) for words in apart)
        text = ", ".join(names) if len(names) <= 12 else f"{len(content.unchanged)} metrics"
        page.line()
        page.prose(text, "dim", bullet="Unchanged: ")


def _change_rows(page: _Page, changes: Sequence[Change], currency: str) -> None:
    heading = f"{wording.plain(currency)} a month".strip()
    names = ["metric", "base", "head", "delta", "%", "verdict", heading]
    rows = [_change_cells(change, currency) for change in changes]
    used = [i for i in range(len(names)) if i == 0 or any(row[i - 1] for row in rows)]
    apart = wording.told_apart(changes)

    def fitted_with(firsts: Sequence[str], *, wrapped: bool) -> Grid:
        whole = [[first, *row] for first, row in zip(firsts, rows, strict=True)]
        return fit(
            [names[i] for i in used],
            [[row[i] for i in used] for row in whole],
            right=[names[i] not in ("metric", "verdict") for i in used],
            prose=[wrapped and i == 0 for i in used],
            width=page.width - 2,
        )

    whole = [" ".join(words) for words in apart]
    fitted = fitted_with(whole, wrapped=False)
    if any(len(words) > 1 for words in apart) and fitted.widths[0] < max(map(cells, whole)):
        # A name that is cut in the middle loses what tells its row apart: it takes more lines.
        room = max(page.width // 4, SHORTEST_NAME)
        split = [
            " ".join([*(_tail(label, room) for label in labels), cut(metric, room)])
            for *labels, metric in apart
        ]
        fitted = fitted_with(split, wrapped=True)
    page.line((next(fitted.lines()), "dim"), indent=2)
    for lines, change in zip(fitted.by_row(), changes, strict=True):
        for line in lines:
            page.line((line, _VERDICTS[change.verdict]), indent=2)
        low, high = change.low, change.high
        if bounds := wording.interval(low, high, change.unit, signed=True, currency=currency):
            page.line((f"between {bounds.replace(' to ', ' and ')}", "dim"), indent=4)
    _left_out(page, fitted)


def _tail(text: str, width: int) -> str:
    """`text` in at most `width` cells: packages and modules differ at their end."""
    if cells(text) <= width:
        return text
    kept = text[1 - width :]
    while cells(kept) > width - 1:
        kept = kept[1:]
    return f"…{kept}"


def _change_cells(change: Change, currency: str) -> list[str]:
    cost = "" if change.money is None else wording.money(change.money, signed=True)
    return [
        *(
            wording.quantity(value, change.unit, currency=currency) if value is not None else "-"
            for value in (change.base, change.head)
        ),
        wording.delta(change, currency),
        wording.percent(change),
        change.verdict.value,
        cost.removesuffix(f" {wording.plain(currency)}"),
    ]


def _elsewhere(page: _Page, content: Outline) -> None:
    """A verdict is to be taken in at a glance; what else was measured stands in other forms."""
    counts = (("figures", len(content.facts)), ("series over time", len(content.report.series)))
    said = " and ".join(f"{count} {name}" for name, count in counts if count)
    if said:
        page.line()
        page.prose(f"Also measured: {said}; --format html or json shows them.", "dim")


def _facts(page: _Page, content: Outline) -> None:
    title = "Facts" if content.judged or content.tables else "Measured"
    for service, facts in by_service(content, content.facts):
        page.heading(f"{title}: {wording.plain(service)}" if service else title)
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
        for line in list(fitted.lines())[1:]:
            page.line((line, ""), indent=2)


def _table(page: _Page, table: Table, title: str) -> None:
    if table.title != title:
        page.heading(wording.plain(table.title))
    if not table.rows:
        page.line(("(nothing)", "dim"), indent=2)
        return
    fitted = grid(table, page.width - 2)
    lines = fitted.lines()
    page.line((next(lines), "dim"), indent=2)
    for line in lines:
        page.line((line, "dim" if _REST.match(line) else ""), indent=2)
    _left_out(page, fitted)


def _left_out(page: _Page, fitted: Grid) -> None:
    if fitted.left_out:
        page.prose(f"no room for: {', '.join(fitted.left_out)}", "dim", indent=2)


def _series(page: _Page, series: Sequence[Series]) -> None:
    drawn = [(item, wording.extremes(item.values)) for item in series]
    if not drawn:
        return
    page.heading("Over time")
    names = [wording.series_name(item) for item in series]
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
    span = max(item.step * len(item.values) for item in series)
    page.line((f"from start to {wording.quantity(span, Unit.SECONDS)}", "dim"), indent=2)


def _notes(page: _Page, content: Outline) -> None:
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


def _assumptions(page: _Page, content: Outline) -> None:
    books = wording.price_books(content.report.findings, content.report.changes)
    said = [wording.plain(text) for text in content.report.assumptions]
    missing = [f"prices: {wording.plain(b)}" for b in books if not any(b in text for text in said)]
    if not said and not missing:
        return
    page.heading("Assumed")
    for text in [*missing, *said]:
        page.prose(text, "dim", indent=2, bullet="- ")
