"""What tests of several rooms share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from selenium import webdriver

# How long an example takes depends on what else the machine does; benchmarks look at time.
settings.register_profile("gocost", deadline=None)
settings.load_profile("gocost")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1600",
)


@pytest.fixture(scope="session", autouse=True)
def _on_a_developers_machine() -> Iterator[None]:
    """A modified tree blocks in CI, and reports are as wide as COLUMNS: tests are the same wherever
    they run, and some set these.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CI", "COLUMNS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with an empty profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    started.get("about:blank")  # away from the browser's own first page
    yield started
    started.quit()
