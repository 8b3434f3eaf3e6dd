"""Fits a table into the width of a terminal.

Numbers keep their place and are right-aligned; what is too long for its column is cut in the
middle when it is a name and wrapped when it is prose; what still does not fit is left out, numbers
from the right first, and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from gocost.model.quantity import Unit
from gocost.model.report import Cell, Table
from gocost.reporters.wording import cell, plain

GAP = 2
NARROWEST = 14
"""A text column is not cut below this; columns are left out instead."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as text: a heading, rows, how to align them, and what was left out."""

    names: list[str]
    rows: list[list[str]]
    right: list[bool]
    prose: list[bool]
    widths: list[int]
    left_out: list[str]

    def lines(self) -> Iterator[str]:
        """The heading and the rows as lines, without trailing blanks."""
        yield self._line(self.names)
        for row in self.rows:
            yield from self._wrapped(row)

    def _wrapped(self, row: Sequence[str]) -> Iterator[str]:
        if not any(self.prose):
            yield self._line(row)
            return
        parts = [
            wrap(text, width) if prose else [text]
            for text, width, prose in zip(row, self.widths, self.prose, strict=True)
        ]
        for index in range(max(map(len, parts))):
            yield self._line([part[index] if index < len(part) else "" for part in parts])

    def _line(self, row: Sequence[str]) -> str:
        parts = [
            aligned(text, width, right=right)
            for text, width, right in zip(row, self.widths, self.right, strict=True)
        ]
        return (" " * GAP).join(parts).rstrip()


def grid(table: Table, width: int) -> Grid:
    """The table's cells as text, fitted into `width` characters."""
    shown = [i for i, _ in enumerate(table.columns) if _used(table, i)] or [0]
    columns = [table.columns[i] for i in shown]
    rows = [[cell(row[i], table.columns[i].unit) for i in shown] for row in table.rows]
    text = [_is_text(table, i) for i in shown]
    return fit(
        [plain(column.name) for column in columns],
        rows,
        right=[not flag for flag in text],
        prose=[flag and _is_prose(table, i) for i, flag in zip(shown, text, strict=True)],
        width=width,
    )


def fit(
    names: list[str],
    rows: list[list[str]],
    *,
    right: list[bool],
    prose: list[bool],
    width: int,
) -> Grid:
    """Cells that are text already, fitted into `width` characters."""
    natural = [max([cells(name), *(cells(row[i]) for row in rows)]) for i, name in enumerate(names)]
    shown = list(range(len(names)))
    while len(shown) > 1 and _least(natural, right, shown) > width:
        shown.remove(_least_wanted(shown, right))
    widths = _shrunk(
        [natural[i] for i in shown],
        [right[i] for i in shown],
        width - GAP * (len(shown) - 1),
    )
    return Grid(
        names=[names[i] for i in shown],
        rows=rows if len(shown) == len(names) else [[row[i] for i in shown] for row in rows],
        right=[right[i] for i in shown],
        prose=[prose[i] for i in shown],
        widths=widths,
        left_out=[name for i, name in enumerate(names) if i not in shown],
    )


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at blanks where there are some."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines += chop_cells(word, max(width, 1)) or [""]
    return lines or [""]


def cells(text: str) -> int:
    """How many cells of a terminal `text` takes; quick for what is plain ASCII."""
    return len(text) if text.isascii() else cell_len(text)


def aligned(text: str, width: int, *, right: bool) -> str:
    """`text` in exactly `width` cells: padded, or cut in the middle."""
    length = cells(text)
    if length > width:
        text = cut(text, width)
        length = cells(text)
    return " " * (width - length) + text if right else text + " " * (width - length)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells, its middle replaced: both ends of a path say something."""
    if cells(text) <= width:
        return text
    head, tail = (width - 1) // 2, width - 1 - (width - 1) // 2
    if text.isascii():
        return f"{text[:head]}…{text[len(text) - tail :]}"
    while cells(start := text[:head]) > (width - 1) // 2:
        head -= 1
    while tail and cells(text[len(text) - tail :]) > width - 1 - (width - 1) // 2:
        tail -= 1
    return f"{start}…{text[len(text) - tail :]}"


def _used(table: Table, index: int) -> bool:
    return any(row[index] not in (None, "") for row in table.rows)


def _is_text(table: Table, index: int) -> bool:
    if table.columns[index].unit not in (Unit.TEXT, Unit.BOOLEAN):
        return False
    return not any(
        isinstance(row[index], int | float) and not isinstance(row[index], bool)
        for row in table.rows
    )


def _is_prose(table: Table, index: int) -> bool:
    values: list[Cell] = [row[index] for row in table.rows]
    return any(isinstance(value, str) and value.count(" ") >= 4 for value in values)


def _least(natural: Sequence[int], right: Sequence[bool], shown: Sequence[int]) -> int:
    wanted = sum(natural[i] if right[i] else min(natural[i], NARROWEST) for i in shown)
    return wanted + GAP * (len(shown) - 1)


def _least_wanted(shown: Sequence[int], right: Sequence[bool]) -> int:
    """The last number but the first of them, or else the last column: words name and judge."""
    numbers = [i for i in shown[1:] if right[i]]
    return numbers[-1] if len(numbers) > 1 else shown[-1]


def _shrunk(natural: Sequence[int], right: Sequence[bool], room: int) -> list[int]:
    """Take from the widest text column first, so that short ones stay whole."""
    widths = list(natural)
    text = [i for i, number in enumerate(right[: len(widths)]) if not number]
    excess = sum(widths) - room
    while excess > 0 and text:
        order = sorted(text, key=lambda i: -widths[i])
        widest = widths[order[0]]
        level = [i for i in order if widths[i] == widest]
        below = widths[order[len(level)]] if len(level) < len(order) else 0
        take = min(excess, max(1, widest - max(below, NARROWEST)) * len(level))
        if widest <= NARROWEST:
            break
        for position, index in enumerate(level):
            widths[index] -= take // len(level) + (position < take % len(level))
        excess -= take
    if excess > 0:
        # Nothing gives any more: the one column that is left is cut to the room there is.
        widths = [min(width, max(room, 1)) for width in widths]
    return widths
