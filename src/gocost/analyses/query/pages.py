"""Pages of the Go runtime and gctrace logs as relations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gocost.analyses.query.relation import Filled, Relation, coded, real, text, whole, yes
from gocost.formats.gctrace import Cycle
from gocost.formats.recognition import Kind
from gocost.formats.runtime_page import RuntimePage

_PAGES: Final = (Kind.METRICS, Kind.VARS, Kind.HEAP)
METRICS: Final = Relation(
    "runtime_metrics",
    "what a page tells of the Go runtime, by the names of package runtime/metrics",
    _PAGES,
    (
        text("name", "such as /gc/heap/live:bytes"),
        real("value", "in the unit that the name ends in"),
    ),
)
HISTOGRAMS: Final = Relation(
    "runtime_histograms",
    "the distributions of a page of the Go runtime, a row a bucket",
    _PAGES,
    (
        text("name", "such as /sched/latencies:seconds"),
        real("low", "the bucket's lower end, in the unit that the name ends in"),
        real("high", "its upper end; NULL where it has none"),
        whole("count", "values in it since the process began"),
    ),
)
CYCLES: Final = Relation(
    "gc_cycles",
    "the collections of a gctrace log",
    (Kind.GCTRACE,),
    (
        whole("cycle", "its number, from 1 since the program started"),
        real("at_seconds", "when it began, since the runtime started"),
        real("sweep_termination_seconds", "the first stop of the world"),
        real("mark_seconds", "concurrent with the program"),
        real("mark_termination_seconds", "the second stop of the world"),
        real("assist_cpu_seconds", "marking that goroutines did because they allocated"),
        real("dedicated_cpu_seconds", "dedicated and fractional mark workers"),
        real("idle_cpu_seconds", "marking on cores that had nothing else to do"),
        whole("heap_start_bytes", "the heap when it began, in whole MiB"),
        whole("heap_end_bytes", "when marking ended"),
        whole("heap_live_bytes", "what it found to be live"),
        whole("goal_bytes", "what the heap was to be at most"),
        whole("stacks_bytes", "scannable stacks; NULL before Go 1.18"),
        whole("globals_bytes", "scannable globals; NULL before Go 1.18"),
        whole("procs", "GOMAXPROCS"),
        yes("forced", "by runtime.GC or debug.FreeOSMemory"),
    ),
)


def metrics(page: RuntimePage) -> Filled:
    """The values."""
    names = sorted(page.values)
    return {"name": coded(names), "value": [page.values[name] for name in names]}


def histograms(page: RuntimePage) -> Filled:
    """The buckets."""
    rows = []
    for name, found in sorted(page.histograms.items()):
        low, before = 0.0, 0.0
        for bound, count in zip(found.bounds, found.counts, strict=True):
            end = None if bound == float("inf") else bound
            rows.append((name, low, end, int(count - before)))
            low, before = bound, count
    return {
        "name": coded([row[0] for row in rows]),
        "low": [row[1] for row in rows],
        "high": [row[2] for row in rows],
        "count": [row[3] for row in rows],
    }


def cycles(found: Sequence[Cycle]) -> Filled:
    """The collections."""
    return {
        "cycle": [each.number for each in found],
        "at_seconds": [each.at for each in found],
        "sweep_termination_seconds": [each.sweep_termination for each in found],
        "mark_seconds": [each.mark for each in found],
        "mark_termination_seconds": [each.mark_termination for each in found],
        "assist_cpu_seconds": [each.assist_cpu for each in found],
        "dedicated_cpu_seconds": [each.dedicated_cpu for each in found],
        "idle_cpu_seconds": [each.idle_cpu for each in found],
        "heap_start_bytes": [each.heap_start for each in found],
        "heap_end_bytes": [each.heap_end for each in found],
        "heap_live_bytes": [each.heap_live for each in found],
        "goal_bytes": [each.goal for each in found],
        "stacks_bytes": [each.stacks for each in found],
        "globals_bytes": [each.globals for each in found],
        "procs": [each.procs for each in found],
        "forced": [each.forced for each in found],
    }
