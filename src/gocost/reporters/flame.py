"""A table of stacks as the tree that the HTML report draws as a flame graph.

Columns of the page's data: names (each once), and for each frame the number of its name, its
caller's row (-1 for none), what it cost itself, and where the table has them the same before, the
money, and how much more or less that is than before. Callers stand before what they call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Table
from gocost.reporters.wording import plain

PARENT: Final = "parent"
SELF: Final = "self"
BASE: Final = "base"
MONEY: Final = "money"
CHANGE: Final = "money_delta"


def flame(table: Table) -> dict[str, Any] | None:
    """What the page's script needs, or None where the table is no tree or has nothing in it."""
    columns = table.names()
    if PARENT not in columns or SELF not in columns or not table.rows:
        return None
    parents = [_caller(row, cell) for row, cell in enumerate(table.column(PARENT))]
    names: dict[str, int] = {}
    data: dict[str, Any] = {
        "title": plain(table.title),
        "level": plain(columns[0]),
        "unit": table.columns[columns.index(SELF)].unit.value,
        "name": [names.setdefault(plain(str(row[0])), len(names)) for row in table.rows],
        "names": list(names),
        "parent": parents,
        "self": _amounts(table.column(SELF)),
    }
    if BASE in columns:
        data["base"] = _amounts(table.column(BASE))
    if MONEY in columns:
        cells = table.column(MONEY)
        data["money"] = _money(cells)
        data["currency"] = next((plain(c.currency) for c in cells if isinstance(c, Money)), "")
        unit = table.columns[columns.index(MONEY)].unit
        data["per"] = "/month" if unit is Unit.MONEY_PER_MONTH else ""
        if BASE in columns and CHANGE in columns:
            data["change"] = _money(table.column(CHANGE))
    return data if any(data["self"]) or any(data.get("base", ())) else None


def _caller(row: int, cell: Cell) -> int:
    """The caller's row; what does not stand before the frame calls nothing."""
    return cell if isinstance(cell, int) and 0 <= cell < row else -1


def _money(cells: Sequence[Cell]) -> list[float]:
    return [float(cell.amount) if isinstance(cell, Money) else 0 for cell in cells]


def _amounts(cells: Sequence[Cell]) -> list[float]:
    """Costs that can be drawn; what is no number above zero is nothing."""
    return [
        cell if isinstance(cell, int | float) and math.isfinite(cell) and cell > 0 else 0
        for cell in cells
    ]
