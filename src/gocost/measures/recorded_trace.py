"""An execution trace that was recorded of a service, for rules over what is found in it."""

from __future__ import annotations

from pathlib import Path

from gocost.analyses.trace.tables import facts
from gocost.measures.interface import Context, Measured, Target
from gocost.measures.trace import read_trace
from gocost.model.report import Note


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """Scheduler latency and utilisation of a recorded execution trace."""
    assert context.trace is not None, "it is planned only where a trace was given"
    context.progress("reading the trace")
    trace = read_trace(Path(context.trace))
    found = facts(trace, target.subject, f"execution trace {context.trace}")
    notes = [Note("warning", f"{context.trace}: {trace.lost}")] if trace.lost else []
    kept = [fact for fact in found if fact.metric.startswith("scheduler.")]
    unknown = {}
    if not any(fact.metric == "scheduler.latency.p99" for fact in kept):
        unknown["scheduler.latency.p99"] = "fewer than 100 goroutines became runnable in the trace"
    return Measured(facts=kept, notes=notes, unknown=unknown)
