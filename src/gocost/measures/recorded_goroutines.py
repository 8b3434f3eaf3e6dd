"""Goroutine dumps that were taken of a service, for rules over what is found in them."""

from __future__ import annotations

from gocost.analyses.goroutines.allowances import allowing
from gocost.analyses.goroutines.groups import group
from gocost.analyses.goroutines.tables import LEAKED, facts
from gocost.analyses.goroutines.verdicts import judge
from gocost.formats.goroutine_dump.decoding import MAX_BYTES
from gocost.measures.goroutines import APART, MOST, Reading, Taken
from gocost.measures.interface import Context, Measured, Target
from gocost.model.report import Note
from gocost.sources.naming import is_url, shown

PROBABLE = "goroutines.leak.probable"


def recorded_dumps(context: Context) -> Taken:
    """The dumps, which other measures want as well. Raises as `measure` does."""

    def read() -> Taken:
        reading = Reading(
            headers=context.headers,
            max_bytes=context.max_bytes or MAX_BYTES,
            announce=context.announce,
        )
        names = list(context.dumps)
        if is_url(names[0]):
            return reading.service(names[0], MOST, APART, leaks=True, progress=context.progress)
        context.progress("reading the dumps")
        return reading.files(names, None)

    return context.once("dumps", read)


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """How many goroutines there are, and how many leak. Raises SourceError and FormatError."""
    allow = allowing(target.service.goroutines.allow, "goroutines.allow")
    names = list(context.dumps)
    taken = recorded_dumps(context)
    found = taken.dumps
    judged = judge(found, group(found), allow=allow)
    made = facts(found, judged, target.subject, f"goroutine dumps {', '.join(map(shown, names))}")
    given = {fact.metric for fact in made}
    unknown = {
        metric: "it takes three dumps under steady load to tell: a URL, or three files"
        for metric in (PROBABLE, LEAKED)
        if metric not in given
    }
    notes = [Note("info", text) for text in taken.notes]
    lost = (taken.lost, *(dump.lost for dump in found.dumps))
    notes += [Note("warning", text) for text in lost if text]
    return Measured(facts=made, notes=notes, unknown=unknown)
