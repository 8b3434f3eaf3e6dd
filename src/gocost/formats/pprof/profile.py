"""A profile as columns: what `profile.proto` holds, ids resolved to rows.

Everything that is many is numpy arrays of equal length: a row a sample, location, line, function,
mapping or label. Text is an index into `Strings`. Nothing is changed in place; whoever filters
makes a new Profile that shares the columns it keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.model.errors import FormatError

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

MAX_FRAMES: Final = 1 << 27
"""Of all samples, inlined calls counted, where each is held: real profiles have millions."""

BASE_LABEL = "pprof::base"
"""The label of samples that came from a base whose total is the one that percentages are of."""


class Strings:
    """The string table. Texts are decoded when asked for; wrong UTF-8 shows as `\\xNN`."""

    def __init__(self, data: Any, starts: Int64s, sizes: Int64s) -> None:
        self._data = memoryview(data)
        self._starts = starts
        self._sizes = sizes
        self._table = len(starts)
        self._known: dict[int, str] = {}
        self._more: dict[str, int] = {}

    def __len__(self) -> int:
        return self._table + len(self._more)

    def __getitem__(self, index: int) -> str:
        text = self._known.get(index)
        return text if text is not None else self.texts([index])[0]

    def raw(self, indexes: npt.NDArray[Any]) -> list[bytes]:
        """The bytes of several texts, as they are in the profile; `indexes` are ascending."""
        there = int(np.searchsorted(indexes, self._table))
        added = [self._known[index] for index in indexes[there:].tolist()]
        encoded = [text.encode("utf-8", "surrogatepass") for text in added]
        return self._cut(indexes[:there]) + encoded

    def places(self, indexes: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], Int64s, Int64s]:
        """Bytes, and where in them several texts start and how long they are; `indexes` ascend."""
        there = int(np.searchsorted(indexes, self._table))
        rows = indexes[:there].astype(np.int64)
        data, starts, sizes = (
            np.frombuffer(self._data, np.uint8),
            self._starts[rows],
            self._sizes[rows],
        )
        if there == len(indexes):
            return data, starts, sizes
        added = self.raw(indexes[there:])
        lengths = np.array([len(text) for text in added], np.int64)
        return (
            np.concatenate([data, np.frombuffer(b"".join(added), np.uint8)]),
            np.concatenate([starts, len(data) + np.cumsum(lengths) - lengths]),
            np.concatenate([sizes, lengths]),
        )

    def _cut(self, indexes: Sequence[int] | npt.NDArray[Any]) -> list[bytes]:
        """The bytes of texts of the table."""
        rows = np.array(indexes, np.int64)
        starts = self._starts[rows]
        bounds = zip(starts.tolist(), (starts + self._sizes[rows]).tolist(), strict=True)
        return [self._data[start:end].tobytes() for start, end in bounds]

    def texts(self, indexes: Sequence[int]) -> list[str]:
        """The texts of several indexes."""
        known = self._known
        unknown = [index for index in indexes if index not in known]
        new = [raw.decode("utf-8", "backslashreplace") for raw in self._cut(unknown)]
        known.update(zip(unknown, new, strict=True))
        return [known[index] for index in indexes]

    def distinct(self, indexes: npt.NDArray[Any]) -> tuple[list[str], Int32s]:
        """The different texts among `indexes` as first met, and each index's place among them."""
        unique, places = np.unique(indexes, return_inverse=True)
        numbers: dict[str, int] = {}
        of_unique = [numbers.setdefault(text, len(numbers)) for text in self.texts(unique.tolist())]
        return list(numbers), np.array(of_unique, np.int32)[places.reshape(-1)]

    def add(self, text: str) -> int:
        """The index of a text that may not be in the table yet."""
        found = self._more.get(text)
        if found is None:
            found = self._table + len(self._more)
            self._more[text] = found
            self._known[found] = text
        return found


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a sample's value is: `cpu` in `nanoseconds`."""

    type: str
    unit: str


@dataclass(frozen=True, slots=True)
class Header:
    """What stands once in a profile."""

    sample_types: tuple[ValueType, ...]
    default_sample_type: str = ""
    period_type: ValueType = ValueType("", "")
    period: int = 0
    time_ns: int = 0
    """When it began, since 1970; 0 where unknown."""
    duration_ns: int = 0
    comments: tuple[str, ...] = ()
    doc_url: str = ""
    drop_frames: str = ""
    keep_frames: str = ""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of samples, in the samples' order. A label has a text or a number."""

    key: Int32s
    text: Int32s
    """0 where it has a number."""
    number: Int64s
    unit: Int32s
    """0 where none is given."""

    def keep(self, rows: npt.NDArray[Any]) -> Labels:
        """Those of a mask or of row numbers."""
        return Labels(self.key[rows], self.text[rows], self.number[rows], self.unit[rows])


@dataclass(frozen=True, slots=True)
class Locations:
    """Code addresses with the lines that each stands for."""

    id: UInt64s
    mapping: Int32s
    """-1 where it has none."""
    address: UInt64s
    folded: Bools
    line_end: Int64s
    """Where in Lines its lines end; they start where the location before ends."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of locations, innermost first: more than one where calls were inlined."""

    function: Int32s
    line: Int64s
    column: Int64s


@dataclass(frozen=True, slots=True)
class Functions:
    """Functions by their names; `name`, `system_name` and `file` index Strings."""

    id: UInt64s
    name: Int32s
    system_name: Int32s
    file: Int32s
    start_line: Int64s


@dataclass(frozen=True, slots=True)
class Mappings:
    """The files that were mapped into the process."""

    id: UInt64s
    start: UInt64s
    limit: UInt64s
    offset: UInt64s
    file: Int32s
    build_id: Int32s
    flags: npt.NDArray[np.uint8]
    """Bits: has functions 1, file names 2, line numbers 4, inlined frames 8."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A decoded profile. See the module's docstring for its shape."""

    header: Header
    strings: Strings
    values: Int64s
    """(samples, sample types)."""
    stack_end: Int64s
    """Where in `stack` a sample's locations end."""
    stack: Int32s
    """Rows of `locations`, leaf first."""
    label_end: Int64s
    labels: Labels
    locations: Locations
    lines: Lines
    functions: Functions
    mappings: Mappings
    origin: str = field(default="", compare=False)
    """The file or URL it was read from, for messages."""

    @property
    def samples(self) -> int:
        """How many samples it has."""
        return len(self.values)

    def label_sample(self) -> Int64s:
        """The sample of each label."""
        return np.repeat(np.arange(self.samples), np.diff(self.label_end, prepend=0))


def starts_of(ends: Int64s) -> Int64s:
    """Where each of a row of parts starts that lie one behind the other."""
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1]
    return starts


def spans(starts: Int64s, sizes: Int64s) -> Int64s:
    """The numbers start, start + 1, ... of every span, one span behind the other."""
    ends = np.cumsum(sizes)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)


def frame_spans(starts: Int64s, sizes: Int64s) -> Int64s:
    """The same of samples' frames. Raises FormatError beyond MAX_FRAMES: a small file can name a
    location of many inlined calls as often as it likes.
    """
    count = int(sizes.sum())
    if count > MAX_FRAMES:
        raise FormatError(
            f"the profile's stacks have {count:,} frames, over the cap of {MAX_FRAMES:,}",
            hint="no program writes such: record it again; `gocost profile top` needs no stacks",
        )
    return spans(starts, sizes)


def named(types: Sequence[ValueType]) -> str:
    """Sample types as a message shows them."""
    return ", ".join(each.type for each in types) or "none"
