"""Several profiles as one: merged, scaled, and compared with a base.

As pprof does it (`profile/merge.go`, `internal/measurement` of github.com/google/pprof): only the
sample types that all have are kept, values go to the finest unit, samples of equal stacks and
labels are added up, and equal are functions by name, file and first line, mappings by build id and
size, locations by address within the mapping and by lines. A base is subtracted.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.profile.selection import of_samples, somewhere
from gocost.analyses.profile.units import finest, scaled
from gocost.formats.pprof.profile import (
    BASE_LABEL,
    Functions,
    Header,
    Int64s,
    Labels,
    Lines,
    Locations,
    Mappings,
    Profile,
    Strings,
    ValueType,
    named,
    spans,
    starts_of,
)
from gocost.kernels.grouping import group_texts
from gocost.kernels.stack_fold import group_sequences
from gocost.model.errors import UsageError

_PAGE: Final = 0x1000


def merge(profiles: Sequence[Profile]) -> Profile:
    """The profiles added up. Raises UsageError where they do not measure the same."""
    if len(profiles) == 1:
        return profiles[0]
    return _merged(_same_units(_same_types([somewhere(profile) for profile in profiles])))


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
    """Each column of values times a number, rounded; samples that are zero then are dropped."""
    changed = [i for i, ratio in enumerate(ratios) if ratio != 1]
    if not changed:
        return profile
    values = profile.values.copy()
    for i in changed:
        products = values[:, i].astype(np.float64) * ratios[i]
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


@dataclass(frozen=True, slots=True)
class _Tables:
    """The merged tables, and for each profile where its rows went."""

    strings: Strings
    mappings: Mappings
    functions: Functions
    locations: Locations
    lines: Lines
    rows: list[npt.NDArray[np.int64]]
    """For each profile: the merged row of each of its locations."""
    texts: list[npt.NDArray[np.int64]]
    """For each profile: the merged index of each of its strings that is used."""


def _merged(profiles: Sequence[Profile]) -> Profile:
    _check_compatible(profiles)
    profiles = [of_samples(p, (p.values != 0).any(axis=1)) for p in profiles]
    tables = _tables(profiles)
    labels = [_canonical(p, texts) for p, texts in zip(profiles, tables.texts, strict=True)]
    ends, words = _sample_words(profiles, tables, labels)
    groups, leaders = group_sequences(ends, words, secrets.randbits(62))
    values = np.concatenate([profile.values for profile in profiles])
    sums = np.zeros((len(leaders), values.shape[1]), np.int64)
    np.add.at(sums, groups, values)
    # A profile's samples are found again by their number among all of them.
    stack = np.concatenate(
        [rows[p.stack].astype(np.int32) for rows, p in zip(tables.rows, profiles, strict=True)]
    )
    stack_end = _joined([p.stack_end for p in profiles])
    label_end = _joined([p.label_end for p in profiles])
    columns = [np.concatenate(parts) for parts in zip(*labels, strict=True)]
    first, sizes = starts_of(stack_end)[leaders], np.diff(stack_end, prepend=0)[leaders]
    label_sizes = np.diff(label_end, prepend=0)[leaders]
    chosen = spans(starts_of(label_end)[leaders], label_sizes)
    merged = Profile(
        header=_header([p.header for p in profiles]),
        strings=tables.strings,
        values=sums,
        stack=stack[spans(first, sizes)],
        stack_end=np.cumsum(sizes),
        labels=Labels(
            columns[0][chosen].astype(np.int32),
            columns[1][chosen].astype(np.int32),
            columns[2][chosen],
            columns[3][chosen].astype(np.int32),
        ),
        label_end=np.cumsum(label_sizes),
        locations=tables.locations,
        lines=tables.lines,
        functions=tables.functions,
        mappings=tables.mappings,
        origin=profiles[0].origin,
    )
    return of_samples(merged, (sums != 0).any(axis=1))


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


def _tables(profiles: Sequence[Profile]) -> _Tables:
    strings, texts = _texts(profiles)
    mappings, mapped = _mappings(profiles, texts)
    functions, called = _functions(profiles, texts)
    locations, lines, rows = _locations(profiles, mappings, mapped, called)
    return _Tables(strings, mappings, functions, locations, lines, rows, texts)


def _texts(profiles: Sequence[Profile]) -> tuple[Strings, list[npt.NDArray[np.int64]]]:
    """One table of strings, and for each profile where in it each of its own stands."""
    used = [_used_texts(profile) for profile in profiles]
    # The empty text is the first of every table.
    parts: list[npt.NDArray[np.uint8]] = []
    lengths: list[Int64s] = [np.zeros(1, np.int64)]
    for profile, indexes in zip(profiles, used, strict=True):
        data, sizes = profile.strings.gathered(indexes)
        parts.append(data)
        lengths.append(sizes)
    sizes = np.concatenate(lengths)
    starts = starts_of(np.cumsum(sizes))
    data = np.concatenate(parts)
    groups, leaders = group_texts(data, starts, sizes, secrets.randbits(31))
    numbers = np.split(groups[1:].astype(np.int64), np.cumsum([len(one) for one in used])[:-1])
    tables = []
    for profile, indexes, mine in zip(profiles, used, numbers, strict=True):
        table = np.zeros(len(profile.strings), np.int64)
        table[indexes] = mine
        tables.append(table)
    return Strings(data.data, starts[leaders], sizes[leaders]), tables


def _used_texts(profile: Profile) -> npt.NDArray[np.int64]:
    """The indexes of the strings that something refers to, ascending."""
    functions, mappings, labels = profile.functions, profile.mappings, profile.labels
    marked = np.zeros(len(profile.strings), np.bool_)
    for column in (
        functions.name, functions.system_name, functions.file, mappings.file, mappings.build_id,
        labels.key, labels.text, labels.unit,
    ):  # fmt: skip
        marked[column] = True
    return np.flatnonzero(marked)


def _mappings(
    profiles: Sequence[Profile], texts: Sequence[npt.NDArray[np.int64]]
) -> tuple[Mappings, list[npt.NDArray[np.int64]]]:
    file, build_id = (
        _over(profiles, texts, lambda p, at, name=name: at[getattr(p.mappings, name)])
        for name in ("file", "build_id")
    )
    start, limit, offset = (
        np.concatenate([getattr(p.mappings, name) for p in profiles])
        for name in ("start", "limit", "offset")
    )
    size = limit - start + np.uint64(_PAGE - 1)
    size -= size % np.uint64(_PAGE)
    known = np.where(build_id != 0, build_id, file)
    # Of equal ones that counts which a sample meets first: its file and start are shown.
    order = _met(profiles)
    first, of_order = _distinct(
        [column[order] for column in (size.view(np.int64), offset.view(np.int64), known)]
    )
    chosen = order[first]
    merged = np.empty_like(of_order)
    merged[order] = of_order
    table = Mappings(
        id=np.arange(1, len(chosen) + 1, dtype=np.uint64),
        start=start[chosen],
        limit=limit[chosen],
        offset=offset[chosen],
        file=file[chosen].astype(np.int32),
        build_id=build_id[chosen].astype(np.int32),
        flags=np.concatenate([p.mappings.flags for p in profiles])[chosen],
    )
    return table, _parted(merged, [len(p.mappings.id) for p in profiles])


def _met(profiles: Sequence[Profile]) -> Int64s:
    """The rows of all mappings, those first that samples meet first; before them the program's."""
    parts, before = [np.zeros(1, np.int64)], 0
    for profile in profiles:
        mapping = profile.locations.mapping[profile.stack].astype(np.int64)
        _, first = np.unique(mapping, return_index=True)
        met = mapping[np.sort(first)]
        parts.append(met[met >= 0] + before)
        before += len(profile.mappings.id)
    rows = np.concatenate([*parts, np.arange(before)])
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)]


def _functions(
    profiles: Sequence[Profile], texts: Sequence[npt.NDArray[np.int64]]
) -> tuple[Functions, list[npt.NDArray[np.int64]]]:
    name, system, file = (
        _over(profiles, texts, lambda p, at, column=column: at[getattr(p.functions, column)])
        for column in ("name", "system_name", "file")
    )
    start = np.concatenate([p.functions.start_line for p in profiles])
    first, merged = _distinct([name, system, file, start])
    table = Functions(
        id=np.arange(1, len(first) + 1, dtype=np.uint64),
        name=name[first].astype(np.int32),
        system_name=system[first].astype(np.int32),
        file=file[first].astype(np.int32),
        start_line=start[first],
    )
    return table, _parted(merged, [len(p.functions.id) for p in profiles])


def _locations(
    profiles: Sequence[Profile],
    mappings: Mappings,
    mapped: Sequence[npt.NDArray[np.int64]],
    called: Sequence[npt.NDArray[np.int64]],
) -> tuple[Locations, Lines, list[npt.NDArray[np.int64]]]:
    mapping = _over(profiles, mapped, lambda p, at: _taken(at, p.locations.mapping))
    # An address counts from where its mapping began in that process.
    begins = _over(
        profiles,
        mapped,
        lambda p, _: _taken(p.mappings.start.view(np.int64), p.locations.mapping, 0),
    )
    own = _taken(mappings.start.view(np.int64), mapping, 0)
    address = np.concatenate([p.locations.address for p in profiles]).view(np.int64) - begins
    folded = np.concatenate([p.locations.folded for p in profiles])
    function = _over(profiles, called, lambda p, at: at[p.lines.function])
    line = np.concatenate([p.lines.line for p in profiles])
    column = np.concatenate([p.lines.column for p in profiles])
    line_end = _joined([p.locations.line_end for p in profiles])
    sizes = np.diff(line_end, prepend=0)
    ends = np.cumsum(3 + 3 * sizes)
    words = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
    starts = starts_of(ends)
    words[starts], words[starts + 1], words[starts + 2] = address, mapping, folded
    inner = spans(starts + 3, 3 * sizes)
    words[inner] = np.stack([function, line, column], axis=1).reshape(-1)
    merged, first = group_sequences(ends, words, secrets.randbits(62))
    chosen = spans(starts_of(line_end)[first], sizes[first])
    locations = Locations(
        id=np.arange(1, len(first) + 1, dtype=np.uint64),
        mapping=mapping[first].astype(np.int32),
        address=(address + own)[first].view(np.uint64),
        folded=folded[first],
        line_end=np.cumsum(sizes[first]),
    )
    lines = Lines(function[chosen].astype(np.int32), line[chosen], column[chosen])
    return locations, lines, _parted(merged, [len(p.locations.id) for p in profiles])


def _canonical(
    profile: Profile, texts: npt.NDArray[np.int64]
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """Key, text, number and unit of its labels; a sample's in one order, whatever it had."""
    labels = profile.labels
    key, text, unit = texts[labels.key], texts[labels.text], texts[labels.unit]
    order = np.lexsort((key, labels.text == 0, profile.label_sample()))
    return key[order], text[order], labels.number[order], unit[order]


def _sample_words(
    profiles: Sequence[Profile],
    tables: _Tables,
    labels: Sequence[tuple[Int64s, Int64s, Int64s, Int64s]],
) -> tuple[Int64s, Int64s]:
    """Each sample as a sequence of words: its locations, -1, and four words a label."""
    all_ends: list[Int64s] = []
    all_words: list[Int64s] = []
    for profile, rows, columns in zip(profiles, tables.rows, labels, strict=True):
        sizes = np.diff(profile.stack_end, prepend=0)
        label_sizes = np.diff(profile.label_end, prepend=0)
        ends = np.cumsum(sizes + 1 + 4 * label_sizes)
        starts = starts_of(ends)
        words = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
        words[spans(starts, sizes)] = rows[profile.stack]
        words[starts + sizes] = -1
        if len(columns[0]):
            words[spans(starts + sizes + 1, 4 * label_sizes)] = np.stack(columns, axis=1).reshape(
                -1
            )
        all_ends.append(ends)
        all_words.append(words)
    return _joined(all_ends), np.concatenate(all_words)


def _over(
    profiles: Sequence[Profile],
    tables: Sequence[npt.NDArray[np.int64]],
    column: Callable[..., Any],
) -> Int64s:
    """A column of every profile through its table, one behind the other."""
    parts = [column(profile, table) for profile, table in zip(profiles, tables, strict=True)]
    return np.concatenate(parts).astype(np.int64)


def _taken(table: Int64s, rows: npt.NDArray[Any], missing: int = -1) -> Int64s:
    if not len(table):
        return np.full(len(rows), missing, np.int64)
    return np.where(rows >= 0, table[rows], missing)


def _distinct(columns: Sequence[Int64s]) -> tuple[npt.NDArray[np.int32], Int64s]:
    """Where each different row first stands, in that order, and each row's number among them."""
    count = len(columns[0])
    words = np.stack(columns, axis=1).reshape(-1)
    ends = np.arange(1, count + 1) * len(columns)
    numbers, first = group_sequences(ends, words, secrets.randbits(62))
    return first, numbers.astype(np.int64)


def _joined(ends: Sequence[Int64s]) -> Int64s:
    """Ends of parts of several arrays, after these are put one behind the other."""
    before, out = 0, []
    for each in ends:
        out.append(each + before)
        before += int(each[-1]) if len(each) else 0
    return np.concatenate(out)


def _parted(numbers: npt.NDArray[Any], counts: Sequence[int]) -> list[npt.NDArray[np.int64]]:
    return np.split(numbers.astype(np.int64), np.cumsum(counts)[:-1])
