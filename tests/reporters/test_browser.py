"""The HTML page opened in a real browser: it works, complains of nothing and asks nobody."""

from __future__ import annotations

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Layout, Report, Table
from tests.reporters.conftest import Open
from tests.reporters.reports import REPORTS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DEADLINE = 20


def crumbs(chrome: webdriver.Chrome) -> list[str]:
    """Where the treemap is."""
    return [part.text for part in chrome.find_elements(By.CSS_SELECTOR, "#treemap nav > *")]


def nested(modules: int, packages: int, functions: int) -> Report:
    """A report of modules x packages x functions, the first of each the largest by far."""
    rows: list[list[str | int]] = [
        [
            f"m{m}",
            f"m{m}/p{p}",
            f"m{m}/p{p}.F{f}",
            ("code", "data")[f % 2],
            1 + 10**6 * (m + p + f == 0),
        ]
        for m in range(modules)
        for p in range(packages)
        for f in range(functions)
    ]
    columns = (*map(Column, ("module", "package", "function", "kind")), Column("bytes", Unit.BYTES))
    table = Table("Functions", columns, rows)
    return Report("size", "0", tables={"f": table}, layout=Layout(tables=(), treemap="f"))


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_opens_without_a_complaint(name: str, page: Open) -> None:
    chrome = page(REPORTS[name]())

    assert chrome.title.startswith(f"gocost {REPORTS[name]().command}: ")
    assert chrome.find_element(By.TAG_NAME, "h1").is_displayed()
    assert chrome.find_element(By.ID, "theme").is_displayed()


def test_a_click_zooms_into_the_treemap_and_the_breadcrumb_leads_back(page: Open) -> None:
    chrome = page(nested(5, 5, 5))
    canvas = chrome.find_element(By.CSS_SELECTOR, "#treemap canvas")
    assert crumbs(chrome) == ["everything"]

    for expected in (["everything", "m0"], ["everything", "m0", "m0/p0"]):
        ActionChains(chrome, duration=0).move_to_element(canvas).click().perform()
        assert crumbs(chrome) == expected

    ActionChains(chrome, duration=0).move_to_element(canvas).click().perform()
    assert crumbs(chrome) == ["everything", "m0", "m0/p0"]  # a function has nothing inside
    chrome.find_element(By.CSS_SELECTOR, "#treemap nav button").click()
    assert crumbs(chrome) == ["everything"]


def test_the_tooltip_says_name_bytes_and_share(page: Open) -> None:
    chrome = page(nested(5, 5, 5))
    canvas = chrome.find_element(By.CSS_SELECTOR, "#treemap canvas")

    ActionChains(chrome, duration=0).move_to_element(canvas).perform()

    tip = chrome.find_element(By.CSS_SELECTOR, "#treemap [role=tooltip]").text
    assert tip.startswith("m0/p0\n977 KiB, 100% of all")


def test_the_treemap_goes_by_keyboard_alone(page: Open) -> None:
    chrome = page(nested(3, 3, 3))

    chrome.find_element(By.CSS_SELECTOR, "#treemap td button").send_keys(Keys.ENTER)
    assert crumbs(chrome) == ["everything", "m0"]
    chrome.switch_to.active_element.send_keys(Keys.ENTER)
    assert crumbs(chrome) == ["everything", "m0", "m0/p0"]
    search = chrome.find_element(By.CSS_SELECTOR, "#treemap input")
    search.send_keys(Keys.ESCAPE)
    assert crumbs(chrome) == ["everything", "m0"]


def test_search_lights_and_lists_what_matches(page: Open) -> None:
    chrome = page(nested(3, 3, 3))

    chrome.find_element(By.CSS_SELECTOR, "#treemap input").send_keys("m2/p1.F")

    said = chrome.find_element(By.CSS_SELECTOR, "#treemap > [aria-live]")
    WebDriverWait(chrome, DEADLINE).until(lambda _: "in 3 places" in said.text)
    listed = chrome.find_elements(By.CSS_SELECTOR, "#treemap td button")
    assert [button.text for button in listed] == ["m2"]


def test_colour_by_kind_shows_its_legend(page: Open) -> None:
    chrome = page(nested(2, 2, 2))
    legend = chrome.find_element(By.CSS_SELECTOR, "[data-legend]")
    assert not legend.is_displayed()

    chrome.find_element(By.CSS_SELECTOR, "#treemap option[value=kind]").click()

    assert legend.text.split() == ["code", "data"]


def test_a_hundred_thousand_functions_are_drawn_as_a_few_thousand_tiles(page: Open) -> None:
    chrome = page(nested(100, 20, 50))
    canvas = chrome.find_element(By.CSS_SELECTOR, "#treemap canvas")

    said = chrome.find_element(By.CSS_SELECTOR, "#treemap > [aria-live]").text
    assert "100 parts" in said
    assert 0 < int(canvas.get_attribute("data-tiles") or 0) < 5_000
    rows = chrome.find_elements(By.CSS_SELECTOR, "#treemap tbody tr")
    assert len(rows) == 41
    assert rows[-1].text.startswith("(60 others)")


def test_tables_sort_by_a_click_and_filter_by_words(page: Open) -> None:
    rows: list[list[Cell]] = [[f"name {i}", i * 7 % 12] for i in range(12)]
    table = Table("T", (Column("name"), Column("bytes", Unit.BYTES)), rows)
    chrome = page(Report("size", "0", tables={"t": table}))

    def column(index: int) -> list[str]:
        cells = chrome.find_elements(By.CSS_SELECTOR, f"[data-table] tbody td:nth-child({index})")
        return [cell.text for cell in cells if cell.is_displayed()]

    by_name, by_bytes = chrome.find_elements(By.CSS_SELECTOR, "[data-table] th button")
    by_bytes.click()
    assert column(2) == [f"{i} B" for i in reversed(range(12))]
    by_bytes.click()
    assert column(2) == [f"{i} B" for i in range(12)]
    by_name.click()
    assert column(1) == sorted(f"name {i}" for i in range(12))
    chrome.find_element(By.CSS_SELECTOR, "[data-table] input").send_keys("NAME 10")
    assert column(1) == ["name 10"]


def test_the_theme_button_turns_the_page_dark(page: Open) -> None:
    chrome = page(REPORTS["size"]())
    body = chrome.find_element(By.TAG_NAME, "body")
    button = chrome.find_element(By.ID, "theme")
    button.click()
    light = body.value_of_css_property("background-color")

    button.click()

    assert button.text == "Theme: dark"
    assert body.value_of_css_property("background-color") != light


def test_the_page_holds_on_a_narrow_screen(page: Open) -> None:
    chrome = page(REPORTS["hostile"]())
    chrome.set_window_size(520, 900)
    try:
        wide = chrome.execute_script("return document.documentElement.scrollWidth > innerWidth")
    finally:
        chrome.set_window_size(1200, 1600)

    assert not wide


def test_a_narrow_screen_cuts_no_word_and_leaves_sentences_their_room(page: Open) -> None:
    formula = "242 MiB requested and not used x 12 x 730 h x 0.004237 USD/GiB-hour"
    columns = (*map(Column, ("part", "amount", "formula")), *(Column("n", Unit.BYTES),) * 4)
    rows: list[list[Cell]] = [["memory used", "0.49 USD/month", formula, *[1 << 30] * 4]]
    report = Report("size", "0", tables={"t": Table("Costs", columns, rows)})
    chrome = page(report)
    chrome.set_window_size(500, 900)
    try:
        cells = chrome.find_elements(By.CSS_SELECTOR, "figure td")
        part, formula_cell = cells[0].rect, cells[2].rect
    finally:
        chrome.set_window_size(1200, 1600)

    assert part["width"] > 90  # `memory` is 60 px wide
    assert formula_cell["height"] < 150  # five lines


def test_the_page_prints(page: Open) -> None:
    chrome = page(REPORTS["check"]())

    assert len(chrome.print_page()) > 10_000
