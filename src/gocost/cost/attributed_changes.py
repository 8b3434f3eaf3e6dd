"""What a bill's rows cost more or less than in an earlier bill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gocost.model.errors import UsageError
from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Change, Column, Report, Table, Verdict

MONTH: Final = "cost.month"
_KINDS: Final = ("cpu", "gc", "memory")
_SMALLEST: Final = 0.01
"""A total that differs by less is the same: two recordings of one program differ by more."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows that differ, the largest difference first, and the whole."""

    table: Table
    change: Change


def comparable(named: Column, base: Report, origin: str) -> Table:
    """The bill of a saved report, whose rows are to be what `named` is. Raises UsageError."""
    before = base.tables.get("bill")
    hint = "save one with `gocost attribute ... --format json -o REPORT.json`"
    if before is None or not before.columns:
        raise UsageError(f"{origin} has no bill", hint=hint)
    if before.columns[0].name != named.name:
        by = before.columns[0].name
        raise UsageError(f"{origin} is by {by}, and this is by {named.name}", hint=hint)
    if not before.complete:
        raise UsageError(f"{origin} has only its first rows", hint="save it again without --top")
    return before


def changed(named: Column, head: Table, base: Report, origin: str) -> Changed:
    """The bill `head` against the one of a saved report. Raises UsageError where it has none."""
    before = comparable(named, base, origin)
    now, then = _amounts(head), _amounts(before)
    books = {_book(table) for table in (head, before)} - {("", "")}
    if len(books) > 1:
        raise UsageError(
            f"{origin} was priced by {' and '.join(sorted(name for name, _ in books))}",
            hint="make both with the same prices",
        )
    book = books.pop() if books else ("", "USD")
    rows = [_row(name, now.get(name, {}), then.get(name, {}), book) for name in {**now, **then}]
    rows = [row for row in rows if any(isinstance(c, Money) and c.amount for c in row[3:])]
    rows.sort(key=lambda row: (-abs(_amount(row[3])), str(row[0])))
    month = Unit.MONEY_PER_MONTH
    table = Table(
        title=f"What changed since {origin}",
        columns=(
            named,
            Column("before", month, "in the base", additive=True),
            Column("now", month, "in this bill", additive=True),
            Column("delta", month, "more or less", additive=True),
            *(Column(kind, month, f"of delta: {kind}", additive=True) for kind in _KINDS),
        ),
        rows=rows,
    )
    totals = [sum((amounts.get("month", Decimal(0)) for amounts in side.values()), Decimal(0))
              for side in (now, then)]  # fmt: skip
    delta = totals[0] - totals[1]
    same = abs(delta) <= Decimal(str(_SMALLEST)) * max(map(abs, totals), default=Decimal(0))
    change = Change(
        metric=MONTH,
        unit=month,
        base=float(totals[1]),
        head=float(totals[0]),
        delta=float(delta),
        verdict=Verdict.SAME if same else Verdict.WORSE if delta > 0 else Verdict.BETTER,
        money=Money(delta, book[1], book[0]),
    )
    return Changed(table, change)


def _amounts(table: Table) -> dict[str, dict[str, Decimal]]:
    """By row and column: the amounts."""
    names = table.names()
    return {
        str(row[0]): {
            name: cell.amount
            for name, cell in zip(names, row, strict=True)
            if isinstance(cell, Money)
        }
        for row in table.rows
    }


def _book(table: Table) -> tuple[str, str]:
    """Price book and currency of a table's amounts."""
    for row in table.rows:
        for cell in row:
            if isinstance(cell, Money):
                return cell.price_book, cell.currency
    return "", ""


def _row(
    name: str,
    now: Mapping[str, Decimal],
    then: Mapping[str, Decimal],
    book: tuple[str, str],
) -> list[Cell]:
    def money(amount: Decimal) -> Money:
        return Money(amount, book[1], book[0])

    zero = Decimal(0)
    whole = now.get("month", zero), then.get("month", zero)
    return [
        name,
        money(whole[1]),
        money(whole[0]),
        money(whole[0] - whole[1]),
        *(money(now.get(kind, zero) - then.get(kind, zero)) for kind in _KINDS),
    ]


def _amount(cell: Cell) -> Decimal:
    return cell.amount if isinstance(cell, Money) else Decimal(0)
