"""The report as one self-contained HTML file: no network, no inline style, a strict CSP.

The page is rendered by a template that escapes everything. Its one script and one style sheet are
bundled from `web/` when the package is built (`build_support.assets`), stand in the file, and are
allowed by their hashes alone; data for the script stands beside it as inert JSON.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gocost.model.errors import NotMeasurableError
from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Report, Table, is_rest
from gocost.reporters import wording
from gocost.reporters.chart import chart
from gocost.reporters.curve import Curve, curve
from gocost.reporters.flame import flame
from gocost.reporters.interface import Settings
from gocost.reporters.outline import Outline, headline, outline, seen_columns, told_once
from gocost.reporters.timeline import timeline
from gocost.reporters.treemap import tree

HERE: Final = Path(__file__).parent
ASSETS: Final = HERE / "assets"
ROWS: Final = 500
"""Rows of a table in the page, to sort and filter; the rest is one row unless --top says more."""
_SENTENCE: Final = 40
"""Characters from which on a text is read as a sentence."""


class HtmlReporter:
    """Findings, changes, facts, treemap, tables, charts, notes and assumptions on one page."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the page. Raises NotMeasurableError where the package carries no assets."""
        stream.write(page(report, settings))


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a reader may choose: a text, or one of `choices` (value and name)."""

    name: str
    label: str
    value: str = ""
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    rare: bool = False
    """Behind a lid."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a server puts around a report: the way to its other pages, and what may be chosen."""

    views: tuple[tuple[str, str, bool], ...] = ()
    """Name, address, and whether it is this page."""
    fields: tuple[Field, ...] = ()
    error: str = ""
    picture: str = ""
    """An SVG document, which is shown as an image: no script of it runs."""
    closer: str = ""
    """The page that shows a part of the timeline anew, with `from` and `to`; empty for none."""
    leads: str = ""
    """The beginning of an address; with a name of a table's first column it leads to that one."""


def page(report: Report, settings: Settings, frame: Frame | None = None) -> str:
    """The page as text. Raises NotMeasurableError where the package carries no assets."""
    if settings.top is None:
        settings = msgspec.structs.replace(settings, top=ROWS)
    return _environment().get_template("report.html").render(_page(report, settings, frame))


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as the template draws it: cells with the raw number to sort by."""

    title: str
    columns: list[tuple[str, str, str]]
    """Name, description, and how its cells look: `n` for numbers, `code`, `prose` for sentences, or
    nothing special."""
    key: str
    """The first column's name, which may be the level of a flame graph."""
    rows: list[tuple[bool, list[tuple[str, str | None]]]]
    """Whether it is the row for the rest; the cells as text and number."""
    curve: Curve | None
    points: Markup
    """Of the curve, for the page's script."""


def _page(report: Report, settings: Settings, frame: Frame | None) -> dict[str, Any]:
    content = outline(report, settings)
    flames = _flames(report)
    lanes = timeline(report)
    parts = ("report", *(["flame"] if flames else []), *(["timeline"] if lanes else []))
    scripts = [_asset(f"{name}.js") for name in parts]
    style = _asset("report.css")
    curves = {
        name: drawn
        for name, columns in report.layout.curves.items()
        if (drawn := _curve(report.tables.get(name), columns)) is not None
    }
    grids = [(name, _grid(table, curves.get(name))) for name, table in content.tables]
    placed = {name for name, _ in content.tables}
    shown = report.layout.tables
    others = [
        (name, _grid(seen_columns(report, name, table.top(settings.top or 0)), curves.get(name)))
        for name, table in report.tables.items()
        if name not in placed and name not in report.layout.flames
    ]
    above = report.layout.above
    plotted = [each for each in report.series if each.metric not in report.layout.timeline]
    charts = [(drawn, _json(drawn.points)) for drawn in map(chart, plotted) if drawn]
    return {
        "report": report,
        "frame": frame,
        "picture": b64encode(frame.picture.encode()).decode() if frame else "",
        "content": content,
        "headline": headline(content),
        "tone": _tone(content),
        "above": [grid for name, grid in [*grids, *others] if name in above],
        "tables": [grid for name, grid in grids if name not in above],
        "sampled": any(wording.sampled(fact, content.currency) for fact in content.facts),
        "others": [grid for name, grid in others if name not in above] if shown is not None else [],
        "charts": charts,
        "treemap": _treemap(report),
        "flames": flames,
        "timeline": None if lanes is None else _json(lanes),
        "assumptions": content.assumptions,
        "scripts": [Markup(script) for script in scripts],  # noqa: S704 - our own, from web/
        "style": Markup(style),  # noqa: S704 - as above
        "policy": f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; "
        f"style-src {_hash(style)}; "
        f"img-src data:; base-uri 'none'; form-action {_quoted('self' if frame else 'none')}",
    }


def _tone(content: Outline) -> str:
    if not content.judged:
        return ""
    return "bad" if content.blocking else "warn" if content.violated or content.unknown else "good"


def _curve(table: Table | None, columns: tuple[str, str]) -> Curve | None:
    if table is None or not set(columns) <= set(table.names()):
        return None
    return curve(table, *columns)


def _grid(table: Table, drawn: Curve | None) -> Grid:
    number = [
        column.unit not in (Unit.TEXT, Unit.CODE, Unit.BOOLEAN)
        or any(_raw(row[i]) is not None for row in table.rows)
        for i, column in enumerate(table.columns)
    ]
    ending = wording.shared_money(table)
    return Grid(
        title=wording.heading(table),
        key=wording.plain(table.columns[0].name) if table.columns else "",
        columns=[
            (
                wording.plain(column.name),
                wording.plain(column.description),
                "n" if is_number else _look(column.unit, [row[i] for row in table.rows]),
            )
            for i, (column, is_number) in enumerate(zip(table.columns, number, strict=True))
        ],
        rows=[
            (
                is_rest(row[0]),
                [
                    (_cell(value, column.unit).removesuffix(ending), _raw(value))
                    for value, column in zip(row, table.columns, strict=True)
                ],
            )
            for row in table.rows
        ],
        curve=drawn,
        points=_json(drawn.points if drawn else []),
    )


def _look(unit: Unit, values: Sequence[Cell]) -> str:
    if unit is Unit.CODE:
        return "code"
    sentences = any(isinstance(value, str) and len(value) > _SENTENCE for value in values)
    return "prose" if sentences else ""


def _cell(value: Cell, unit: Unit) -> str:
    """A cell; a line of code keeps its indentation."""
    text = wording.cell(value, unit)
    return text.replace(" ", "\xa0") if unit is Unit.CODE else text


def _raw(value: Cell) -> str | None:
    if isinstance(value, Money):
        return str(value.amount)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def _treemap(report: Report) -> Markup | None:
    table = report.tables.get(report.layout.treemap or "")
    data = tree(table, report.subject.service or "everything") if table is not None else None
    return None if data is None else _json(data)


def _flames(report: Report) -> list[tuple[str, Markup]]:
    """The flame graphs of the report: the heading and the data of each."""
    found = [
        (table.title, flame(table))
        for name in report.layout.flames
        if (table := report.tables.get(name)) is not None
    ]
    return [(wording.plain(title), _json(data)) for title, data in found if data is not None]


def _json(data: Any) -> Markup:
    """Data inside a script element: nothing in it can end the element or open a comment."""
    text = msgspec.json.encode(data).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - JSON with what HTML acts on escaped


def _prose(text: str) -> Markup:
    """Lines of words, with what their author put between backticks as code."""
    return Markup("<br>").join(map(_line, wording.lines(text)))


def _line(text: str) -> Markup:
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def _quoted(word: str) -> str:
    return f"'{word}'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    try:
        text = (ASSETS / name).read_text(encoding="utf-8")
    except OSError as error:
        raise NotMeasurableError(
            f"this installation of gocost has no {name} for HTML reports",
            hint="in a checkout run `make setup`, else install gocost again",
        ) from error
    if "</script" in text.lower() or "</style" in text.lower():
        raise ValueError(f"{name} would end its own element")
    return text


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "plain": wording.plain,
        "prose": _prose,
        "short": wording.short,
        "subject": wording.subject,
        "location": wording.location,
        "monthly": wording.monthly,
        "delta": wording.delta,
        "change_interval": wording.change_interval,
        "percent": wording.percent,
        "sampled": wording.sampled,
        "name": lambda item: wording.plain(item.metric) + wording.labels(item.labels),
    }
    environment.globals |= {
        "quantity": wording.quantity,
        "told_once": told_once,
    }
    return environment
