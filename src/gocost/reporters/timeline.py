"""Series of a report as the lanes of the timeline that the HTML page draws on a canvas.

Series of one metric that differ in the label `state` alone are layers of one lane, on top of each
other. Values travel as 16 bits of the lane's largest one, so that a page of hundreds of lanes of
thousands of bins has a few megabytes. Tables with the columns `start` and `duration` (nanoseconds)
are spans that are marked over all lanes.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final

from gocost.model.quantity import Unit
from gocost.model.report import Report, Series, Table
from gocost.reporters.wording import plain

LEVELS: Final = 65_535
MOST_SPANS: Final = 20_000
"""Of a table; the longest are kept."""
_STATE: Final = "state"


def timeline(report: Report) -> dict[str, Any] | None:
    """What the page's script needs, or None where there is nothing to draw."""
    lanes: dict[tuple[str, str], list[Series]] = {}
    for metric in report.layout.timeline:
        for series in report.series:
            if series.metric == metric and series.values:
                name = ", ".join(
                    f"{key} {value}" for key, value in series.labels.items() if key != _STATE
                )
                lanes.setdefault((metric, name), []).append(series)
    if not lanes:
        return None
    first = next(iter(lanes.values()))[0]
    alike = {
        key: [each for each in layers if (each.step, len(each.values)) == _grid(first)]
        for key, layers in lanes.items()
    }
    return {
        "start": first.start,
        "step": first.step,
        "bins": len(first.values),
        "lanes": [_lane(*key, layers) for key, layers in alike.items() if layers],
        "spans": [span for table in report.tables.values() if (span := _spans(table)) is not None],
    }


def _grid(series: Series) -> tuple[float, int]:
    return series.step, len(series.values)


def _lane(metric: str, name: str, layers: Sequence[Series]) -> dict[str, Any]:
    most = max((_number(v) for each in layers for v in each.values), default=0.0)
    if layers[0].unit is Unit.RATIO:
        most = max(1.0, most)
    return {
        "metric": plain(metric),
        "name": plain(name),
        "unit": layers[0].unit.value,
        "most": most,
        "layers": [
            {"name": plain(each.labels.get(_STATE, "")), "values": _packed(each.values, most)}
            for each in layers
        ],
    }


def _packed(values: Sequence[float | None], most: float) -> str:
    """16 bits a value, low byte first; nothing where all are nothing."""
    scale = LEVELS / most if most else 0.0
    levels = [round(_number(value) * scale) for value in values]
    if not any(levels):
        return ""
    return b64encode(b"".join(level.to_bytes(2, "little") for level in levels)).decode()


def _number(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) and value > 0 else 0.0


def _spans(table: Table) -> dict[str, Any] | None:
    names = table.names()
    if "start" not in names or "duration" not in names:
        return None
    start, duration = names.index("start"), names.index("duration")
    rows = [
        (begin / 1e9, took / 1e9, plain(str(row[0])) if isinstance(row[0], str) else "")
        for row in table.rows
        if isinstance(begin := row[start], int) and isinstance(took := row[duration], int)
    ]
    rows = sorted(sorted(rows, key=lambda row: -row[1])[:MOST_SPANS])
    kinds = sorted({kind for *_, kind in rows})
    place = {kind: number for number, kind in enumerate(kinds)}
    return (
        {
            "title": plain(table.title),
            "kinds": kinds,
            "rows": [[begin, took, place[kind]] for begin, took, kind in rows],
        }
        if rows
        else None
    )
