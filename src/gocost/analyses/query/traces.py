"""An execution trace as relations: every goroutine, Ps, waits, collections, stops, tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gocost.analyses.query.relation import (
    Attribute,
    Coded,
    Filled,
    Relation,
    Type,
    Values,
    coded,
    real,
    text,
    whole,
    yes,
)
from gocost.analyses.trace import tables
from gocost.analyses.trace.account import STATES, Joined
from gocost.analyses.trace.spans import regions, stops, tasks
from gocost.formats.recognition import Kind
from gocost.model.quantity import Unit
from gocost.model.report import Table

_KINDS: Final = (Kind.TRACE,)
_STATES: Final = (
    whole("running_ns", "on a P"),
    whole("runnable_ns", "ready to run, without a P: scheduler latency"),
    whole("waiting_ns", "blocked, on whatever it was"),
    whole("syscall_ns", "in a system call"),
)
_SPANS: Final = (
    whole("count", "how many of them there were"),
    whole("cut", "of those, by an end of the trace"),
    whole("total_ns", "of all of them, as far as the trace goes"),
    whole("p50_ns", "half of those that were not cut took at most this"),
    whole("p99_ns", "99 of 100 of them did; NULL for fewer than 100"),
    whole("longest_ns", "of those that were not cut"),
)
_AMOUNTS: Final = (
    whole("count", "intervals"),
    whole("total_ns", "of all intervals"),
    whole("mean_ns", "of an interval"),
    whole("longest_ns", "interval"),
)
GOROUTINES: Final = Relation(
    "goroutines",
    "every goroutine of a trace",
    _KINDS,
    (
        whole("goroutine", "its id"),
        text("goroutine_entry", "the function that it starts in"),
        *_STATES,
        whole("starts", "how often it was put on a P"),
        whole("assist_ns", "of running: helping the collector mark"),
        yes("ended", "it ended while the trace was recorded"),
    ),
)
GROUPS: Final = Relation(
    "goroutine_groups",
    "a trace's goroutines by the function that they start in",
    _KINDS,
    (
        text("goroutine_entry", "the function that they start in"),
        whole("count", "how many of them there were"),
        *_STATES,
        whole("assist_ns", "of running: helping the collector mark"),
        whole("starts", "how often they were put on a P"),
    ),
)
PROCS: Final = Relation(
    "procs",
    "what each P of a trace did",
    _KINDS,
    (
        whole("proc", "its number"),
        whole("running_ns", "it ran a goroutine or looked for one"),
        whole("idle_ns", "no thread had it"),
        whole("syscall_ns", "its goroutine was in a system call"),
        whole("sweep_ns", "of running: sweeping"),
        real("busy", "running and syscall, of the trace's length"),
    ),
)
WAITS: Final = Relation(
    "waits",
    "what goroutines of a trace waited for",
    _KINDS,
    (
        text("state", "runnable, waiting or syscall"),
        text("reason", "what the runtime says it waited for"),
        *_AMOUNTS,
    ),
)
PLACES: Final = Relation(
    "wait_places",
    "where in the code goroutines of a trace waited",
    _KINDS,
    (
        text("state", "runnable, waiting or syscall"),
        text("place", "the innermost function that is not only a way of waiting"),
        *_AMOUNTS,
        text("stack", "functions from the innermost to the outermost, joined by ;"),
    ),
)
GC: Final = Relation(
    "gc",
    "the garbage collections of a trace",
    _KINDS,
    (
        whole("cycle", "in the trace, from 1"),
        whole("start_ns", "since the trace began"),
        whole("duration_ns", "from the start of marking to its end"),
        yes("whole", "it began and ended within the trace"),
    ),
)


def _spans(name: str, column: str, about: str) -> Relation:
    return Relation(name, about, _KINDS,
                    (text(column, "as the program or the runtime names it"), *_SPANS))  # fmt: skip


STW: Final = _spans("stw", "kind", "the times that a trace's world was stopped, by cause")
TASKS: Final = _spans("tasks", "task", "a trace's user tasks, by name")
REGIONS: Final = _spans("regions", "region", "a trace's user regions, by name")

# Those that are short are taken from the tables of `gocost trace`, column by column.
_TABLES: Final[Mapping[str, Callable[[Joined], Table]]] = {
    "goroutine_groups": tables.group_table,
    "procs": tables.proc_table,
    "waits": tables.wait_table,
    "wait_places": tables.place_table,
    "gc": tables.gc_table,
    "stw": lambda trace: tables.span_table("", "kind", stops(trace)),
    "tasks": lambda trace: tables.span_table("", "task", tasks(trace)),
    "regions": lambda trace: tables.span_table("", "region", regions(trace)),
}


def goroutines(trace: Joined) -> Filled:
    """Every goroutine that the trace kept, in the order of their ids."""
    rows = trace.goroutines[trace.goroutines[:, 0].argsort(kind="stable")]
    place = {name: 2 + STATES.index(name) for name in STATES}
    return {
        "goroutine": rows[:, 0],
        "goroutine_entry": Coded(trace.stacks.texts, rows[:, 1]),
        **{f"{name}_ns": rows[:, place[name]] for name in
           ("running", "runnable", "waiting", "syscall")},
        "starts": rows[:, 6],
        "assist_ns": rows[:, 7],
        "ended": rows[:, 8] != 0,
    }  # fmt: skip


def filled(relation: Relation, trace: Joined) -> Filled:
    """Any relation of a trace but its goroutines."""
    table = _TABLES[relation.name](trace)
    found: dict[str, list[object]] = {}
    for column in table.columns:
        name = "goroutine_entry" if column.name == "entry" else column.name
        suffix = "_ns" if column.unit is Unit.NANOSECONDS else ""
        found[f"{name}{suffix}"] = list(table.column(column.name))
    return {each.name: _texts(each, found[each.name]) for each in relation.attributes}


def _texts(attribute: Attribute, values: list[object]) -> Values:
    return (
        coded([None if v is None else str(v) for v in values])
        if (attribute.type is Type.TEXT)
        else values
    )
