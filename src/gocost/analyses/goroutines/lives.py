"""Whether dumps are of one life of a process: after a restart numbers begin again.

A goroutine's number is never given again and who created it never changes, so a number with another
creator is of another process. Goroutine 0, a thread's own, stands only in the dump of a process
that dies of it (SIGQUIT, a fatal signal), so that what comes after is of another one too. A process
that restarts and does the same again may pass for one that went on; that its numbers are lower is
no proof, for the last ones may have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gocost.formats.goroutine_dump.dump import Dump, Form


def restarted(dumps: Sequence[Dump]) -> str:
    """Why these dumps, in their order, are not of one process; empty where nothing says so."""
    for number, (before, after) in enumerate(pairwise(dumps), 1):
        if before.form is not Form.STACKS or after.form is not Form.STACKS:
            continue
        if (before.id == 0).any():
            ended = f"dump {number} is of a process that ended with it"
            return f"{ended}, and dump {number + 1} of another"
        if found := _recreated(before, after):
            goroutine, one, other = found
            return (
                f"goroutine {goroutine:,} was created in {one} by dump {number} and in {other} by "
                f"dump {number + 1}: they are of different processes"
            )
    return ""


def _recreated(before: Dump, after: Dump) -> tuple[int, str, str] | None:
    """A goroutine of both with different creators, and these."""
    common, first, second = np.intersect1d(before.id, after.id, return_indices=True)
    pairs = np.stack([before.creator[first], after.creator[second]], axis=1)
    distinct, rows = np.unique(pairs, axis=0, return_index=True)
    for (one, other), row in zip(distinct.tolist(), rows.tolist(), strict=True):
        creators = before.frames(one), after.frames(other)
        # What was cut off has none.
        if all(creators) and creators[0] != creators[1]:
            told = [f"{each[0].function} {each[0].place.rpartition('/')[2]}" for each in creators]
            return int(common[row]), told[0], told[1]
    return None
