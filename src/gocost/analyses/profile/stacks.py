"""The different call stacks of a profile, by the names that are shown, and what each cost."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.view import View
from gocost.formats.pprof.profile import Int32s, Int64s, spans, starts_of
from gocost.kernels.stack_fold import group_sequences


@dataclass(frozen=True, slots=True)
class Folded:
    """Stacks of nodes, leaf first, each once, with the sum of their samples."""

    end: Int64s
    nodes: Int32s
    values: Int64s

    def __iter__(self) -> Iterator[tuple[list[int], int]]:
        """Each stack's nodes, leaf first, and its value."""
        start = 0
        nodes = self.nodes.tolist()
        for end, value in zip(self.end.tolist(), self.values.tolist(), strict=True):
            yield nodes[start:end], value
            start = end


def folded(seen: View, nodes: Nodes) -> Folded:
    """The view's stacks, merged where all their nodes are equal; those of no value are dropped."""
    profile = seen.profile
    frame_sizes = np.diff(nodes.frame_end, prepend=0)
    per_reference = frame_sizes[profile.stack]
    frames = nodes.frames[spans(starts_of(nodes.frame_end)[profile.stack], per_reference)]
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(per_reference)])
    ends = before[profile.stack_end]
    groups, leaders = group_sequences(ends, frames.astype(np.int64), secrets.randbits(62))
    sums = np.zeros(len(leaders), np.int64)
    np.add.at(sums, groups, seen.values())
    kept = leaders[sums != 0]
    sizes = (ends - starts_of(ends))[kept]
    return Folded(
        end=np.cumsum(sizes),
        nodes=frames[spans(starts_of(ends)[kept], sizes)],
        values=sums[sums != 0],
    )
