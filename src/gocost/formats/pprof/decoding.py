"""Reading a profile: gzip or not, protobuf or one of the legacy texts.

Specified in `proto/profile.proto` of github.com/google/pprof, whose Go reader (`profile/encode.go`,
`profile/profile.go`) is the reference for what is valid: what it refuses is refused here.

    message Profile {
      repeated ValueType sample_type = 1;  repeated Sample sample = 2;
      repeated Mapping mapping = 3;        repeated Location location = 4;
      repeated Function function = 5;      repeated string string_table = 6;
      int64 drop_frames = 7;               int64 keep_frames = 8;
      int64 time_nanos = 9;                int64 duration_nanos = 10;
      ValueType period_type = 11;          int64 period = 12;
      repeated int64 comment = 13;         int64 default_sample_type = 14;
      int64 doc_url = 15;
    }

Ids of mappings, functions and locations are any numbers but 0; texts are indexes into the string
table, of which the first is empty.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.formats.pprof.deflate import MAX_BYTES, decompress
from gocost.formats.pprof.profile import (
    Functions,
    Header,
    Int32s,
    Int64s,
    Labels,
    Lines,
    Locations,
    Mappings,
    Profile,
    Strings,
    UInt64s,
    ValueType,
)
from gocost.kernels import pprof as kernel
from gocost.model.errors import FormatError

_MAX_HEADER: Final = 1 << 16
"""Fields of the profile itself, types and comments among them, that are read one by one."""
_MAX_GROWTH: Final = 16
"""Bytes of columns for a byte of the profile; real ones need less than half of that."""
_INT_FIELDS: Final = frozenset({7, 8, 9, 10, 12, 14, 15})
_SPARSE: Final = 4
"""Ids up to this many times their number are looked up in a table."""


def decode(data: bytes | memoryview, *, origin: str = "", max_bytes: int = MAX_BYTES) -> Profile:
    """The profile in `data`. Raises FormatError.

    `origin` names where it is from, for messages. `max_bytes` bounds what decompression may make.
    """
    return decode_raw(decompress(data, max_bytes), origin=origin)


def decode_raw(raw: bytes | memoryview, *, origin: str = "") -> Profile:
    """The profile in bytes that are not compressed, or not any more. Raises FormatError."""
    if not len(raw):
        raise FormatError("the profile is empty", hint="record it again")
    try:
        return _protobuf(raw, origin)
    except FormatError as error:
        from gocost.formats.pprof.legacy import decode_legacy, looks_legacy

        if not looks_legacy(raw):
            raise _named(raw, error) from error
        return decode_legacy(raw, origin)


def _named(raw: bytes | memoryview, error: FormatError) -> FormatError:
    """The error in the words of the kind of file it is, where that is known."""
    from gocost.formats.recognition import HEAD, Kind, mistaken

    head = bytes(raw[:HEAD])
    if known := mistaken(head, Kind.PROFILE):
        return known
    for mark, name, hint in (
        (b"PERFILE2", "a recording of perf", "convert it with perf_to_profile"),
        (b"<", "a page of HTML or XML", "name the profile's own URL or file"),
        (b"{", "JSON", "name a profile as `go tool pprof` reads it"),
    ):
        if head.lstrip().startswith(mark):
            return FormatError(f"this is {name}, not a profile", hint=hint)
    return error


def _protobuf(raw: bytes | memoryview, origin: str) -> Profile:
    data = np.frombuffer(raw, np.uint8)
    counts = kernel.count_parts(data)
    _check_counts(counts, len(data))
    columns = kernel.read_parts(data, counts)
    starts, sizes = columns["strings"]
    strings = Strings(raw, starts, sizes)
    if not len(starts) or sizes[0]:
        raise FormatError("the profile's table of strings does not begin with the empty one")
    header = _header(data, columns["rest"], strings)
    if int(counts[kernel.SAMPLES]) and not header.sample_types:
        raise FormatError("the profile does not say what its samples are")
    mappings = _mappings(columns["mappings"], strings)
    functions = _functions(columns["functions"], strings)
    locations, lines = _locations(columns, mappings, functions)
    stack = _rows_of(columns["references"], locations.id, "location", "a sample")
    ends = columns["ends"]
    label_end, labels = _labels(ends[2], columns["labels"], strings)
    return Profile(
        header=header,
        strings=strings,
        values=_values(ends[1], columns["values"], len(header.sample_types)),
        stack_end=ends[0],
        stack=stack,
        label_end=label_end,
        labels=labels,
        locations=locations,
        lines=lines,
        functions=functions,
        mappings=mappings,
        origin=origin,
    )


def _check_counts(counts: Int64s, size: int) -> None:
    """Raises FormatError where columns for the counts would be out of proportion."""
    if int(counts[kernel.REST]) > _MAX_HEADER:
        raise FormatError(f"the profile's header has more than {_MAX_HEADER:,} fields")
    if int(counts @ kernel.BYTES) > _MAX_GROWTH * size + (1 << 20):
        raise FormatError("the profile has more empty messages than a real one would")


def _header(data: npt.NDArray[np.uint8], rest: UInt64s, strings: Strings) -> Header:
    types: list[ValueType] = []
    comments: list[int] = []
    numbers: dict[int, int] = {}
    period_type = ValueType("", "")
    for number, wire, value, start in zip(*(row.tolist() for row in rest), strict=True):
        if number in (1, 11):
            if wire != 2:
                raise FormatError("a type in the profile's header is malformed")
            found = _value_type(data[start : start + value], strings)
            if number == 1:
                types.append(found)
            else:
                period_type = found
        elif number == 13 and wire == 2:
            comments += _packed(data[start : start + value], _MAX_HEADER - len(comments))
        elif wire != 0:
            raise FormatError("a number in the profile's header is malformed")
        elif number == 13:
            comments.append(_signed(value))
        elif number in _INT_FIELDS:
            if number == 9 and numbers.get(9):
                raise FormatError(
                    "several profiles stand one behind the other in this file",
                    hint="split them, or merge them with `gocost profile merge`",
                )
            numbers[number] = _signed(value)

    def text(index: int) -> str:
        return strings[_checked(index, strings)]

    return Header(
        sample_types=tuple(types),
        default_sample_type=text(numbers.get(14, 0)),
        period_type=period_type,
        period=numbers.get(12, 0),
        time_ns=numbers.get(9, 0),
        duration_ns=numbers.get(10, 0),
        comments=tuple(text(index) for index in comments),
        doc_url=text(numbers.get(15, 0)),
        drop_frames=text(numbers.get(7, 0)),
        keep_frames=text(numbers.get(8, 0)),
    )


def _value_type(message: npt.NDArray[np.uint8], strings: Strings) -> ValueType:
    """A ValueType: two optional indexes, read as the samples' labels are."""
    # As a profile of one function, a message of plain numbers is read by the same loop.
    head = _length_delimited(5, len(message))
    wrapped = np.concatenate([np.frombuffer(head, np.uint8), message])
    fields = kernel.read_parts(wrapped, kernel.count_parts(wrapped))["functions"][:2, 0].tolist()
    type_, unit = (strings[_checked(_signed(index), strings)] for index in fields)
    return ValueType(type_, unit)


def _packed(message: npt.NDArray[np.uint8], most: int) -> list[int]:
    # As the values of a sample, packed integers are read by the same loop.
    inner = _length_delimited(2, len(message)) + message.tobytes()
    wrapped = np.frombuffer(_length_delimited(2, len(inner)) + inner, np.uint8)
    counts = kernel.count_parts(wrapped)
    if int(counts[kernel.VALUES]) > most:
        raise FormatError(f"the profile has more than {_MAX_HEADER:,} comments")
    values = kernel.read_parts(wrapped, counts)["values"]
    return [_signed(value) for value in values.tolist()]


def _length_delimited(number: int, size: int) -> bytes:
    out = bytearray([number << 3 | 2])
    while size >= 128:
        out.append(size & 127 | 128)
        size >>= 7
    out.append(size)
    return bytes(out)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _checked(index: int, strings: Strings) -> int:
    if not 0 <= index < len(strings):
        raise FormatError(f"text {index} is not among the profile's {len(strings)} strings")
    return index


def _indexes(column: UInt64s, strings: Strings) -> Int32s:
    """Indexes of strings, all of which are there."""
    if len(column) and int(column.max()) >= len(strings):
        raise FormatError(
            f"text {int(column.max())} is not among the profile's {len(strings)} strings"
        )
    return column.astype(np.int32)


def _values(ends: npt.NDArray[np.int64], values: UInt64s, types: int) -> npt.NDArray[np.int64]:
    counts = np.diff(ends, prepend=0)
    wrong = counts != types
    if wrong.any():
        at = int(wrong.argmax())
        raise FormatError(f"sample {at} has {int(counts[at])} values for {types} sample types")
    return values.view(np.int64).reshape(len(ends), types)


def _labels(
    ends: npt.NDArray[np.int64], columns: UInt64s, strings: Strings
) -> tuple[npt.NDArray[np.int64], Labels]:
    key, text, number, unit = columns
    labels = Labels(
        _indexes(key, strings),
        _indexes(text, strings),
        np.where(text == 0, number, 0).view(np.int64),
        _indexes(np.where(text == 0, unit, 0), strings),
    )
    # A label without a text, number or unit says nothing; pprof drops it too.
    said = (text != 0) | (number != 0) | (unit != 0)
    if said.all():
        return ends, labels
    kept = np.concatenate([[0], np.cumsum(said)])[ends]
    return kept, labels.keep(said)


def _mappings(columns: UInt64s, strings: Strings) -> Mappings:
    _check_ids(columns[0], "mapping")
    flags = np.zeros(columns.shape[1], np.uint8)
    for bit, row in enumerate(columns[6:10]):
        flags |= (row != 0).astype(np.uint8) << bit
    return Mappings(
        id=columns[0],
        start=columns[1],
        limit=columns[2],
        offset=columns[3],
        file=_indexes(columns[4], strings),
        build_id=_indexes(columns[5], strings),
        flags=flags,
    )


def _functions(columns: UInt64s, strings: Strings) -> Functions:
    _check_ids(columns[0], "function")
    return Functions(
        id=columns[0],
        name=_indexes(columns[1], strings),
        system_name=_indexes(columns[2], strings),
        file=_indexes(columns[3], strings),
        start_line=columns[4].view(np.int64),
    )


def _locations(
    columns: dict[str, npt.NDArray[Any]], mappings: Mappings, functions: Functions
) -> tuple[Locations, Lines]:
    ids, mapping, address, folded = columns["locations"]
    _check_ids(ids, "location")
    function, line, column = columns["lines"]
    lines = Lines(
        function=_rows_of(function, functions.id, "function", "a location"),
        line=line.view(np.int64),
        column=column.view(np.int64),
    )
    locations = Locations(
        id=ids,
        mapping=_rows(mapping, mappings.id)[0],  # a mapping that is not there is none, as for pprof
        address=address,
        folded=folded != 0,
        line_end=columns["line_ends"],
    )
    return locations, lines


def _check_ids(ids: UInt64s, what: str) -> None:
    """Raises FormatError for an id of 0 and for one that stands twice."""
    if not len(ids):
        return
    if not ids.all():
        raise FormatError(f"the profile has a {what} with the reserved id 0")
    if int(ids.max()) == len(ids) and (ids == np.arange(1, len(ids) + 1, dtype=np.uint64)).all():
        return
    ordered = np.sort(ids)
    twice = ordered[1:] == ordered[:-1]
    if twice.any():
        raise FormatError(
            f"the profile has two {what}s with the id {int(ordered[1:][twice.argmax()])}"
        )


def _rows_of(wanted: UInt64s, ids: UInt64s, what: str, whose: str) -> Int32s:
    """The row of each wanted id. Raises FormatError for one that is not there."""
    rows, at = _rows(wanted, ids)
    if at >= 0:
        raise FormatError(
            f"{whose} refers to {what} {int(wanted[at])}, which is not in the profile"
        )
    return rows


def _rows(wanted: UInt64s, ids: UInt64s) -> tuple[Int32s, int]:
    """The row of each wanted id, -1 for one that is not there; and where the first such stands."""
    highest = int(ids.max(initial=0))
    if highest <= _SPARSE * len(ids) + 1024:
        table = np.full(highest + 1, -1, np.int32)
        table[ids.view(np.int64)] = np.arange(len(ids), dtype=np.int32)
        return kernel.look_up(wanted, table)
    order = np.argsort(ids, kind="stable").astype(np.int32)
    places = np.minimum(np.searchsorted(ids[order], wanted), len(ids) - 1)
    found = order[places]
    there = ids[found] == wanted
    at = -1 if there.all() else int((~there).argmax())
    return np.where(there, found, -1).astype(np.int32), at
