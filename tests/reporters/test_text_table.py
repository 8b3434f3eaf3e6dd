"""Names of generic functions and stacks of calls in tables for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.model.quantity import Unit
from gocost.model.report import Column, Table
from gocost.reporters.text_table import cells, cut, grid, wrap

LONG = 300_000
GENERIC = (
    "slices.partitionCmpFunc[go.shape.struct { encoding/json.v reflect.Value; "
    "encoding/json.ks string }]"
)


def test_a_generic_function_leaves_the_numbers_their_room() -> None:
    columns = (
        Column("function"), Column("other"),
        *(Column(name, Unit.NANOSECONDS) for name in ("value", "cumulative")),
    )  # fmt: skip
    made = grid(Table("calls", columns, [(GENERIC, GENERIC, 1_000_000, 2_000_000)]), 60)
    assert made.left_out == []
    assert not any(made.prose), "a name is cut, and not spread over lines"


def test_types_are_left_out_of_a_name_before_its_middle_is() -> None:
    assert cut(GENERIC, 30) == "slices.partitionCmpFunc[…]"
    assert cut(GENERIC, len(GENERIC)) == GENERIC
    assert cut("sync/atomic.(*Pointer[go.shape.struct { a int }]).Load", 32) == (
        "sync/atomic.(*Pointer[…]).Load"
    )
    assert cells(cut(GENERIC, 12)) == 12


def test_a_stack_is_shown_whole_and_broken_between_its_calls() -> None:
    stack = "runtime.gopark;runtime.chanrecv;main.work;main.main"
    columns = (Column("value", Unit.COUNT), Column("stack"))
    made = grid(Table("samples", columns, [(1, stack)]), 40)
    assert made.prose == [False, True]
    assert wrap(stack, 34) == ["runtime.gopark;runtime.chanrecv;", "main.work;main.main"]


@pytest.mark.parametrize(
    ("unit", "zero"), [(Unit.BYTES, "0 B"), (Unit.NANOSECONDS, "0 s"), (Unit.COUNT, "0")]
)
def test_what_was_measured_as_zero_is_told_from_what_is_not_there(unit: Unit, zero: str) -> None:
    columns = (Column("function"), Column("value", unit))
    made = grid(Table("functions", columns, [("main.main", 0), ("main.work", None)]), 40)
    assert made.rows == [["main.main", zero], ["main.work", ""]]


@given(st.text(alphabet="ab; [", max_size=20))
def test_wrapping_loses_nothing_but_blanks(text: str) -> None:
    assert "".join(wrap(text, 5)).replace(" ", "") == text.replace(" ", "")
    assert wrap(text, 40) == [text]


def test_the_fields_of_a_struct_among_its_types_make_a_name_no_stack() -> None:
    name = (
        "example.com/store.(*Map[go.shape.string,go.shape.struct { recent [10]int; "
        "next struct { a int; b int }; books int }]).Update"
    )
    columns = (Column("function"), Column("value", Unit.COUNT))
    made = grid(Table("functions", columns, [(name, 1)]), 50)
    assert made.prose == [False, False]
    assert cut(name, 40) == "example.com/store.(*Map[…]).Update"


@pytest.mark.parametrize(
    "name",
    ["a[" * LONG, ";;" + "{" * LONG + "}" * LONG, "[" * LONG + "]" * LONG, ";;" + "{};" * LONG],
    ids=["types", "fields", "brackets", "structs"],
)
def test_a_name_that_somebody_made_long_is_cut_at_once(name: str) -> None:
    """What looks at a character again for each other one would not come to an end."""
    columns = (Column("function"), Column("value", Unit.COUNT))
    made = grid(Table("functions", columns, [(name, 1)]), 50)
    assert made.widths[0] < 50
    assert cells(cut(name, 40)) <= 40


def test_braces_that_are_no_struct_s_are_no_fields() -> None:
    columns = (Column("stack"), Column("value", Unit.COUNT))
    for stack in ("main.f{;main.g;main.h", "main.f};main.g;{main.h"):
        assert grid(Table("samples", columns, [(stack, 1)]), 30).prose == [True, False]


@pytest.mark.parametrize(
    ("path", "width", "shown"),
    [
        ("/usr/local/go/src/runtime/preempt_amd64.s", 29, "…/src/runtime/preempt_amd64.s"),
        ("/usr/local/go/src/runtime/preempt_amd64.s", 20, "…/preempt_amd64.s"),
        ("/usr/local/go/src/runtime/preempt_amd64.s:9", 20, "…/preempt_amd64.s:9"),
        ("encoding/json/decode.go", 16, "…/json/decode.go"),
        ("/src/a_name_that_is_longer_than_the_column.go", 14, "…the_column.go"),
        ("/äöü/größer.go", 12, "…/größer.go"),
    ],
)
def test_of_a_path_the_file_is_kept(path: str, width: int, shown: str) -> None:
    assert cut(path, width) == shown
    assert cut(path, len(path)) == path


def test_of_a_function_both_ends_are_kept() -> None:
    assert cut("example.com/pay/internal/api.(*API).call", 21) == "example.co…*API).call"


def test_of_code_the_end_is_cut_off_and_nothing_else() -> None:
    line = "if e := s.entries[d.key]; e != nil && !now.Before(e.expires) {"
    columns = (Column("line", Unit.NUMBER, ""), Column("source", Unit.CODE, ""))
    made = grid(Table("", columns, [(1189, line), (1190, "世界" * 30)]), 40)
    ((first,), (second,)) = made.by_row()
    number, _, shown = first.partition("  ")
    assert number.strip() == "1189"
    assert shown.endswith("…")
    assert line.startswith(shown.removesuffix("…"))
    assert len(shown) > 30
    assert cells(second) <= 40
