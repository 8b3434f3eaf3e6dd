"""What of a report a person is shown: rows that changed, series that have a course."""

from __future__ import annotations

from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Layout, Report, Series, Table
from gocost.reporters.interface import Settings
from tests.reporters.conftest import rendered


def grown(deltas: list[int], layout: Layout) -> Report:
    """A report of what grew, a module a row."""
    columns = (Column("module"), Column("delta", Unit.BYTES, additive=True))
    rows: list[list[Cell]] = [[f"m{number}", delta] for number, delta in enumerate(deltas)]
    return Report("size", "1.0", tables={"growth": Table("Growth", columns, rows)}, layout=layout)


def test_what_has_not_changed_is_one_row_for_a_person() -> None:
    layout = Layout(changed={"growth": "delta"})

    text = rendered("text", grown([0, 512, 0, -64, 0], layout))
    rows = [line.split() for line in text.splitlines() if line.startswith("  ")]
    assert rows[1:] == [["m1", "512", "B"], ["m3", "-64", "B"], ["(3", "others)", "0", "B"]]
    # but all rows are there for a program, for who asks for so many, and where nothing changed
    json = rendered("json", grown([0, 512, 0, -64, 0], layout))
    assert all(f'"m{number}"' in json for number in range(5))
    asked = rendered("text", grown([0, 512, 0], layout), Settings(top=20))
    assert "m0" in asked
    assert "others" not in asked
    assert "m2" in rendered("text", grown([0, 0, 0], layout))


def test_a_series_of_one_value_is_not_drawn() -> None:
    one = Series("memory.heap.live", Unit.BYTES, 0.0, 5.0, [365.0])
    two = Series("goroutines.load", Unit.COUNT, 0.0, 5.0, [3.0, 4.0])

    assert "Over time" not in rendered("text", Report("portrait", "1.0", series=[one]))
    text = rendered("text", Report("portrait", "1.0", series=[one, two]))
    assert "goroutines.load" in text
    assert "memory.heap.live" not in text
    assert "from start to 5 s" in text
