"""The pages about a profile: flame graph, table, callers and callees, call graph, labels.

The query has pprof's options by their names (`focus`, `sample_index`), `by`, and for what one page
is about `f`, an expression, or `function`, a name. It names no file: what is read was named on the
command line, and what is looked at of source files is under the roots that were named there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import structs

from gocost._version import VERSION
from gocost.analyses.profile.tables import GRANULARITIES
from gocost.analyses.profile.view import sample_index
from gocost.api.profile import profile_report
from gocost.api.profile_forms import forms_of
from gocost.measures.profiles import Recorded
from gocost.model.errors import GocostError, UsageError
from gocost.model.report import Layout, Note, Report
from gocost.reporters.html import Field, Frame
from gocost.sources.naming import listed
from gocost.viewer.pages import FORMAT, address, answered, refused
from gocost.viewer.site import TEXT, Answer

FIRST: Final = "flame"
_FILTERS: Final = (
    ("focus", "Focus", "only samples with a frame that matches this expression", False),
    ("ignore", "Ignore", "no samples with a frame that matches", False),
    ("hide", "Hide", "leave out frames that match", False),
    ("show", "Show", "leave out frames that do not match", True),
    ("show_from", "Show from", "leave out the callers of the outermost frame that matches", True),
    ("prune_from", "Prune from", "leave out what the innermost match called", True),
    ("tagfocus", "Label focus", "only samples with this label: KEY=REGEX or a range", True),
    ("tagignore", "Label ignore", "no samples with this label", True),
    ("tagshow", "Labels shown", "only labels whose key matches", True),
    ("taghide", "Labels hidden", "no labels whose key matches", True),
    ("tagroot", "Label at the root", "labels under these keys as frames at the root", True),
    ("tagleaf", "Label at the leaf", "labels under these keys as frames at the leaf", True),
)
_FLAGS: Final = (
    ("cum", "Sort by", ("flat", "cumulative")),
    ("noinlines", "Inlined calls", ("shown", "left out")),
    ("relative_percentages", "Shares of", ("everything", "what is left")),
    ("drop_negative", "What got less", ("shown", "left out")),
)
_LONGEST: Final = 4096
"""Characters of one option."""


@dataclass(frozen=True, slots=True)
class _View:
    """A page: what it is called, the view or form that it shows, and what it wants of the query."""

    name: str
    shows: str
    about: str = ""
    """The word of the query that says what it is about."""
    label: str = ""
    help: str = ""


_EXPRESSION: Final = ("f", "Functions", "an expression that their names match")
_VIEWS: Final = {
    "flame": _View("Flame graph", "flame"),
    "top": _View("Top", "top"),
    "sandwich": _View("Sandwich", "flame", "function", "Function", "its name, or a part of it"),
    "peek": _View("Peek", "peek", *_EXPRESSION),
    "source": _View("Source", "list", *_EXPRESSION),
    "disasm": _View("Assembly", "disasm", *_EXPRESSION),
    "tree": _View("Tree", "tree"),
    "graph": _View("Graph", "svg"),
    "tags": _View("Labels", "tags"),
}


class ProfileSite:
    """The pages about profiles that were read when the server started."""

    def __init__(self, recorded: Recorded, chosen: Mapping[str, Any]) -> None:
        """`chosen` is what the command line said: the first page's query, and what no query may."""
        self.name = listed(recorded.files)
        self._recorded = recorded
        self._first = {
            name: "1" if value is True else str(value)
            for name, value in chosen.items()
            if value and name in _KNOWN
        }
        self._fixed = {name: value for name, value in chosen.items() if name not in _KNOWN}

    def answer(self, view: str, query: Mapping[str, str]) -> Answer:
        """The page of a view."""
        if not view:
            return Answer("", status=303, location=address(FIRST, self._first))
        page = _VIEWS.get(view)
        if page is None:
            return Answer(f"there is no page {view!r}; see /{FIRST}\n", TEXT, 404)
        frame = self._frame(view, page, query)
        try:
            report, picture = self._made(view, page, query)
        except GocostError as error:
            return refused(self.name, replace(frame, error=str(error)), query)
        return answered(report, replace(frame, picture=picture), query)

    def _made(self, view: str, page: _View, query: Mapping[str, str]) -> tuple[Report, str]:
        options = self._options(query)
        if view == "graph":
            return self._graph(options)
        expression = _expression(page, query)
        if page.about == "f" and not expression:
            if query.get(FORMAT) == "json":
                raise UsageError("nothing is chosen yet", hint=f"write {page.help}")
            return self._choice(page, options), ""
        report = profile_report(self._recorded, view=page.shows, expression=expression, **options)
        return report, ""

    def _choice(self, page: _View, options: dict[str, Any]) -> Report:
        """What the page can be about: the functions, each of which leads there."""
        by = options.get("by", "function") if page.shows == "peek" else "function"
        report = profile_report(self._recorded, view="top", **{**options, "by": by})
        told = Note("info", f"choose one of the functions, or write {page.help} above")
        return structs.replace(report, notes=[*report.notes, told])

    def _graph(self, options: dict[str, Any]) -> tuple[Report, str]:
        """The call graph as a picture, which Graphviz draws."""
        for name in ("cum", "prices"):  # a graph is in no order, and in what was measured
            options.pop(name, None)
        drawn = "\n".join(forms_of(self._recorded, form="svg", **options))
        bases = listed(self._recorded.bases)
        against = f" against {bases}" if bases else ""
        layout = Layout(title=f"{self.name}{against}: call graph", tables=(), facts=())
        return Report("profile", VERSION, layout=layout), drawn

    def _options(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The query as options. Raises UsageError for what is none."""
        options = dict(self._fixed)
        for name, value in query.items():
            if name not in _KNOWN and name not in (FORMAT, "f", "function"):
                raise UsageError(f"there is no option {name!r}", hint="take it from the address")
            if len(value) > _LONGEST:
                raise UsageError(f"{name} is longer than {_LONGEST} characters", hint="shorten it")
            if value and name in _KNOWN:
                options[name] = _KNOWN[name](name, value)
        return options

    def _frame(self, view: str, page: _View, query: Mapping[str, str]) -> Frame:
        kept = {name: value for name, value in query.items() if name in _KNOWN}
        types = [each.type for each in self._recorded.head.header.sample_types]
        about = _expression(page, query) or query.get(page.about, "")
        asked = [Field(page.about, page.label, about, page.help)]
        shown = query.get("sample_index") or _default_type(self._recorded)
        asked += [
            Field("sample_index", "Values", shown, choices=tuple((each, each) for each in types)),
            Field("by", "By", query.get("by") or "function",
                  choices=tuple((each, each) for each in GRANULARITIES)),
        ]  # fmt: skip
        asked += [
            Field(name, label, query.get(name, ""), help_, rare=rare)
            for name, label, help_, rare in _FILTERS
        ]
        asked += [
            Field(name, label, "1" if query.get(name) else "",
                  choices=tuple(zip(("", "1"), ways, strict=True)), rare=True)
            for name, label, ways in _FLAGS
        ]  # fmt: skip
        return Frame(
            views=tuple(
                (each.name, address(name, kept), name == view) for name, each in _VIEWS.items()
            ),
            fields=tuple(field for field in asked if field.name),
            leads=address(_leads(view, page, query), kept)
            + ("&" if any(kept.values()) else "?")
            + "function=",
        )


def _expression(page: _View, query: Mapping[str, str]) -> str:
    """The functions that a page is about: an expression, or one by its name."""
    if page.about != "f":
        return ""
    name = query.get("function", "")
    return query.get("f", "") or (f"^{re.escape(name)}$" if name else "")


def _leads(view: str, page: _View, query: Mapping[str, str]) -> str:
    """The page that a function's name leads to: this one, as long as it is about none or walks."""
    here = page.about == "f" and (page.shows == "peek" or not _expression(page, query))
    return view if here else "sandwich"


def _text(_: str, value: str) -> str:
    return value


def _flag(_: str, value: str) -> bool:
    return value not in ("0", "false")


def _fraction(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UsageError(f"{name} is a share from 0 to 1, not {value!r}", hint=f"{name}=0.001")
    return number


_KNOWN: Final[dict[str, Callable[[str, str], Any]]] = {
    "by": _text,
    "sample_index": _text,
    "nodefraction": _fraction,
    **{name: _text for name, *_ in _FILTERS},
    **{name: _flag for name, *_ in _FLAGS},
}
"""What a query may say, and how it is read."""


def _default_type(recorded: Recorded) -> str:
    return recorded.head.header.sample_types[sample_index(recorded.head)].type
