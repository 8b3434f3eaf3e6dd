"""What changed against the base, as text: a line a change, and more where one is too narrow.

Money and the verdict are what the table is for and stay in every width. What there is no room for
beside them goes into a second line, where the interval of a sampled change stands anyway: first the
delta, then the two values, in a very narrow terminal the money too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gocost.model.report import Change, Verdict
from gocost.reporters import wording
from gocost.reporters.outline import Outline, by_service
from gocost.reporters.text_page import Page
from gocost.reporters.text_table import GAP, Grid, cells, cut, fit

SHORTEST_NAME: Final = 18
"""A label or metric of a change is not cut below this: `bench.allocations` fits."""
NAME: Final = 24
"""Room that names should have before the figures get theirs: `cost.memory.used.month` fits."""
CHANGES_OF_A_VERDICT: Final = 12
"""How many changes a person sees under a verdict, the worst first; the other forms have all."""

_LAYOUTS: Final = (
    ("metric", "base", "head", "delta", "%", "verdict", "money"),
    ("metric", "base", "head", "verdict", "money"),
    ("metric", "verdict", "money"),
    ("metric", "verdict"),
)
"""The columns of the first line, the widest first; what is missing is in the second."""
_SIDES: Final = ("base", "head")
_VERDICTS: Final = {
    Verdict.WORSE: "bad",
    Verdict.BETTER: "good",
    Verdict.UNKNOWN: "warn",
    Verdict.CHANGED: "",
    Verdict.SAME: "dim",
}


def write_changes(page: Page, content: Outline) -> None:
    """The changes by service, worst first, and the names of what did not change."""
    if not content.report.changes:
        return
    for service, changes in by_service(content, content.changes):
        page.heading(
            "Changed against the base" + (f": {wording.plain(service)}" if service else "")
        )
        shown = changes[:CHANGES_OF_A_VERDICT] if content.judged else changes
        _rows(page, shown, content.currency)
        if len(shown) < len(changes):
            page.line((f"and {len(changes) - len(shown)} more", "dim"), indent=2)
    if content.unchanged:
        apart = wording.told_apart(content.unchanged)
        names = dict.fromkeys(" ".join(words) for words in apart)
        text = ", ".join(names) if len(names) <= 12 else f"{len(content.unchanged)} metrics"
        page.line()
        page.prose(text, "dim", bullet="Unchanged: ")


def _rows(page: Page, changes: Sequence[Change], currency: str) -> None:
    titles = {"money": f"{wording.plain(currency)} a month".strip()}
    rows = [_cells(change, currency) for change in changes]
    if any(row["money"] for row in rows):
        # The heading says in which currency the table is; what is money itself gives way to names.
        rows = [row | _without_currency(row, currency) for row in rows]
    apart = wording.told_apart(changes)
    names = [" ".join(words) for words in apart]
    shown = _columns(rows, names, titles, page.width - 2)

    def fitted_with(firsts: Sequence[str], *, wrapped: bool) -> Grid:
        return fit(
            [titles.get(column, column) for column in shown],
            [
                [first if column == "metric" else row[column] for column in shown]
                for first, row in zip(firsts, rows, strict=True)
            ],
            right=[column not in ("metric", "verdict") for column in shown],
            prose=[wrapped and column == "metric" for column in shown],
            width=page.width - 2,
        )

    fitted = fitted_with(names, wrapped=False)
    if any(len(words) > 1 for words in apart) and fitted.widths[0] < max(map(cells, names)):
        # A name that is cut in the middle loses what tells its row apart: it takes more lines.
        room = max(fitted.widths[0], SHORTEST_NAME)
        split = [
            " ".join([*(_tail(label, room) for label in labels), cut(metric, room)])
            for *labels, metric in apart
        ]
        fitted = fitted_with(split, wrapped=True)
    page.line((fitted.heading(), "dim"), indent=2)
    for lines, change, row in zip(fitted.by_row(), changes, rows, strict=True):
        for line in lines:
            page.line((line, _VERDICTS[change.verdict]), indent=2)
        for line in _packed(_below(change, row, shown, currency), page.width - 4):
            page.prose(line, "dim", indent=4)


def _columns(
    rows: Sequence[dict[str, str]], names: Sequence[str], titles: dict[str, str], width: int
) -> list[str]:
    """The columns of the widest layout that leaves the names their room."""
    wanted = min(max(map(cells, names)), NAME)
    used: list[str] = []
    for layout in _LAYOUTS:
        used = [each for each in layout if each == "metric" or any(row[each] for row in rows)]
        taken = sum(
            GAP + max(cells(titles.get(column, column)), *(cells(row[column]) for row in rows))
            for column in used[1:]
        )
        if wanted + taken <= width:
            break
    return used


def _cells(change: Change, currency: str) -> dict[str, str]:
    base, head = (
        wording.quantity(value, change.unit, currency=currency) if value is not None else "-"
        for value in (change.base, change.head)
    )
    money = "" if change.money is None else wording.money(change.money, signed=True)
    return {
        "base": base,
        "head": head,
        "delta": wording.delta(change, currency),
        "%": wording.percent(change),
        "verdict": change.verdict.value,
        "money": money.removesuffix(f" {wording.plain(currency)}"),
    }


def _without_currency(row: dict[str, str], currency: str) -> dict[str, str]:
    word = f" {wording.plain(currency)}/"
    return {side: row[side].replace(word, "/") if currency else row[side] for side in _SIDES}


def _below(change: Change, row: dict[str, str], shown: Sequence[str], currency: str) -> list[str]:
    """The second line of a change: what of it is in no column, and what bounds a sampled one."""
    said = []
    if "base" not in shown:
        said.append(f"{row['base']} to {row['head']}")
    if "delta" not in shown and row["delta"]:
        said.append(row["delta"] + (f" ({row['%']})" if row["%"] else ""))
    if ends := wording.change_interval(change, currency):
        said.append(f"between {ends.replace(' to ', ' and ')}")
    if "money" not in shown and change.money is not None:
        said.append(wording.monthly(change.money, signed=True))
    return said


def _packed(parts: Sequence[str], width: int) -> list[str]:
    """The parts in as few lines as they take, a number and its unit never in two."""
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + 3 + cells(part) <= width:
            lines[-1] += f", {part}"
        elif lines:
            lines[-1] += ","
            lines.append(part)
        else:
            lines.append(part)
    return lines


def _tail(text: str, width: int) -> str:
    """`text` in at most `width` cells: packages and modules differ at their end."""
    if cells(text) <= width:
        return text
    kept = text[1 - width :]
    while cells(kept) > width - 1:
        kept = kept[1:]
    return f"…{kept}"
