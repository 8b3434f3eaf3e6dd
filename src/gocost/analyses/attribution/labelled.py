"""Which label a stack without labels has: what the CPU profile's samples under the same calls have.

Traces, block and mutex profiles carry no labels. `pprof.Do` stands in the stacks of what it runs,
and so a wait below the same calls, from pprof.Do inwards, is of the same work. It is given a label
where all samples under the longest part of these calls that was sampled have that one, and are so
many that it is hardly by chance; where they have several, or the calls were never sampled, it is
`unattributed`. Without pprof.Do in its stack it has no label that could be seen.

By chance: were these calls as mixed as all under pprof.Do, n samples would have a label of share p
of those with a probability of p^n, and 1 - p of the wait would be charged wrongly.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from gocost.analyses.attribution.keys import OBSERVER, Rows, no_label
from gocost.analyses.attribution.processor import UNATTRIBUTED
from gocost.analyses.attribution.roles import Role
from gocost.analyses.attribution.stacks import NOBODY, Stacks
from gocost.formats.pprof.profile import Int32s, Int64s, starts_of

_DO: Final = "runtime/pprof.Do"
_SEVERAL: Final = -2
_WRONG: Final = 0.01
"""The part of a wait that may be expected to be charged wrongly."""


class Labelling:
    """What was learned of a CPU profile's stacks and the rows of their labels."""

    def __init__(
        self, key: str, rows: Rows, stacks: Stacks, labels: Int32s, counts: Int64s
    ) -> None:
        """`labels` is the row of each sample's label, `counts` how often the profiler hit it."""
        self._rows = rows
        self._none = rows.number(no_label(key))
        # A tree: paths themselves as keys would take the square of a deep stack's length.
        self._below: dict[tuple[int, str], int] = {}
        self._label = [_SEVERAL]
        self._count = [0]
        total: Counter[int] = Counter()
        hit = np.maximum(counts, 0).tolist()
        for path, row, count in zip(_paths(stacks), labels.tolist(), hit, strict=True):
            if path:
                total[row] += count
            at = 0
            for name in path[1:]:
                at = self._below.setdefault((at, name), len(self._label))
                if at == len(self._label):
                    self._label.append(row)
                    self._count.append(0)
                elif self._label[at] != row:
                    self._label[at] = _SEVERAL
                self._count[at] += count
        self._share = {row: count / max(1, total.total()) for row, count in total.items()}

    def charged(self, stacks: Stacks) -> Int32s:
        """The row of each stack; NOBODY where all of its frames are the runtime's."""
        found = np.array([self._row(path) for path in _paths(stacks)], np.int32)
        users = stacks.innermost(stacks.users())
        found = np.where(users >= 0, found, NOBODY).astype(np.int32)
        recorded = stacks.roles() & Role.OBSERVER != 0
        if recorded.any():
            found[recorded] = self._rows.number(OBSERVER)
        return found

    def _row(self, path: tuple[str, ...]) -> int:
        if not path:
            return self._none
        at, row = 0, _SEVERAL
        for name in path[1:]:
            known = self._below.get((at, name))
            if known is None:
                break
            at = known
            if self._is_telling(at):
                row = self._label[at]
        return row if row != _SEVERAL else self._rows.number(UNATTRIBUTED)

    def _is_telling(self, at: int) -> bool:
        label = self._label[at]
        if label == _SEVERAL:
            return False
        share = self._share[label]
        return (1 - share) * share ** self._count[at] <= _WRONG


def _paths(stacks: Stacks) -> list[tuple[str, ...]]:
    """Of each stack the functions from the outermost pprof.Do inwards; empty without it."""
    names, frames = stacks.functions.names, stacks.frames.tolist()
    found = []
    for start, end in zip(starts_of(stacks.end).tolist(), stacks.end.tolist(), strict=True):
        path = [names[frame] for frame in frames[start:end]][::-1]  # the root first
        found.append(tuple(path[path.index(_DO) :]) if _DO in path else ())
    return found
