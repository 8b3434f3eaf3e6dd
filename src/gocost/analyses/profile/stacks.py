"""The different call stacks of a profile, by the names that are shown, and what each cost."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gocost.analyses.flame import Tree, grown
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
    frames, ends = _frames_of(seen, nodes)
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


def flame(seen: View, nodes: Nodes, *, merged: bool = False) -> Tree:
    """The view's stacks as a tree. What is below zero counts as what was before: where profiles
    are compared, the base is. `merged` makes calls within a node (a package) no frames of it.
    """
    frames, ends = _frames_of(seen, nodes)
    kept = frames >= 0
    if merged and len(frames):
        within = np.ones(len(frames), np.bool_)
        within[starts_of(ends)[ends > starts_of(ends)]] = False
        kept[1:] &= ~(within[1:] & (frames[1:] == frames[:-1]))
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[ends]
    frames = frames[kept]
    groups, leaders = group_sequences(ends, frames.astype(np.int64), secrets.randbits(62))
    own, before = np.zeros(len(leaders), np.int64), np.zeros(len(leaders), np.int64)
    values = seen.values()
    np.add.at(own, groups, np.maximum(values, 0))
    np.add.at(before, groups, np.maximum(-values, 0))
    some = (own != 0) | (before != 0)
    sizes = (ends - starts_of(ends))[leaders][some]
    frames = frames[spans(starts_of(ends)[leaders][some], sizes)]
    return grown(nodes.labels(), frames, np.cumsum(sizes), own[some], before[some])


def _frames_of(seen: View, nodes: Nodes) -> tuple[Int32s, Int64s]:
    """The nodes of every sample's stack, leaf first, and where each sample's end."""
    profile = seen.profile
    frame_sizes = np.diff(nodes.frame_end, prepend=0)
    per_reference = frame_sizes[profile.stack]
    frames = nodes.frames[spans(starts_of(nodes.frame_end)[profile.stack], per_reference)]
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(per_reference)])
    return frames, before[profile.stack_end]
