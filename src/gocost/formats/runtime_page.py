"""What a page tells of the Go runtime, under the names of package runtime/metrics.

Three pages tell it, and are told apart by what stands in them:

- a metrics page of github.com/prometheus/client_golang: `go_memstats_*` and a few more by default;
  all of runtime/metrics where the program asks for it. Its names are those of runtime/metrics by a
  rule (RuntimeMetricsToProm in prometheus/internal/go_runtime_metrics.go): `/gc/heap/live:bytes`
  is `go_gc_heap_live_bytes`. Its histograms have wider buckets than the runtime's: powers of ten
  for seconds, those above a second as one;
- /debug/vars of package expvar, and /debug/pprof/heap?debug=1: runtime.MemStats.

MemStats is given as what runtime/metrics has instead: src/runtime/mstats.go fills both from the
same counters, so that the classes of memory add up to the same total on all three pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from gocost.formats import memstats, promtext
from gocost.model.errors import FormatError

UNLIMITED: Final = 2.0**62
"""GOMEMLIMIT without a limit is 2**63 - 1; a page's floats do not keep the last digits. As the
collector's goal it is what GOGC=off makes of it."""

_GAUGES: Final = (
    "/gc/gogc:percent",
    "/gc/gomemlimit:bytes",
    "/gc/heap/goal:bytes",
    "/gc/heap/live:bytes",
    "/gc/heap/objects:objects",
    "/gc/scan/globals:bytes",
    "/gc/scan/heap:bytes",
    "/gc/scan/stack:bytes",
    "/gc/scan/total:bytes",
    "/memory/classes/heap/free:bytes",
    "/memory/classes/heap/objects:bytes",
    "/memory/classes/heap/released:bytes",
    "/memory/classes/heap/stacks:bytes",
    "/memory/classes/heap/unused:bytes",
    "/memory/classes/metadata/mcache/free:bytes",
    "/memory/classes/metadata/mcache/inuse:bytes",
    "/memory/classes/metadata/mspan/free:bytes",
    "/memory/classes/metadata/mspan/inuse:bytes",
    "/memory/classes/metadata/other:bytes",
    "/memory/classes/os-stacks:bytes",
    "/memory/classes/other:bytes",
    "/memory/classes/profiling/buckets:bytes",
    "/memory/classes/total:bytes",
    "/sched/gomaxprocs:threads",
    "/sched/goroutines:goroutines",
)
_COUNTERS: Final = (
    "/cpu/classes/gc/mark/assist:cpu-seconds",
    "/cpu/classes/gc/mark/dedicated:cpu-seconds",
    "/cpu/classes/gc/mark/idle:cpu-seconds",
    "/cpu/classes/gc/pause:cpu-seconds",
    "/cpu/classes/gc/total:cpu-seconds",
    "/cpu/classes/idle:cpu-seconds",
    "/cpu/classes/scavenge/total:cpu-seconds",
    "/cpu/classes/total:cpu-seconds",
    "/cpu/classes/user:cpu-seconds",
    "/gc/cycles/automatic:gc-cycles",
    "/gc/cycles/forced:gc-cycles",
    "/gc/cycles/total:gc-cycles",
    "/gc/heap/allocs:bytes",
    "/gc/heap/allocs:objects",
    "/gc/heap/frees:bytes",
    "/sync/mutex/wait/total:seconds",
)
_HISTOGRAMS: Final = (
    "/gc/pauses:seconds",
    "/sched/latencies:seconds",
    "/sched/pauses/total/gc:seconds",
    "/sched/pauses/total/other:seconds",
)
# What the collectors of client_golang have under names of their own, by default since its first.
_USUAL: Final = {
    "/sched/goroutines:goroutines": "go_goroutines",
    "/gc/heap/goal:bytes": "go_memstats_next_gc_bytes",
    "/gc/heap/allocs:bytes": "go_memstats_alloc_bytes_total",
    "/gc/heap/objects:objects": "go_memstats_heap_objects",
    "/gc/cycles/total:gc-cycles": "go_gc_duration_seconds_count",
}
_HEAP_AND_STACKS: Final = (
    "sys", "heap_alloc", "heap_inuse", "heap_idle", "heap_released", "stack_inuse", "stack_sys",
)  # fmt: skip
"""Fields of MemStats that every page of its classes needs."""
_WITH_USE: Final = ("mspan", "mcache")
"""The runtime's structures of which it also says how much is in use."""
_STRUCTURES: Final = ("mspan_sys", "mcache_sys", "buck_hash_sys", "gc_sys", "other_sys")


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative counts by upper bound, as a metrics page has them; the last bound is infinite."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]

    @property
    def total(self) -> float:
        """How many values it holds."""
        return self.counts[-1] if self.counts else 0.0

    def since(self, before: Histogram) -> Histogram | None:
        """What was added; None where the buckets are others, or a counter fell (a restart)."""
        counts = [b - a for a, b in zip(before.counts, self.counts, strict=False)]
        falls = any(count < 0 for count in counts) or any(b < a for a, b in pairwise(counts))
        if before.bounds != self.bounds or falls:
            return None
        return Histogram(self.bounds, tuple(counts))

    def quantile(self, share: float) -> tuple[float, float] | None:
        """The ends of the bucket that the quantile lies in; None where there are no values.

        The upper end is infinite in the last bucket.
        """
        if not self.total:
            return None
        low = 0.0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if count >= share * self.total:
                return low, bound
            low = bound
        return low, math.inf


@dataclass(frozen=True, slots=True)
class RuntimePage:
    """One reading of a process. Bytes, seconds, counts; a value that the page lacks is absent."""

    kind: str
    """What the page is: `metrics`, `vars`, `heap`."""
    values: Mapping[str, float]
    """By the name in runtime/metrics."""
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    """By the same names: distributions since the process started."""
    stats: memstats.MemStats | None = None
    """Where the page is made from it: its ring has the pauses of the last cycles."""
    pause_quantiles: Mapping[float, float] = field(default_factory=dict)
    """go_gc_duration_seconds: over the last 256 cycles, both stops of a cycle together."""
    cpu_seconds: float | None = None
    """Of the process, by the operating system."""
    resident: float | None = None
    started: float | None = None
    """When the process started, in seconds since 1970."""
    last_gc: float | None = None
    """When its last collection ended, in seconds since 1970."""
    at: float | None = None
    """When the page was made, in seconds since 1970, where it says so."""
    go: str = ""
    """The version of Go, where it says so."""

    def value(self, name: str) -> float | None:
        """The value of that name, or None."""
        return self.values.get(name)


def decode(data: bytes) -> RuntimePage:
    """Reads a page of any of the three kinds.

    Raises FormatError where it is none of them, tells nothing of the Go runtime, or is of several
    processes at once.
    """
    head = data[:64].lstrip()
    if head.startswith(b"{"):
        return _of_memstats("vars", memstats.decode_vars(data))
    if head.startswith(b"heap profile: "):
        return _of_memstats("heap", memstats.decode_heap_comments(data))
    page = promtext.decode(data, only=("go_", "process_"))
    _check_one_process(page)
    found = _of_metrics(page)
    if not found.values:
        raise FormatError(
            "the metrics page has none of the Go runtime's metrics (go_...)",
            hint="it is not of a Go program, or its Go collector is not registered",
        )
    return found


def prometheus_name(name: str, *, counter: bool) -> str:
    """The name that client_golang gives a metric of runtime/metrics."""
    path, _, unit = name[1:].partition(":")
    unit = unit.replace("-", "_").replace("*", "_").replace("/", "_per_")
    words = path.replace("/", "_").replace("-", "_")
    return f"go_{words}_{unit}{'_total' if counter else ''}"


def _check_one_process(page: promtext.Page) -> None:
    """A federated page, or that of a Pushgateway, has a line for each process."""
    for name in ("go_goroutines", "go_memstats_next_gc_bytes", "go_gc_heap_goal_bytes"):
        labels = [sample.labels for sample in page.samples(name)]
        if len(labels) > 1:
            keys = sorted({key for each in labels for key in each})
            raise FormatError(
                f"the page is of {len(labels)} processes (they differ by {', '.join(keys)})",
                hint="give the page of one: its own /metrics",
            )


def _of_metrics(page: promtext.Page) -> RuntimePage:
    values: dict[str, float] = {}
    for names, counter in ((_GAUGES, False), (_COUNTERS, True)):
        for name in names:
            found = _first(page, (prometheus_name(name, counter=counter), _USUAL.get(name, "")))
            if found is not None:
                values[name] = found
    values = _classes_of_collector(page) | values
    histograms = {}
    for name in _HISTOGRAMS:
        histogram = _histogram(page, prometheus_name(name, counter=False))
        if histogram is not None:
            histograms[name] = histogram
    times = [s.timestamp for s in page.samples("go_goroutines") if s.timestamp is not None]
    versions = [s.labels.get("version", "") for s in page.samples("go_info")]
    return RuntimePage(
        kind="metrics",
        values=values,
        histograms=histograms,
        pause_quantiles={
            _number(sample.labels["quantile"]): sample.value
            for sample in page.samples("go_gc_duration_seconds")
            if "quantile" in sample.labels and 0 <= sample.value < math.inf
        },
        cpu_seconds=_first(page, ("process_cpu_seconds_total",)),
        resident=_first(page, ("process_resident_memory_bytes",)),
        started=_first(page, ("process_start_time_seconds",)),
        last_gc=_first(page, ("go_memstats_last_gc_time_seconds",)) or None,
        at=times[0] if times else None,
        go=versions[0] if versions else "",
    )


def _classes_of_collector(page: promtext.Page) -> dict[str, float]:
    """The classes of memory by `go_memstats_*`; empty where one of the heap or of stacks is not
    there. Of the runtime's own structures a page may leave some out: what is left of the whole is
    then theirs.
    """
    used = [f"{name}_inuse" for name in _WITH_USE]
    told = {
        name: _first(page, (f"go_memstats_{name}_bytes",))
        for name in (*_HEAP_AND_STACKS, *used, *_STRUCTURES)
    }
    known = {name: value for name, value in told.items() if value is not None}
    if not known.keys() >= {*_HEAP_AND_STACKS}:
        return {}
    for name in _WITH_USE:
        both = (f"{name}_sys", f"{name}_inuse")
        if not known.keys() >= {*both}:  # how it is split is not known
            for each in both:
                known.pop(each, None)
    parts = sum(known.get(name, 0.0) for name in ("heap_inuse", "heap_idle", *_STRUCTURES))
    left = known["sys"] - known["stack_sys"] - parts
    known["other_sys"] = known.get("other_sys", 0.0) + max(0.0, left)
    return _classes({**dict.fromkeys((*used, *_STRUCTURES), 0.0), **known})


def _classes(of: Mapping[str, float]) -> dict[str, float]:
    """MemStats as classes of memory; runtime.ReadMemStats says the same the other way round."""
    classes = {
        "heap/objects": of["heap_alloc"],
        "heap/unused": of["heap_inuse"] - of["heap_alloc"],
        "heap/free": of["heap_idle"] - of["heap_released"],
        "heap/released": of["heap_released"],
        "heap/stacks": of["stack_inuse"],
        "os-stacks": of["stack_sys"] - of["stack_inuse"],
        "metadata/mspan/inuse": of["mspan_inuse"],
        "metadata/mspan/free": of["mspan_sys"] - of["mspan_inuse"],
        "metadata/mcache/inuse": of["mcache_inuse"],
        "metadata/mcache/free": of["mcache_sys"] - of["mcache_inuse"],
        "metadata/other": of["gc_sys"],
        "profiling/buckets": of["buck_hash_sys"],
        "other": of["other_sys"],
        "total": of["sys"],
    }
    return {f"/memory/classes/{name}:bytes": max(0.0, value) for name, value in classes.items()}


def _of_memstats(kind: str, stats: memstats.MemStats) -> RuntimePage:
    values = {
        "/gc/heap/goal:bytes": float(stats.next_gc),
        "/gc/heap/allocs:bytes": float(stats.total_alloc),
        "/gc/cycles/total:gc-cycles": float(stats.num_gc),
        "/gc/cycles/forced:gc-cycles": float(stats.num_forced_gc),
        "/memory/classes/heap/objects:bytes": float(stats.heap_alloc),
    }
    if stats.heap_objects:
        values["/gc/heap/objects:objects"] = float(stats.heap_objects)
    if stats.sys:
        values |= _classes(
            {
                "sys": stats.sys,
                "heap_alloc": stats.heap_alloc,
                "heap_inuse": stats.heap_inuse,
                "heap_idle": stats.heap_idle,
                "heap_released": stats.heap_released,
                "stack_inuse": stats.stack_inuse,
                "stack_sys": stats.stack_sys,
                "mspan_inuse": stats.m_span_inuse,
                "mspan_sys": stats.m_span_sys,
                "mcache_inuse": stats.m_cache_inuse,
                "mcache_sys": stats.m_cache_sys,
                "buck_hash_sys": stats.buck_hash_sys,
                "gc_sys": stats.gc_sys,
                "other_sys": stats.other_sys,
            }
        )
    return RuntimePage(
        kind=kind,
        values=values,
        stats=stats,
        last_gc=stats.last_gc * 1e-9 if stats.last_gc else None,
    )


def _first(page: promtext.Page, names: Iterable[str]) -> float | None:
    """The first of the names that the page has with a value that can be one."""
    for name in names:
        value = page.value(name) if name else None
        if value is not None and 0 <= value < math.inf:
            return value
    return None


def _histogram(page: promtext.Page, name: str) -> Histogram | None:
    buckets = sorted(
        (_number(sample.labels["le"]), sample.value)
        for sample in page.samples(f"{name}_bucket")
        if "le" in sample.labels
    )
    counts = [count for _, count in buckets]
    if not buckets or any(math.isnan(bound) for bound, _ in buckets):
        return None
    if not all(0 <= count < math.inf for count in counts) or counts != sorted(counts):
        raise FormatError(f"the counts of {name} do not rise from bucket to bucket")
    return Histogram(tuple(bound for bound, _ in buckets), tuple(counts))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
