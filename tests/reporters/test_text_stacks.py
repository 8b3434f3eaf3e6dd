"""Stacks on a terminal: a block a row, a frame a line, no name broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.model.quantity import Unit
from gocost.model.report import Column, Layout, Report, Table
from gocost.reporters.interface import Settings
from gocost.reporters.text_stacks import frames
from tests.reporters.conftest import rendered

COLUMNS = (
    Column("value", Unit.NANOSECONDS, additive=True),
    Column("labels", Unit.TEXT),
    Column("stack", Unit.TEXT),
)


def shown(*rows: tuple[int, str, str], width: int = 80, top: int | None = None) -> list[str]:
    """The lines of a report with these samples, without its title."""
    table = Table("Samples", COLUMNS, rows)
    report = Report("profile", "0", tables={"samples": table},
                    layout=Layout(title="cpu", stacks={"samples": "stack"}))  # fmt: skip
    settings = Settings(width=width, top=top, color=False)
    return rendered("text", report, settings).splitlines()[3:]


def test_a_sample_is_a_block_of_its_value_its_labels_and_its_frames() -> None:
    lines = shown((20_000_000, "", "a.f;b.g"), (10_000_000, "user:1 path:/x", "a.h"))

    assert lines == [
        "  20 ms",
        "      a.f",
        "      b.g",
        "",
        "  10 ms  user:1 path:/x",
        "      a.h",
    ]


def test_the_rest_is_told_beside_its_value() -> None:
    lines = shown((3_000_000, "", "a.f"), (2_000_000, "", "a.g"), (1_000_000, "", "a.h"), top=1)

    assert lines == ["  3 ms", "      a.f", "", "  3 ms  (2 others)"]


def test_a_sample_without_frames_is_its_value() -> None:
    assert shown((1_000_000, "k:v", "")) == ["  1 ms  k:v"]


@pytest.mark.parametrize("width", [30, 40, 80])
def test_a_name_is_cut_only_where_the_line_ends(width: int) -> None:
    long = "example.com/" + "x" * 100 + ".Serve"

    lines = shown((1_000_000, "k:" + "v" * 200, f"{long};main.main"), width=width)

    assert max(map(len, lines)) == width
    assert lines[-1] == "      main.main"
    assert lines[-2].endswith(".Serve")


def test_a_frame_cannot_drive_the_terminal() -> None:
    lines = shown((1_000_000, "", "a\x1b[2J;::error::b;c\nd"))

    assert len(lines) == 4
    assert not [line for line in lines if not line.isprintable() or line.strip().startswith("::")]


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("", []),
        ("a;b", ["a", "b"]),
        ("a;;b", ["a", "", "b"]),
        ("s.F[struct { a int; b int }];main.main", ["s.F[struct { a int; b int }]", "main.main"]),
        ("operator{;b;c", ["operator{", "b", "c"]),
        ("operator};b{;c", ["operator}", "b{", "c"]),
    ],
)
def test_frames_of_a_stack(stack: str, expected: list[str]) -> None:
    assert frames(stack) == expected


@given(st.lists(st.text("ab{}. ", min_size=1), min_size=1))
def test_frames_are_all_of_a_stack(names: list[str]) -> None:
    stack = ";".join(names)

    assert ";".join(frames(stack)) == stack
