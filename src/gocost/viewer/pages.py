"""A report as an answer: as a page with the way to the others, or as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from gocost._version import VERSION
from gocost.model.report import Layout, Report
from gocost.reporters.html import Frame, page
from gocost.reporters.interface import Settings
from gocost.reporters.json import encode
from gocost.viewer.site import JSON, TEXT, Answer

FORMAT = "format"
"""The query's word for what a program wants: `format=json`."""


def address(view: str, query: Mapping[str, str]) -> str:
    """Where a view is, with what of the query is not empty."""
    rest = urlencode({name: value for name, value in query.items() if value})
    return f"/{view}" + (f"?{rest}" if rest else "")


def answered(report: Report, frame: Frame, query: Mapping[str, str], status: int = 200) -> Answer:
    """The report as the query wants it."""
    if query.get(FORMAT) == "json":
        return Answer(encode(report) + "\n", JSON, status)
    return Answer(page(report, Settings(), frame), status=status)


def refused(title: str, frame: Frame, query: Mapping[str, str]) -> Answer:
    """What was asked cannot be shown: the frame says why, and what was chosen can be changed."""
    if query.get(FORMAT) == "json":
        return Answer(f"{frame.error}\n", TEXT, 400)
    empty = Report("view", VERSION, layout=Layout(title=title, tables=(), facts=()))
    return answered(empty, frame, query, 400)
