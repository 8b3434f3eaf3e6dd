"""Whose a call stack is: the innermost frame that can pay, and what the runtime did under it.

A stack belongs to its innermost frame outside of the runtime: what the runtime does for a function
(allocating, growing a map, sending on a channel) is that function's doing. A caller may name frames
that come first (functions that have an owner): then the innermost of those is charged, and where a
stack has none, the innermost outside of the runtime.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gocost.analyses.attribution.roles import Role, roles_of
from gocost.analyses.profile.groups import packages_of
from gocost.analyses.profile.nodes import nodes_of
from gocost.formats.pprof.profile import Bools, Int32s, Int64s, Profile, frame_spans, starts_of

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of a profile: a row each, equal in name and file."""

    names: list[str]
    files: list[str]
    packages: list[str]
    roles: Int32s

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Stacks:
    """Every sample's frames, leaf first, as rows of `functions`."""

    functions: Functions
    frames: Int32s
    end: Int64s

    def roles(self) -> Int32s:
        """The roles of all frames of each sample together."""
        return _reduced(np.bitwise_or, self.functions.roles[self.frames], self.end, 0).astype(
            np.int32
        )

    def leaf_roles(self) -> Int32s:
        """The roles of each sample's leaf."""
        starts = starts_of(self.end)
        some = self.end > starts
        found = np.zeros(len(self.end), np.int32)
        found[some] = self.functions.roles[self.frames[starts[some]]]
        return found

    def leaves(self) -> list[str]:
        """The names of the leaves of all samples that have one."""
        starts = starts_of(self.end)
        names = self.functions.names
        return [names[leaf] for leaf in self.frames[starts[self.end > starts]].tolist()]

    def innermost(self, chosen: Bools) -> Int32s:
        """For each sample its innermost frame among the `chosen` functions, else NOBODY."""
        far = len(self.frames)
        at = np.where(chosen[self.frames], np.arange(far), far) if far else np.zeros(0, np.int64)
        first = _reduced(np.minimum, at, self.end, far)
        found = np.full(len(first), NOBODY, np.int32)
        found[first < far] = self.frames[first[first < far]]
        return found

    def users(self) -> Bools:
        """The functions outside of the runtime."""
        found: Bools = self.functions.roles & Role.USER != 0
        return found

    def payers(self, first: Bools | None = None) -> Int32s:
        """For each sample the function that is charged, NOBODY where all frames are the runtime's.

        `first` marks functions that are charged before others.
        """
        found = self.innermost(self.users())
        if first is None:
            return found
        preferred = self.innermost(first)
        return np.where(preferred >= 0, preferred, found)


def stacks_of(profile: Profile) -> Stacks:
    """The samples' frames by function; inlined calls are frames of their own."""
    nodes = nodes_of(profile, "filefunctions")
    names = [node.name for node in nodes.nodes]
    files = [node.file for node in nodes.nodes]
    packages = packages_of(names)
    per_location = np.diff(nodes.frame_end, prepend=0)
    sizes = per_location[profile.stack]
    frames = nodes.frames[frame_spans(starts_of(nodes.frame_end)[profile.stack], sizes)]
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    functions = Functions(names, files, packages, roles_of(names, files, packages))
    return Stacks(functions, frames, before[profile.stack_end])


def summed(keys: Int32s, values: Int64s, size: int) -> Int64s:
    """The sum of `values` by key, exactly; keys below 0 are left out."""
    sums = np.zeros(size, np.int64)
    known = keys >= 0
    np.add.at(sums, keys[known], values[known])
    return sums


def _reduced(
    operation: np.ufunc, values: npt.NDArray[np.int_] | Int32s, end: Int64s, empty: int
) -> npt.NDArray[np.int_]:
    """`operation` over the values of each part; parts without values give `empty`."""
    found = np.full(len(end), empty, values.dtype)
    starts = starts_of(end)
    some = np.flatnonzero(end > starts)
    if len(some):
        # Parts without values are between parts, so that a part ends where the next one starts.
        found[some] = operation.reduceat(values, starts[some])
    return found
