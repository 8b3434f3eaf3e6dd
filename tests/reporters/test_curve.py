"""A table as a curve over a logarithmic axis: in the page, and under the pointer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Layout, Report, Table
from gocost.reporters.curve import Curve, curve
from tests.reporters.conftest import Open, rendered

WINDOWS: list[list[Cell]] = [
    [1_000, 0.0, 5], [2_000, 0.125, 5], [100_000, 0.5, 7], [10_000_000, 0.9, 0],
]  # fmt: skip


def windows(rows: list[list[Cell]] | None = None) -> Table:
    """What `gocost trace mmu` makes."""
    columns = (
        Column("window", Unit.NANOSECONDS),
        Column("mmu", Unit.RATIO),
        Column("worst_at", Unit.NANOSECONDS),
    )
    return Table("Minimum mutator utilisation", columns, WINDOWS if rows is None else rows)


def report(rows: list[list[Cell]] | None = None, up: str = "mmu") -> Report:
    layout = Layout(curves={"mmu": ("window", up), "gone": ("a", "b")}, rows=0)
    return Report("trace", "0", tables={"mmu": windows(rows)}, layout=layout)


def drawn(rows: list[list[Cell]] | None = None) -> Curve:
    found = curve(windows(rows), "window", "mmu")
    assert found is not None
    return found


def test_a_power_of_ten_is_as_wide_as_any_other() -> None:
    found = drawn()

    assert [mark.name for mark in found.across] == ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms"]
    assert [mark.at for mark in found.across] == ["0.00%", "25.00%", "50.00%", "75.00%", "100.00%"]
    assert [mark.name for mark in found.up] == ["0%", "25%", "50%", "75%", "100%"]
    assert found.up[0].at == "100.00%"


def test_every_row_is_a_point() -> None:
    found = drawn()

    assert found.dots == [
        ("0.00%", "100.00%"), ("7.53%", "87.50%"), ("50.00%", "50.00%"), ("100.00%", "10.00%"),
    ]  # fmt: skip
    assert found.path == "M0.0 1000.0L75.3 875.0L500.0 500.0L1000.0 100.0"
    assert found.points[1] == ("2 µs", "mmu 12.5%", 0.0753)
    assert found.said == "0% of 1 µs, 90% of 10 ms"


def test_rows_in_any_order_are_one_line_from_left_to_right() -> None:
    assert drawn(WINDOWS[::-1]).path == drawn().path


@pytest.mark.parametrize(
    "rows",
    [
        [],
        WINDOWS[:1],
        [[0, 0.5, 0], [-5, 0.5, 0], [1_000, 0.5, 0]],
        [[float("nan"), 0.5, 0], [float("inf"), 0.5, 0], [10**400, 0.5, 0], [1_000, None, 0]],
        [["1 us", 0.5, 0], [True, 0.5, 0], [1_000, "half", 0], [2_000, float("nan"), 0]],
    ],
)
def test_without_two_points_there_is_no_curve(rows: list[list[Cell]]) -> None:
    assert curve(windows(rows), "window", "mmu") is None


def test_the_page_has_it_above_its_table_and_nothing_of_columns_that_are_not_there() -> None:
    text = rendered("html", report())

    assert text.index('class="chart curve"') < text.index("<th scope")
    assert text.count("<circle") == len(WINDOWS)
    label = text.split('<svg role="img" aria-label="')[1].split('"')[0]
    assert label.startswith("Minimum mutator utilisation: mmu over window, 0% of 1 µs")
    for other in (report(up="other"), report(WINDOWS[:1])):
        assert '<figure class="chart curve"' not in rendered("html", other)


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
@pytest.mark.parametrize("width", [1200, 400])
def test_the_pointer_says_the_nearest_point_and_the_labels_do_not_meet(
    width: int, page: Open
) -> None:
    chrome = page(report())
    chrome.set_window_size(width, 900)
    svg = chrome.find_element(By.CSS_SELECTOR, ".curve > svg")

    ActionChains(chrome, duration=0).move_to_element_with_offset(svg, 3, 0).perform()

    said = chrome.find_element(By.CSS_SELECTOR, ".curve [data-value]")
    assert said.text == "100 µs: mmu 50%"
    boxes = [each.rect for each in chrome.find_elements(By.CSS_SELECTOR, ".curve text.across")]
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] < right["x"]
    assert chrome.execute_script("return document.documentElement.scrollWidth <= innerWidth")
