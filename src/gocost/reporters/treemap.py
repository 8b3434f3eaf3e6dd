"""A table as the tree that the HTML report's treemap draws.

An inner node is `[name, [children]]`, a leaf `[name, bytes, kind]`; a name that begins with a tab
goes on from its parent's. The levels are the columns module, package and function, or the text
columns before `bytes`; a column `kind` colours. What is below the smallest leaves that the page
carries is summed in its group, so that the tree still adds up to the table.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Any, Final

from gocost.model.quantity import Unit
from gocost.model.report import Cell, Table
from gocost.reporters.wording import plain

LEAVES: Final = 150_000
"""A page with more would take seconds to open; the smaller ones are summed in their group."""
_LEVELS: Final = ("module", "package", "function")
_VALUE: Final = "bytes"
_KIND: Final = "kind"

Groups = dict[str | tuple[str, int], Any]
"""A group by its name; a leaf's bytes by its name and the number of its kind."""


def tree(table: Table, title: str, leaves: int = LEAVES) -> dict[str, Any] | None:
    """The tree with its legend, or None where the table has nothing to draw."""
    names = table.names()
    levels = [name for name in _LEVELS if name in names] or _leading_text(table)
    if _VALUE not in names or not levels:
        return None
    value = names.index(_VALUE)
    sized = [(row, size) for row in table.rows if (size := _size(row[value])) > 0]
    if not sized:
        return None
    rows = [row for row, _ in sized]
    kind_of, kinds = _kinds(table, rows)
    places = [names.index(level) for level in levels]
    least = _least([size for _, size in sized], leaves)
    top: Groups = {}
    for (row, size), kind in zip(sized, kind_of, strict=True):
        path = _path(row, places)
        group = top
        for name in path[:-1]:
            group = group.setdefault(name, {})
        leaf = (path[-1] if size >= least else "(smaller)", kind)
        group[leaf] = group.get(leaf, 0) + size
    return {
        "title": plain(title),
        "levels": [plain(level) for level in levels],
        "kinds": kinds,
        "tree": ["", _nodes(top, "")],
    }


def _path(row: Sequence[Cell], places: Sequence[int]) -> list[str]:
    """The names from the outermost in; a part that stands for itself on every level is one leaf."""
    path = [str(row[place]) for place in places if row[place] not in (None, "")]
    while len(path) > 1 and path[-1] == path[-2]:
        path.pop()
    return path or ["unknown"]


def _nodes(group: Groups, parent: str) -> list[list[Any]]:
    nodes: list[list[Any]] = []
    for key, content in group.items():
        if isinstance(key, tuple):
            nodes.append([_shortened(plain(key[0]), parent), content, key[1]])
        else:
            name = plain(key)
            nodes.append([_shortened(name, parent), _nodes(content, name)])
    return nodes


def _shortened(name: str, parent: str) -> str:
    return f"\t{name[len(parent) :]}" if parent and name.startswith(parent) else name


def _kinds(table: Table, rows: Sequence[Sequence[Cell]]) -> tuple[list[int], list[str]]:
    if _KIND not in table.names():
        return [0] * len(rows), [""]
    place = table.names().index(_KIND)
    kinds = sorted({str(row[place]) for row in rows})
    number = {name: index for index, name in enumerate(kinds)}
    return [number[str(row[place])] for row in rows], [plain(name) for name in kinds]


def _least(sizes: Sequence[float], leaves: int) -> float:
    return heapq.nlargest(leaves, sizes)[-1] if len(sizes) > leaves else 0


def _leading_text(table: Table) -> list[str]:
    levels = []
    for column in table.columns:
        if column.name == _VALUE:
            break
        if column.unit is Unit.TEXT and column.name != _KIND:
            levels.append(column.name)
    return levels


def _size(value: Cell) -> float:
    """Bytes that can be drawn; what is not a finite number is nothing."""
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return 0
