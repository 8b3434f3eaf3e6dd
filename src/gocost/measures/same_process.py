"""Whether two pages that a service gave are of one process, or it was started anew between them.

A process says when it started (process_start_time_seconds), its counters only rise, and the ring of
MemStats keeps when its last 256 collections ended: a new process has others, also where it has come
further than the old one was.
"""

from __future__ import annotations

from typing import Final

from gocost.formats.memstats import RING, MemStats
from gocost.formats.runtime_page import RuntimePage
from gocost.model.quantity import Unit, format_quantity

_START: Final = 0.015
"""Seconds by which a start may seem to move: pages round it to hundredths."""
_STEP: Final = 1.0
"""And by which it does where the clock was set a little: what counts it from the time of the boot
has that in whole seconds.
"""
_COUNTERS: Final = {
    "/gc/heap/allocs:bytes": "what it allocated",
    "/gc/cycles/total:gc-cycles": "the number of its collections",
}


def another_process(before: RuntimePage, after: RuntimePage) -> str:
    """Why the second page is of another process than the first; empty where it may be the same."""
    if before.started is not None and after.started is not None:
        moved = after.started - before.started
        if min(abs(moved), abs(abs(moved) - _STEP)) > _START:
            length = format_quantity(abs(moved), Unit.SECONDS)
            return f"it started {length} {'after' if moved > 0 else 'before'} the first"
    for name, what in _COUNTERS.items():
        was, now = before.values.get(name), after.values.get(name)
        if was is not None and now is not None and now < was:
            return f"{what} fell"
    was, now = before.cpu_seconds, after.cpu_seconds
    if was is not None and now is not None and now < was:
        return "its CPU time fell"
    if before.stats is not None and after.stats is not None:
        return _other_ring(before.stats, after.stats)
    return ""


def _other_ring(before: MemStats, after: MemStats) -> str:
    """Whether the second does not know when the first one's last collection ended."""
    last, later = before.num_gc, after.num_gc - before.num_gc
    known = len(before.pause_end) == len(after.pause_end) == RING
    if not known or not last or later >= RING:
        return ""
    place = (last + RING - 1) % RING
    same = before.pause_end[place] == after.pause_end[place]
    return "" if same else f"its collection {last:,} ended at another time"
