"""The flame graph in a real browser: search, zoom, differences, money, the keyboard, sandwiches."""

from __future__ import annotations

import msgspec
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Layout, Report, Table
from tests.reporters.conftest import Open
from tests.reporters.reports import flamed

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DEADLINE = 20
TOTAL = "example.com/shop/cart.(*Cart).Total"
JSON = "encoding/json.Marshal"


def report_of(frames: list[tuple[str, int | None, int]], title: str = "cpu by stack") -> Report:
    """A report whose page is a flame graph and a table of its functions."""
    columns = (Column("function"), Column("parent", Unit.COUNT), Column("self", Unit.NANOSECONDS))
    rows: list[list[Cell]] = [list(frame) for frame in frames]
    names: list[list[Cell]] = [[name] for name in dict.fromkeys(row[0] for row in frames)]
    tables = {
        "functions": Table("functions", (Column("function"),), names),
        "stacks": Table(title, columns, rows),
    }
    layout = Layout(tables=("functions",), flames=("stacks",))
    return Report("profile", "0", tables=tables, layout=layout)


def without(report: Report, *names: str) -> Report:
    """The report without these columns of its stacks."""
    stacks = report.tables["stacks"]
    kept = [i for i, name in enumerate(stacks.names()) if name not in names]
    rest = msgspec.structs.replace(
        stacks,
        columns=tuple(stacks.columns[i] for i in kept),
        rows=[[row[i] for i in kept] for row in stacks.rows],
        sums_to=None,
    )
    return msgspec.structs.replace(report, tables={**report.tables, "stacks": rest})


# main calls a (6 s itself, and b for 3 s) and b (1 s).
PLAIN: list[tuple[str, int | None, int]] = [
    ("main", None, 0), ("a", 0, 6_000_000_000), ("b", 1, 3_000_000_000), ("b", 0, 1_000_000_000)
]  # fmt: skip


def frames(chrome: webdriver.Chrome, within: str = ".flame > .graph") -> list[WebElement]:
    return chrome.find_elements(By.CSS_SELECTOR, f"{within} g.frame")


def words(chrome: webdriver.Chrome, within: str = ".flame > .graph") -> list[str]:
    """What a screen reader says of every frame."""
    return [frame.get_attribute("aria-label") or "" for frame in frames(chrome, within)]


def frame(chrome: webdriver.Chrome, start: str, within: str = ".flame > .graph") -> WebElement:
    """The first frame whose words begin so."""
    return next(
        each
        for each in frames(chrome, within)
        if (each.get_attribute("aria-label") or "").startswith(start)
    )


def width(element: WebElement) -> float:
    """How wide a frame is drawn, once it has come to rest: the rectangle follows its group."""

    def drawn(each: WebElement) -> str | None:
        return each.find_element(By.TAG_NAME, "rect").get_attribute("width")

    WebDriverWait(element, DEADLINE).until(lambda each: drawn(each) == each.get_attribute("width"))
    return float(drawn(element) or 0)


def said(chrome: webdriver.Chrome) -> str:
    return chrome.find_element(By.CSS_SELECTOR, ".flame > .said").text


def test_frames_say_total_share_and_self_in_the_unit(page: Open) -> None:
    chrome = page(report_of(PLAIN))

    assert words(chrome) == [
        "everything: 10 s (100%), 0 s in itself",
        "main: 10 s (100%), 0 s in itself",
        "a: 9 s (90%), 6 s in itself",
        "b: 1 s (10%), 1 s in itself",
        "b: 3 s (30%), 3 s in itself",
    ]
    assert width(frame(chrome, "a")) == pytest.approx(0.9 * width(frame(chrome, "main")))


def test_a_click_zooms_and_the_button_leads_back(page: Open) -> None:
    chrome = page(report_of(PLAIN))
    whole = width(frame(chrome, "everything"))
    out = chrome.find_element(By.CSS_SELECTOR, ".flame [data-out]")
    assert not out.is_displayed()

    frame(chrome, "b: 3 s").click()

    assert width(frame(chrome, "b: 3 s")) == pytest.approx(whole)
    assert not [text for text in words(chrome) if text.startswith("b: 1 s")]
    out.click()
    assert width(frame(chrome, "b: 3 s")) == pytest.approx(0.3 * whole)
    assert not out.is_displayed()


def test_the_graph_goes_by_keyboard_alone(page: Open) -> None:
    chrome = page(report_of(PLAIN))
    whole = width(frame(chrome, "everything"))
    search = chrome.find_element(By.CSS_SELECTOR, ".flame input")
    search.send_keys(Keys.TAB)

    def press(key: str) -> str:
        chrome.switch_to.active_element.send_keys(key)
        return (chrome.switch_to.active_element.get_attribute("aria-label") or "").split(",")[0]

    assert press(Keys.ARROW_DOWN) == "main: 10 s (100%)"
    assert press(Keys.ARROW_DOWN) == "a: 9 s (90%)"
    assert press(Keys.ARROW_RIGHT) == "b: 1 s (10%)"
    assert said(chrome) == "b: 1 s (10%), 1 s in itself"
    assert press(Keys.ARROW_LEFT) == "a: 9 s (90%)"
    press(Keys.ENTER)
    assert width(frame(chrome, "a")) == pytest.approx(whole)
    assert press(Keys.ESCAPE) == "main: 10 s (100%)"
    assert width(frame(chrome, "a")) == pytest.approx(0.9 * whole)
    press(Keys.ARROW_DOWN)
    press("s")
    assert chrome.find_element(By.CSS_SELECTOR, ".sandwich h3").text == "a"


def test_search_lights_and_counts_what_matches_once(page: Open) -> None:
    chrome = page(report_of([*PLAIN, ("b", 2, 500_000_000)]))

    chrome.find_element(By.CSS_SELECTOR, ".flame input").send_keys("B")

    found = chrome.find_element(By.CSS_SELECTOR, ".flame [data-found]")
    WebDriverWait(chrome, DEADLINE).until(lambda _: "frames" in found.text)
    assert found.text == "4.5 s (42.9%) in 3 frames"  # the b within a b counts once
    assert len(chrome.find_elements(By.CSS_SELECTOR, ".flame > .graph g.lit")) == 3


def test_a_row_of_the_table_leads_to_callers_and_callees(page: Open) -> None:
    chrome = page(report_of([*PLAIN, ("c", 2, 2_000_000_000)]))

    for button in chrome.find_elements(By.CSS_SELECTOR, "[data-table] button.link"):
        if button.text == "b":
            button.click()

    callers, callees = ".sandwich .graph", ".sandwich .graph ~ .graph"
    assert chrome.find_element(By.CSS_SELECTOR, ".sandwich h3").text == "b"
    told = chrome.find_element(By.CSS_SELECTOR, ".sandwich [data-sum]").text
    assert told == "6 s (50%), 4 s in itself, on 2 paths of callers"
    above = [text for text in words(chrome, callers) if text not in words(chrome, callees)]
    assert above == ["b: 6 s (50%)", "a: 5 s (41.7%)", "main: 1 s (8.33%)", "main: 5 s (41.7%)"]
    assert words(chrome, callees) == [
        "b: 6 s (50%), 4 s in itself",
        "c: 2 s (16.7%), 2 s in itself",
    ]


def test_recursion_counts_once_in_a_sandwich(page: Open) -> None:
    chrome = page(report_of([("f", None, 1_000_000_000), ("g", 0, 0), ("f", 1, 3_000_000_000)]))

    chrome.find_element(By.CSS_SELECTOR, "[data-table] button.link").click()

    told = chrome.find_element(By.CSS_SELECTOR, ".sandwich [data-sum]").text
    assert told == "4 s (100%), 1 s in itself, on one path of callers"


def test_a_difference_says_and_shows_what_grew_and_what_shrank(page: Open) -> None:
    chrome = page(flamed())

    texts = {text.split(":")[0]: text for text in words(chrome)}
    assert "before 3 s, +2 s (+66.7%)" in texts[TOTAL]
    shrank = frame(chrome, f"{JSON}: -1.00 USD/month (1.25 USD/month now), 500 ms")
    assert "before 900 ms, -400 ms (-44.4%)" in (shrank.get_attribute("aria-label") or "")
    assert "(small)" not in texts  # 10 ns are narrower than a pixel
    red, _, blue = rgb(frame(chrome, TOTAL))
    assert red > blue
    red, _, blue = rgb(shrank)
    assert blue > red
    assert chrome.find_element(By.CSS_SELECTOR, ".flame > [data-legend]").is_displayed()


def test_the_width_may_be_now_before_or_what_it_costs_more_or_less(page: Open) -> None:
    chrome = page(flamed())

    def part(way: str) -> float:
        chrome.find_element(By.CSS_SELECTOR, f".flame option[value={way}]").click()
        return width(frame(chrome, TOTAL)) / width(frame(chrome, "everything"))

    assert part("either") == pytest.approx(5 / 5.9)
    assert part("now") == pytest.approx(5 / 5.5)
    assert part("base") == pytest.approx(3 / 3.9)
    assert part("change") == pytest.approx(5 / 6)
    ways = chrome.find_elements(By.CSS_SELECTOR, ".flame select option")
    assert [way.text for way in ways] == [
        "larger of before and now", "now", "before", "change in money"
    ]  # fmt: skip


def test_a_difference_says_what_it_costs_more_or_less_and_what_it_costs_now(page: Open) -> None:
    chrome = page(flamed())

    assert words(chrome)[0].startswith("everything: +4.00 USD/month (13.75 USD/month now), 5.5 s")
    total = frame(chrome, TOTAL).get_attribute("aria-label") or ""
    assert total.startswith(f"{TOTAL}: +5.00 USD/month (12.50 USD/month now), 5 s")
    assert "before 3 s, +2 s" in total

    chrome.find_element(By.CSS_SELECTOR, ".flame option[value=change]").click()
    search = chrome.find_element(By.CSS_SELECTOR, ".flame input")
    found = chrome.find_element(By.CSS_SELECTOR, ".flame [data-found]")
    search.send_keys("json")
    WebDriverWait(chrome, DEADLINE).until(lambda _: found.text == "-1.00 USD/month in 2 frames")
    frame(chrome, TOTAL).send_keys("s")
    told = chrome.find_element(By.CSS_SELECTOR, ".sandwich [data-sum]")
    assert told.text.startswith("+5.00 USD/month (12.50 USD/month now)")


def test_a_difference_of_which_only_now_has_a_price_says_that_it_is_now(page: Open) -> None:
    chrome = page(without(flamed(), "money_delta"))

    assert words(chrome)[0].startswith("everything: 13.75 USD/month now, 5.5 s")


def test_money_is_the_width_where_nothing_is_compared(page: Open) -> None:
    chrome = page(without(flamed(), "base", "delta", "money_delta"))

    ways = chrome.find_elements(By.CSS_SELECTOR, ".flame select option")
    assert [way.text for way in ways] == ["time", "money"]
    assert chrome.find_element(By.CSS_SELECTOR, ".flame select").get_attribute("value") == "money"
    assert words(chrome)[0] == "everything: 13.75 USD/month, 5.5 s (100%), 0 s in itself"


def test_dark_pages_have_dark_frames(page: Open) -> None:
    chrome = page(report_of(PLAIN))
    light = sum(rgb(frame(chrome, "a")))

    button = chrome.find_element(By.ID, "theme")
    button.click()
    button.click()

    assert button.text == "Theme: dark"
    assert sum(rgb(frame(chrome, "a"))) < light / 1.5


def test_many_frames_are_few_elements(page: Open) -> None:
    many: list[tuple[str, int | None, int]] = [("root", None, 0)]
    many += [(f"f{i}", 0, 1_000_000 + i) for i in range(20_000)]
    chrome = page(report_of([*many, ("large", 0, 10**10)]))

    assert len(frames(chrome)) < 100
    frame(chrome, "large").click()
    assert "large: 10 s" in said(chrome)


def test_a_narrow_screen_has_the_whole_graph(page: Open) -> None:
    chrome = page(flamed())
    chrome.set_window_size(520, 900)
    try:
        WebDriverWait(chrome, DEADLINE).until(
            lambda _: (
                width(frame(chrome, "everything")) < chrome.execute_script("return innerWidth")
            )
        )
        assert not chrome.execute_script("return document.documentElement.scrollWidth > innerWidth")
    finally:
        chrome.set_window_size(1200, 1600)


def rgb(element: WebElement) -> list[int]:
    """Red, green and blue of a frame."""
    colour = element.find_element(By.TAG_NAME, "rect").value_of_css_property("fill")
    return [int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
