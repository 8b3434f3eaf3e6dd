"""What the rows of a profile's report are: functions, files, lines, addresses, packages, modules.

A frame belongs to one node at each granularity. Up to `addresses` these are pprof's (`Aggregate`
in `profile/profile.go`, `nodeInfo` in `internal/graph/graph.go` of github.com/google/pprof):
`functions` merges equal names over files, a location without lines is a node of its mapping.
`packages`, `modules` and `owners` are made of the functions' names.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, overload

import numpy as np

from gocost.formats.pprof.profile import Int32s, Int64s, Lines, Profile, UInt64s, starts_of

GRANULARITIES: Final = ("functions", "filefunctions", "files", "lines", "addresses")
"""pprof's."""
GROUPS: Final = ("packages", "modules", "owners")
UNKNOWN: Final = "<unknown>"


@dataclass(frozen=True, slots=True)
class Node:
    """One row: what is known of it at the granularity."""

    name: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    address: int = 0
    object: str = ""
    """The mapping's file, where nothing else is known."""
    start_line: int = 0

    @property
    def label(self) -> str:
        """As pprof prints it: address, function, file and line, as far as they are known."""
        words = [f"{self.address:016x}"] if self.address else []
        if self.name:
            words.append(self.name)
        if self.line:
            place = f"{self.file}:{self.line}"
            words.append(f"{place}:{self.column}" if self.column else place)
        elif self.file:
            words.append(self.file)
        elif not self.name:
            words.append(f"[{posixpath.basename(self.object)}]" if self.object else UNKNOWN)
        return " ".join(words)


class Columns(Sequence[Node]):
    """Nodes as columns, each made when it is looked at: there may be a hundred thousand."""

    def __init__(
        self,
        texts: Sequence[tuple[Sequence[str], Int64s]],
        numbers: Sequence[Int64s],
        address: UInt64s | None,
    ) -> None:
        """`texts` are names, files and objects with the place of each node's, -1 for none;
        `numbers` are lines, columns and first lines; `address` is None where none is shown.
        """
        self._texts = texts
        self._numbers = numbers
        self._address = address

    def __len__(self) -> int:
        return len(self._numbers[0])

    @overload
    def __getitem__(self, index: int) -> Node: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Node]: ...

    def __getitem__(self, index: int | slice) -> Node | Sequence[Node]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        name, file, object_ = (
            texts[place] if (place := int(places[index])) >= 0 else ""
            for texts, places in self._texts
        )
        line, column, start = (int(numbers[index]) for numbers in self._numbers)
        address = 0 if self._address is None else int(self._address[index])
        return Node(name, file, line, column, address, object_, start)

    def labels(self) -> list[str]:
        """The label of every node."""
        names, places = self._texts[0]
        line, *_ = self._numbers
        plain = self._address is None and not line.any() and (self._texts[1][1] < 0).all()
        if plain and (places >= 0).all():
            found = [names[place] for place in places.tolist()]
            if all(found):
                return found
        return [node.label for node in self]


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of a profile and which of them each frame is."""

    nodes: Sequence[Node]
    frames: Int32s
    """The node of each frame, innermost first within a location; -1 where it is left out."""
    frame_end: Int64s
    """Where in `frames` each location's end; a location without lines has one."""

    def labels(self) -> list[str]:
        """The label of every node."""
        if isinstance(self.nodes, Columns):
            return self.nodes.labels()
        return [node.label for node in self.nodes]


def without_inlined(profile: Profile) -> Profile:
    """Locations with their outermost line alone, as where inlined calls are not told apart."""
    ends = profile.locations.line_end
    some = ends > starts_of(ends)
    last = (ends - 1)[some]
    lines = profile.lines
    return replace(
        profile,
        locations=replace(profile.locations, line_end=np.cumsum(some)),
        lines=Lines(lines.function[last], lines.line[last], lines.column[last]),
    )


def nodes_of(
    profile: Profile,
    granularity: str = "functions",
    *,
    columns: bool = False,
    objects: bool = False,
    trimmed: Callable[[str], str] = lambda path: path,
) -> Nodes:
    """The nodes of every frame at one of pprof's granularities.

    `columns` tells columns of a line apart, `objects` the files that functions were mapped from;
    `trimmed` shortens the paths of source files.
    """
    named = granularity != "files"
    filed = granularity != "functions"
    lined = granularity in ("lines", "addresses")
    frames, frame_end, lines = _frames(profile)
    has_line = lines >= 0
    function = np.where(has_line, profile.lines.function[lines], -1) if len(
        profile.lines.function) else np.full(len(lines), -1, np.int32)  # fmt: skip
    names, of_name = profile.strings.distinct(profile.functions.name)
    files, of_file = profile.strings.distinct(profile.functions.file)
    files = [_cleaned(trimmed(path)) for path in files]
    blank = np.full(len(frames), -1)
    name = _taken(of_name, function) if named else blank
    file = _taken(of_file, function) if filed else blank
    bare = ~has_line | (
        (name < 0) | np.array([not text for text in names] or [True], np.bool_)[name]
    )
    object_ = np.where(bare | objects, profile.locations.mapping[frames], -1)
    mapped, of_mapping = profile.strings.distinct(profile.mappings.file)
    object_ = _taken(of_mapping, object_)
    start = np.where(has_line & (bare | objects), _taken(profile.functions.start_line, function), 0)
    parts: list[Int64s] = [
        _without_empty(name, names),
        _merged(file, files),  # what was cleaned may be equal
        _without_empty(object_, mapped),
    ]
    if lined:
        parts += [
            _taken(profile.lines.line, lines, 0),
            _taken(profile.lines.column, lines, 0) if columns else blank * 0,
        ]
    if start.any():
        parts.append(start)
    if granularity == "addresses":
        # An address is a number of 64 bits, which a row of unsigned ones must stand in for.
        _, of_address = np.unique(profile.locations.address, return_inverse=True)
        parts.append(of_address.reshape(-1)[frames])
    first, of_frame = _distinct(parts)
    return Nodes(
        nodes=Columns(
            [(names, name[first]), (files, file[first]), (mapped, object_[first])],
            [
                _taken(profile.lines.line, lines[first], 0) if lined else blank[first] * 0,
                _taken(profile.lines.column, lines[first], 0)
                if lined and columns
                else blank[first] * 0,
                start[first],
            ],
            profile.locations.address[frames[first]] if granularity == "addresses" else None,
        ),
        frames=of_frame,
        frame_end=frame_end,
    )


def grouped(nodes: Nodes, groups: Sequence[str]) -> Nodes:
    """Nodes merged by a word for each: packages, modules, owners."""
    numbers: dict[str, int] = {}
    merged = np.array([numbers.setdefault(word, len(numbers)) for word in groups], np.int32)
    frames = merged[nodes.frames] if len(merged) else nodes.frames
    return Nodes([Node(name=name) for name in numbers], frames, nodes.frame_end)


def _frames(profile: Profile) -> tuple[Int64s, Int64s, Int64s]:
    """Location and line of each frame, and where each location's frames end.

    A location without lines has a frame all the same, of line -1.
    """
    ends = profile.locations.line_end
    sizes = np.diff(ends, prepend=0)
    counts = np.maximum(sizes, 1)
    where = np.repeat(np.arange(len(sizes)), counts)
    frame_end = np.cumsum(counts)
    lines = np.arange(len(where)) - np.repeat(frame_end - counts, counts)
    lines += np.repeat(ends - sizes, counts)
    return where, frame_end, np.where(sizes[where] > 0, lines, -1)


def _taken(column: Int32s | Int64s, rows: Int32s | Int64s, missing: int = -1) -> Int64s:
    """column[rows], and `missing` where a row is negative."""
    if not len(column):
        return np.full(len(rows), missing, np.int64)
    return np.where(rows >= 0, column[rows], missing).astype(np.int64)


def _without_empty(numbers: Int64s, texts: Sequence[str]) -> Int64s:
    """The numbers of different texts, the empty one the same as none."""
    return np.where(numbers == texts.index(""), -1, numbers) if "" in texts else numbers


def _merged(numbers: Int64s, texts: Sequence[str]) -> Int64s:
    """The numbers with equal texts made one, and the empty text the same as none."""
    if not len(texts):
        return numbers
    first: dict[str, int] = {"": -1}
    same = np.array([first.setdefault(text, at) for at, text in enumerate(texts)], np.int64)
    return np.where(numbers >= 0, same[numbers], -1)


def _distinct(parts: Sequence[Int64s]) -> tuple[Int64s, Int32s]:
    """Where each different row first stands, in that order, and each row's number among them."""
    size = len(parts[0])
    number = np.zeros(size, np.int64)
    for part in parts:
        _, of_part = np.unique(part, return_inverse=True)
        of_part = of_part.reshape(-1)
        joined = number * (int(of_part.max(initial=0)) + 1) + of_part
        _, number = np.unique(joined, return_inverse=True)
        number = number.reshape(-1)
    _, first = np.unique(number, return_index=True)
    order = np.argsort(first, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return first[order], place[number] if size else np.zeros(0, np.int32)


def _cleaned(path: str) -> str:
    """The path without `.`, `..` and double slashes, as Go's filepath.Clean."""
    if not path:
        return ""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned
