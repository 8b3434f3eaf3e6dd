"""A series as a line for the HTML report, drawn here so that it also prints and needs no script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gocost.model.quantity import Unit
from gocost.model.report import Series
from gocost.reporters import wording

WIDTH: Final = 600
HEIGHT: Final = 120
EDGE: Final = 4
POINTS: Final = 600
"""A page is no wider in pixels; more points are the peaks of their stretch."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws: the line's path, lone points, and words for the axes."""

    name: str
    path: str
    dots: list[tuple[float, float]]
    low: str
    high: str
    last: str
    span: str
    points: list[tuple[str, str]]
    """Time and value of each point, as the cursor says them."""


def chart(series: Series) -> Chart | None:
    """The series as a line; None where it has no values."""
    known = wording.extremes(series.values)
    if known is None:
        return None
    low, high, last = known
    values = wording.resample(series.values, POINTS)
    step = series.step * len(series.values) / len(values)
    span = high - low
    places = [
        None
        if value is None
        else (
            round(index / max(len(values) - 1, 1) * WIDTH, 1),
            round(HEIGHT - EDGE - ((value - low) / span if span else 0.5) * (HEIGHT - 2 * EDGE), 1),
        )
        for index, value in enumerate(values)
    ]
    path, dots = _path(places)
    return Chart(
        name=wording.series_name(series),
        path=path,
        dots=dots,
        low=wording.quantity(low, series.unit),
        high=wording.quantity(high, series.unit),
        last=wording.quantity(last, series.unit),
        span=wording.quantity(series.step * len(series.values), Unit.SECONDS),
        points=[
            (
                wording.quantity(series.start + index * step, Unit.SECONDS),
                "no value" if value is None else wording.quantity(value, series.unit),
            )
            for index, value in enumerate(values)
        ],
    )


def _path(places: list[tuple[float, float] | None]) -> tuple[str, list[tuple[float, float]]]:
    """Lines between neighbours; a point between two gaps has no neighbour and is a dot."""
    pieces: list[str] = []
    dots = []
    for index, place in enumerate(places):
        if place is None:
            continue
        before = places[index - 1] if index else None
        after = places[index + 1] if index + 1 < len(places) else None
        if before is None and after is None:
            dots.append(place)
        else:
            pieces.append(f"{'M' if before is None else 'L'}{place[0]:g} {place[1]:g}")
    return "".join(pieces), dots
