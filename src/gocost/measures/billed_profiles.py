"""Profiles that a bill is made of: by kind, in one unit, and refused where a bill would be wrong.

A bill adds amounts up: a difference of profiles has amounts below zero, of which nobody can be
charged, and counts that do not fit 64 bits together are nobody's either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gocost.analyses.attribution.stacks import stacks_of
from gocost.analyses.profile.merging import scale
from gocost.analyses.profile.units import scaled
from gocost.formats.pprof.profile import Profile
from gocost.model.errors import FormatError, UsageError

_UNITS: Final = {
    "cpu": ("ns", "nanoseconds"),
    "delay": ("ns", "nanoseconds"),
    "alloc_space": ("B", "bytes"),
    "inuse_space": ("B", "bytes"),
}
_COUNTS: Final = ("samples", "alloc_objects")
_MOST: Final = 1 << 60
"""The sum of a column: several of them together still fit 64 bits."""
_UNLOCKS: Final = ("Unlock", "_LostContendedRuntimeLock", ".semrelease", "runtime.unlock")
"""Where a mutex profile's stacks end: it blames whoever unlocks."""


@dataclass(slots=True)
class Kinds:
    """Profiles by kind, as they were given."""

    cpu: list[Profile] = field(default_factory=list)
    heap: list[Profile] = field(default_factory=list)
    block: list[Profile] = field(default_factory=list)
    mutex: list[Profile] = field(default_factory=list)

    def add(self, profile: Profile, recorded_as: str = "") -> None:
        """Takes one in; `recorded_as` is its kind where that is known, and else its samples tell.

        Raises UsageError for a kind that is not billed, FormatError for what cannot be added.
        """
        types = _types(profile)
        profile = _sound(profile)
        if "cpu" in types:
            self.cpu.append(profile)
        elif {"alloc_space", "inuse_space"} & {*types}:
            self.heap.append(profile)
        elif "delay" in types:
            # One without samples, recorded before anything waited, looks like either.
            unlockers = recorded_as == "mutex" or _blames_unlockers(profile)
            (self.mutex if unlockers else self.block).append(profile)
        else:
            kind = (
                f"a profile of {', '.join(sorted(types))}"
                if types
                else "a profile without sample types"
            )
            raise UsageError(
                f"{profile.origin} is {kind}: there is nothing in it to bill",
                hint="give CPU, heap, block and mutex profiles; a goroutine dump is --goroutines",
            )

    def allocating(self) -> list[Profile]:
        """The heap profiles that say what was allocated."""
        return [profile for profile in self.heap if "alloc_space" in _types(profile)]

    def holding(self) -> list[Profile]:
        """The heap profiles that say what is live."""
        return [profile for profile in self.heap if "inuse_space" in _types(profile)]


def _types(profile: Profile) -> list[str]:
    return [each.type for each in profile.header.sample_types]


def _sound(profile: Profile) -> Profile:
    """The profile in nanoseconds and bytes. Raises FormatError where that cannot be billed."""
    ratios: list[float] = []
    for at, each in enumerate(profile.header.sample_types):
        ratio = 1.0
        if each.type in _UNITS:
            unit, name = _UNITS[each.type]
            ratio, had = scaled(1, each.unit, name)
            if had != unit and each.unit:
                raise FormatError(
                    f"{profile.origin} has {each.type} in {each.unit}, and not in {name}",
                    hint="record it with Go's own profiler",
                )
        if each.type in _UNITS or each.type in _COUNTS:
            _bounded(profile, at, ratio)
        ratios.append(ratio)
    return scale(profile, ratios)


def _bounded(profile: Profile, at: int, ratio: float) -> None:
    """Raises FormatError where a column has amounts below zero, or of more than 64 bits."""
    values = profile.values[:, at]
    name = profile.header.sample_types[at].type
    if (values < 0).any():
        raise FormatError(
            f"{profile.origin} has {name} below zero: it is a difference of profiles",
            hint="give the profiles as they were recorded; two of a cumulative kind are subtracted",
        )
    if float(values.astype(np.float64).sum()) * ratio >= _MOST:
        raise FormatError(
            f"{profile.origin} has more {name} than 64 bits hold", hint="record it again"
        )


def _blames_unlockers(profile: Profile) -> bool:
    """A mutex profile has the same sample types as a block profile; its leaves tell it apart."""
    names: Sequence[str] = stacks_of(profile).leaves()
    ends = sum(name.endswith(_UNLOCKS) for name in names)
    return ends * 2 > len(names)
