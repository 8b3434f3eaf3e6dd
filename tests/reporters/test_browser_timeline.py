"""The timeline in a real browser: zoom by hand and by keyboard, what is under the pointer."""

from __future__ import annotations

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from gocost.model.quantity import Unit
from gocost.model.report import Layout, Report, Series
from tests.reporters.conftest import Open
from tests.reporters.test_timeline import BUSY, RAN, traced

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def long(lanes: int, bins: int) -> Report:
    """A second of many lanes, each busy in one tenth of it."""
    series = [
        Series(
            RAN, Unit.COUNT, 0.0, 1 / bins,
            [float(lane % 10 == 10 * i // bins) for i in range(bins)], {"entry": f"f{lane}"},
        )
        for lane in range(lanes)
    ]  # fmt: skip
    return Report("trace", "0", series=series, layout=Layout(tables=(), timeline=(BUSY, RAN)))


def canvas(chrome: webdriver.Chrome) -> WebElement:
    return chrome.find_element(By.CSS_SELECTOR, "#timeline canvas")


def shown(chrome: webdriver.Chrome) -> tuple[float, float]:
    """The time that is shown, in seconds."""
    found = canvas(chrome)
    start, end = found.get_attribute("data-from"), found.get_attribute("data-to")
    return float(start or "nan"), float(end or "nan")


def said(chrome: webdriver.Chrome) -> str:
    return chrome.find_element(By.CSS_SELECTOR, "#timeline > .said").text


def test_all_of_it_is_shown_at_first(page: Open) -> None:
    chrome = page(traced())

    assert shown(chrome) == (0.0, 2.0)
    assert chrome.find_element(By.CSS_SELECTOR, "[data-range]").text == "0 s to 2 s"
    assert said(chrome) == "P 0: 37.5% running, 0% syscall on average"
    legend = chrome.find_element(By.CSS_SELECTOR, "#timeline [data-legend]")
    assert legend.text.split() == ["running", "syscall"]


def test_a_drag_zooms_into_a_time_and_a_double_click_shows_all(page: Open) -> None:
    chrome = page(long(10, 1000))
    there = canvas(chrome)

    drag = ActionChains(chrome, duration=0).move_to_element(there).click_and_hold()
    drag.move_by_offset(100, 0).release().perform()

    start, end = shown(chrome)
    assert 0.3 < start < end < 0.7
    assert end - start == pytest.approx(100 / 980, rel=0.05)
    ActionChains(chrome, duration=0).move_to_element(there).double_click().perform()
    assert shown(chrome) == (0.0, 1.0)


def test_the_timeline_goes_by_keyboard_alone(page: Open) -> None:
    chrome = page(long(10, 1000))
    place = chrome.find_element(By.CSS_SELECTOR, "#timeline .map")
    chrome.execute_script("arguments[0].focus()", place)

    def press(key: str) -> tuple[float, float]:
        chrome.switch_to.active_element.send_keys(key)
        return shown(chrome)

    assert press("+") == (0.25, 0.75)
    assert press(Keys.ARROW_RIGHT) == (0.3125, 0.8125)
    assert press("-") == (0.0, 1.0)
    assert press("+") == (0.25, 0.75)
    assert press(Keys.HOME) == (0.0, 1.0)
    press(Keys.ARROW_DOWN)
    assert said(chrome).startswith("f1: 0.1 on average")


def test_the_pointer_says_time_value_and_what_stood_still(page: Open) -> None:
    chrome = page(traced())
    there = canvas(chrome)
    width, height = there.size["width"], there.size["height"]
    label = 180
    x = label + (width - label) * 0.3  # 0.6 s, within the collection
    y = 20 + 13 + 11  # the first lane, below the ruler and one row of spans

    ActionChains(chrome, duration=0).move_to_element_with_offset(
        there, round(x - width / 2), round(y - height / 2)
    ).perform()

    tip = chrome.find_element(By.CSS_SELECTOR, "#timeline [role=tooltip]").text.splitlines()
    assert tip[0].startswith(("60", "599", "0.6"))
    assert tip[1:] == ["P 0: 50% running, 0% syscall", "mark: 250 ms"]


def test_hundreds_of_lanes_are_one_element(page: Open) -> None:
    chrome = page(long(200, 4096))

    assert len(chrome.find_elements(By.CSS_SELECTOR, "#timeline canvas")) == 1
    assert len(chrome.find_elements(By.CSS_SELECTOR, "#timeline *")) < 30
    assert int(canvas(chrome).get_attribute("data-columns") or 0) > 100_000


def test_a_lane_is_drawn_where_it_was_busy(page: Open) -> None:
    chrome = page(long(10, 1000))

    drawn = chrome.execute_script(
        """
        const canvas = document.querySelector("#timeline canvas");
        const ratio = devicePixelRatio || 1;
        const paint = canvas.getContext("2d");
        const width = canvas.clientWidth - 180;
        const row = Math.round((20 + 4 * 24 + 11) * ratio);
        const { data } = paint.getImageData(0, row, canvas.width, 1);
        return [...Array(10).keys()].map((tenth) => {
          const x = Math.round((180 + ((tenth + 0.5) / 10) * width) * ratio);
          return data[4 * x + 2] - data[4 * x] > 60;
        });
        """
    )

    assert drawn == [number == 4 for number in range(10)]


def test_a_narrow_screen_holds_it(page: Open) -> None:
    chrome = page(traced())
    chrome.set_window_size(520, 900)
    try:
        assert not chrome.execute_script("return document.documentElement.scrollWidth > innerWidth")
    finally:
        chrome.set_window_size(1200, 1600)
