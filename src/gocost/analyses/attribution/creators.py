"""Goroutines by whoever created them, out of a dump of any form."""

from __future__ import annotations

import numpy as np

from gocost.analyses.attribution.keys import Keying, Rows, stack_rows
from gocost.analyses.attribution.roles import roles_of
from gocost.analyses.attribution.stacks import Functions, Stacks
from gocost.analyses.goroutines.names import entry, is_system
from gocost.analyses.profile.groups import packages_of
from gocost.formats.goroutine_dump.dump import Dump
from gocost.formats.pprof.profile import Int32s, Int64s

SYSTEM = "(runtime) goroutines"


def created(keying: Keying, rows: Rows, dump: Dump) -> tuple[Int32s, Int64s]:
    """For each kind of goroutine of the dump the row that it is charged to, and how many it is.

    Its creator pays; where the dump does not say who that is, the function that it began in.
    """
    pairs, of_pair = np.unique(np.stack([dump.creator, dump.stack]), axis=1, return_inverse=True)
    counts = np.zeros(pairs.shape[1], np.int64)
    np.add.at(counts, of_pair.reshape(-1), dump.count)
    numbers: dict[tuple[str, str], int] = {}
    frames = [
        numbers.setdefault(_origin(dump, creator, stack), len(numbers))
        for creator, stack in pairs.T.tolist()
    ]
    names, files = [name for name, _ in numbers], [file for _, file in numbers]
    packages = packages_of(names)
    functions = Functions(names, files, packages, roles_of(names, files, packages))
    each = Stacks(functions, np.array(frames, np.int32), np.arange(1, len(frames) + 1))
    charged = stack_rows(keying, rows, each)
    system = rows.number(SYSTEM) if (charged < 0).any() else 0
    return np.where(charged >= 0, charged, system).astype(np.int32), counts


def _origin(dump: Dump, creator: int, stack: int) -> tuple[str, str]:
    """Name and file of the function that a goroutine is owed to."""
    made, runs = dump.frames(creator), dump.frames(stack)
    if is_system(runs, made):
        return "", ""
    if made:
        return made[0].function, made[0].file
    name = entry(runs)
    return name, next((frame.file for frame in runs if frame.function == name), "")
