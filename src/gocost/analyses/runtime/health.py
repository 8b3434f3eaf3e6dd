"""The health of a Go process's scheduler and memory, as facts.

A quantile of a histogram is known as the bucket that it lies in: such a fact has the bucket's ends
as `low` and `high` and is given as its upper end, or as the lower one where the bucket has no end.
What a page does not tell is unknown, with what would tell it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from gocost.analyses.collector.window import CollectorWindow, difference
from gocost.analyses.portrait.observations import WARM_UP_SHARE
from gocost.analyses.portrait.runtime import LEAST_TRACED
from gocost.analyses.portrait.track import Track, quantile, trend
from gocost.analyses.runtime.recorded import Recorded
from gocost.formats.gctrace import lost
from gocost.formats.memstats import RING
from gocost.formats.runtime_page import RuntimePage
from gocost.model.catalogue import find_metric
from gocost.model.fact import Fact
from gocost.model.subject import Subject

HEALTH: Final = (
    "scheduler.utilisation",
    "goroutines.per_worker",
    "scheduler.latency.p99",
    "gc.pause.p99",
    "memory.allocation.rate",
    "gc.forced",
    "memory.heap.growth",
)
"""What the table of health has, in its order."""
GIVES: Final = (
    *HEALTH,
    "gc.pause.max",
    "gc.cpu.share",
    "gc.cycles",
    "memory.heap.live",
    "memory.gc.headroom",
    "memory.mapped",
)
FEWEST_FOR_P99: Final = 100
FEWEST_FOR_TREND: Final = 10
_PERIODIC: Final = 120.0
"""Seconds after which the runtime collects where nothing else made it, unless GOGC is off."""
_PAUSES: Final = ("/sched/pauses/total/gc:seconds", "/gc/pauses:seconds")
_LATENCIES: Final = "/sched/latencies:seconds"
_TWO = "give two pages of one process, apart in time"
_WHEN = (
    "the time between the pages is not known: take pages that are ten collections apart, or have "
    "times (OpenMetrics), or say it to `gocost runtime FIRST LAST --every 30s`"
)
_LOG = "a gctrace log does not tell it; give a page"


@dataclass(slots=True)
class Health:
    """Facts, and why there are no others."""

    subject: Subject
    facts: list[Fact] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)

    def give(
        self,
        metric: str,
        value: float,
        origin: str,
        *,
        low: float | None = None,
        high: float | None = None,
        n: int | None = None,
    ) -> None:
        """A fact in the unit of the catalogue."""
        unit = find_metric(metric).unit
        self.facts.append(
            Fact(metric, value, unit, self.subject, origin=origin, n=n, low=low, high=high)
        )

    def give_bucket(self, metric: str, ends: tuple[float, float], origin: str, n: int) -> None:
        """A fact of which only the bucket is known that it lies in."""
        low, high = ends
        self.give(metric, low if math.isinf(high) else high, origin, low=low, high=high, n=n)

    def cannot(self, reason: str, *metrics: str) -> None:
        """These are not known, for this reason."""
        self.unknown |= dict.fromkeys(metrics, reason)


def health(seen: Recorded, window: CollectorWindow | None, subject: Subject) -> Health:
    """Everything of GIVES that was told. `window` is None where the collector was not told of."""
    found = Health(subject)
    if seen.cycles:
        _of_log(seen, window, found)
    else:
        _scheduler(seen, found)
        _pauses(seen, found)
        _allocation(seen, found)
        _collections(seen, found)
        _growth(seen, found)
    _window(seen, window, found)
    return found


def _scheduler(seen: Recorded, found: Health) -> None:
    procs = seen.last.value("/sched/gomaxprocs:threads")
    _utilisation(seen, procs, found)
    counts = [v for page in seen.pages if (v := page.value("/sched/goroutines:goroutines"))]
    if not procs or not counts:
        lacking = "go_goroutines" if procs else "go_sched_gomaxprocs_threads"
        found.cannot(f"the page has no {lacking}", "goroutines.per_worker")
    else:
        origin = f"{max(counts):,.0f} goroutines, GOMAXPROCS {procs:g}"
        found.give("goroutines.per_worker", max(counts) / procs, origin)
    gained = seen.added(_LATENCIES)
    if gained is None:
        reason = (
            "the page has no go_sched_latencies_seconds: register it with "
            "collectors.WithGoCollectorRuntimeMetrics, or give an execution trace with --trace"
        )
        found.cannot(reason, "scheduler.latency.p99")
        return
    histogram, since = gained
    ends = histogram.quantile(0.99)
    count = int(histogram.total)
    if ends is None or count < FEWEST_FOR_P99:
        reason = f"{count} goroutines became runnable {since}, and a p99 takes {FEWEST_FOR_P99}"
        found.cannot(reason, "scheduler.latency.p99")
    else:
        origin = f"go_sched_latencies_seconds {since}: the ends of its bucket"
        found.give_bucket("scheduler.latency.p99", ends, origin, count)


def _utilisation(seen: Recorded, procs: float | None, found: Health) -> None:
    first, last = seen.first, seen.last
    spent = None
    if first is not None and first.cpu_seconds is not None and last.cpu_seconds is not None:
        spent = last.cpu_seconds - first.cpu_seconds
    if spent is not None and seen.seconds and procs:
        share = min(1.0, max(0.0, spent / (seen.seconds * procs)))
        origin = f"process_cpu_seconds_total over GOMAXPROCS {procs:g} and {seen.seconds:.3g} s"
        found.give("scheduler.utilisation", share, origin)
        return
    times = _between(seen) if first is not None and not seen.seconds else None
    if times is not None and procs and spent is not None and spent >= 0:
        ends = tuple(min(1.0, spent / (time * procs)) for time in reversed(times))
        origin = (
            f"process_cpu_seconds_total over GOMAXPROCS {procs:g} and the time between the pages' "
            "last collections"
        )
        found.give_bucket("scheduler.utilisation", (ends[0], ends[1]), origin, 2)
        return
    total = difference(first, last, "/cpu/classes/total:cpu-seconds")
    idle = difference(first, last, "/cpu/classes/idle:cpu-seconds")
    if total and idle is not None:
        origin = f"go_cpu_classes {seen.since}, the runtime's own estimate"
        found.give("scheduler.utilisation", min(1.0, max(0.0, 1 - idle / total)), origin)
        return
    reason = (
        "it takes process_cpu_seconds_total and go_sched_gomaxprocs_threads of two pages and the "
        "time between them, or go_cpu_classes_*"
    )
    found.cannot(reason, "scheduler.utilisation")


def _pauses(seen: Recorded, found: Health) -> None:
    """From the best that there is: a histogram, the ring of MemStats, a summary's quantiles."""
    for name in _PAUSES:
        gained = seen.added(name)
        if gained is None:
            continue
        histogram, since = gained
        origin = f"the histogram of pauses {since}: the ends of its bucket"
        most, p99 = histogram.quantile(1.0), histogram.quantile(0.99)
        count = int(histogram.total)
        if most is None or p99 is None:
            found.cannot(f"no collection ran {since}", "gc.pause.max", "gc.pause.p99")
            return
        found.give_bucket("gc.pause.max", most, origin, count)
        if count < FEWEST_FOR_P99:
            found.cannot(_few(count), "gc.pause.p99")
        else:
            found.give_bucket("gc.pause.p99", p99, origin, count)
        return
    stats = seen.last.stats
    if stats is not None:
        before = seen.first.stats.num_gc if seen.first and seen.first.stats else 0
        _listed(stats.pauses_since(before), f"PauseNs, the two stops of a cycle as one, "
                f"{seen.since} (at most the last {RING} cycles)", found)  # fmt: skip
        return
    _summary(seen, found)


def _summary(seen: Recorded, found: Health) -> None:
    """The p99 of the usual page lies between its two highest quantiles."""
    quantiles = seen.last.pause_quantiles
    cycles = difference(seen.first, seen.last, "/gc/cycles/total:gc-cycles") or 0
    if 1.0 not in quantiles:
        reason = "the page has neither a histogram nor quantiles of pauses"
        found.cannot(reason, "gc.pause.max", "gc.pause.p99")
        return
    origin = f"go_gc_duration_seconds, of the last {RING} cycles, both stops of a cycle as one"
    count = int(min(cycles, RING))
    found.give("gc.pause.max", quantiles[1.0], origin, n=count or None)
    below = max((share for share in quantiles if share <= 0.99), default=None)
    if count < FEWEST_FOR_P99:
        found.cannot(_few(count), "gc.pause.p99")
    elif below is not None:
        ends = (quantiles[below], quantiles[1.0])
        found.give_bucket("gc.pause.p99", ends, f"{origin}: its quantiles beside it", count)


def _listed(pauses: list[float], origin: str, found: Health) -> None:
    ordered = sorted(pauses)
    if not ordered:
        found.cannot("no collection ran in that time", "gc.pause.max", "gc.pause.p99")
        return
    found.give("gc.pause.max", ordered[-1], origin, n=len(ordered))
    if len(ordered) < FEWEST_FOR_P99:
        found.cannot(_few(len(ordered)), "gc.pause.p99")
    else:
        found.give("gc.pause.p99", quantile(ordered, 0.99), origin, n=len(ordered))


def _few(count: int) -> str:
    return f"a p99 of {count} pauses says nothing ({FEWEST_FOR_P99} are needed)"


def _allocation(seen: Recorded, found: Health) -> None:
    metric = "memory.allocation.rate"
    allocated = difference(seen.first, seen.last, "/gc/heap/allocs:bytes")
    if allocated is None:
        found.cannot("the page does not say how much was allocated", metric)
    elif seen.first is not None:
        if seen.seconds:
            found.give(metric, allocated / seen.seconds, f"bytes allocated {seen.since}")
        elif (times := _between(seen)) is not None:
            ends = (allocated / times[1], allocated / times[0])
            origin = "bytes allocated between the pages, by the time between their last collections"
            found.give_bucket(metric, ends, origin, 2)
        else:
            found.cannot(_WHEN, metric)
    elif (age := _age(seen.last)) is not None:
        ends = (allocated / age[1], allocated / age[0])
        origin = "bytes allocated since the process began, by its age at the last collection"
        if ends[0] == ends[1]:
            found.give(metric, ends[1], "bytes allocated since the process began")
        else:
            found.give_bucket(metric, ends, origin, 1)
    else:
        found.cannot(f"the page does not say how old the process is; {_TWO}", metric)


def _between(seen: Recorded) -> tuple[float, float] | None:
    """Seconds between two pages: at least, at most.

    Each was made within about one collection's interval after its last collection.
    """
    cycles = difference(seen.first, seen.last, "/gc/cycles/total:gc-cycles")
    if seen.first is None or seen.first.last_gc is None or seen.last.last_gc is None:
        return None
    seconds = seen.last.last_gc - seen.first.last_gc
    if seconds <= 0 or not cycles or cycles < FEWEST_FOR_TREND:
        return None
    return seconds * (1 - 1 / cycles), seconds * (1 + 1 / cycles)


def _age(page: RuntimePage) -> tuple[float, float] | None:
    """Seconds since the process began when the page was made: at least, at most.

    A page without a time is not older than its last collection, and the runtime lets no two
    minutes pass without one.
    """
    if page.started is None:
        return None
    if page.at is not None and page.at > page.started:
        return page.at - page.started, page.at - page.started
    if page.last_gc is None or page.last_gc <= page.started:
        return None
    age = page.last_gc - page.started
    return age, age + _PERIODIC


def _collections(seen: Recorded, found: Health) -> None:
    cycles = difference(seen.first, seen.last, "/gc/cycles/total:gc-cycles")
    if cycles is not None:
        found.give("gc.cycles", int(cycles), seen.since)
    forced = difference(seen.first, seen.last, "/gc/cycles/forced:gc-cycles")
    if forced is None:
        reason = "the page has no go_gc_cycles_forced_gc_cycles_total; /debug/vars has it"
        found.cannot(reason, "gc.forced")
    else:
        found.give("gc.forced", int(forced), seen.since)


def _growth(seen: Recorded, found: Health) -> None:
    """The live heap of the last page against the first; of ten and more, the trend."""
    metric = "memory.heap.growth"
    if seen.first is None:
        found.cannot(f"one page does not tell growth; {_TWO}", metric)
        return
    live = [page.value("/gc/heap/live:bytes") for page in seen.pages]
    what = "go_gc_heap_live_bytes"
    if None in live:
        live = [page.value("/gc/heap/goal:bytes") for page in seen.pages]
        what = "the collector's goal, which goes with the live heap"
    known = [value for value in live if value]
    cycles = difference(seen.first, seen.last, "/gc/cycles/total:gc-cycles")
    if len(known) < len(seen.pages) or not cycles:
        found.cannot("no collection ran between the pages", metric)
    else:
        found.give(metric, known[-1] / known[0] - 1, f"{what}, {seen.since}", n=len(known))


def _window(seen: Recorded, window: CollectorWindow | None, found: Health) -> None:
    if window is None:
        return
    if window.live is None:
        found.cannot("the page does not have go_gc_heap_live_bytes", "memory.heap.live")
    else:
        found.give("memory.heap.live", window.live, window.source)
        if window.headroom is not None and window.headroom >= 0:
            found.give("memory.gc.headroom", window.headroom, window.source)
    share = window.gc_share
    if share is not None:
        found.give("gc.cpu.share", min(1.0, share), f"go_cpu_classes {seen.since}")
    elif not seen.cycles:
        found.cannot("the page has no go_cpu_classes_*", "gc.cpu.share")
    if seen.pages:
        mapped = seen.last.value("/memory/classes/total:bytes")
        if mapped is None:
            found.cannot("the page does not have the classes of memory", "memory.mapped")
        else:
            found.give("memory.mapped", int(mapped), "/memory/classes/total of the last page")


def _of_log(seen: Recorded, window: CollectorWindow | None, found: Health) -> None:
    cycles = seen.cycles
    seconds = cycles[-1].at - cycles[0].at
    gone = f", {lost(cycles)} lines of it lost" if lost(cycles) else ""
    origin = f"{len(cycles)} collections of a gctrace log{gone}"
    _listed([pause for cycle in cycles for pause in cycle.pauses], origin, found)
    found.give("gc.cycles", len(cycles) + lost(cycles), origin)
    found.give("gc.forced", sum(cycle.forced for cycle in cycles), origin)
    if window is not None and seconds > 0:
        found.give("memory.allocation.rate", window.allocated / seconds, origin)
    else:
        found.cannot("the log has fewer than two collections", "memory.allocation.rate")
    track = Track()
    for cycle in cycles:
        # A program fills its heap first: what it holds then is no growth.
        if cycle.at >= cycles[0].at + WARM_UP_SHARE * seconds:
            track.add(cycle.at, float(cycle.heap_live))
    told = len(track) >= FEWEST_FOR_TREND and (track.median() or 0) >= LEAST_TRACED
    line = trend(track) if told else None
    if line is None or line.growth is None:
        reason = (
            f"a trend takes {FEWEST_FOR_TREND} collections after the first quarter of the log, and "
            f"a heap of {LEAST_TRACED >> 20} MiB: the log has whole MiB"
        )
        found.cannot(reason, "memory.heap.growth")
    else:
        found.give("memory.heap.growth", line.growth, f"{origin}, over {line.seconds:.3g} s")
    found.cannot(
        _LOG,
        "scheduler.utilisation",
        "goroutines.per_worker",
        "scheduler.latency.p99",
        "memory.mapped",
    )
    reason = "the last line's share is of what GOMAXPROCS allows, not of the process's CPU time"
    found.cannot(reason, "gc.cpu.share")
