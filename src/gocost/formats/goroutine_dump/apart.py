"""Several dumps that stand in one text: taken apart where a goroutine comes again.

In a dump every goroutine stands once, in an order of the runtime's own, but for the one that asked
for it, which stands first and runs. So the next dump begins where a number comes that was there, or
at the goroutine before that where that one runs and the dump before began with one that did.
Number 0 is no goroutine: it stands for a thread. Of a crash (GOTRACEBACK=crash) a goroutine that
ran on another thread stands again with its stack, which is no other dump: that row replaces the one
without.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from gocost.formats.goroutine_dump.dump import UNAVAILABLE, Dump, Form

MAX_DUMPS = 1 << 16
_COLUMNS = (
    "count", "id", "parent", "minutes", "flags", "state", "stack", "creator", "labels", "ancestors",
)  # fmt: skip


def apart(dump: Dump) -> list[Dump]:
    """The dumps of a text, in its order; what was cut off is of the last one."""
    if dump.form is not Form.STACKS or len(np.unique(dump.id)) == len(dump.id):
        return [dump]
    kept = np.ones(len(dump.id), np.bool_)
    cuts: list[int] = []
    met: dict[int, int] = {}
    begin = 0
    numbers, flags, states = dump.id.tolist(), dump.flags.tolist(), dump.state.tolist()
    for row, goroutine in enumerate(numbers):
        if goroutine == 0:
            continue
        before = met.get(goroutine, -1)
        if before >= begin and flags[before] & UNAVAILABLE:
            kept[before] = False
        elif before >= begin and len(cuts) < MAX_DUMPS:
            asked = dump.text(states[begin]) == "running"
            begin = row
            if asked and row - 1 > before and dump.text(states[row - 1]) == "running":
                begin = row - 1
            while begin - 1 > before and numbers[begin - 1] == 0:
                begin -= 1
            cuts.append(begin)
        met[goroutine] = row
    bounds = [0, *cuts, len(dump.id)]
    parts = [
        _rows(dump, np.flatnonzero(kept[start:end]) + start) for start, end in pairwise(bounds)
    ]
    return [replace(part, lost="") for part in parts[:-1]] + parts[-1:]


def _rows(dump: Dump, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Dump:
    return replace(dump, **{name: getattr(dump, name)[rows] for name in _COLUMNS})
