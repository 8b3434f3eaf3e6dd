"""What the collector did over a window of time, and what set its pace.

A cycle starts because of bytes that were allocated, and costs what has to be scanned. So a window
is told by bytes allocated (A), cycles (N), live bytes (L), the goal that the heap grows to before a
cycle is done, and the CPU time that it took (T). It is made of two pages of a service, of one page
(all since the process began), or of the lines of a gctrace log.

The goal, by src/runtime/mgcpacer.go, is the least of

    max(L + (L + stacks + globals) * GOGC/100, 4 MiB * GOGC/100)
    0.97 * (GOMEMLIMIT - what is mapped and not heap)

and which of them it was decides who pays for a cycle: see `allocation_weight`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from gocost.formats.gctrace import Cycle
from gocost.formats.runtime_page import UNLIMITED, RuntimePage
from gocost.model.errors import UsageError

FLOOR: Final = 4 << 20
"""The smallest goal at GOGC=100; it goes with GOGC."""
LIMIT_SHARE: Final = 0.97
"""Of what GOMEMLIMIT leaves to the heap, the part that the collector aims for."""
LEAST_SLACK: Final = 1 << 20
"""And at least so many bytes less than all of it."""
_NEAR: Final = 0.05
_MOST_TOLD: Final = 8


class Pace(StrEnum):
    """What set the goal of the heap in a window."""

    GOGC = "GOGC"
    LIMIT = "GOMEMLIMIT"
    FLOOR = "the 4 MiB floor"
    NOTHING = "nothing: GOGC is off and there is no GOMEMLIMIT"


@dataclass(frozen=True, slots=True)
class Memory:
    """What is mapped, averaged over the readings of a window. Bytes."""

    mapped: float
    """All that the runtime had from the system, given back or not."""
    released: float
    free: float
    """Spans without objects that were not given back."""
    objects: float
    """Live, new, or dead and not yet swept."""
    unused: float
    """Free slots of spans that have objects."""

    @property
    def held(self) -> float:
        """What GOMEMLIMIT counts: mapped and not given back."""
        return self.mapped - self.released

    @property
    def nonheap(self) -> float:
        """What GOMEMLIMIT counts besides heap objects and the room that is ready for them."""
        return max(0.0, self.held - self.free - self.objects)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a cycle has to scan. Bytes; stacks and globals are what the goal counts besides live."""

    heap: float
    stacks: float
    globals: float


@dataclass(frozen=True, slots=True)
class CollectorWindow:
    """One window. Bytes and seconds; None where the input does not tell."""

    source: str
    """In words: what it was made of."""
    allocated: float
    cycles: int
    forced: int
    live: float | None
    """After marking, averaged over the window."""
    goal: float
    """The size of the heap at which a cycle is to be done, averaged over the window."""
    gogc: float | None
    """Percent; None where GOGC is off."""
    limit: float | None
    """GOMEMLIMIT; None where there is none."""
    scan: Scan | None = None
    memory: Memory | None = None
    gc_cpu: float | None = None
    """CPU seconds of the collector: marking, assists, idle marking, stops."""
    cpu: float | None = None
    """CPU seconds of the process, the collector's among them."""
    assists: float | None = None
    """The part of marking that goroutines did themselves, because they allocated faster than the
    collector marked."""
    during: float | None = None
    """Bytes that were allocated while a cycle marked, a cycle; a log tells them, pages do not."""
    available: float | None = None
    """CPU seconds that GOMAXPROCS allowed the process."""
    seconds: float | None = None
    procs: float | None = None
    """GOMAXPROCS."""
    assumed: tuple[str, ...] = ()
    """What was taken for granted, in words."""

    @property
    def headroom(self) -> float | None:
        """Bytes that are allocated between the end of a cycle and the goal of the next."""
        return None if self.live is None else self.goal - self.live

    @property
    def roots(self) -> float:
        """Stacks and globals: what counts towards the goal besides the live heap."""
        return 0.0 if self.scan is None else self.scan.stacks + self.scan.globals

    @property
    def gc_share(self) -> float | None:
        """The collector's part of the process's CPU time."""
        return self.gc_cpu / self.cpu if self.gc_cpu is not None and self.cpu else None


def pace(window: CollectorWindow) -> Pace:
    """What set the goal: GOGC, GOMEMLIMIT, or the floor under small heaps."""
    return pace_of(window.goal, window.live, window.roots, window.gogc, window.limit, window.memory)


def pace_of(
    goal: float,
    live: float | None,
    roots: float,
    gogc: float | None,
    limit: float | None,
    memory: Memory | None,
) -> Pace:
    """The same of the figures themselves."""
    if gogc is None:
        return Pace.NOTHING if limit is None else Pace.LIMIT
    allowed = None if limit is None or memory is None else limited_goal(limit, memory.nonheap)
    if live is None:
        near = allowed is not None and abs(goal - allowed) <= _NEAR * allowed
        if near:
            return Pace.LIMIT
        return Pace.FLOOR if goal <= FLOOR * gogc / 100 * (1 + _NEAR) else Pace.GOGC
    by_gogc = max(live + (live + roots) * gogc / 100, FLOOR * gogc / 100)
    if allowed is not None and allowed < by_gogc and goal < by_gogc * (1 - _NEAR):
        return Pace.LIMIT
    floored = live + (live + roots) * gogc / 100 < FLOOR * gogc / 100
    return Pace.FLOOR if floored else Pace.GOGC


def limited_goal(limit: float, nonheap: float) -> float:
    """The goal that GOMEMLIMIT allows, where `nonheap` bytes of it are not the heap's."""
    room = max(0.0, limit - nonheap)
    return max(0.0, min(LIMIT_SHARE * room, room - LEAST_SLACK))


def allocation_weight(window: CollectorWindow) -> float | None:
    """The part of marking that is owed to allocation; the rest is owed to what is live.

    GOGC lets the heap grow in proportion to what is live, so more live bytes make cycles rarer as
    they make them dearer: what a cycle costs is then owed to allocating alone (1). Where the goal
    stands still, live bytes also take away the room that is allocated in: cost goes with
    L / (goal - L), whose elasticity in L is 1 + L/(goal - L), and in A it is 1. None where the live
    heap is not known.
    """
    if pace(window) is Pace.GOGC:
        return 1.0
    if window.live is None or window.goal <= window.live:
        return None
    elasticity = 1 + window.live / (window.goal - window.live)
    return 1 / (1 + elasticity)


def window_of_pages(
    pages: Sequence[RuntimePage], *, seconds: float | None = None
) -> CollectorWindow:
    """The window from the first page to the last, or all since the process began with one page.

    `seconds` is the time between the first and the last where it is known. Raises UsageError where
    the pages are of different processes, or lack what every page of a Go program has.
    """
    last = pages[-1]
    first = pages[0] if len(pages) > 1 else None
    if first is not None:
        check_same_process(pages)
    allocated = difference(first, last, "/gc/heap/allocs:bytes")
    cycles = difference(first, last, "/gc/cycles/total:gc-cycles")
    goal = _mean(pages, "/gc/heap/goal:bytes")
    if allocated is None or cycles is None or goal is None:
        raise UsageError(
            "the page does not say how much was allocated, how many collections there were, or "
            "their goal",
            hint="register the Go collector of client_golang, or give /debug/vars",
        )
    assumed: list[str] = []
    gogc, limit = _settings(last, goal, assumed)
    memory = _memory(pages)
    scan = _scan(pages)
    live = _live(pages, goal, gogc, limit, scan, memory, assumed)
    gc_cpu, cpu = _cpu(first, last, assumed)
    procs = last.value("/sched/gomaxprocs:threads")
    available = difference(first, last, "/cpu/classes/total:cpu-seconds")
    if available is None and seconds is not None and procs is not None:
        available = seconds * procs
    count = "two pages" if len(pages) == 2 else f"{len(pages)} pages"
    return CollectorWindow(
        source=f"{count} of a service" if first is not None else "one page: all since it began",
        allocated=allocated,
        cycles=int(cycles),
        forced=int(difference(first, last, "/gc/cycles/forced:gc-cycles") or 0),
        live=live,
        goal=goal,
        gogc=gogc,
        limit=limit,
        scan=scan,
        memory=memory,
        gc_cpu=gc_cpu,
        cpu=cpu,
        assists=_assists(first, last),
        available=available,
        seconds=seconds,
        procs=procs,
        assumed=tuple(assumed[:_MOST_TOLD]),
    )


def window_of_cycles(
    cycles: Sequence[Cycle], *, gogc: float | None = 100.0, limit: float | None = None
) -> CollectorWindow:
    """The window of a gctrace log, from the end of its first cycle to that of its last.

    The log does not say what GOGC and GOMEMLIMIT were. Sizes are whole MiB in it, so that a heap of
    a few MiB is told roughly. Raises UsageError for fewer than two cycles.
    """
    if len(cycles) < 2:
        raise UsageError(
            f"the log has {len(cycles)} collections, and two are needed", hint="let it run longer"
        )
    counted = cycles[1:]
    # What a cycle found at its end and did not have after the one before was allocated between.
    allocated = sum(max(0, b.heap_end - a.heap_live) for a, b in pairwise(cycles))
    numbers = cycles[-1].number - cycles[0].number
    if numbers > len(counted):
        # Lines were cut by what else was logged: what they told is taken to be like the rest.
        allocated = int(allocated * numbers / len(counted))
    seconds = cycles[-1].at - cycles[0].at
    procs = cycles[-1].procs
    roots = [(each.stacks, each.globals) for each in counted]
    stacks = sum(stack or 0 for stack, _ in roots) / len(roots)
    globals_ = sum(each or 0 for _, each in roots) / len(roots)
    live = sum(each.heap_live for each in cycles[:-1]) / len(counted)
    marking = sum(each.assist_cpu + each.dedicated_cpu + each.idle_cpu for each in counted)
    told = "off" if gogc is None else f"{gogc:g}"
    return CollectorWindow(
        source=f"{len(cycles)} collections of a gctrace log",
        allocated=float(allocated),
        cycles=numbers,
        forced=sum(each.forced for each in counted),
        live=live,
        goal=sum(each.goal for each in counted) / len(counted),
        gogc=gogc,
        limit=limit,
        scan=Scan(live, stacks, globals_) if cycles[-1].stacks is not None else None,
        gc_cpu=sum(each.cpu for each in counted) * numbers / len(counted),
        assists=sum(each.assist_cpu for each in counted) / marking if marking else None,
        during=sum(each.heap_end - each.heap_start for each in counted) / len(counted),
        available=seconds * procs if seconds > 0 else None,
        seconds=seconds if seconds > 0 else None,
        procs=float(procs),
        assumed=(f"GOGC was {told}: a gctrace log does not say it",),
    )


def difference(first: RuntimePage | None, last: RuntimePage, name: str) -> float | None:
    """How much a counter rose from page to page, or its value where there is only one page."""
    end = last.value(name)
    start = 0.0 if first is None else first.value(name)
    return None if end is None or start is None else end - start


def check_same_process(pages: Sequence[RuntimePage]) -> None:
    """Raises UsageError where a later page has less behind it than one before."""
    starts = {page.started for page in pages if page.started is not None}
    kinds = {page.kind for page in pages}
    if len(kinds) > 1:
        raise UsageError(
            f"the pages are of different kinds: {', '.join(sorted(kinds))}",
            hint="give the same page twice, taken apart in time",
        )
    counters = ("/gc/heap/allocs:bytes", "/gc/cycles/total:gc-cycles")
    falls = any(
        (b.value(name) or 0) < (a.value(name) or 0) for a, b in pairwise(pages) for name in counters
    )
    if len(starts) > 1 or falls:
        raise UsageError(
            "the pages are of two processes, or not in the order that they were taken in: a "
            "counter is lower in the later one",
            hint="give two pages of one process, the earlier first",
        )


def _assists(first: RuntimePage | None, last: RuntimePage) -> float | None:
    parts = [
        difference(first, last, f"/cpu/classes/gc/mark/{name}:cpu-seconds")
        for name in ("assist", "dedicated", "idle")
    ]
    known = [part for part in parts if part is not None]
    return known[0] / sum(known) if len(known) == len(parts) and sum(known) > 0 else None


def _mean(pages: Sequence[RuntimePage], name: str) -> float | None:
    values = [value for page in pages if (value := page.value(name)) is not None]
    return sum(values) / len(values) if values else None


def _settings(
    page: RuntimePage, goal: float, assumed: list[str]
) -> tuple[float | None, float | None]:
    """GOGC (None: off) and GOMEMLIMIT (None: none)."""
    limit = page.value("/gc/gomemlimit:bytes")
    gogc = page.value("/gc/gogc:percent")
    if goal >= UNLIMITED or (gogc is not None and gogc >= UNLIMITED / 2):
        gogc = None
    elif gogc is None:
        assumed.append("GOGC is 100: the page does not say it")
        gogc = 100.0
    if limit is None:
        assumed.append("there is no GOMEMLIMIT: the page does not say it")
    return gogc, limit if limit is not None and limit < UNLIMITED else None


def _memory(pages: Sequence[RuntimePage]) -> Memory | None:
    classes = ("total", "heap/released", "heap/free", "heap/objects", "heap/unused")
    means = [_mean(pages, f"/memory/classes/{name}:bytes") for name in classes]
    known = [value for value in means if value is not None]
    return Memory(*known) if len(known) == len(means) else None


def _scan(pages: Sequence[RuntimePage]) -> Scan | None:
    parts = [_mean(pages, f"/gc/scan/{name}:bytes") for name in ("heap", "stack", "globals")]
    known = [value for value in parts if value is not None]
    return Scan(*known) if len(known) == len(parts) else None


def _live(
    pages: Sequence[RuntimePage],
    goal: float,
    gogc: float | None,
    limit: float | None,
    scan: Scan | None,
    memory: Memory | None,
    assumed: list[str],
) -> float | None:
    """As the pages say it, or what the goal was set for, where GOGC set it."""
    told = _mean(pages, "/gc/heap/live:bytes")
    if told is not None:
        return told
    roots = 0.0 if scan is None else scan.stacks + scan.globals
    if gogc is None or pace_of(goal, None, roots, gogc, limit, memory) is not Pace.GOGC:
        return None
    assumed.append(
        "the live heap is goal / (1 + GOGC/100), at most that: the page does not have "
        "/gc/heap/live:bytes"
    )
    return max(0.0, goal - roots * gogc / 100) / (1 + gogc / 100)


def _cpu(
    first: RuntimePage | None, last: RuntimePage, assumed: list[str]
) -> tuple[float | None, float | None]:
    """CPU seconds of the collector and of the process.

    The runtime counts a thread as running while the system runs another, so that its classes add
    up to too much: the process's time is the system's, and the classes say how it is shared.
    """
    gc = difference(first, last, "/cpu/classes/gc/total:cpu-seconds")
    total = difference(first, last, "/cpu/classes/total:cpu-seconds")
    idle = difference(first, last, "/cpu/classes/idle:cpu-seconds")
    process = None
    if last.cpu_seconds is not None and (first is None or first.cpu_seconds is not None):
        process = last.cpu_seconds - (0.0 if first is None else first.cpu_seconds or 0.0)
    if gc is None or total is None or idle is None or total <= idle:
        return None, process
    share = min(1.0, gc / (total - idle))
    if process is None:
        assumed.append("CPU time is the runtime's own estimate: the page has no process_cpu")
        return gc, total - idle
    return share * process, process
