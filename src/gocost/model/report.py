"""The one thing every reporting command makes and every reporter prints.

The JSON form (`schema: gocost.report/1`) is these types as they stand: raw numbers in base units,
never formatted text; stable names; money as {amount, currency, price_book}. `layout` says how a
person would like to see the report: programs need not look at it, but a saved report that is
printed again (`gocost report`) looks as it did.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from gocost.model.fact import Fact, Value
from gocost.model.finding import Finding
from gocost.model.quantity import Money, Unit
from gocost.model.subject import Subject

if TYPE_CHECKING:
    import pyarrow

Cell = int | float | str | bool | Money | None
_REST = re.compile(r"\([\d,]+ (others|unmatched)\)")


def is_rest(cell: Cell) -> bool:
    """Whether a row that begins with `cell` stands for several that were cut off or filtered."""
    return isinstance(cell, str) and _REST.fullmatch(cell) is not None


class Column(msgspec.Struct, frozen=True):
    """A column of a table. `additive` ones are summed in the row that stands for the rest."""

    name: str
    unit: Unit = Unit.TEXT
    description: str = ""
    additive: bool = False
    unit_in: str | msgspec.UnsetType = msgspec.UNSET
    """The column that names each row's own unit, where rows are of different ones."""


class SumsTo(msgspec.Struct, frozen=True):
    """A promise that the rows of `column` add up to the fact `metric`; a test holds it."""

    column: str
    metric: str


class Table(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rows under named columns, most important first."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    sums_to: SumsTo | None = None

    def column(self, name: str) -> list[Cell]:
        """The values of one column. Raises KeyError."""
        index = self.names().index(name) if name in self.names() else -1
        if index < 0:
            raise KeyError(name)
        return [row[index] for row in self.rows]

    def names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    def top(self, count: int) -> Table:
        """The first `count` rows and one for the rest, so that additive columns keep their sums.

        What a filter left out is not of that rest, and keeps its row.
        """
        last = [row for row in self.rows[-1:] if str(row[0]).endswith(" unmatched)")]
        named = self.rows[: len(self.rows) - len(last)]
        if count <= 0 or len(named) <= count:
            return self
        rest = named[count:]
        row: list[Cell] = [
            _sum_of(rest, i) if column.additive else None for i, column in enumerate(self.columns)
        ]
        words = f"({len(rest):,} others)"
        if row[0] is None:
            row[0] = words
        elif (named_at := self._first_words()) is not None:
            row[named_at] = words
        return msgspec.structs.replace(self, rows=[*named[:count], row, *last])

    @property
    def complete(self) -> bool:
        """False where rows were put together in one: by `top`, or by a filter of names."""
        if not self.rows:
            return True
        last, words = self.rows[-1], self._first_words()
        return not (is_rest(last[0]) or (words is not None and is_rest(last[words])))

    def _first_words(self) -> int | None:
        """The first column of words, which names the rest of rows that begin with an amount."""
        at = (i for i, column in enumerate(self.columns) if column.unit is Unit.TEXT)
        return next(at, None) if self.columns[0].additive else None

    def arrow(self) -> pyarrow.Table:
        """The table as Arrow, column descriptions and units in the field metadata."""
        import pyarrow as pa  # costs 0.1 s, which only those who ask should pay

        arrays = [
            pa.array([str(c.amount) if isinstance(c, Money) else c for c in column])
            for column in (
                zip(*self.rows, strict=True) if self.rows else [[] for _ in self.columns]
            )
        ]
        fields = [
            pa.field(c.name, a.type, metadata={"unit": c.unit.value, "description": c.description})
            for c, a in zip(self.columns, arrays, strict=True)
        ]
        return pa.table(arrays, schema=pa.schema(fields))


@runtime_checkable
class SumsItself(Protocol):
    """Rows that are made when they are looked at, and know their sums without that."""

    def sum_of(self, index: int) -> Cell:
        """What the cells of an additive column add up to."""


def _sum_of(rows: Sequence[Sequence[Cell]], index: int) -> Cell:
    if isinstance(rows, SumsItself):
        return rows.sum_of(index)
    return _sum([row[index] for row in rows])


def _sum(cells: Sequence[Cell]) -> Cell:
    """Numbers or amounts added up; what is unknown adds nothing."""
    amounts = [cell for cell in cells if isinstance(cell, Money)]
    if amounts:
        return functools.reduce(Money.__add__, amounts)
    return sum(cell for cell in cells if isinstance(cell, int | float))


class Series(msgspec.Struct, frozen=True):
    """A metric over time, evenly sampled. `start` and `step` in seconds; None is a gap."""

    metric: str
    unit: Unit
    start: float
    step: float
    values: list[float | None]
    labels: dict[str, str] = {}


class Verdict(StrEnum):
    """What became of a metric between base and head. Unknown: too little data to say."""

    BETTER = "better"
    WORSE = "worse"
    CHANGED = "changed"
    SAME = "same"
    UNKNOWN = "unknown"


class Change(msgspec.Struct, frozen=True):
    """Head against base for one metric. `low` and `high` bound `delta` where it was sampled."""

    metric: str
    unit: Unit
    base: Value | None
    head: Value | None
    delta: float | None
    verdict: Verdict
    subject: Subject = Subject()
    labels: dict[str, str] = {}
    low: float | None = None
    high: float | None = None
    money: Money | None = None
    """What the change costs a month, where a price is known."""


class Note(msgspec.Struct, frozen=True):
    """Something the reader should know. `level`: info, warning, error."""

    level: str
    text: str


class Layout(msgspec.Struct, frozen=True):
    """How a person would like to see the report; programs need not look at it."""

    title: str = ""
    tables: tuple[str, ...] | None = None
    """The tables to show, in order; None shows all."""
    facts: tuple[str, ...] | None = None
    """The metrics whose facts are worth a line; None shows all, an empty tuple none."""
    rows: int = 20
    """How many rows of a table a person sees before the row for the rest."""
    columns: dict[str, tuple[str, ...]] = {}
    """By table: the columns a person sees, in order. A table that is not named shows them all."""
    whole: dict[str, tuple[str, ...]] = {}
    """By table: columns of names that people type elsewhere, which are cut last."""
    changed: dict[str, str] = {}
    """By table: a column; the rows with nothing in it are the last and one for a person."""
    split: dict[str, tuple[str, ...]] = {}
    """By table: leading columns; where they change, a person sees a table of its own."""
    stacks: dict[str, str] = {}
    """By table: a column of stacks, frames joined by `;`, which a terminal shows one a line."""
    treemap: str | None = None
    """A table (outer columns first, then `bytes`) to draw as a treemap in HTML."""
    flames: tuple[str, ...] = ()
    """Tables to draw as flame graphs in HTML: a row a frame, callers first. Columns: its name,
    `parent` (the caller's row, from 0), `self`, `base` (self in what it is compared with), `money`
    (of self), `money_delta` (of self less base)."""
    curves: dict[str, tuple[str, str]] = {}
    """By table: two columns to draw above it in HTML, a length on a logarithmic axis and a share of
    it, as a curve."""
    above: tuple[str, ...] = ()
    """Tables that stand above the pictures in HTML, also those that `tables` leaves out."""
    timeline: tuple[str, ...] = ()
    """Metrics whose series are the lanes of a timeline in HTML, instead of charts; tables with the
    columns `start` and `duration` are marked above them."""


class Report(msgspec.Struct, frozen=True, tag_field="schema", tag="gocost.report/1"):
    """What a command found out."""

    command: str
    gocost: str
    """The version that made it."""
    subject: Subject = Subject()
    facts: list[Fact] = []
    tables: dict[str, Table] = {}
    series: list[Series] = []
    changes: list[Change] = []
    findings: list[Finding] = []
    notes: list[Note] = []
    assumptions: list[str] = []
    layout: Layout = Layout()

    def __getattr__(self, name: str) -> pyarrow.Table:
        """`report.functions` is the table of that name as Arrow, for notebooks."""
        try:
            return self.tables[name].arrow()
        except KeyError:
            raise AttributeError(
                f"the report has no table {name!r}; it has {', '.join(self.tables) or 'none'}"
            ) from None

    def fact(self, metric: str, **labels: str) -> Fact | None:
        """The fact of that metric (and those labels), or None."""
        for fact in self.facts:
            if fact.metric == metric and labels.items() <= fact.labels.items():
                return fact
        return None
