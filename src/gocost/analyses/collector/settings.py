"""What the collector would do at other settings of GOGC and GOMEMLIMIT, for the same work.

With R for stacks and globals, g for GOGC/100 and A, N, L, T of the window that was seen:

    goal'   = min(max(L + (L+R) g', 4 MiB g'), 0.97 (M' - nonheap))
    N'      = A / (goal' - L - early'),  where early = goal - L - A/N was seen
    CPU'    = N' T/N
    peak'   = goal' + nonheap + heap/unused

The runtime begins a cycle so much before the goal as it expects to be allocated while it marks (the
pacer's runway, src/runtime/mgcpacer.go): bytes that go with what there is to scan and how fast that
went, and not with the room; but no earlier than 45/64 of the room, and no later than 61/64 of it or
4 MiB before the goal. So `early` stays what it was, within these bounds. Where a cycle came later
than all that, because more was allocated while it marked, what was seen goes with the room.

A cycle is taken to cost what it cost in the window, because what it marks is what is live, and that
does not depend on how often one looks.

Where goroutines have to help with marking (assists), marking begins at the earliest and takes the
rest of the cycle, and what is allocated meanwhile counts as live. With f the part of the room that
this is, the live heap goes with the room: to L' = (L - f (goal-L) + f g' R) / (1 - f g'), or under
a limit to L' = (L - f (goal-L) + f goal') / (1 + f).

The model refuses where it has been seen to fail; each refusal names the experiment that would tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gocost.analyses.collector.window import (
    FLOOR,
    CollectorWindow,
    Pace,
    limited_goal,
    pace,
)

CLASSES: Final = "give /debug/vars, or a page with all of go_memstats_* or go_memory_classes_*"
"""Where the classes of memory stand, which a gctrace log and a page of few metrics do not have."""
FEWEST_CYCLES: Final = 10
FARTHEST: Final = 4.0
"""Times the headroom that was seen; beyond, the program was never seen."""
THRASHING: Final = 0.25
"""Of the live heap: with less headroom cycles run into each other."""
MOST_CPU: Final = 0.25
"""Of the CPU time that GOMAXPROCS allows: the collector's own workers take no more; above, the
goroutines mark instead of working, and the work takes longer."""
MANY_ASSISTS: Final = 0.33
"""Of marking: above, the collector does not keep up with what is allocated."""
EARLIEST: Final = 19 / 64
LATEST: Final = 3 / 64
"""Of the room: how much before the goal marking begins, at the earliest and the latest."""
_LEAST_DAMPING: Final = 0.5
"""Below, half of the live heap and more would be what marking adds: collections came 12 to 20% more
often than foretold there."""
_STEADY: Final = (0.5, 2.0)
"""Of k: outside of it the heap was not one heap during the window."""
_MOST_FORCED: Final = 0.1


@dataclass(frozen=True, slots=True)
class Setting:
    """GOGC in percent (None: off) and GOMEMLIMIT in bytes (None: none)."""

    gogc: float | None
    limit: float | None = None

    def __str__(self) -> str:
        """`GOGC=200 GOMEMLIMIT=230MiB`, as one writes it."""
        words = ["GOGC=off" if self.gogc is None else f"GOGC={self.gogc:g}"]
        if self.limit is not None:
            words.append(f"GOMEMLIMIT={round(self.limit / 2**20)}MiB")
        return " ".join(words)


def together(settings: Sequence[Setting]) -> str:
    """Several settings in few words: `GOGC=50, 75 or off with GOMEMLIMIT=230MiB`."""
    limits = dict.fromkeys(each.limit for each in settings)
    found = []
    for limit in limits:
        words = [str(Setting(each.gogc)) for each in settings if each.limit == limit]
        words[1:] = [word.partition("=")[2] for word in words[1:]]
        text = ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1]
        _, _, given = str(Setting(None, limit)).partition(" ")
        found.append(f"{text} with {given}" if given else text)
    return "; ".join(found)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a setting would give for the work of the window. None where the window does not tell."""

    setting: Setting
    goal: float
    cycles: float
    gc_cpu: float | None
    """CPU seconds of the collector."""
    gc_share: float | None
    """Of the CPU time of the process."""
    peak: float | None
    """Most memory that the runtime holds (mapped and not released)."""
    pace: Pace


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a setting is not predicted, and what would tell."""

    setting: Setting
    reason: str
    experiment: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.experiment}"


def unfit(window: CollectorWindow) -> Refusal | None:
    """Why nothing can be predicted from this window, or None."""
    setting = Setting(window.gogc, window.limit)
    longer = "record a longer window under steady load"
    if window.cycles < FEWEST_CYCLES:
        many = f"{window.cycles} collection{'' if window.cycles == 1 else 's'}"
        return Refusal(setting, f"the window has {many}, and {FEWEST_CYCLES} are needed", longer)
    if window.live is None or window.headroom is None:
        return Refusal(
            setting,
            "the page does not tell the live heap, and GOGC did not set the goal",
            "export go_gc_heap_live_bytes (runtime/metrics /gc/heap/live:bytes), or give a gctrace "
            "log",
        )
    if window.forced > _MOST_FORCED * window.cycles:
        return Refusal(
            setting,
            f"{window.forced} of {window.cycles} collections were forced by the program",
            "remove runtime.GC and debug.FreeOSMemory, and record it again",
        )
    if window.headroom <= 0 or not window.allocated:
        return Refusal(setting, "the heap has no headroom in this window", longer)
    factor = calibration(window)
    if not _STEADY[0] <= factor <= _STEADY[1]:
        return Refusal(
            setting,
            f"a collection came every {factor:.2g} times the headroom, so the heap was not of one "
            "size during the window",
            "take two pages apart under steady load, after it has warmed up",
        )
    return None


def calibration(window: CollectorWindow) -> float:
    """k: bytes allocated a cycle, by the headroom. 1 where the goal was kept to the byte."""
    assert window.headroom, "`unfit` asked"
    return window.allocated / window.cycles / window.headroom


def predict(window: CollectorWindow, setting: Setting) -> Prediction | Refusal:
    """What `setting` would have given for the work of the window, or why that is not said."""
    refused = unfit(window)
    if refused is not None:
        return Refusal(setting, refused.reason, refused.experiment)
    live, headroom = window.live, window.headroom
    assert live is not None
    assert headroom is not None
    run = f"run it once with {setting} and give its pages"
    if setting.limit is not None and window.memory is None:
        return Refusal(
            setting,
            "what a limit leaves to the heap is not known without the classes of memory",
            CLASSES,
        )
    if setting.gogc is None and setting.limit is None:
        return Refusal(setting, "without GOGC and GOMEMLIMIT it never collects", "set one of them")
    goal, by = _goal(window, setting, live)
    if _falls_behind(window) and not is_present(window, setting):
        settled = _settled(window, setting, by)
        if settled is None:
            return Refusal(
                setting,
                f"goroutines did {window.assists:.0%} of the marking, so what is allocated while "
                "it lasts counts as live, and how much that would be is not told",
                run,
            )
        live = settled
        goal, by = _goal(window, setting, live)
    room = goal - live
    if room < THRASHING * live:
        return Refusal(
            setting,
            "that leaves less than a quarter of the live heap to allocate in, and collections "
            "would run into each other",
            run,
        )
    if room > FARTHEST * headroom:
        return Refusal(
            setting,
            f"that is {room / headroom:.1f} times the headroom that was seen, and "
            f"{FARTHEST:g} times is as far as it holds",
            run,
        )
    cycles = window.allocated / _interval(window, room)
    gc_cpu = None if window.gc_cpu is None else window.gc_cpu * cycles / window.cycles
    taken = None if gc_cpu is None or not window.available else gc_cpu / window.available
    more = cycles > window.cycles * 1.01
    if taken is not None and taken > MOST_CPU and more:
        return Refusal(
            setting,
            f"the collector would take {taken:.0%} of what GOMAXPROCS allows, and above "
            f"{MOST_CPU:.0%} it slows down what it is measured by",
            run,
        )
    share = _share(window, gc_cpu)
    memory = window.memory
    peak = None if memory is None else goal + memory.nonheap + memory.unused
    return Prediction(setting, goal, cycles, gc_cpu, share, peak, by)


def _interval(window: CollectorWindow, room: float) -> float:
    """Bytes that are allocated from one cycle to the next where there is `room` for them."""
    assert window.headroom, "`unfit` asked"
    early = window.headroom - window.allocated / window.cycles
    if early <= _latest(window.headroom):
        return calibration(window) * room
    # Seen too early even for the pacer: by so much more than it may the heap was not steady.
    seen = window.allocated / window.cycles
    rarer = min(1.0, seen / (window.headroom * (1 - EARLIEST)))
    return rarer * (room - min(max(early, _latest(room)), EARLIEST * room))


def _latest(room: float) -> float:
    """Bytes before the goal at which a cycle begins at the latest."""
    return min(LATEST * room, FLOOR)


def _falls_behind(window: CollectorWindow) -> bool:
    """Whether the collector does not keep up, so that goroutines mark instead of working."""
    return window.assists is not None and window.assists > MANY_ASSISTS


def _settled(window: CollectorWindow, setting: Setting, by: Pace) -> float | None:
    """The live heap with what is allocated during marking in it, at another room; None where that
    would be most of it.
    """
    assert window.live is not None
    assert window.headroom is not None
    part = _during(window)
    kept = max(0.0, window.live - part * window.headroom)
    if by is Pace.LIMIT:
        goal, _ = _goal(window, setting, kept)
        return (kept + part * goal) / (1 + part)
    assert setting.gogc is not None
    share = setting.gogc / 100
    damping = 1 - part * share
    if damping < _LEAST_DAMPING:
        return None
    return (kept + part * share * window.roots) / damping


def _during(window: CollectorWindow) -> float:
    """The part of the room that is allocated while a cycle marks.

    Where it is not told, all that was allocated in a cycle after the earliest moment to begin one:
    a collector that does not keep up begins then.
    """
    assert window.headroom, "`unfit` asked"
    told = window.during
    if told is None:
        told = window.allocated / window.cycles - (1 - EARLIEST) * window.headroom
    return min(EARLIEST, max(0.0, told / window.headroom))


def _goal(window: CollectorWindow, setting: Setting, live: float) -> tuple[float, Pace]:
    allowed = (
        float("inf")
        if setting.limit is None or window.memory is None
        else max(live, limited_goal(setting.limit, window.memory.nonheap))
    )
    if setting.gogc is None:
        return allowed, Pace.LIMIT
    share = setting.gogc / 100
    free = live + (live + window.roots) * share
    goal = max(free, FLOOR * share)
    if allowed < goal:
        return allowed, Pace.LIMIT
    return goal, Pace.FLOOR if free < goal else Pace.GOGC


def _share(window: CollectorWindow, gc_cpu: float | None) -> float | None:
    """Of the CPU time that the process would take: its own work stays what it was."""
    if gc_cpu is None or window.gc_cpu is None or not window.cpu:
        return None
    return gc_cpu / (window.cpu - window.gc_cpu + gc_cpu)


def predictions(window: CollectorWindow, settings: Sequence[Setting]) -> list[Prediction | Refusal]:
    """One of the two for each setting, in their order."""
    return [predict(window, setting) for setting in settings]


def is_present(window: CollectorWindow, setting: Setting) -> bool:
    """Whether the window ran with this setting."""
    same = window.limit == setting.limit
    return same and setting.gogc == window.gogc and pace(window) is not Pace.NOTHING
