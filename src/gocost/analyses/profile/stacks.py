"""The different call stacks of a profile, by the names that are shown, and what each cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gocost.analyses.flame import Tree, grown
from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.view import View
from gocost.formats.pprof.profile import Bools, Int32s, Int64s, frame_spans, starts_of
from gocost.kernels.interning import Interner


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
    frames, ends = frames_of(seen, nodes)
    equal, groups = _equal(frames, ends)
    sums = np.zeros(len(equal), np.int64)
    np.add.at(sums, groups, seen.values())
    stacks, end = _kept(equal, sums != 0)
    return Folded(end, stacks, sums[sums != 0])


def flame(seen: View, nodes: Nodes, *, merged: bool = False) -> Tree:
    """The view's stacks as a tree. What is below zero counts as what was before: where profiles
    are compared, the base is. `merged` makes calls within a node (a package) no frames of it.
    """
    frames, ends = frames_of(seen, nodes)
    kept = frames >= 0
    if merged and len(frames):
        within = np.ones(len(frames), np.bool_)
        within[starts_of(ends)[ends > starts_of(ends)]] = False
        kept[1:] &= ~(within[1:] & (frames[1:] == frames[:-1]))
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[ends]
    frames = frames[kept]
    equal, groups = _equal(frames, ends)
    own, before = np.zeros(len(equal), np.int64), np.zeros(len(equal), np.int64)
    values = seen.values()
    np.add.at(own, groups, np.maximum(values, 0))
    np.add.at(before, groups, np.maximum(-values, 0))
    some = (own != 0) | (before != 0)
    stacks, end = _kept(equal, some)
    return grown(nodes.labels(), stacks, end, own[some], before[some])


def _equal(frames: Int32s, ends: Int64s) -> tuple[Interner, Int64s]:
    """The different stacks, and which of them each is."""
    equal = Interner()
    starts = starts_of(ends)
    return equal, equal.add(frames.view(np.uint8), 4 * starts, 4 * (ends - starts))


def _kept(stacks: Interner, kept: Bools) -> tuple[Int32s, Int64s]:
    """Those of a mask, one behind the other, and where each ends."""
    ends = stacks.ends // 4
    sizes = ends - starts_of(ends)
    return stacks.store.view(np.int32)[np.repeat(kept, sizes)], np.cumsum(sizes[kept])


def frames_of(seen: View, nodes: Nodes) -> tuple[Int32s, Int64s]:
    """The nodes of every sample's stack, leaf first, and where each sample's end."""
    profile = seen.profile
    frame_sizes = np.diff(nodes.frame_end, prepend=0)
    per_reference = frame_sizes[profile.stack]
    frames = nodes.frames[frame_spans(starts_of(nodes.frame_end)[profile.stack], per_reference)]
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(per_reference)])
    return frames, before[profile.stack_end]
