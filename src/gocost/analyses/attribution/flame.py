"""A bill's CPU as a tree of stacks: what a flame graph in money draws.

Samples keep their stacks, but for the collector's work that is shared out: that hangs under one
root, `GC, by who causes it`, a frame a row of the bill. So the tree adds up to the same CPU time as
the bill, to the nanosecond.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gocost.analyses.attribution.processor import (
    COLLECTOR,
    SHARED,
    STACK_SCAN,
    Account,
    Samples,
    fates,
)
from gocost.analyses.attribution.sharing import shared
from gocost.analyses.attribution.stacks import Stacks
from gocost.analyses.flame import Tree, grown
from gocost.formats.pprof.profile import spans, starts_of

CAUSED: Final = "GC, by who causes it"


def cpu_tree(
    stacks: Stacks, samples: Samples, found: Account, names: list[str], total: int
) -> Tree:
    """The tree of the samples and of what `found`, their account before it was scaled, shared out
    to the rows of `names`; its nodes add up to `total`.
    """
    kept = ~np.isin(fates(samples), SHARED) & (samples.values > 0)
    first = starts_of(stacks.end)
    sizes = (stacks.end - first)[kept]
    frames = stacks.frames[spans(first[kept], sizes)].astype(np.int64)
    texts = list(stacks.functions.names)
    rows = np.flatnonzero(found.charged)
    root, places = len(texts), np.arange(len(rows)) + len(texts) + 1
    texts += [CAUSED, *(names[row] for row in rows.tolist())]
    more = np.stack([places, np.full(len(rows), root)], axis=1).reshape(-1)
    values = [*samples.values[kept].tolist(), *found.charged[rows].tolist()]
    ends = np.cumsum(np.concatenate([sizes, np.full(len(rows), 2)]))
    for name in (COLLECTOR, STACK_SCAN):
        if found.others.get(name):
            values.append(found.others[name])
            more = np.append(more, [len(texts), root])
            ends = np.append(ends, (ends[-1] if len(ends) else 0) + 2)
            texts.append(name)
    own = shared(total, values)
    return grown(texts, np.concatenate([frames, more]), ends.astype(np.int64), own)
