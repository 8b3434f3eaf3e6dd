"""Pages that were taken of a service's runtime, for rules over what they tell."""

from __future__ import annotations

from gocost.analyses.runtime.health import GIVES, health
from gocost.analyses.runtime.recorded import Recorded
from gocost.measures.interface import Context, Measured, Target
from gocost.measures.runtime_metrics import MAX_BYTES, Reading
from gocost.model.report import Note


def recorded_pages(context: Context) -> Recorded:
    """The pages, which other measures want as well. Raises as `measure` does."""

    def read() -> Recorded:
        context.progress("reading the pages")
        reading = Reading(headers=context.headers, max_bytes=context.max_bytes or MAX_BYTES)
        return reading.read(context.pages, progress=context.progress)

    return context.once("pages", read)


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """Health of scheduler and memory. Raises UsageError, SourceError and FormatError."""
    seen = recorded_pages(context)
    window, _ = seen.window()
    found = health(seen, window, target.subject)
    given = {fact.metric for fact in found.facts}
    unknown = {name: found.unknown.get(name, "the page does not tell it") for name in GIVES}
    return Measured(
        facts=found.facts,
        notes=[Note("warning", text) for text in seen.notes],
        unknown={name: why for name, why in unknown.items() if name not in given},
    )
