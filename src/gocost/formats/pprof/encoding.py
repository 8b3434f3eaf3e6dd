"""Writing a profile as gzip-compressed protobuf, which every reader of pprof's takes.

Only what the samples refer to is written, as pprof's `Compact` does, and the first mapping, which
is the program's own. Ids are counted from 1. The layout is in `decoding.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gocost.formats.pprof.deflate import compressed
from gocost.formats.pprof.profile import (
    Header,
    Int32s,
    Labels,
    Lines,
    Profile,
    UInt64s,
    ValueType,
    starts_of,
)
from gocost.kernels import pprof_writing as kernel


def encode(profile: Profile) -> bytes:
    """The profile's bytes; the same profile always gives the same bytes on one machine."""
    return compressed([bytes(piece) for piece in _pieces(profile)])


def _pieces(profile: Profile) -> Iterator[bytes | npt.NDArray[np.uint8]]:
    """The fields of the profile, in the order of their numbers but for the types."""
    used = _Used(profile)
    texts = _Texts(profile, used)
    header = profile.header
    yield _types(1, header.sample_types, texts)
    yield _types(11, [header.period_type], texts)
    yield kernel.write_samples(
        profile.stack_end,
        used.locations.new[profile.stack],
        np.ascontiguousarray(profile.values).view(np.uint64),
        profile.label_end,
        _labels(profile.labels, texts),
    )
    yield kernel.write_rows(3, _mappings(profile, used.mappings, texts))
    yield _locations(profile, used)
    yield kernel.write_rows(5, _functions(profile, used.functions, texts))
    rest = _rest(header, texts)
    yield texts.written()
    yield rest


class _Texts:
    """The string table that is written, and where in it each text of the profile's is."""

    def __init__(self, profile: Profile, used: _Used) -> None:
        functions, mappings, labels = profile.functions, profile.mappings, profile.labels
        wanted = np.zeros(len(profile.strings), np.bool_)
        for table, rows in (
            (functions.name, used.functions.kept),
            (functions.system_name, used.functions.kept),
            (functions.file, used.functions.kept),
            (mappings.file, used.mappings.kept),
            (mappings.build_id, used.mappings.kept),
        ):
            wanted[table[rows]] = True
        for column in (labels.key, labels.text, labels.unit):
            wanted[column] = True
        indexes = np.flatnonzero(wanted)
        self._places: dict[bytes, int] = {b"": 0}
        places = self._places
        self._new = np.zeros(len(wanted), np.uint64)
        self._new[indexes] = [
            places.setdefault(raw, len(places)) for raw in profile.strings.raw(indexes)
        ]

    def place(self, text: str) -> int:
        """The index of a text of the header's."""
        return self._places.setdefault(text.encode("utf-8", "surrogatepass"), len(self._places))

    def places(self, indexes: Int32s) -> UInt64s:
        """The index of each text of the profile's that a row refers to."""
        return self._new[indexes]

    def written(self) -> bytes:
        """The table as the profile's field."""
        heads = {size: _head(6, size) for size in {len(text) for text in self._places}}
        return b"".join([heads[len(text)] + text for text in self._places])


class _Used:
    """Which rows of each table are written."""

    def __init__(self, profile: Profile) -> None:
        locations = profile.locations
        self.locations = _Rows(profile.stack, len(locations.id))
        ends = locations.line_end
        sizes = ends - starts_of(ends)
        self.lines = self.locations.kept.repeat(sizes)
        self.line_end = np.cumsum(sizes[self.locations.kept])
        self.functions = _Rows(profile.lines.function[self.lines], len(profile.functions.id))
        mapped = locations.mapping[self.locations.kept]
        first = np.zeros(min(1, len(profile.mappings.id)), np.int32)
        self.mappings = _Rows(
            np.concatenate([first, mapped[mapped >= 0]]), len(profile.mappings.id)
        )


class _Rows:
    """The rows of a table that something refers to."""

    def __init__(self, references: Int32s, count: int) -> None:
        self.kept = np.zeros(count, np.bool_)
        self.kept[references] = True
        self.new: Int32s = np.cumsum(self.kept, dtype=np.int32) - np.int32(1)
        """The new number of each row that is kept."""

    def ids(self) -> UInt64s:
        """The ids of those that are kept."""
        return np.arange(1, int(self.kept.sum()) + 1, dtype=np.uint64)


def _labels(labels: Labels, texts: _Texts) -> UInt64s:
    has_text = labels.text != 0
    number = np.where(has_text, 0, labels.number).view(np.uint64)
    unit = np.where(has_text, np.uint64(0), texts.places(labels.unit))
    return np.stack([texts.places(labels.key), texts.places(labels.text), number, unit])


def _mappings(profile: Profile, rows: _Rows, texts: _Texts) -> UInt64s:
    mappings, kept = profile.mappings, rows.kept
    return np.stack(
        [
            rows.ids(),
            mappings.start[kept],
            mappings.limit[kept],
            mappings.offset[kept],
            texts.places(mappings.file[kept]),
            texts.places(mappings.build_id[kept]),
            *((mappings.flags[kept] >> bit & 1).astype(np.uint64) for bit in range(4)),
        ]
    )


def _locations(profile: Profile, used: _Used) -> npt.NDArray[np.uint8]:
    locations, kept = profile.locations, used.locations.kept
    mapping = locations.mapping[kept]
    lines: Lines = profile.lines
    columns = np.stack(
        [
            used.locations.ids(),
            _ids(mapping, used.mappings),
            locations.address[kept],
            np.zeros(len(mapping), np.uint64),
            locations.folded[kept].astype(np.uint64),
        ]
    )
    of_lines = np.stack(
        [
            _ids(lines.function[used.lines], used.functions),
            lines.line[used.lines].view(np.uint64),
            lines.column[used.lines].view(np.uint64),
        ]
    )
    return kernel.write_locations(columns, used.line_end, of_lines)


def _ids(references: Int32s, rows: _Rows) -> UInt64s:
    """The written id of each reference to a row; 0 for -1."""
    ids = np.append(rows.new, np.int32(-1))[references]
    return (ids + 1).astype(np.uint64)


def _functions(profile: Profile, rows: _Rows, texts: _Texts) -> UInt64s:
    functions, kept = profile.functions, rows.kept
    return np.stack(
        [
            rows.ids(),
            texts.places(functions.name[kept]),
            texts.places(functions.system_name[kept]),
            texts.places(functions.file[kept]),
            functions.start_line[kept].view(np.uint64),
        ]
    )


def _types(number: int, types: tuple[ValueType, ...] | list[ValueType], texts: _Texts) -> bytes:
    pairs = [[texts.place(each.type), texts.place(each.unit)] for each in types]
    return kernel.write_rows(number, np.array(pairs, np.uint64).reshape(-1, 2).T.copy()).tobytes()


def _rest(header: Header, texts: _Texts) -> bytes:
    """What stands once, and the comments."""
    numbers: list[tuple[int, int]] = [
        (7, texts.place(header.drop_frames)),
        (8, texts.place(header.keep_frames)),
        (9, header.time_ns),
        (10, header.duration_ns),
        (12, header.period),
        (14, texts.place(header.default_sample_type)),
        (15, texts.place(header.doc_url)),
    ]
    numbers += [(13, texts.place(comment)) for comment in header.comments]
    return b"".join(
        bytes([number << 3]) + _varint(value) for number, value in numbers if value or number == 13
    )


def _head(number: int, size: int) -> bytes:
    """What stands before the bytes of a field."""
    return bytes([number << 3 | 2]) + _varint(size)


def _varint(value: int) -> bytes:
    value %= 1 << 64
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
