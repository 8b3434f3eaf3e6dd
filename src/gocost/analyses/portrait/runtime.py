"""The part of the portrait that the Go runtime tells: heap, collector, goroutines.

It tells through gctrace lines, where gocost started the process, and through the service's pages.
"""

from __future__ import annotations

from itertools import pairwise

from gocost.analyses.portrait.observations import Histogram, Observations
from gocost.analyses.portrait.outcome import Outcome
from gocost.analyses.portrait.track import Track, quantile, trend
from gocost.analyses.portrait.usage import FEWEST_FOR_P99
from gocost.formats.gctrace import Cycle, lost
from gocost.formats.memstats import RING

PAUSES = ("gc.pause.p50", "gc.pause.p99", "gc.pause.max", "gc.pause.count")
HEAP = ("memory.heap.live", "memory.heap.growth", "memory.allocation.rate")
GOROUTINES = ("goroutines.start", "goroutines.load", "goroutines.after", "goroutines.leaked")
FEWEST_TRACED = 10
LEAST_TRACED = 16 << 20
"""Cycles, and bytes, from which on gctrace's live heap, in whole MiB, makes the better trend."""
FEW_READINGS = 5
FEWEST_BEARING = 5
"""Readings of pages below which so many collections have to bear their trend out."""
LEAST_CPU = 0.1
"""CPU seconds below which a share of them is lost in the kernel's ticks of 10 ms."""


def heap(seen: Observations, outcome: Outcome) -> None:
    """Live heap, its growth, and allocation."""
    if not seen.total_alloc:
        outcome.skip(seen.absent.get("pages", "no page was read"), *HEAP)
        return
    _live(seen, outcome)
    _growth(seen, outcome)
    part = seen.total_alloc.between(seen.after_warm_up().start, seen.after_warm_up().end)
    rate = part.rate()
    if rate is None:
        outcome.cannot("TotalAlloc was read less than twice under load", "memory.allocation.rate")
    else:
        origin = f"TotalAlloc of {seen.pages}, over {part.seconds():.3g} s"
        outcome.give("memory.allocation.rate", rate, origin, len(part))


def collector(seen: Observations, outcome: Outcome) -> None:
    """Pauses, CPU, cycles."""
    cycles = traced_cycles(seen)
    if cycles is not None:
        note = f"; {gone} cycles were cut by log lines" if (gone := lost(cycles)) else ""
        origin = f"GODEBUG=gctrace=1, {len(cycles)} cycles{note}"
        _pauses(seen, [pause for cycle in cycles for pause in cycle.pauses], origin, outcome)
        outcome.give("gc.cycles", len(cycles) + lost(cycles), origin)
        outcome.give("gc.forced", sum(cycle.forced for cycle in cycles), origin)
        _traced_share(seen, cycles, outcome)
        return
    _pauses_of_pages(seen, outcome)
    _cycles_of_pages(seen, outcome)
    _share_of_pages(seen, outcome)


def goroutines(seen: Observations, outcome: Outcome) -> None:
    """How many there were before, under and after the load."""
    if not seen.goroutines:
        outcome.skip(seen.absent.get("pages", "no page was read"), *GOROUTINES)
        return
    window, settle = seen.window(), seen.phase("settle")
    peak = seen.goroutines.between(window.start, window.end).peak()
    if peak is None:
        outcome.cannot("the pages were not read under load", "goroutines.load")
    else:
        outcome.give("goroutines.load", peak, f"largest reading of {seen.pages} under load")
    if settle is None:
        reason = "nothing was put on the service, so nothing went away"
        outcome.skip(reason, "goroutines.start", "goroutines.after", "goroutines.leaked")
        return
    before = seen.goroutines.between(0.0, window.start).last()
    after = seen.goroutines.between(settle.end, settle.end).last()
    if before is None:
        outcome.cannot("the pages could not be read before the load", "goroutines.start")
    else:
        outcome.give("goroutines.start", before, f"{seen.pages}, before the load")
    if after is None:
        outcome.cannot("the pages could not be read after the load", "goroutines.after")
    else:
        origin = f"{seen.pages}, {settle.seconds:.3g} s after the load"
        outcome.give("goroutines.after", after, origin)
    if before is None or after is None:
        reason = "the pages could not be read both before and after the load"
        outcome.cannot(reason, "goroutines.leaked")
    else:
        origin = f"goroutines.after less goroutines.start, after {settle.seconds:.3g} s to settle"
        outcome.give("goroutines.leaked", max(0.0, after - before), origin)


def live_heap(seen: Observations) -> Track:
    """The live heap over time: as told, or as the collector's goal implies it (an upper bound)."""
    if seen.heap_live:
        return seen.heap_live
    implied, alloc = (
        _implied(seen),
        dict(zip(seen.heap_alloc.times, seen.heap_alloc.values, strict=True)),
    )
    return Track(
        implied.times,
        [min(v, alloc.get(t, v)) for t, v in zip(implied.times, implied.values, strict=True)],
    )


def traced_cycles(seen: Observations) -> list[Cycle] | None:
    """The cycles under load by gctrace; None where it was not on, or nothing of it came."""
    if not seen.tracing or not (seen.traced or seen.inits):
        return None
    window = seen.window()
    cycles = [cycle for at, cycle in seen.traced if window.start <= at <= window.end]
    # A service that turns its stderr elsewhere keeps the lines from us: its pages still count.
    if not cycles and seen.cycles.between(window.start, window.end).rise():
        return None
    return cycles


def _implied(seen: Observations) -> Track:
    share = 1 + (100.0 if seen.gogc is None else seen.gogc) / 100
    return Track(seen.heap_goal.times, [value / share for value in seen.heap_goal.values])


def _live(seen: Observations, outcome: Outcome) -> None:
    steady = seen.steady()
    part = live_heap(seen).between(steady.start, steady.end)
    value = part.median()
    if seen.memory_limited and not seen.heap_live:
        _limited(outcome, "memory.heap.live")
    elif value is None:
        outcome.cannot("the pages were not read in the last half of the load", "memory.heap.live")
    else:
        outcome.give("memory.heap.live", value, _live_origin(seen, len(part)), len(part))


def _growth(seen: Observations, outcome: Outcome) -> None:
    metric = "memory.heap.growth"
    window = seen.after_warm_up()
    part, origin = _traced_live(seen).between(window.start, window.end), "GODEBUG=gctrace=1"
    if len(part) < FEWEST_TRACED or (part.median() or 0) < LEAST_TRACED:
        if seen.memory_limited and not seen.heap_live:
            _limited(outcome, metric)
            return
        # Not the lesser of goal and HeapAlloc: HeapAlloc is anywhere between two collections.
        part = (seen.heap_live or _implied(seen)).between(window.start, window.end)
        origin = _live_origin(seen, len(part))
    line = trend(part)
    growth = line.growth if line is not None else None
    if line is None or growth is None:
        watched = window.name == "watch"
        while_ = "" if watched else " from the end of the warm-up to the end of the load"
        longer = "watch for 10 s or longer" if watched else "make the load 10 s or longer"
        outcome.cannot(
            f"the pages were read {len(part)} times{while_}, and a trend needs 3: {longer}", metric
        )
        return
    cycles = _traced_live(seen).between(window.start, window.end)
    borne = trend(cycles)
    if borne is not None and len(part) < FEW_READINGS and len(cycles) >= FEWEST_BEARING:
        # Three readings rise by chance one time in six, as when a busy machine lets a load pile
        # up. What the collections say is rounded to MiB, but they are many: the less of both.
        rise = borne.slope * line.seconds / line.start
        if rise < growth:
            growth = max(rise, 0.0) if growth > 0 else growth
            origin += f", borne out by {len(cycles)} collections of GODEBUG=gctrace=1"
    of = "" if window.name == "watch" else " of load"
    outcome.give(metric, growth, f"over {line.seconds:.3g} s{of}, {origin}", len(part))


def _traced_live(seen: Observations) -> Track:
    """The live heap after each cycle: many more points than the pages have, rounded down to MiB."""
    track = Track()
    for at, cycle in seen.traced:
        track.add(at, cycle.heap_live)
    return track


def _limited(outcome: Outcome, metric: str) -> None:
    outcome.cannot(
        "a memory limit or GOGC=off sets the collector's goal, which then does not tell the live "
        "heap; export go_gc_heap_live_bytes (runtime/metrics /gc/heap/live:bytes)",
        metric,
    )


def _live_origin(seen: Observations, readings: int) -> str:
    if seen.heap_live:
        return f"go_gc_heap_live_bytes of {seen.pages}, {readings} readings"
    percent = "100 (assumed)" if seen.gogc is None else f"{seen.gogc:g}"
    return f"NextGC of {seen.pages}, {readings} readings, at GOGC {percent}"


def _pauses(seen: Observations, pauses: list[float], origin: str, outcome: Outcome) -> None:
    ordered = sorted(pauses)
    count = len(ordered)
    outcome.give("gc.pause.count", count, origin)
    if not ordered:
        _never_collected(seen, outcome)
        return
    outcome.give("gc.pause.max", ordered[-1], origin, count)
    outcome.give("gc.pause.p50", quantile(ordered, 0.5), origin, count)
    if count >= FEWEST_FOR_P99:
        outcome.give("gc.pause.p99", quantile(ordered, 0.99), origin, count)
    else:
        _too_few(count, outcome)


def _too_few(count: float, outcome: Outcome) -> None:
    """Too few pauses for a p99: unknown; gc.pause.max tells of them what there is to tell."""
    outcome.cannot(
        f"a p99 of {count:g} pauses says nothing (100 are needed): put load on it for longer, or "
        "limit gc.pause.max",
        "gc.pause.p99",
    )


def _never_collected(seen: Observations, outcome: Outcome) -> None:
    """Without a cycle there is no pause to judge, which is neither 0 s nor a failure to measure.

    A longest pause of 0 would keep any limit without having tried it, and unknown would fail a
    service for allocating little.
    """
    window = seen.window()
    while_ = "while it was watched" if window.name == "watch" else "under load"
    outcome.skip(
        f"no garbage collection ran in {window.seconds:.3g} s {while_}, so nothing paused; more "
        "requests or more time would bring one, and `{metric: gc.cycles, min: 1}` asks for it",
        "gc.pause.p50",
        "gc.pause.p99",
        "gc.pause.max",
    )


def _traced_share(seen: Observations, cycles: list[Cycle], outcome: Outcome) -> None:
    seconds = outcome.value("process.cpu.seconds")
    if seconds is None or seconds < LEAST_CPU:
        outcome.cannot(f"the process took less than {LEAST_CPU:g} s of CPU", "gc.cpu.share")
        return
    share = min(1.0, sum(cycle.cpu for cycle in cycles) / seconds)
    outcome.give("gc.cpu.share", share, f"GODEBUG=gctrace=1, of {seconds:.3g} s of CPU in /proc")


def _pauses_of_pages(seen: Observations, outcome: Outcome) -> None:
    window = seen.window()
    ring = [pause for at, pause in seen.ring_pauses if window.start < at <= window.end]
    rise = seen.cycles.between(window.start, window.end).rise()
    if seen.pauses_before and seen.pauses_after:
        _pauses_of_histogram(seen, seen.pauses_before, seen.pauses_after, outcome)
    elif ring or rise == 0:
        gone = int(rise or len(ring)) - len(ring)
        note = f"; {gone} cycles were more than the ring holds" if gone > 0 else ""
        origin = f"PauseNs of {seen.pages}, both stops of a cycle as one{note}"
        _pauses(seen, ring, origin, outcome)
    elif seen.page_quantiles and rise is not None:
        _pauses_of_quantiles(seen, int(rise), outcome)
    else:
        outcome.skip(_untraced(seen), *PAUSES)


def _pauses_of_quantiles(seen: Observations, cycles: int, outcome: Outcome) -> None:
    """A summary over the last 256 cycles, of which those under load may be the fewer."""
    origin = f"go_gc_duration_seconds of {seen.pages}, both stops of a cycle as one"
    outcome.give("gc.pause.count", cycles, origin)
    bound = "" if cycles >= RING else f", of the last {RING} cycles: no more than this"
    outcome.give("gc.pause.max", seen.page_quantiles.get(1.0, 0.0), f"{origin}{bound}", cycles)
    if cycles >= RING and 0.5 in seen.page_quantiles:
        outcome.give("gc.pause.p50", seen.page_quantiles[0.5], origin, RING)
    else:
        reason = f"go_gc_duration_seconds is over {RING} cycles, and {cycles} ran in this time"
        outcome.skip(reason, "gc.pause.p50")
    outcome.skip(
        "go_gc_duration_seconds has no p99: publish /debug/vars, or start it with --run",
        "gc.pause.p99",
    )


def _pauses_of_histogram(
    seen: Observations, before: Histogram, after: Histogram, outcome: Outcome
) -> None:
    """Quantiles as the upper bounds of their buckets: never less than they were."""
    counts = [b - a for a, b in zip(before.counts, after.counts, strict=False)]
    if before.bounds != after.bounds or any(b < a for a, b in pairwise(counts)) or not counts:
        outcome.cannot("the service's histogram of pauses was reset meanwhile", *PAUSES)
        return
    total = counts[-1]
    origin = f"the histogram of pauses of {seen.pages}, upper bounds of its buckets"
    outcome.give("gc.pause.count", total, origin)
    if not total:
        _never_collected(seen, outcome)
        return
    for metric, share, fewest in (
        ("gc.pause.p50", 0.5, 1),
        ("gc.pause.p99", 0.99, FEWEST_FOR_P99),
        ("gc.pause.max", 1.0, 1),
    ):
        bounds = (b for b, n in zip(after.bounds, counts, strict=True) if n >= share * total)
        bound = next(bounds, float("inf"))
        if total < fewest:
            _too_few(total, outcome)
        elif bound == float("inf"):
            outcome.cannot("the pause lies in the histogram's last bucket, without bound", metric)
        else:
            outcome.give(metric, bound, origin, int(total))


def _cycles_of_pages(seen: Observations, outcome: Outcome) -> None:
    window = seen.window()
    for metric, track in (("gc.cycles", seen.cycles), ("gc.forced", seen.forced)):
        rise = track.between(window.start, window.end).rise()
        if rise is not None:
            outcome.give(metric, rise, f"{seen.pages}, over {window.seconds:.3g} s")
        elif track:
            outcome.cannot("the pages were read less than twice under load", metric)
        else:
            outcome.skip(_untraced(seen), metric)


def _share_of_pages(seen: Observations, outcome: Outcome) -> None:
    window = seen.window()
    collector_rise = seen.gc_classes.between(window.start, window.end).rise()
    busy = seen.busy_classes.between(window.start, window.end).rise()
    if collector_rise is not None and busy:
        origin = f"go_cpu_classes of {seen.pages}, the runtime's own estimate"
        outcome.give("gc.cpu.share", min(1.0, collector_rise / busy), origin)
    else:
        outcome.skip(_untraced(seen), "gc.cpu.share")


def _untraced(seen: Observations) -> str:
    if seen.tracing:
        return "no line of GODEBUG=gctrace=1 came: the program turns its stderr elsewhere"
    return (
        "needs GODEBUG=gctrace=1, which is set where gocost starts the process (--run), or a page "
        "that tells it"
    )
