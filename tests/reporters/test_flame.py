"""A table of stacks as what the page's flame graph is drawn from, whatever stands in the table."""

from __future__ import annotations

import msgspec

from gocost.model.report import Cell, Column, Layout, Report, Table
from gocost.reporters.flame import flame
from gocost.reporters.interface import Settings
from tests.reporters.conftest import rendered
from tests.reporters.reports import REPORTS, flamed

NAMES = ("function", "parent", "self")


def test_frames_are_columns_with_each_name_once() -> None:
    data = flame(flamed().tables["stacks"])

    assert data is not None
    assert data["level"] == "function"
    assert data["unit"] == "nanoseconds"
    assert [data["names"][number] for number in data["name"]] == [
        "main.main", "example.com/shop/cart.(*Cart).Total", "encoding/json.Marshal",
        "encoding/json.Marshal", "(small)",
    ]  # fmt: skip
    assert len(data["names"]) == 4
    assert data["parent"] == [-1, 0, 1, 0, 0]
    assert data["self"] == [0, 3_000_000_000, 2_000_000_000, 500_000_000, 10]
    assert data["base"] == [0, 1_000_000_000, 2_000_000_000, 900_000_000, 0]
    assert (data["money"][1], data["currency"], data["per"]) == (7.5, "USD", "/month")
    assert data["change"][:4] == [0, 5, 0, -1]


def test_a_change_in_money_is_one_where_something_is_compared() -> None:
    stacks = flamed().tables["stacks"]
    kept = [i for i, name in enumerate(stacks.names()) if name not in ("base", "delta")]
    alone = msgspec.structs.replace(
        stacks,
        columns=tuple(stacks.columns[i] for i in kept),
        rows=[[row[i] for i in kept] for row in stacks.rows],
    )

    assert "change" not in (flame(alone) or {})


def test_a_caller_that_does_not_stand_before_its_frame_calls_nothing() -> None:
    rows: list[list[Cell]] = [["a", 0, 1], ["b", 7, 1], ["c", -3, 1], ["d", "a", 1], ["e", 1, 1]]
    data = flame(Table("t", tuple(map(Column, NAMES)), rows))

    assert data is not None
    assert data["parent"] == [-1, -1, -1, -1, 1]


def test_what_is_no_number_above_zero_is_not_drawn() -> None:
    rows: list[list[Cell]] = [
        ["a", None, float("nan")],
        ["b", None, -5],
        ["c", None, float("inf")],
        ["d", None, 2],
    ]
    data = flame(Table("t", tuple(map(Column, NAMES)), rows))

    assert data is not None
    assert data["self"] == [0, 0, 0, 2]


def test_a_table_without_a_tree_or_without_costs_is_left_out() -> None:
    assert flame(Table("t", tuple(map(Column, ("a", "b"))), [["x", 1]])) is None
    assert flame(Table("t", tuple(map(Column, NAMES)), [["x", None, 0]])) is None
    assert flame(Table("t", tuple(map(Column, NAMES)), [])) is None
    gone = Report("profile", "0", layout=Layout(flames=("stacks",)))
    assert "section class" not in rendered("html", gone)


def test_a_page_without_a_flame_graph_does_not_carry_its_script() -> None:
    assert "d3-flame-graph" in rendered("html", flamed())
    assert "d3-flame-graph 5" not in rendered("html", REPORTS["size"]())


def test_names_cannot_end_the_data() -> None:
    rows = [["</script><script>alert(1)</script>", None, 5]]
    table = Table("t", tuple(map(Column, NAMES)), rows)
    text = rendered("html", Report("profile", "0", tables={"s": table},
                                   layout=Layout(tables=(), flames=("s",))))  # fmt: skip

    assert "<script>alert" not in text


def test_the_frames_are_no_rows_of_the_page_and_top_does_not_cut_the_graph() -> None:
    text = rendered("html", flamed(), Settings(top=1))

    assert text.count("example.com/shop/cart.(*Cart).Total") == 2  # the graph and the functions
    assert "More tables" not in text


def test_a_saved_report_keeps_the_graph() -> None:
    again = msgspec.json.decode(rendered("json", flamed()), type=Report)

    assert rendered("html", again) == rendered("html", flamed())
