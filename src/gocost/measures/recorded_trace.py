"""An execution trace that was recorded of a service, for rules over what is found in it."""

from __future__ import annotations

from gocost.analyses.trace.tables import facts
from gocost.measures.interface import Context, Measured, Target
from gocost.measures.trace import read_trace
from gocost.measures.trace_recording import TraceFile
from gocost.model.report import Note
from gocost.sources.naming import shown
from gocost.sources.recordings import MAX_BYTES


def traced(context: Context) -> TraceFile:
    """The trace, which other measures want as well: of a URL it is being recorded from now on."""

    def begin() -> TraceFile:
        assert context.trace is not None, "it is planned only where a trace was given"
        return TraceFile(
            context.trace,
            headers=context.headers,
            max_bytes=context.max_bytes or MAX_BYTES,
            announce=context.announce,
        )

    return context.once("trace", begin)


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """Scheduler latency and utilisation of a recorded execution trace. Raises SourceError and
    FormatError.
    """
    recorded = traced(context)
    context.progress("reading the trace")
    trace = read_trace(recorded.path(), max_bytes=context.max_bytes)
    named = shown(str(context.trace))
    found = facts(trace, target.subject, f"execution trace {named}")
    lost = (recorded.lost, f"{named}: {trace.lost}" if trace.lost else "")
    notes = [Note("warning", text) for text in lost if text]
    kept = [fact for fact in found if fact.metric.startswith("scheduler.")]
    unknown = {}
    if not any(fact.metric == "scheduler.latency.p99" for fact in kept):
        unknown["scheduler.latency.p99"] = "fewer than 100 goroutines became runnable in the trace"
    return Measured(facts=kept, notes=notes, unknown=unknown)
