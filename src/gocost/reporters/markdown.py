"""The report as GitHub-flavoured Markdown: a pull request's comment, or a job's summary.

The comment begins with a hidden marker, by which CI finds it and updates it again, and stays under
the size that GitHub takes. The three things that matter stand on top, the rest is collapsed. GitLab
reads the same Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final, TextIO

from gocost.model.finding import Finding, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Change, Report, Table, Verdict, is_rest
from gocost.reporters import wording
from gocost.reporters.interface import Settings
from gocost.reporters.markdown_text import code, html_text, prose, table_lines
from gocost.reporters.outline import Outline, headline, outline, told_once

MARKER: Final = "<!-- gocost:report -->"
"""The first line of the comment. CI looks for a comment that begins with it."""
COMMENT_BYTES: Final = 65_000
"""GitHub refuses a body of 65,536 characters; counted in bytes, so that no way of counting does."""
SUMMARY_BYTES: Final = 1_000_000
"""A job summary may hold 1 MiB."""
TOP: Final = 3
ROWS: Final = 50


class CommentReporter:
    """One comment for all services of the report."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the comment, marker first; never more than COMMENT_BYTES."""
        body = _Body(COMMENT_BYTES)
        body.add([MARKER])
        _write(body, outline(report, settings), unfolded=False)
        stream.write(body.text())


class SummaryReporter:
    """The same for a job's own page: no marker, and the findings unfolded."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the summary; never more than SUMMARY_BYTES."""
        body = _Body(SUMMARY_BYTES)
        _write(body, outline(report, settings), unfolded=True)
        stream.write(body.text())


class _Body:
    """Lines up to a size; whatever does not fit is counted and said, and what is open is closed."""

    def __init__(self, limit: int) -> None:
        self._lines: list[str] = []
        self._room = limit - 800  # the last line, which is always written

    def add(self, lines: Iterable[str]) -> None:
        """Lines that belong together: all of them, or none."""
        chosen = list(lines)
        size = sum(_size(line) for line in chosen)
        if size <= self._room:
            self._lines += chosen
            self._room -= size

    def section(
        self,
        title: str,
        head: Sequence[str],
        lines: Iterable[str],
        count: int,
        *,
        unfolded: bool = False,
    ) -> None:
        """A collapsed section: as many of the `count` lines as there is room for, no more read."""
        opening = [
            f"<details{' open' if unfolded else ''}><summary>{html_text(title)}</summary>",
            "",
            *head,
        ]
        size = sum(map(_size, opening)) + 120
        if size > self._room:
            return
        self._lines += opening
        self._room -= size
        written = 0
        for line in lines:
            if _size(line) > self._room:
                break
            self._lines.append(line)
            self._room -= _size(line)
            written += 1
        if written < count:
            self._lines += ["", f"*{count - written:,} more lines did not fit here.*"]
        self._lines += ["", "</details>", ""]

    def close(self, line: str) -> None:
        """The last line, for which room was kept."""
        self._lines.append(line if _size(line) <= 800 else "")

    def text(self) -> str:
        """Everything, ending in one line end."""
        return "\n".join(self._lines).rstrip("\n") + "\n"


def _size(line: str) -> int:
    return len(line.encode("utf-8", "replace")) + 1


def _write(body: _Body, content: Outline, *, unfolded: bool) -> None:
    sign = f"{_sign(content)} " if content.judged else ""
    body.add([f"### {sign}gocost: {prose(headline(content))}", ""])
    if top := list(_top(content)):
        body.add([*top, ""])
    _findings(body, content, unfolded=unfolded)
    _changes(body, content, unfolded=unfolded)
    if not content.judged:
        for number, (_, table) in enumerate(content.tables):
            _table(body, table, unfolded=unfolded or number == 0)
    _facts(body, content)
    if content.judged:
        for _, table in content.tables:
            _table(body, table, unfolded=False)
    _series(body, content)
    _notes(body, content)
    _assumptions(body, content)
    body.close(f"<sub>gocost {prose(content.report.gocost)} {code(content.report.command)}</sub>")


def _sign(content: Outline) -> str:
    return "❌" if content.blocking else "⚠️" if content.violated or content.unknown else "✅"


def _top(content: Outline) -> Iterator[str]:
    """The three things that matter: what breaks, what is unknown, the worst changes."""
    weighty = [*([finding] for finding in content.violated), *told_once(content.unknown)]
    judged = {(f.metric, f.subject.service) for findings in weighty for f in findings}
    moved = [
        change
        for change in content.changes
        if change.verdict in (Verdict.WORSE, Verdict.CHANGED)
        and (change.metric, change.subject.service) not in judged
    ]
    yield from (_bullet(findings, content) for findings in weighty[:TOP])
    yield from (_change_bullet(change, content) for change in moved[: max(TOP - len(weighty), 0)])
    if len(weighty) + len(moved) > TOP:
        yield f"- and {len(weighty) + len(moved) - TOP:,} more below"
    if not weighty and not moved:
        for fact in content.facts[:TOP]:
            value = prose(wording.quantity(fact.value, fact.unit, currency=content.currency))
            yield f"- {code(wording.fact_name(fact))}: **{value}**"


def _bullet(findings: Sequence[Finding], content: Outline) -> str:
    finding, *others = findings
    text = f"- **{code(content.name(finding))}**"
    if others:
        text += f" and {len(others)} more"
    if content.many and finding.subject.service:
        text += f" ({prose(finding.subject.service)})"
    text += f": {prose(finding.reason or finding.message)}"
    if finding.money is not None:
        text += f"; costs **{prose(wording.monthly(finding.money))}**"
    return text


def _change_bullet(change: Change, content: Outline) -> str:
    service = f" ({prose(change.subject.service)})" if content.many else ""
    by = wording.delta(change, content.currency)
    moved = " ".join(word for word in (by, wording.percent(change)) if word)
    text = f"- {code(wording.change_name(change))}{service}: {prose(moved or change.verdict.value)}"
    if change.money is not None:
        text += f"; **{prose(wording.monthly(change.money, signed=True))}**"
    return text


def _findings(body: _Body, content: Outline, *, unfolded: bool) -> None:
    for title, findings in (
        ("Violated", content.violated),
        ("Unknown: declared, but not measurable", content.unknown),
    ):
        if findings:
            groups = told_once(findings)
            items = (_detail(group, content) for group in groups)
            body.section(
                f"{title} ({content.rules(findings)})", [], items, len(groups), unfolded=unfolded
            )
    for title, findings in (
        ("Waived", content.waived),
        ("Skipped", content.skipped),
        ("Passed", content.passed),
    ):
        if findings:
            groups = told_once(findings)
            rows = (
                [
                    ", ".join(code(content.name(each), cell=True) for each in group),
                    prose(group[0].subject.service),
                    prose(wording.short(group[0])),
                ]
                for group in groups
            )
            head, lines = table_lines(["rule", "service", "why"], rows, [False] * 3)
            body.section(f"{title} ({content.rules(findings)})", head, lines, len(groups))


def _detail(findings: Sequence[Finding], content: Outline) -> str:
    """One list item; its parts are joined so that it is shown whole or not at all.

    Of several findings, which have one reason, no more than that is told.
    """
    finding, *others = findings
    names = ", ".join(f"**{code(content.name(each))}**" for each in findings)
    parts = [f"- {names}"]
    if finding.subject.service:
        parts[0] += f" ({prose(finding.subject.service)})"
    if others:
        return f"{parts[0]}: {'<br>'.join(map(prose, wording.lines(finding.reason)))}"
    if finding.severity is not Severity.ERROR:
        parts[0] += f" *{finding.severity.value}*"
    first, *more = wording.lines(finding.message) or [""]
    parts[0] += f": {prose(first)}"
    parts += map(prose, [*more, *wording.lines(finding.reason)])
    if finding.money is not None:
        parts.append(f"Costs **{prose(wording.monthly(finding.money))}**")
    if finding.advice:
        parts.append(f"*What to do:* {prose(finding.advice)}")
    if where := wording.location(finding.location):
        parts.append(code(where))
    return "<br>".join(parts)


def _changes(body: _Body, content: Outline, *, unfolded: bool) -> None:
    if not content.report.changes:
        return
    names = ["service", "metric", "base", "head", "delta", "%", "between", "verdict", "a month"]
    left_out = _empty_columns(content)
    used = [i for i, name in enumerate(names) if name not in left_out]
    head, lines = table_lines(
        [names[i] for i in used],
        (
            [row[i] for i in used]
            for row in map(partial(_change_row, currency=content.currency), content.changes)
        ),
        [names[i] not in ("service", "metric", "verdict") for i in used],
    )
    count = len(content.changes)
    title = f"Changed against the base ({count}), {len(content.unchanged)} unchanged"
    body.section(title, head if count else [], lines, count, unfolded=unfolded)


def _empty_columns(content: Outline) -> set[str]:
    empty = set() if content.many else {"service"}
    if not any(wording.delta(change) for change in content.changes):
        empty |= {"delta", "%"}
    if all(change.low is None for change in content.changes):
        empty.add("between")
    if all(change.money is None for change in content.changes):
        empty.add("a month")
    return empty


def _change_row(change: Change, currency: str) -> list[str]:
    return [
        prose(change.subject.service),
        code(wording.change_name(change), cell=True),
        *(
            "" if value is None else prose(wording.quantity(value, change.unit, currency=currency))
            for value in (change.base, change.head)
        ),
        prose(wording.delta(change, currency)),
        prose(wording.percent(change)),
        prose(wording.change_interval(change, currency)),
        f"**{change.verdict.value}**" if change.verdict is Verdict.WORSE else change.verdict.value,
        prose(wording.monthly(change.money, signed=True).removesuffix("/month")),
    ]


def _table(body: _Body, table: Table, *, unfolded: bool) -> None:
    shown = table.top(ROWS) if len(table.rows) > ROWS + 1 else table
    number = [
        column.unit not in (Unit.TEXT, Unit.CODE, Unit.BOOLEAN)
        or any(isinstance(row[i], int | float) for row in shown.rows)
        for i, column in enumerate(table.columns)
    ]
    # A column is names throughout, as code, or words throughout.
    words = [
        is_number
        or (
            table.columns[i].unit is not Unit.CODE
            and any(" " in str(row[i] or "") for row in table.rows[:ROWS])
        )
        for i, is_number in enumerate(number)
    ]
    rows = (
        [
            _table_cell(wording.cell(cell, column.unit), words=as_words)
            for cell, column, as_words in zip(row, table.columns, words, strict=True)
        ]
        for row in shown.rows
    )
    head, lines = table_lines([prose(name) for name in table.names()], rows, number)
    body.section(table.title, head, lines, len(shown.rows), unfolded=unfolded)


def _table_cell(text: str, *, words: bool) -> str:
    if not text or words or is_rest(text):
        return prose(text)
    return code(text, cell=True)


def _facts(body: _Body, content: Outline) -> None:
    if not content.facts:
        return
    sampled = any(wording.sampled(fact) for fact in content.facts)
    names = [*(["service"] if content.many else []), "metric", "value"]
    names += ["sampled"] if sampled else []
    rows = (
        [
            *([prose(fact.subject.service)] if content.many else []),
            code(wording.fact_name(fact), cell=True),
            prose(wording.quantity(fact.value, fact.unit, currency=content.currency)),
            *([prose(wording.sampled(fact, content.currency))] if sampled else []),
        ]
        for fact in content.facts
    )
    head, lines = table_lines(names, rows, [name == "value" for name in names])
    body.section(f"Facts ({len(content.facts)})", head, lines, len(content.facts))


def _series(body: _Body, content: Outline) -> None:
    rows = []
    for series in content.report.series:
        known = wording.extremes(series.values)
        if known is not None:
            low, high = (prose(wording.quantity(value, series.unit)) for value in known[:2])
            spark = f"`{wording.sparkline(series.values, 40)}`"
            rows.append([code(wording.series_name(series), cell=True), spark, low, high])
    if rows:
        head, lines = table_lines(
            ["metric", "over time", "least", "most"], rows, [False, False, True, True]
        )
        body.section("Over time", head, lines, len(rows))


def _notes(body: _Body, content: Outline) -> None:
    notes = content.report.notes
    loud = [note for note in notes if note.level in ("warning", "error")]
    quiet = [note for note in notes if note not in loud]
    for note in loud[:TOP]:
        said = "<br>".join(map(prose, wording.lines(note.text)))
        body.add([f"> **{prose(note.level)}:** {said}", ""])
    rest = [*loud[TOP:], *quiet]
    if rest:
        lines = (f"- {'<br>'.join(map(prose, wording.lines(note.text)))}" for note in rest)
        body.section(f"Notes ({len(rest)})", [], lines, len(rest))


def _assumptions(body: _Body, content: Outline) -> None:
    if texts := content.assumptions:
        body.section("Assumed", [], (f"- {prose(text)}" for text in texts), len(texts))
