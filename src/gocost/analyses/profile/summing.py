"""Profiles added up one after the other: each table of them once, each stack with its sums.

Every row of a table (a text, function, location, stack, set of labels) becomes a part of bytes that
refers to rows which were merged before, and an `Interner` gives each different one a number. What
makes rows equal is said in `merging.py`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.profile.bounds import check_sums
from gocost.analyses.profile.selection import of_samples
from gocost.formats.pprof.profile import (
    Functions,
    Header,
    Int64s,
    Labels,
    Lines,
    Locations,
    Mappings,
    Profile,
    Strings,
    spans,
    starts_of,
)
from gocost.kernels.interning import Interner
from gocost.kernels.pprof_merging import HEAD, LINE, location_words, translated

_PAGE: Final = 0x1000
_FIRST: Final = 256
"""Samples that are looked at first for the order in which mappings are met."""


class Sums:
    """What was added so far."""

    def __init__(self) -> None:
        made = [Interner() for _ in range(5)]
        self._texts, self._functions, self._locations, self._stacks, self._label_sets = made
        empty, once = np.zeros(0, np.uint8), np.zeros(1, np.int64)
        self._texts.add(empty, once, once)  # the empty text is the first of every table
        self._label_sets.add(empty, once, once)
        self._mappings = _Mappings()
        self._samples: list[tuple[Int64s, Int64s]] = []
        """For each profile the stack and the labels of every sample."""
        self._values: list[Int64s] = []

    def add(self, profile: Profile) -> None:
        """Another one, whose values are of the same types as those before."""
        kept = np.flatnonzero((profile.values != 0).any(axis=1))
        texts = self._text_numbers(profile)
        functions = profile.functions
        called = self._functions.add_rows(
            np.stack(
                [
                    texts[functions.name],
                    texts[functions.system_name],
                    texts[functions.file],
                    functions.start_line,
                ],
                axis=1,
            )
        )
        mapped = self._mappings.add(profile, texts, kept)
        rows = self._location_numbers(profile, mapped, called).astype(np.int32)
        starts = starts_of(profile.stack_end)[kept]
        numbers = self._stacks.add(
            translated(profile.stack, rows).view(np.uint8),
            4 * starts,
            4 * (profile.stack_end[kept] - starts),
        )
        labels = self._label_numbers(profile, texts, kept)
        self._samples.append((numbers, labels))
        self._values.append(profile.values[kept])

    def profile(self, header: Header, origin: str) -> Profile:
        """All of them as one; samples that add up to nothing are dropped. Raises FormatError."""
        stacks, labels = (np.concatenate(parts) for parts in zip(*self._samples, strict=True))
        if labels.any():
            pairs = Interner()
            numbers = pairs.add_rows(np.stack([stacks, labels], axis=1))
            stack_of, labels_of = pairs.store.view(np.int64).reshape(-1, 2).T
        else:  # a sample is its stack
            numbers, stack_of = stacks, np.arange(len(self._stacks))
            labels_of = np.zeros(len(stack_of), np.int64)
        values = np.concatenate(self._values)
        # No single one is to blame, and of many the first tells which they are.
        check_sums(values, f"{origin} and others" if origin else "")
        sums = np.zeros((values.shape[1], len(stack_of)), np.int64)
        for column, of_type in zip(values.T, sums, strict=True):
            np.add.at(of_type, numbers, column)
        stack, stack_end = _chosen(self._stacks, stack_of, np.int32)
        words, word_end = _chosen(self._label_sets, labels_of, np.int64)
        key, text, number, unit = words.reshape(-1, 4).T
        mappings = self._mappings.table()
        locations, lines = self._location_table(mappings)
        ends = self._texts.ends
        merged = Profile(
            header=header,
            strings=Strings(self._texts.store.data, starts_of(ends), ends - starts_of(ends)),
            values=np.ascontiguousarray(sums.T),
            stack=stack,
            stack_end=stack_end,
            labels=Labels(
                key.astype(np.int32),
                text.astype(np.int32),
                np.ascontiguousarray(number),
                unit.astype(np.int32),
            ),
            label_end=word_end // 4,
            locations=locations,
            lines=lines,
            functions=self._function_table(),
            mappings=mappings,
            origin=origin,
        )
        return of_samples(merged, (sums != 0).any(axis=0))

    def _text_numbers(self, profile: Profile) -> Int64s:
        """The merged index of each of its strings that something refers to."""
        functions, mappings, labels = profile.functions, profile.mappings, profile.labels
        marked = np.zeros(len(profile.strings), np.bool_)
        for column in (
            functions.name, functions.system_name, functions.file, mappings.file,
            mappings.build_id, labels.key, labels.text, labels.unit,
        ):  # fmt: skip
            marked[column] = True
        used = np.flatnonzero(marked)
        numbers = np.zeros(len(marked), np.int64)
        numbers[used] = self._texts.add(*profile.strings.places(used))
        return numbers

    def _location_numbers(self, profile: Profile, mapped: Int64s, called: Int64s) -> Int64s:
        locations, lines = profile.locations, profile.lines
        words, ends = location_words(
            locations.address.view(np.int64),
            locations.mapping,
            locations.folded.view(np.uint8),
            locations.line_end,
            (lines.function, lines.line, lines.column),
            profile.mappings.start.view(np.int64),
            mapped,
            called,
        )
        starts = starts_of(ends)
        return self._locations.add(words.view(np.uint8), 8 * starts, 8 * (ends - starts))

    def _label_numbers(self, profile: Profile, texts: Int64s, kept: Int64s) -> Int64s:
        """The number of each sample's labels, which are put in one order, whatever they had."""
        labels = profile.labels
        if not len(labels.key):
            return np.zeros(len(kept), np.int64)
        key = texts[labels.key]
        order = np.lexsort((key, labels.text == 0, profile.label_sample()))
        words = np.stack([key, texts[labels.text], labels.number, texts[labels.unit]], axis=1)
        starts = starts_of(profile.label_end)[kept]
        return self._label_sets.add(
            words[order].reshape(-1).view(np.uint8),
            32 * starts,
            32 * (profile.label_end[kept] - starts),
        )

    def _function_table(self) -> Functions:
        name, system_name, file, start_line = self._functions.store.view(np.int64).reshape(-1, 4).T
        return Functions(
            id=np.arange(1, len(name) + 1, dtype=np.uint64),
            name=name.astype(np.int32),
            system_name=system_name.astype(np.int32),
            file=file.astype(np.int32),
            start_line=np.ascontiguousarray(start_line),
        )

    def _location_table(self, mappings: Mappings) -> tuple[Locations, Lines]:
        words, ends = self._locations.store.view(np.int64), self._locations.ends // 8
        starts = starts_of(ends)
        sizes = ends - starts - HEAD
        mapping = _taken(self._mappings.order(), words[starts + 1] >> 1, -1)
        own = _taken(mappings.start.view(np.int64), mapping, 0)
        function, line, column = words[spans(starts + HEAD, sizes)].reshape(-1, LINE).T
        locations = Locations(
            id=np.arange(1, len(ends) + 1, dtype=np.uint64),
            mapping=mapping.astype(np.int32),
            address=(words[starts] + own).view(np.uint64),
            folded=words[starts + 1] & 1 != 0,
            line_end=np.cumsum(sizes // LINE),
        )
        lines = Lines(
            function.astype(np.int32), np.ascontiguousarray(line), np.ascontiguousarray(column)
        )
        return locations, lines


class _Mappings:
    """The mappings; of equal ones that counts which a sample meets first."""

    def __init__(self) -> None:
        self._keys = Interner()
        self._tables: list[Mappings] = []
        self._numbers: list[Int64s] = []
        self._met: list[Int64s] = [np.zeros(1, np.int64)]
        self._count = 0

    def add(self, profile: Profile, texts: Int64s, kept: Int64s) -> Int64s:
        """A number for each of the profile's; `kept` are its samples that count."""
        mappings = profile.mappings
        file, build_id = texts[mappings.file], texts[mappings.build_id]
        size = mappings.limit - mappings.start + np.uint64(_PAGE - 1)
        size -= size % np.uint64(_PAGE)
        known = np.where(build_id != 0, build_id, file)
        columns = [size.view(np.int64), mappings.offset.view(np.int64), known]
        numbers = self._keys.add_rows(np.stack(columns, axis=1))
        self._tables.append(
            Mappings(
                id=mappings.id,
                start=mappings.start,
                limit=mappings.limit,
                offset=mappings.offset,
                file=file.astype(np.int32),
                build_id=build_id.astype(np.int32),
                flags=mappings.flags,
            )
        )
        self._numbers.append(numbers)
        self._met.append(_met(profile, kept) + self._count)
        self._count += len(numbers)
        return numbers

    def order(self) -> Int64s:
        """The row in `table` of each number."""
        _, first = self._first()
        rows = np.empty_like(first)
        rows[np.argsort(first)] = np.arange(len(first))
        return rows

    def table(self) -> Mappings:
        """Each once: those first that samples meet first, before them the program's."""
        order, first = self._first()
        chosen = order[np.sort(first)]
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(table, name) for table in self._tables])[chosen]
            for name in ("start", "limit", "offset", "file", "build_id", "flags")
        }
        return Mappings(id=np.arange(1, len(chosen) + 1, dtype=np.uint64), **columns)

    def _first(self) -> tuple[Int64s, Int64s]:
        """All rows as they are met, and where among those each number stands first."""
        order = np.concatenate([*self._met, np.arange(self._count)])
        _, first = np.unique(np.concatenate(self._numbers)[order], return_index=True)
        return order, first


def _met(profile: Profile, kept: Int64s) -> Int64s:
    """The rows of the mappings that the samples refer to, as they are met."""
    used = np.zeros(len(profile.mappings.id) + 1, np.bool_)
    used[profile.locations.mapping] = True  # -1 is the last
    wanted = int(used[:-1].sum())
    starts = starts_of(profile.stack_end)
    count = _FIRST
    while True:
        rows = kept[:count]
        stack = profile.stack[spans(starts[rows], profile.stack_end[rows] - starts[rows])]
        mapping, first = np.unique(profile.locations.mapping[stack], return_index=True)
        there = mapping >= 0
        if int(there.sum()) == wanted or count >= len(kept):
            return mapping[there][np.argsort(first[there])].astype(np.int64)
        count *= 8


def _chosen(
    parts: Interner, numbers: Int64s, kind: type[np.generic]
) -> tuple[npt.NDArray[Any], Int64s]:
    """The parts of some numbers one behind the other, as integers, and where each ends."""
    words = parts.store.view(kind)
    ends = parts.ends // words.itemsize
    starts = starts_of(ends)[numbers]
    sizes = ends[numbers] - starts
    if len(numbers) == len(parts) and (numbers == np.arange(len(parts))).all():
        return words, ends
    return words[spans(starts, sizes)], np.cumsum(sizes)


def _taken(table: Int64s, rows: npt.NDArray[Any], missing: int) -> Int64s:
    if not len(table):
        return np.full(len(rows), missing, np.int64)
    return np.where(rows >= 0, table[rows], missing)
