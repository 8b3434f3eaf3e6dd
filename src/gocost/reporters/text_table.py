"""Fits a table into the width of a terminal.

Numbers keep their place and are right-aligned; what is too long for its column is cut in the
middle when it is a name and wrapped when it is prose or a list; what still does not fit is left
out, numbers from the right first, and named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from gocost.analyses.type_arguments import without_types
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Table
from gocost.reporters.wording import cell, plain, shared_money

GAP = 2
NARROWEST = 14
"""A text column is not cut below this; columns are left out instead."""
LONGEST_WORD = 28
"""A word in prose that is longer may be broken."""
_WORDS = re.compile(r"(^| |(?<=;))([^ ;]*;*)")
_BRACES = re.compile(r"([{}])")
_PATH = re.compile(r"/[^\s()]*|[^\s()]*/[^\s()/]+\.(?:go|s|S|c|cc|cpp|h)(?::\d+)?")
"""A path of a source file: no name of a function begins with a slash."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as text: a heading, rows, how to align them, and what was left out."""

    names: list[str]
    rows: list[list[str]]
    right: list[bool]
    prose: list[bool]
    widths: list[int]
    left_out: list[str]

    def heading(self) -> str:
        """The columns' names as a line, without trailing blanks."""
        return self._line(self.names)

    def by_row(self) -> Iterator[list[str]]:
        """The lines of each row, more than one where prose is wrapped."""
        for row in self.rows:
            yield list(self._wrapped(row))

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


def grid(table: Table, width: int, *, whole: Sequence[str] = ()) -> Grid:
    """The table's cells as text, fitted into `width` characters; `whole` columns are cut last."""
    ending = shared_money(table)
    shown = [i for i, _ in enumerate(table.columns) if _used(table, i)] or [0]
    columns = [table.columns[i] for i in shown]
    rows = [
        [cell(row[i], table.columns[i].unit).removesuffix(ending) for i in shown]
        for row in table.rows
    ]
    text = [_is_text(table, i) for i in shown]
    return fit(
        [plain(column.name) for column in columns],
        rows,
        right=[not flag for flag in text],
        prose=[flag and _is_prose(table, i) for i, flag in zip(shown, text, strict=True)],
        width=width,
        whole=[column.name in whole for column in columns],
        code=[column.unit is Unit.CODE for column in columns],
    )


def fit(
    names: list[str],
    rows: list[list[str]],
    *,
    right: list[bool],
    prose: list[bool],
    width: int,
    whole: Sequence[bool] = (),
    code: Sequence[bool] = (),
) -> Grid:
    """Cells that are text already, fitted into `width` characters. Of `code` the end is cut off:
    without its middle it would read as other code.
    """
    natural = [max([cells(name), *(cells(row[i]) for row in rows)]) for i, name in enumerate(names)]
    floors = [
        natural[i] if right[i] else min(natural[i], _floor(rows, i) if prose[i] else NARROWEST)
        for i in range(len(names))
    ]
    shown = list(range(len(names)))
    while len(shown) > 1 and sum(floors[i] + GAP for i in shown) - GAP > width:
        shown.remove(_least_wanted(shown, right))
    widths = _shrunk(
        [natural[i] for i in shown],
        [floors[i] for i in shown],
        # Prose gives first, for it is wrapped, and what is to stay whole last.
        [2 * prose[i] - (whole[i] if whole else False) for i in shown],
        width - GAP * (len(shown) - 1),
    )
    if len(shown) < len(names):
        rows = [[row[i] for i in shown] for row in rows]
    for at, i in enumerate(shown):
        if code and code[i]:
            rows = [[*row[:at], _beginning(row[at], widths[at]), *row[at + 1 :]] for row in rows]
    return Grid(
        names=[names[i] for i in shown],
        rows=rows,
        right=[right[i] for i in shown],
        prose=[prose[i] for i in shown],
        widths=widths,
        left_out=[name for i, name in enumerate(names) if i not in shown],
    )


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at blanks and after a stack's semicolons."""
    lines: list[str] = []
    for blank, word in _WORDS.findall(text):
        if lines and cells(lines[-1]) + len(blank) + cells(word) <= width:
            lines[-1] += blank + word
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
    """`text` in at most `width` cells: of a name both ends say something, of a file's path the
    file does.
    """
    if cells(text) <= width or cells(text := without_types(text)) <= width:
        return text
    if _PATH.fullmatch(text) and (end := _end_of(text, width - 1)):
        return f"…{end}"
    head, tail = (width - 1) // 2, width - 1 - (width - 1) // 2
    if text.isascii():
        return f"{text[:head]}…{text[len(text) - tail :]}"
    while cells(start := text[:head]) > (width - 1) // 2:
        head -= 1
    while tail and cells(text[len(text) - tail :]) > width - 1 - (width - 1) // 2:
        tail -= 1
    return f"{start}…{text[len(text) - tail :]}"


def _beginning(text: str, width: int) -> str:
    """`text` in at most `width` cells, without its end."""
    if cells(text) <= width:
        return text
    kept = max(width - 1, 0)
    while kept and cells(text[:kept]) > width - 1:
        kept -= 1
    return f"{text[:kept]}…"


def _end_of(path: str, width: int) -> str:
    """As many of a path's last elements as fit; of a longer name of a file its end."""
    at = path.rfind("/")
    while (above := path.rfind("/", 0, at)) > 0 and cells(path[above:]) <= width:
        at = above
    end = (
        path[at:][-width:] if width > 0 else ""
    )  # no character that is seen takes less than a cell
    while end and cells(end) > width:
        end = end[1:]
    return end


def _used(table: Table, index: int) -> bool:
    return any(row[index] not in (None, "") for row in table.rows)


def _is_text(table: Table, index: int) -> bool:
    if table.columns[index].unit not in (Unit.TEXT, Unit.CODE, Unit.BOOLEAN):
        return False
    return not any(
        isinstance(row[index], int | float) and not isinstance(row[index], bool)
        for row in table.rows
    )


def _is_prose(table: Table, index: int) -> bool:
    if table.columns[index].unit is Unit.CODE:
        return False
    values: list[Cell] = [row[index] for row in table.rows]
    return any(isinstance(value, str) and _is_long(value) for value in values)


def _is_long(text: str) -> bool:
    """Whether it is a sentence, a list or a stack, rather than a name."""
    if text.count(";") >= 2 and _without_fields(text).count(";") >= 2:
        return True
    # What types are made of are words, but of a name.
    name = without_types(text, "")
    return ", " in name or name.count(" ") >= 4


def _without_fields(text: str) -> str:
    """The text without the fields of structs, which a name has among its type arguments; as it is
    where its braces are none of theirs.
    """
    depth, kept = 0, []
    for part in _BRACES.split(text):
        if part == "{":
            depth += 1
        elif part == "}":
            depth -= 1
            if depth < 0:
                return text
        elif not depth:
            kept.append(part)
    return text if depth else "".join(kept)


def _floor(rows: Sequence[Sequence[str]], index: int) -> int:
    """How narrow prose may get: a word is not broken, unless it is very long."""
    longest = max((cells(word) for row in rows for word in row[index].split()), default=0)
    return max(NARROWEST, min(longest, LONGEST_WORD))


def _least_wanted(shown: Sequence[int], right: Sequence[bool]) -> int:
    """The last number but the first of them, or else the last column: words name and judge."""
    numbers = [i for i in shown[1:] if right[i]]
    return numbers[-1] if len(numbers) > 1 else shown[-1]


def _shrunk(
    natural: Sequence[int], floors: Sequence[int], gives_first: Sequence[int], room: int
) -> list[int]:
    """Take from the widest column that still gives, cell by cell, so that short ones stay whole.

    Of columns that still give those go first for which `gives_first` is greatest.
    """
    widths = list(natural)
    for _ in range(max(sum(widths) - room, 0)):
        gives = [i for i, width in enumerate(widths) if width > floors[i]]
        if not gives:
            # Nothing gives any more: the one column that is left is cut to the room there is.
            return [min(width, max(room, 1)) for width in widths]
        widths[max(gives, key=lambda i: (gives_first[i], widths[i]))] -= 1
    return widths
