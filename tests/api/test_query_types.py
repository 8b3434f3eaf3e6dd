"""`gocost query` of profiles with several sample types: sums of one unit, and the others found."""

from __future__ import annotations

from pathlib import Path

import pytest

import gocost
from gocost.model.report import Cell
from tests.fixtures.profiles import shared


def rows(sql: str, *files: str | Path) -> list[list[Cell]]:
    return [list(row) for row in gocost.query(*files, sql=sql).tables["result"].rows]


def test_a_sum_is_of_one_type_of_value() -> None:
    heap = shared("heapage.in.pprof")  # four types, of which two are bytes
    top = gocost.profile(str(heap))
    total = sum(cell for cell in top.tables["functions"].column("flat") if isinstance(cell, int))
    for sum_of in ("sum(flat) from functions", "sum(value) from samples"):
        assert rows(f"select {sum_of}", heap) == [[total]]
    known = rows("select type, sum(flat) from functions_by_type group by 1 order by 1", heap)
    assert known == rows("select type, sum(value) from samples_by_type group by 1 order by 1", heap)
    assert [row[0] for row in known] == [
        "alloc_objects", "alloc_space", "inuse_objects", "inuse_space",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select sum(flat) from functions where type = 'inuse_space'", "functions_by_type"),
        ("select * from samples where type like 'inuse%'", "samples_by_type"),
        ("select sum(flat) from functions", ""),
        ("select sum(flat) from functions_by_type where type = 'inuse_space'", ""),
    ],
)
def test_a_type_that_a_table_has_not_is_said_where_it_is(sql: str, told: str) -> None:
    notes = [note.text for note in gocost.query(shared("heapage.in.pprof"), sql=sql).notes]
    said = f"; {told} has alloc_objects, inuse_objects, inuse_space too"
    assert [note.partition(";")[1:] for note in notes] == ([(";", said[1:])] if told else [])
