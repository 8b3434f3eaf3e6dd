"""Whether pages that a service gave are of one process, of one started anew, or of several.

A process says when it started (process_start_time_seconds), its counters only rise, and the ring of
MemStats keeps when its last 256 collections ended: a new process has others, also where it has come
further than the old one was. A start that is counted from the boot, as on Linux, moves with the
clock of the host, and by whole seconds only: then it tells nothing, and the others do. A process
that is gone does not answer again: where one does, there are several, behind a load balancer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gocost.formats.memstats import RING, MemStats
from gocost.formats.runtime_page import RuntimePage
from gocost.model.quantity import Unit, format_quantity

_START: Final = 0.015
"""Seconds by which a start may seem to move: pages round it to hundredths."""
_ROUNDED: Final = 1.5
"""And by which it does where the time of the boot is rounded to another second."""
_COUNTERS: Final = {
    "/gc/heap/allocs:bytes": "what it allocated",
    "/gc/cycles/total:gc-cycles": "the number of its collections",
}


def another_process(before: RuntimePage, after: RuntimePage) -> str:
    """Why the second page is of another process than the first; empty where it may be the same."""
    for name, what in _COUNTERS.items():
        was, now = before.values.get(name), after.values.get(name)
        if was is not None and now is not None and now < was:
            return _started(before, after) or f"{what} fell"
    was, now = before.cpu_seconds, after.cpu_seconds
    if was is not None and now is not None and now < was:
        return _started(before, after) or "its CPU time fell"
    if before.stats is not None and after.stats is not None:
        return _other_ring(before.stats, after.stats)
    return "" if _set_clock(before, after) else _started(before, after)


def same_process(before: RuntimePage, after: RuntimePage) -> bool:
    """Whether the second page is of the process of the first, and not only may be."""
    if another_process(before, after):
        return False
    if before.stats is not None and after.stats is not None:
        return _later(before.stats, after.stats) is not None
    moved = _moved(before, after)
    return moved is not None and abs(moved) <= _START


def in_turn(pages: Iterable[RuntimePage]) -> bool:
    """Whether pages that were asked for one after the other are of processes that answer in turn,
    and not of one in the place of another: one answers again, or one that is older answers later.
    """
    seen: list[RuntimePage] = []
    for page in pages:
        if seen and not another_process(seen[-1], page):
            seen[-1] = page
            continue
        if any(same_process(old, page) for old in seen[:-1]):
            return True
        moved = _moved(seen[-1], page) if seen else None
        if moved is not None and moved < 0:
            return True
        seen.append(page)
        # Counters of what does not say when it started, which fell twice within a second or two.
        if moved is None and len(seen) > 2:
            return True
    return False


def _moved(before: RuntimePage, after: RuntimePage) -> float | None:
    """By how many seconds the second started later; None where one does not say."""
    if before.started is None or after.started is None:
        return None
    return after.started - before.started


def _started(before: RuntimePage, after: RuntimePage) -> str:
    """That they started at different times, where they say so."""
    moved = _moved(before, after)
    if moved is None or abs(moved) <= _START:
        return ""
    length = format_quantity(abs(moved), Unit.SECONDS)
    return f"it started {length} {'after' if moved > 0 else 'before'} the first"


def _set_clock(before: RuntimePage, after: RuntimePage) -> bool:
    """Whether the start moved as a set clock moves it: Linux has it in ticks since the boot,
    and the time of that in whole seconds. A start that is in whole seconds itself was read off a
    clock, and stays.
    """
    moved = _moved(before, after)
    if moved is None or before.started is None:
        return False
    return _part(moved) <= _START and (abs(moved) < _ROUNDED or _part(before.started) > _START)


def _part(seconds: float) -> float:
    """How far from whole seconds."""
    return abs(seconds - round(seconds))


def _later(before: MemStats, after: MemStats) -> int | None:
    """The place in the ring of the first one's last collection, as far as the second knows it."""
    last, later = before.num_gc, after.num_gc - before.num_gc
    known = len(before.pause_end) == len(after.pause_end) == RING
    return (last + RING - 1) % RING if known and last and later < RING else None


def _other_ring(before: MemStats, after: MemStats) -> str:
    """Whether the second does not know when the first one's last collection ended."""
    place = _later(before, after)
    if place is None or before.pause_end[place] == after.pause_end[place]:
        return ""
    return f"its collection {before.num_gc:,} ended at another time"
