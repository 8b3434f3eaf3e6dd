"""The report contract: tables that keep their sums, Arrow by name, the public form."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from gocost.model.fact import Fact
from gocost.model.quantity import Money, Unit
from gocost.model.report import Column, Layout, Report, SumsTo, Table

TABLE = Table(
    title="Packages",
    columns=(
        Column("package"),
        Column("bytes", Unit.BYTES, "in the file", additive=True),
        Column("share", Unit.RATIO),
    ),
    rows=[("a", 5, 0.5), ("b", 3, 0.3), ("c", 2, 0.2)],
    sums_to=SumsTo("bytes", "binary.size"),
)
REPORT = Report(
    command="size",
    gocost="0",
    facts=[
        Fact("binary.size", 10, Unit.BYTES),
        Fact("binary.module.size", 4, Unit.BYTES, labels={"module": "std"}),
    ],
    tables={"packages": TABLE},
    layout=Layout(title="a binary"),
)


def test_the_row_for_the_rest_keeps_the_sum() -> None:
    top = TABLE.top(1)
    assert top.column("bytes") == [5, 5]
    assert top.rows[1][0] == "(2 others)"
    assert top.rows[1][2] is None, "a share of the rest is not the sum of what was not shown"


def test_top_tells_what_it_cut_off_from_what_a_filter_left_out() -> None:
    columns = (Column("name"), Column("bytes", Unit.BYTES, additive=True))
    unmatched = ("(7 unmatched)", 90)
    table = Table("filtered", columns, [("a", 3), ("b", 2), ("c", 1), unmatched])
    assert table.top(1).rows == [("a", 3), ["(2 others)", 3], unmatched]
    assert table.top(3) is table
    assert not table.top(1).complete


def test_the_rest_of_rows_that_begin_with_an_amount_is_told_in_words() -> None:
    columns = (Column("value", Unit.COUNT, additive=True), Column("labels"), Column("stack"))
    top = Table("samples", columns, [(3, "", "a"), (2, "", "b"), (1, "", "c")]).top(1)
    assert top.rows == [(3, "", "a"), [3, "(2 others)", None]]
    assert not top.complete
    assert Table("samples", columns, [(3, "", "a")]).complete


def test_top_leaves_a_short_table_alone() -> None:
    assert TABLE.top(3) is TABLE
    assert TABLE.top(0) is TABLE


def test_tables_are_arrow_by_their_names() -> None:
    assert REPORT.packages.column("bytes").to_pylist() == [5, 3, 2]
    with pytest.raises(AttributeError, match="has no table 'modules'; it has packages"):
        _ = REPORT.modules


def test_facts_are_found_by_metric_and_labels() -> None:
    found = REPORT.fact("binary.module.size", module="std")
    assert found is not None
    assert found.value == 4
    assert REPORT.fact("binary.module.size", module="other") is None


def test_public_form_has_the_schema() -> None:
    form = json.loads(msgspec.json.encode(REPORT))
    assert form["schema"] == "gocost.report/1"
    assert form["tables"]["packages"]["sums_to"] == {"column": "bytes", "metric": "binary.size"}
    assert set(form["facts"][0]) >= {"metric", "value", "unit", "subject", "labels", "origin"}
    assert form["tables"]["packages"]["columns"][0] == {
        "name": "package",
        "unit": "text",
        "description": "",
        "additive": False,
    }


def test_public_form_reads_back() -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(REPORT), type=Report)
    assert decoded.facts == REPORT.facts
    assert decoded.tables["packages"].columns == TABLE.columns


def test_the_row_for_the_rest_adds_amounts_up() -> None:
    table = Table(
        title="bill",
        columns=(
            Column("function"),
            Column("month", Unit.MONEY_PER_MONTH, additive=True),
            Column("share", Unit.RATIO, additive=True),
        ),
        rows=[
            [name, Money(Decimal(amount)), 0.25]
            for name, amount in zip("abc", (5, 2, 1), strict=True)
        ],
    )
    assert table.top(1).rows[-1] == ["(2 others)", Money(Decimal(3)), 0.5]
