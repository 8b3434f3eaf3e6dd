"""A profile as relations: samples, their frames and labels, and functions with their costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gocost.analyses.profile.groups import packages_of
from gocost.analyses.profile.view import Options, costs, nodes_in, sample_index, view
from gocost.analyses.query.relation import (
    Coded,
    Filled,
    Lists,
    Relation,
    coded,
    real,
    text,
    texts,
    whole,
)
from gocost.formats.pprof.profile import Int64s, Profile, frame_spans, starts_of
from gocost.formats.recognition import Kind

_KINDS: Final = (Kind.PROFILE, Kind.HEAP)
_SAMPLE: Final = (
    whole("sample", "its number in the file, from 0"),
    text("type", "what the value counts: cpu, samples, inuse_space, ..."),
    text("unit", "of the value: nanoseconds, bytes, count"),
    whole("value", "in the unit"),
    text("function", "the innermost function"),
    text("package", "the package of the innermost function"),
    texts("stack", "functions from the innermost to the outermost, inlined calls included"),
)
SAMPLES: Final = Relation(
    "samples",
    "a profile's samples, with their value of the default type: a row each",
    _KINDS,
    _SAMPLE,
)
SAMPLES_BY_TYPE: Final = Relation(
    "samples_by_type",
    "a profile's samples, a row for each type of value: they do not add up",
    _KINDS,
    _SAMPLE,
)
FRAMES: Final = Relation(
    "frames",
    "the frames of a profile's samples, a row each",
    _KINDS,
    (
        whole("sample", "the sample that it belongs to"),
        whole("depth", "from 0, the innermost"),
        text("function", "its name"),
        text("package", "the package of the function"),
        text("source", "the source file, as the compiler wrote it"),
        whole("line", "in the source file; 0 where unknown"),
    ),
)
LABELS: Final = Relation(
    "labels",
    "the labels of a profile's samples, a row each",
    _KINDS,
    (
        whole("sample", "the sample that has it"),
        text("key", "its key"),
        text("text", "its text; NULL where it is a number"),
        whole("number", "its number; NULL where it is a text"),
        text("unit", "of the number"),
    ),
)
_FUNCTION: Final = (
    text("type", "what is counted: cpu, samples, inuse_space, ..."),
    text("unit", "of flat and cumulative"),
    text("function", "its name"),
    text("package", "the package of the function"),
    whole("flat", "of samples that end in it"),
    whole("cumulative", "of samples that it is anywhere in"),
    real("share", "flat, of the total"),
)
FUNCTIONS: Final = Relation(
    "functions",
    "a profile's functions with what they cost in the default type of value: a row each",
    _KINDS,
    _FUNCTION,
)
FUNCTIONS_BY_TYPE: Final = Relation(
    "functions_by_type",
    "a profile's functions, a row for each type of value: they do not add up",
    _KINDS,
    _FUNCTION,
)
DEFAULT_TYPE: Final = {SAMPLES.name: SAMPLES_BY_TYPE.name, FUNCTIONS.name: FUNCTIONS_BY_TYPE.name}
"""The relations that have the default type of value, and those that have every one."""


def samples(profile: Profile) -> Filled:
    """The samples' values of the default type."""
    return _samples(profile, [sample_index(profile)])


def samples_by_type(profile: Profile) -> Filled:
    """The samples' values of every type."""
    return _samples(profile, range(len(profile.header.sample_types)))


def _samples(profile: Profile, chosen: Sequence[int]) -> Filled:
    """The samples' values of these types."""
    types = profile.header.sample_types
    rows = profile.samples
    functions, numbers, ends = _stacks(profile)
    starts = starts_of(ends)
    leaf = np.full(rows, -1, np.int64)
    filled = ends > starts
    leaf[filled] = numbers[starts[filled]]
    packages, of_function = _packages(functions)
    of_leaf = np.where(leaf >= 0, of_function[leaf], -1) if len(functions) else leaf
    again = np.tile(np.arange(rows), len(chosen))
    sizes = (ends - starts)[again]
    of_type = np.repeat(np.array(chosen, np.int64), rows)
    return {
        "sample": again,
        "type": Coded([each.type for each in types], of_type),
        "unit": Coded([each.unit for each in types], of_type),
        "value": profile.values.T[list(chosen)].reshape(-1),
        "function": Coded(functions, leaf[again]),
        "package": Coded(packages, of_leaf[again]),
        "stack": Lists(
            Coded(functions, numbers[frame_spans(starts[again], sizes)]), np.cumsum(sizes)
        ),
    }


def frames(profile: Profile) -> Filled:
    """The frames of the samples."""
    lines, ends = _lines(profile)
    starts = starts_of(ends)
    sizes = ends - starts
    functions, numbers = _names(profile)
    packages, of_function = _packages(functions)
    function = profile.lines.function[lines]
    known = function >= 0
    number = np.where(known, numbers[function], -1) if len(numbers) else np.full(len(lines), -1)
    files, of_file = profile.strings.distinct(profile.functions.file)
    return {
        "sample": np.repeat(np.arange(profile.samples), sizes),
        "depth": np.arange(len(lines)) - np.repeat(starts, sizes),
        "function": Coded(functions, number),
        "package": Coded(packages, np.where(known, of_function[number], -1)
                         if len(functions) else number),
        "source": Coded(files, np.where(known, of_file[function], -1) if len(files) else number),
        "line": profile.lines.line[lines],
    }  # fmt: skip


def labels(profile: Profile) -> Filled:
    """The labels of the samples."""
    found, strings = profile.labels, profile.strings
    is_text = found.text != 0
    keys, of_key = strings.distinct(found.key)
    said, of_text = strings.distinct(found.text)
    units, of_unit = strings.distinct(found.unit)
    number = np.ma.masked_array(found.number, mask=is_text)
    return {
        "sample": profile.label_sample(),
        "key": Coded(keys, of_key),
        "text": Coded(said, np.where(is_text, of_text, -1)),
        "number": number,
        "unit": Coded(units, np.where(found.unit != 0, of_unit, -1)),
    }


def functions(profile: Profile) -> Filled:
    """The functions with their costs in the default type."""
    return _functions(profile, [sample_index(profile)])


def functions_by_type(profile: Profile) -> Filled:
    """The functions with their costs in every type."""
    return _functions(profile, range(len(profile.header.sample_types)))


def _functions(profile: Profile, chosen: Sequence[int]) -> Filled:
    """The functions with their costs in these types."""
    columns: dict[str, list[object]] = {each.name: [] for each in _FUNCTION}
    for number in chosen:
        each = profile.header.sample_types[number]
        options = Options(sample_index=str(number))
        seen = view(profile, options)
        nodes = nodes_in(seen, options)
        found = costs(seen, nodes)
        names = [node.name for node in nodes.nodes]
        packages = packages_of(names)
        total = seen.total or 0
        for place in sorted(range(len(names)), key=names.__getitem__):
            flat, cumulative = int(found.flat[place]), int(found.cumulative[place])
            if flat or cumulative:
                row = (each.type, each.unit, names[place], packages[place], flat, cumulative,
                       flat / total if total else None)  # fmt: skip
                for name, value in zip(columns, row, strict=True):
                    columns[name].append(value)
    return columns


def _names(profile: Profile) -> tuple[list[str], Int64s]:
    """The different names of functions, and each function's place among them."""
    found, numbers = profile.strings.distinct(profile.functions.name)
    return found, numbers.astype(np.int64)


def _packages(functions: list[str]) -> tuple[list[str], Int64s]:
    found = coded(packages_of(functions)) if functions else coded([])
    return list(found.texts), found.numbers


def _lines(profile: Profile) -> tuple[Int64s, Int64s]:
    """The lines of every sample's frames, innermost first, and where each sample's end."""
    first = starts_of(profile.locations.line_end)
    sizes = (profile.locations.line_end - first)[profile.stack]
    lines = frame_spans(first[profile.stack], sizes)
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return lines, before[profile.stack_end]


def _stacks(profile: Profile) -> tuple[list[str], Int64s, Int64s]:
    """Names, the number of each frame's name (-1: none), and where each sample's frames end."""
    lines, ends = _lines(profile)
    names, numbers = _names(profile)
    function = profile.lines.function[lines]
    if not len(numbers):
        return names, np.full(len(lines), -1, np.int64), ends
    return names, np.where(function >= 0, numbers[function], -1), ends
