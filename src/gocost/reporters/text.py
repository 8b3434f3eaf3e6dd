"""The report as text for a terminal."""

from __future__ import annotations

from typing import TextIO

from gocost.model.quantity import Money, Unit, format_money, format_quantity
from gocost.model.report import Cell, Report, Table
from gocost.reporters.interface import Settings


class TextReporter:
    """Headline, facts, tables and notes at the width of the terminal."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write what a person reads."""
        layout = report.layout
        if layout.title:
            stream.write(f"{layout.title}\n")
        for fact in report.facts:
            if layout.facts is None or fact.metric in layout.facts:
                stream.write(f"  {fact.metric:<32} {format_quantity(fact.value, fact.unit)}\n")
        for name in layout.tables if layout.tables is not None else report.tables:
            rows = layout.rows if settings.top is None else settings.top
            _table(report.tables[name].top(rows), stream)
        for note in report.notes:
            stream.write(f"{note.level}: {note.text}\n")


def _table(table: Table, stream: TextIO) -> None:
    stream.write(f"\n{table.title}\n")
    for row in [table.names(), *table.rows]:
        cells = [_cell(cell, c.unit) for cell, c in zip(row, table.columns, strict=True)]
        stream.write("  " + "  ".join(f"{cell:>12}" for cell in cells) + "\n")


def _cell(cell: Cell, unit: Unit) -> str:
    if isinstance(cell, Money):
        return format_money(cell)
    return "" if cell is None else format_quantity(cell, unit)
