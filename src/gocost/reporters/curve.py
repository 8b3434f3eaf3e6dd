"""Two columns of a table as a curve over a logarithmic axis, for the HTML report.

Lengths of windows run over seven powers of ten, which an even axis cannot show. The drawing is
SVG that is made here, so that it prints and needs no script: places are shares of the picture's
width and height, so that a narrow page squeezes the curve and not the letters of its axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from gocost.model.quantity import Unit
from gocost.model.report import Cell, Table
from gocost.reporters import wording

SIZE: Final = 1000
"""Of the box that the line is in, both ways."""
_MARKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEAST: Final = 1e-15
_MOST: Final = 1e15
"""Lengths outside are none that anybody measured, and would leave no axis to read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the grid: where it is, as a share of the axis in percent, and what it is for."""

    at: str
    name: str


@dataclass(frozen=True, slots=True)
class Curve:
    """What the template draws, and the words for those who do not see it."""

    title: str
    path: str
    dots: list[tuple[str, str]]
    """From the left and from above, in percent."""
    across: list[Mark]
    up: list[Mark]
    axes: str
    """What the curve is of, and over what."""
    said: str
    """From where to where it goes."""
    points: list[tuple[str, str, float]]
    """What is said of each point under the pointer, and where it is: 0 left to 1 right."""


def curve(table: Table, across: str, up: str) -> Curve | None:
    """The share `up` over the length `across`; None where there are not two points to draw.

    Raises KeyError for a column that the table does not have.
    """
    lengths, shares = table.column(across), table.column(up)
    units = {column.name: column.unit for column in table.columns}
    found = sorted(
        (length, min(max(share, 0.0), 1.0))
        for length, share in zip(map(_number, lengths), map(_number, shares), strict=True)
        if length is not None and length >= _LEAST and share is not None
    )
    if len({length for length, _ in found}) < 2:
        return None
    least = math.floor(math.log10(found[0][0]))
    most = max(math.ceil(math.log10(found[-1][0])), least + 1)
    places = [((math.log10(length) - least) / (most - least), share) for length, share in found]
    named = [
        (wording.quantity(length, units[across]), wording.quantity(share, units[up]))
        for length, share in found
    ]
    name = wording.plain(up)
    return Curve(
        title=wording.plain(table.title),
        path="".join(
            f"{'L' if number else 'M'}{x * SIZE:.1f} {(1 - y) * SIZE:.1f}"
            for number, (x, y) in enumerate(places)
        ),
        dots=[(_percent(x), _percent(1 - y)) for x, y in places],
        across=[
            Mark(_percent(number / (most - least)), wording.quantity(10.0**power, units[across]))
            for number, power in enumerate(range(least, most + 1))
        ],
        up=[Mark(_percent(1 - share), wording.quantity(share, Unit.RATIO)) for share in _MARKS],
        axes=f"{name} over {wording.plain(across)}",
        said=f"{named[0][1]} of {named[0][0]}, {named[-1][1]} of {named[-1][0]}",
        points=[
            (length, f"{name} {share}", round(x, 4))
            for (length, share), (x, _) in zip(named, places, strict=True)
        ],
    )


def _number(cell: Cell) -> float | None:
    """A cell that can have a place on an axis."""
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not abs(cell) <= _MOST:
        return None
    return cell


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"
