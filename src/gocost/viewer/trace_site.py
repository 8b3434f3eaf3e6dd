"""The pages about an execution trace: what `gocost trace` shows, of all of it or of a part.

The query has `from` and `to`, times since the trace began: what lies between is read again, and its
timeline told apart in as many bins as the whole was. It names no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gocost.api._traces import OnDisk
from gocost.api.trace import Between, trace
from gocost.api.trace_intervals import trace_intervals
from gocost.api.trace_profile import trace_profile
from gocost.measures.trace import trace_time
from gocost.model.errors import GocostError, UsageError
from gocost.model.quantity import parse_between
from gocost.model.report import Report
from gocost.reporters.html import Field, Frame
from gocost.viewer.pages import FORMAT, address, answered, refused
from gocost.viewer.site import TEXT, Answer

FIRST: Final = "summary"
_VIEWS: Final = {
    FIRST: "Summary",
    "goroutines": "Goroutines",
    "scheduler": "Scheduler",
    "waits": "Waits",
    "gc": "Collector",
    "tasks": "Tasks",
    "users": "In tasks",
    "net": "Network",
    "sync": "Locks and channels",
    "syscall": "System calls",
    "sched": "Scheduler latency",
    "cpu": "CPU samples",
    "threads": "Threads",
    "lifetimes": "Lifetimes",
    "spikes": "Spikes",
    "mmu": "Mutator utilisation",
}
_PROFILES: Final = ("net", "sync", "syscall", "sched", "cpu")
_INTERVALS: Final = ("users", "threads", "lifetimes", "spikes", "mmu")
_TIMES: Final = (("from", "From", "since the trace began: 1.2 s"), ("to", "To", "1.3 s"))


class TraceSite:
    """The pages about the trace in a file, which is read again for each."""

    def __init__(self, path: OnDisk, *, max_bytes: int | None = None) -> None:
        """Raises SourceError and FormatError where it is no trace that can be read."""
        trace_time(path)
        self.name = str(path)
        self._path = path
        self._max_bytes = max_bytes

    def answer(self, view: str, query: Mapping[str, str]) -> Answer:
        """The page of a view."""
        if not view:
            return Answer("", status=303, location=address(FIRST, {}))
        if view not in _VIEWS:
            return Answer(f"there is no page {view!r}; see /{FIRST}\n", TEXT, 404)
        kept = {name: query.get(name, "") for name, *_ in _TIMES}
        frame = Frame(
            views=tuple((name, address(each, kept), each == view) for each, name in _VIEWS.items()),
            fields=tuple(Field(name, label, kept[name], help_) for name, label, help_ in _TIMES),
            closer=address(view, {}),
        )
        try:
            report = self._report(view, _between(query))
        except GocostError as error:
            return refused(self.name, replace(frame, error=str(error)), query)
        return answered(report, frame, query)

    def _report(self, view: str, between: Between) -> Report:
        path, most = self._path, self._max_bytes
        if view in _PROFILES:
            return trace_profile(path, view, between=between, flame=True, max_bytes=most)
        if view in _INTERVALS:
            return trace_intervals(path, view, between=between, max_bytes=most)
        return trace(path, view=view, timeline=True, between=between, max_bytes=most)


def _between(query: Mapping[str, str]) -> Between:
    """The times of the query in nanoseconds. Raises UsageError."""
    for name in query:
        if name not in ("from", "to", FORMAT):
            raise UsageError(f"there is no option {name!r}", hint="take it from the address")
    return parse_between(query.get("from"), query.get("to"))
