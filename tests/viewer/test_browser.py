"""The served pages in a real browser: forms, links from page to page, a closer look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.fixtures.profiles import recorded
from tests.fixtures.traces import recorded as recorded_trace
from tests.viewer.running import running

pytest.importorskip("litestar", reason="needs Litestar: pip install 'gocost[serve]'")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DEADLINE = 30


@pytest.fixture(scope="module")
def profile() -> Iterator[str]:
    with running("profile", "view", str(recorded() / "heap.1.pb.gz")) as found:
        yield found.address


@pytest.fixture(autouse=True)
def quiet(chrome: webdriver.Chrome) -> Iterator[None]:
    """Nothing may stand in the console afterwards, but for what a page says is wrong."""
    chrome.get_log("browser")  # type: ignore[no-untyped-call]
    yield
    complaints = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    assert [each for each in complaints if "400 (Bad Request)" not in each["message"]] == []


def there(chrome: webdriver.Chrome, address: str) -> bool:
    return address in chrome.current_url


def test_a_filter_and_another_sample_type_are_chosen_on_the_page(
    chrome: webdriver.Chrome, profile: str
) -> None:
    chrome.get(f"{profile}/flame")
    assert chrome.find_elements(By.CSS_SELECTOR, "g.frame")

    chrome.find_element(By.CSS_SELECTOR, "[name=sample_index] option[value=alloc_space]").click()
    chrome.find_element(By.NAME, "focus").send_keys("main", Keys.ENTER)

    WebDriverWait(chrome, DEADLINE).until(lambda each: there(each, "focus=main"))
    assert "alloc_space" in chrome.find_element(By.TAG_NAME, "h1").text
    chosen = chrome.find_element(By.NAME, "sample_index").get_attribute("value")
    assert chosen == "alloc_space"
    assert chrome.find_elements(By.CSS_SELECTOR, "g.frame")


def test_a_name_of_the_table_leads_to_its_callers_and_callees(
    chrome: webdriver.Chrome, profile: str
) -> None:
    chrome.get(f"{profile}/top?sample_index=alloc_space")
    link = chrome.find_element(By.CSS_SELECTOR, "[data-table=function] a")
    name = link.text

    link.click()

    WebDriverWait(chrome, DEADLINE).until(lambda each: there(each, "/sandwich?"))
    assert chrome.find_element(By.CSS_SELECTOR, ".sandwich h3").text == name
    assert len(chrome.find_elements(By.CSS_SELECTOR, ".sandwich .graph svg")) == 2


def test_peek_leads_from_a_function_to_what_it_calls(
    chrome: webdriver.Chrome, profile: str
) -> None:
    chrome.get(f"{profile}/peek?sample_index=alloc_space&f=main.serve%24")
    callee, *_ = [  # how many it has is for the load and the compiler to say
        row.find_element(By.TAG_NAME, "a")
        for row in chrome.find_elements(By.CSS_SELECTOR, "[data-table=other] tbody tr")
        if "callee" in row.text
    ]
    name = callee.text

    callee.click()

    WebDriverWait(chrome, DEADLINE).until(lambda each: there(each, "/peek?"))
    WebDriverWait(chrome, DEADLINE).until(lambda each: there(each, "function="))
    assert name in chrome.find_element(By.TAG_NAME, "main").text


def test_a_fault_is_said_and_can_be_mended(chrome: webdriver.Chrome, profile: str) -> None:
    chrome.get(f"{profile}/top?focus=(")
    assert "no regular expression" in chrome.find_element(By.CSS_SELECTOR, ".fault").text

    focus = chrome.find_element(By.NAME, "focus")
    assert focus.get_attribute("value") == "("
    focus.clear()
    focus.send_keys("main", Keys.ENTER)

    WebDriverWait(chrome, DEADLINE).until(lambda each: there(each, "focus=main"))
    assert not chrome.find_elements(By.CSS_SELECTOR, ".fault")


def test_a_closer_look_at_a_trace_is_finer(chrome: webdriver.Chrome) -> None:
    with running("trace", "view", str(recorded_trace("go", "all", 1.5))) as found:
        chrome.get(f"{found.address}/summary")
        look = chrome.find_element(By.CSS_SELECTOR, "[data-look]")
        assert not look.is_displayed()
        for _ in range(3):
            chrome.find_element(By.CSS_SELECTOR, "[data-do=in]").click()
        shown = chrome.find_element(By.CSS_SELECTOR, "#timeline canvas")
        before = float(shown.get_attribute("data-to") or 0)

        look.click()

        WebDriverWait(chrome, DEADLINE).until(lambda each: there(each, "from="))
        shown = chrome.find_element(By.CSS_SELECTOR, "#timeline canvas")
        assert float(shown.get_attribute("data-to") or 0) == pytest.approx(before, rel=0.01)
        assert not chrome.find_element(By.CSS_SELECTOR, "[data-look]").is_displayed()
