"""A profile as relations: samples, their frames and labels, and functions with their costs."""

from __future__ import annotations

from typing import Final

import numpy as np

from gocost.analyses.profile.groups import packages_of
from gocost.analyses.profile.view import Options, costs, nodes_in, view
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
SAMPLES: Final = Relation(
    "samples",
    "a profile's samples, a row for each of their values",
    _KINDS,
    (
        whole("sample", "its number in the file, from 0"),
        text("type", "what the value counts: cpu, samples, inuse_space, ..."),
        text("unit", "of the value: nanoseconds, bytes, count"),
        whole("value", "in the unit"),
        text("function", "the innermost function"),
        text("package", "the package of the innermost function"),
        texts("stack", "functions from the innermost to the outermost, inlined calls included"),
    ),
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
FUNCTIONS: Final = Relation(
    "functions",
    "a profile's functions with what they cost, a row for each type of value",
    _KINDS,
    (
        text("type", "what is counted: cpu, samples, inuse_space, ..."),
        text("unit", "of flat and cumulative"),
        text("function", "its name"),
        text("package", "the package of the function"),
        whole("flat", "of samples that end in it"),
        whole("cumulative", "of samples that it is anywhere in"),
        real("share", "flat, of the total"),
    ),
)


def samples(profile: Profile) -> Filled:
    """The samples."""
    types = profile.header.sample_types
    rows = profile.samples
    functions, numbers, ends = _stacks(profile)
    starts = starts_of(ends)
    leaf = np.full(rows, -1, np.int64)
    filled = ends > starts
    leaf[filled] = numbers[starts[filled]]
    packages, of_function = _packages(functions)
    of_leaf = np.where(leaf >= 0, of_function[leaf], -1) if len(functions) else leaf
    count = len(types)
    again = np.tile(np.arange(rows), count)
    sizes = (ends - starts)[again]
    return {
        "sample": again,
        "type": Coded([each.type for each in types], np.repeat(np.arange(count), rows)),
        "unit": Coded([each.unit for each in types], np.repeat(np.arange(count), rows)),
        "value": profile.values.T.reshape(-1),
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
    """The functions of every type, with their costs."""
    columns: dict[str, list[object]] = {each.name: [] for each in FUNCTIONS.attributes}
    for number, each in enumerate(profile.header.sample_types):
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
