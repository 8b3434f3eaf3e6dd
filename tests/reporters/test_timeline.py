"""Series as the lanes that the page draws: packed so that a page stays small."""

from __future__ import annotations

import random
from base64 import b64decode

import pytest

from gocost.model.quantity import Unit
from gocost.model.report import Column, Layout, Report, Series, Table
from gocost.reporters.timeline import timeline
from tests.reporters.conftest import rendered

BUSY, RAN = "scheduler.utilisation", "scheduler.running"
LAYOUT = Layout(tables=(), timeline=(BUSY, RAN))


def traced() -> Report:
    """A report with a timeline: two Ps in two states, a group, collections and stops."""
    busy = [0.0, 0.5, 1.0, None]
    spans = (
        Column("kind"), Column("start", Unit.NANOSECONDS), Column("duration", Unit.NANOSECONDS)
    )  # fmt: skip
    return Report(
        "trace",
        "0",
        series=[
            Series(BUSY, Unit.RATIO, 0.0, 0.5, list(busy), {"proc": "0", "state": "running"}),
            Series(BUSY, Unit.RATIO, 0.0, 0.5, [0.0] * 4, {"proc": "0", "state": "syscall"}),
            Series(BUSY, Unit.RATIO, 0.0, 0.5, [0.25] * 4, {"proc": "1", "state": "running"}),
            Series(RAN, Unit.COUNT, 0.0, 0.5, [0.0, 0.0, 3.0, 1.5], {"entry": "main.work"}),
            Series("memory.rss", Unit.BYTES, 0.0, 1.0, [1.0, 2.0]),
        ],
        tables={
            "gc": Table("garbage collections", spans, [["mark", 500_000_000, 250_000_000]]),
            "other": Table("other", (Column("a"),), [["x"]]),
        },
        layout=LAYOUT,
    )


def unpacked(text: str) -> list[int]:
    data = b64decode(text)
    return [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]


def test_states_are_layers_of_one_lane() -> None:
    data = timeline(traced())

    assert data is not None
    assert [lane["name"] for lane in data["lanes"]] == ["proc 0", "proc 1", "entry main.work"]
    first = data["lanes"][0]
    assert [layer["name"] for layer in first["layers"]] == ["running", "syscall"]
    assert unpacked(first["layers"][0]["values"]) == [0, 32768, 65535, 0]
    assert first["layers"][1]["values"] == ""
    assert (first["most"], data["lanes"][2]["most"]) == (1.0, 3.0)
    assert (data["start"], data["step"], data["bins"]) == (0.0, 0.5, 4)


def test_tables_with_start_and_duration_are_spans_in_seconds() -> None:
    data = timeline(traced())

    assert data is not None
    assert data["spans"] == [
        {"title": "garbage collections", "kinds": ["mark"], "rows": [[0.5, 0.25, 0]]}
    ]


def test_a_report_without_lanes_has_no_timeline() -> None:
    assert timeline(Report("trace", "0", layout=LAYOUT)) is None
    assert 'id="timeline"' not in rendered("html", Report("trace", "0", layout=LAYOUT))


def test_series_of_another_grid_are_left_out() -> None:
    odd = Series(RAN, Unit.COUNT, 0.0, 0.25, [1.0] * 8, {"entry": "odd"})
    report = traced()
    report.series.append(odd)

    data = timeline(report)

    assert data is not None
    assert "entry odd" not in [lane["name"] for lane in data["lanes"]]


def test_what_is_a_lane_is_no_chart() -> None:
    text = rendered("html", traced())

    assert 'id="timeline"' in text
    assert text.count('class="chart"') == 1  # memory.rss
    assert "memory.rss" in text


def test_a_page_of_many_lanes_stays_below_five_megabytes() -> None:
    rng = random.Random(1)
    values: list[float | None] = [rng.random() for _ in range(4096)]
    series = [
        Series(BUSY, Unit.RATIO, 0.0, 0.001, values, {"proc": str(proc), "state": state})
        for proc in range(64)
        for state in ("running", "syscall")
    ]
    series += [Series(RAN, Unit.COUNT, 0.0, 0.001, values, {"entry": f"f{i}"}) for i in range(31)]

    assert len(rendered("html", Report("trace", "0", series=series, layout=LAYOUT))) < 5_000_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, None])
def test_what_is_no_number_above_zero_is_nothing(value: float | None) -> None:
    series = Series(RAN, Unit.COUNT, 0.0, 1.0, [value, 1.0])

    data = timeline(Report("trace", "0", series=[series], layout=LAYOUT))

    assert data is not None
    assert unpacked(data["lanes"][0]["layers"][0]["values"]) == [0, 65535]
