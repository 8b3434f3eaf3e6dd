"""Several profiles as one: merged, scaled, and compared with a base.

As pprof does it (`profile/merge.go`, `internal/measurement` of github.com/google/pprof): only the
sample types that all have are kept, values go to the finest unit, samples of equal stacks and
labels are added up, and equal are functions by name, file and first line, mappings by build id and
size, locations by address within the mapping and by lines. A base is subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from gocost.analyses.profile.bounds import check_sums
from gocost.analyses.profile.selection import of_samples, somewhere
from gocost.analyses.profile.summing import Sums
from gocost.analyses.profile.units import finest, scaled
from gocost.formats.pprof.profile import (
    BASE_LABEL,
    Header,
    Labels,
    Profile,
    ValueType,
    named,
)
from gocost.model.errors import UsageError


def merge(profiles: Iterable[Profile]) -> Profile:
    """The profiles added up. Raises UsageError where they do not measure the same, and FormatError
    where they add up to more than 64 bits.

    Each is taken in as soon as it comes, so that those behind it can be read meanwhile.
    """
    found: list[Profile] = []
    sums = Sums()
    alike = True
    for profile in profiles:
        found.append(somewhere(profile))
        alike = alike and _alike(found[0].header, profile.header)
        if alike:
            sums.add(found[-1])
    if len(found) == 1:
        return found[0]
    if not alike:
        found = _same_units(_same_types(found))
        _check_compatible(found)
        sums = Sums()
        for profile in found:
            sums.add(profile)
    return sums.profile(_header([profile.header for profile in found]), found[0].origin)


def _alike(one: Header, other: Header) -> bool:
    """Whether values of the two can be added up as they are."""
    names = {each.type for each in one.sample_types}
    return (
        one.sample_types == other.sample_types
        and one.period_type == other.period_type
        and len(names) == len(one.sample_types) > 0
    )


def subtract(
    profile: Profile, base: Profile, *, of_base: bool = False, normalize: bool = False
) -> Profile:
    """The profile less the base.

    With `of_base` (pprof's -diff_base) the base's samples are labelled, so that percentages are of
    its total. `normalize` scales the profile to the base's total of each sample type first.
    Raises UsageError where the two do not measure the same.
    """
    if of_base:
        base = _labelled(base)
    if normalize:
        _check_compatible([profile, base])
        profile = scale(profile, _ratios(profile, base))
    base = scale(base, [-1.0] * len(base.header.sample_types))
    return merge([profile, base])


def scale(profile: Profile, ratios: Sequence[float]) -> Profile:
    """Each column of values times a number, rounded; samples that are zero then are dropped.

    Raises FormatError where they come to more than 64 bits.
    """
    changed = [i for i, ratio in enumerate(ratios) if ratio != 1]
    if not changed:
        return profile
    values = profile.values.copy()
    for i in changed:
        products = values[:, i].astype(np.float64) * ratios[i]
        check_sums(products[:, np.newaxis], profile.origin)
        # Halves away from zero, as Go's math.Round.
        values[:, i] = (np.sign(products) * np.floor(np.abs(products) + 0.5)).astype(np.int64)
    return of_samples(replace(profile, values=values), (values[:, changed] != 0).any(axis=1))


def _ratios(profile: Profile, base: Profile) -> list[float]:
    return [
        float(of_base) / float(own) if own else 0.0
        for own, of_base in zip(
            profile.values.sum(axis=0).tolist(), base.values.sum(axis=0).tolist(), strict=True
        )
    ]


def _labelled(profile: Profile) -> Profile:
    """The profile with every sample marked as a base's."""
    count = profile.samples
    strings = profile.strings
    key, text = strings.add(BASE_LABEL), strings.add("true")
    at = profile.label_end
    labels = profile.labels
    return replace(
        profile,
        labels=Labels(
            np.insert(labels.key, at, key).astype(np.int32),
            np.insert(labels.text, at, text).astype(np.int32),
            np.insert(labels.number, at, 0),
            np.insert(labels.unit, at, 0).astype(np.int32),
        ),
        label_end=at + np.arange(1, count + 1),
    )


def _same_types(profiles: Sequence[Profile]) -> list[Profile]:
    """The profiles with the sample types that all of them have, in the first one's order."""
    counts: dict[str, int] = {}
    for profile in profiles:
        for each in profile.header.sample_types:
            counts[each.type] = counts.get(each.type, 0) + 1
    common = [
        each.type for each in profiles[0].header.sample_types if counts[each.type] == len(profiles)
    ]
    if not common:
        told = "; ".join(named(profile.header.sample_types) for profile in profiles[:3])
        raise UsageError(
            f"the profiles have no sample type in common ({told})",
            hint="merge and compare profiles of one kind",
        )
    return [_with_types(profile, common) for profile in profiles]


def _with_types(profile: Profile, names: Sequence[str]) -> Profile:
    have = [each.type for each in profile.header.sample_types]
    if have == list(names):
        return profile
    columns = [have.index(name) for name in names]
    default = profile.header.default_sample_type
    header = replace(
        profile.header,
        sample_types=tuple(profile.header.sample_types[i] for i in columns),
        default_sample_type=default if default in names else names[0],
    )
    return replace(profile, header=header, values=np.ascontiguousarray(profile.values[:, columns]))


def _same_units(profiles: Sequence[Profile]) -> list[Profile]:
    """The profiles with their values in the finest unit that any of them has."""
    period = finest([profile.header.period_type for profile in profiles])
    if period is None:
        told = sorted({_told(profile.header.period_type) for profile in profiles})
        raise UsageError(
            f"the profiles' periods cannot be compared ({'; '.join(told)})",
            hint="merge and compare profiles of one kind",
        )
    types: list[ValueType] = []
    for column in range(len(profiles[0].header.sample_types)):
        given = [profile.header.sample_types[column] for profile in profiles]
        least = finest(given)
        if least is None:
            told = sorted({_told(each) for each in given})
            raise UsageError(
                f"the profiles' samples cannot be compared ({'; '.join(told)})",
                hint="merge and compare profiles of one kind",
            )
        types.append(least)
    return [_in_units(profile, period, types) for profile in profiles]


def _in_units(profile: Profile, period: ValueType, types: Sequence[ValueType]) -> Profile:
    header = profile.header
    ratios = [
        scaled(1, own.unit, wanted.unit)[0]
        for own, wanted in zip(header.sample_types, types, strict=True)
    ]
    changed = replace(
        header,
        period=int(scaled(header.period, header.period_type.unit, period.unit)[0]),
        period_type=ValueType(header.period_type.type, period.unit),
        sample_types=tuple(
            ValueType(own.type, wanted.unit)
            for own, wanted in zip(header.sample_types, types, strict=True)
        ),
    )
    return scale(replace(profile, header=changed), ratios)


def _told(each: ValueType) -> str:
    return f"{each.type or 'nothing'} in {each.unit or 'no unit'}"


def _check_compatible(profiles: Sequence[Profile]) -> None:
    """Raises UsageError where period or sample types differ."""
    first = profiles[0].header
    for other in profiles[1:]:
        for ours, theirs in (
            ((first.period_type,), (other.header.period_type,)),
            (first.sample_types, other.header.sample_types),
        ):
            if ours != theirs:
                raise UsageError(
                    f"the profiles do not measure the same: {', '.join(map(_told, ours))} and"
                    f" {', '.join(map(_told, theirs))}",
                    hint="merge and compare profiles of one kind",
                )


def _header(headers: Sequence[Header]) -> Header:
    comments = dict.fromkeys(text for header in headers for text in header.comments)
    # As pprof has it: the earliest time, where a profile without one counts as 1970.
    time = headers[0].time_ns
    for header in headers[1:]:
        if time == 0 or header.time_ns < time:
            time = header.time_ns
    return replace(
        headers[0],
        time_ns=time,
        duration_ns=sum(header.duration_ns for header in headers),
        period=max((header.period for header in headers if header.period), default=0),
        comments=tuple(comments),
        default_sample_type=next((h.default_sample_type for h in headers if h.default_sample_type),
                                 ""),
        doc_url=next((h.doc_url for h in headers if h.doc_url), ""),
    )  # fmt: skip
