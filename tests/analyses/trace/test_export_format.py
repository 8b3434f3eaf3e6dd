"""An export holds to the Trace Event Format, which chrome://tracing and Perfetto read.

What they ask of this format and drop otherwise: phases with what each needs, complete events of one
row that nest, rows that have a number, times that are numbers, begins and ends of one id, category
and name. `test_export_viewers` opens exports in the two.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from gocost.cli.main import run
from tests.fixtures.traces import recorded

NEEDS = {
    "X": {"name", "ts", "dur"},
    "b": {"name", "ts", "cat", "id"},
    "e": {"name", "ts", "cat", "id"},
    "C": {"name", "ts", "args"},
    "M": {"name", "args"},
}
LAST_DIGIT = 0.0011
"""Microseconds: times have three places, the format's nanoseconds."""


@pytest.fixture(scope="module", params=["go1.22.12", "go1.23.12", "go1.25.5", "go"])
def events(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    target: Path = tmp_path_factory.mktemp("export") / "trace.json"
    assert run(["trace", "export", str(recorded(request.param, "all")), "-o", str(target)]) == 0
    document = json.loads(target.read_text(encoding="utf-8"))
    assert document["displayTimeUnit"] in ("ms", "ns")
    found: list[dict[str, Any]] = document["traceEvents"]
    return found


def test_every_event_has_what_its_phase_needs(events: list[dict[str, Any]]) -> None:
    assert {event["ph"] for event in events} == {*NEEDS}
    for event in events:
        assert NEEDS[event["ph"]] <= {*event}, event
        assert type(event["pid"]) is int
        assert type(event["tid"]) is int
        assert isinstance(event["name"], str)
        for time in ("ts", "dur"):
            assert isinstance(event.get(time, 0), int | float)
            assert event.get(time, 0) >= 0, event
        if event["ph"] == "C":
            assert all(isinstance(value, int | float) for value in event["args"].values())
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name")
            assert isinstance(event["args"]["name"], str)


def test_slices_of_a_row_nest(events: list[dict[str, Any]]) -> None:
    rows: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            begin = event["ts"]
            rows[event["pid"], event["tid"]].append((begin, begin + event["dur"]))
    for row, slices in rows.items():
        around: list[tuple[float, float]] = []
        for begin, end in sorted(slices, key=lambda each: (each[0], -each[1])):
            while around and around[-1][1] <= begin + LAST_DIGIT:
                around.pop()
            assert not around or end <= around[-1][1] + LAST_DIGIT, (row, around[-1], (begin, end))
            around.append((begin, end))


def test_every_task_begins_before_it_ends(events: list[dict[str, Any]]) -> None:
    begun: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for event in events:
        if event["ph"] in "be":
            begun[event["cat"], event["name"], event["id"]].append(event["ts"])
    assert begun
    for times in begun.values():
        assert len(times) == 2
        assert times == sorted(times)


def test_every_row_has_a_name(events: list[dict[str, Any]]) -> None:
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    rows = {(event["pid"], event["tid"]) for event in events if event["ph"] == "X"}
    assert rows <= named
    assert all(number for _, number in rows), "Perfetto has row 0 and that of the process as one"
