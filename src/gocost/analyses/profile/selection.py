"""Parts of a profile: some of its samples, of the lines of locations, of the frames of stacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gocost.formats.pprof.profile import (
    Bools,
    Int64s,
    Lines,
    Mappings,
    Profile,
    spans,
    starts_of,
)


def of_samples(profile: Profile, kept: Bools) -> Profile:
    """The samples of a mask, with their stacks and labels."""
    if kept.all():
        return profile
    sizes, label_sizes = _sizes(profile.stack_end), _sizes(profile.label_end)
    return replace(
        profile,
        values=profile.values[kept],
        stack=profile.stack[np.repeat(kept, sizes)],
        stack_end=np.cumsum(sizes[kept]),
        labels=profile.labels.keep(np.repeat(kept, label_sizes)),
        label_end=np.cumsum(label_sizes[kept]),
    )


def without_references(profile: Profile, kept: Bools) -> Profile:
    """Stacks without those of their locations that the mask leaves out."""
    if kept.all():
        return profile
    return replace(profile, stack=profile.stack[kept], stack_end=kept_ends(kept, profile.stack_end))


def cut_stacks(profile: Profile, first: Int64s, end: Int64s) -> Profile:
    """Each sample's stack is `stack[first:end]` instead; the bounds lie within what it was."""
    sizes = np.maximum(end - first, 0)
    return replace(profile, stack=profile.stack[spans(first, sizes)], stack_end=np.cumsum(sizes))


def somewhere(profile: Profile) -> Profile:
    """The profile; one without mappings has one without a file, which all its code is in.

    pprof's command adds it too, and an expression that an empty text matches finds it.
    """
    if len(profile.mappings.id):
        return profile
    one, none = np.ones(1, np.uint64), np.zeros(1, np.uint64)
    text = np.zeros(1, np.int32)
    everywhere = np.zeros(len(profile.locations.id), np.int32)
    return replace(
        profile,
        mappings=Mappings(one, none, none, none, text, text, np.zeros(1, np.uint8)),
        locations=replace(profile.locations, mapping=everywhere),
    )


def of_lines(profile: Profile, kept: Bools) -> Profile:
    """Locations with those of their lines that the mask keeps."""
    if kept.all():
        return profile
    lines = profile.lines
    locations = replace(profile.locations, line_end=kept_ends(kept, profile.locations.line_end))
    return replace(
        profile,
        locations=locations,
        lines=Lines(lines.function[kept], lines.line[kept], lines.column[kept]),
    )


def has_nameless(profile: Profile) -> bool:
    """Whether some code has no names: locations without lines."""
    ends = profile.locations.line_end
    return bool((ends == starts_of(ends)).any())


def kept_ends(kept: Bools, ends: Int64s) -> Int64s:
    """Where parts end after what the mask leaves out is gone."""
    return np.concatenate([[0], np.cumsum(kept)])[ends]


def any_within(marked: Bools, ends: Int64s) -> Bools:
    """For each of the parts that end at `ends`: whether anything in it is marked."""
    before = np.concatenate([[0], np.cumsum(marked)])
    return before[ends] > before[starts_of(ends)]


def last_within(marked: Bools, ends: Int64s) -> Int64s:
    """For each part the position of its last marked element, -1 where it has none."""
    if not len(marked):
        return np.full(len(ends), -1)
    latest = np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1))
    return _inside(latest, ends - 1, starts_of(ends), ends)


def first_within(marked: Bools, ends: Int64s) -> Int64s:
    """For each part the position of its first marked element, -1 where it has none."""
    count = len(marked)
    if not count:
        return np.full(len(ends), -1)
    soonest = np.minimum.accumulate(np.where(marked, np.arange(count), count)[::-1])[::-1]
    starts = starts_of(ends)
    found = soonest[np.minimum(starts, count - 1)]
    return np.where((found < ends) & (starts < ends), found, -1)


def last_before(marked: Bools, limits: Int64s, ends: Int64s) -> Int64s:
    """For each part the position of its last marked element up to `limits`, -1 where none is."""
    if not len(marked):
        return np.full(len(ends), -1)
    latest = np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1))
    return _inside(latest, limits, starts_of(ends), ends)


def line_locations(profile: Profile) -> Int64s:
    """The location of each line."""
    sizes = _sizes(profile.locations.line_end)
    return np.repeat(np.arange(len(sizes)), sizes)


def _inside(latest: Int64s, at: Int64s, starts: Int64s, ends: Int64s) -> Int64s:
    found = latest[np.clip(at, 0, len(latest) - 1)]
    return np.where((found >= starts) & (at >= starts) & (starts < ends), found, -1)


def _sizes(ends: Int64s) -> Int64s:
    return np.diff(ends, prepend=0)
