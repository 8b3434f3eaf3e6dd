"""Heap and contention profiles of Java, and what addresses stand for in all profiles of Java.

--- contentionz 1 ---
format = java
resolution = microseconds
sampling period = 100
1 14 @ 0x51 0x52                              the delay, times, stack

0x51 com.example.Pool.take (Pool.java:20)     or `(libc.so)`, or nothing but a name
"""

from __future__ import annotations

import posixpath
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gocost.formats.pprof.legacy.lines import (
    UnrecognizedError,
    addresses_in,
    expression,
    integer,
    literal,
    quotient,
    told,
    trimmed,
    wrapped,
)
from gocost.formats.pprof.legacy.samples import Names, Samples, Stacks, profile_of
from gocost.formats.pprof.legacy.unsampling import unsampled
from gocost.formats.pprof.profile import Header, Profile, UInt64s, ValueType
from gocost.model.errors import FormatError

_HEADERS: Final = {b"--- heapz 1 ---": "heap", b"--- contentionz 1 ---": "contention"}
_TYPES: Final = {
    "heap": (("inuse_objects", "count"), "inuse_space"),
    "contention": (("contentions", "count"), "delay"),
}
_ATTRIBUTE: Final = expression(rb"([\w ]+)=([\w ]+)")
# Possessive, and not from within a number: linear on any line.
_SAMPLE: Final = re.compile(rb"(?<![0-9])([0-9]++) ++([0-9]++) ++@ ++([ x0-9a-f]*+)")
_LOCATION: Final = expression(rb"^\s*0x([[:xdigit:]]+)\s+(.*)\s*$")
_FILE_AND_LINE: Final = expression(rb"^(.*)\s+\((.+):(-?\d+)\)$")
_PATH: Final = expression(rb"^(.*)\s+\((.*)\)$")
_RATE: Final = 512 << 10
"""Bytes between the samples of a Java heap."""
_MAX_NAMES: Final = 1 << 20


@dataclass(slots=True)
class _Text:
    """What is left to read; a last line without an end is left to who reads names."""

    data: bytes
    at: int = 0

    def lines(self) -> Iterator[tuple[bytes, int]]:
        """Lines without white space at their ends, from `at` on, which moves past each."""
        while (end := self.data.find(b"\n", self.at)) >= 0:
            start, line = self.at, trimmed(self.data[self.at : end])
            if line:
                yield line, start
            self.at = end + 1


def begins(data: bytes) -> bool:
    """Whether the first line is a header."""
    return trimmed(data[: max(data.find(b"\n"), 0)]) in _HEADERS


def read(data: bytes, origin: str) -> Profile:
    """The profile. Raises FormatError."""
    end = data.find(b"\n")
    kind = _HEADERS[trimmed(data[:end])]
    text = _Text(data, end + 1)
    header = _header(text, kind)
    stacks = _stacks(text, kind, header)
    return profile_of(stacks, [], origin, names=read_names(data[text.at :], stacks.addresses))


def _header(text: _Text, kind: str) -> Header:
    """What the attributes say, up to the first line that is none."""
    header = Header(sample_types=())
    for line, offset in text.lines():
        match = _ATTRIBUTE.search(line)
        if match is None:
            break
        name, value = (trimmed(word).decode() for word in match.groups())
        if name == "format" and value == "java":
            continue
        if name == "resolution":
            counted, measured = _TYPES[kind]
            header = replace(header, sample_types=(ValueType(*counted), ValueType(measured, value)))
        elif kind == "contention" and name in ("sampling period", "ms since reset"):
            number = literal(value.encode())
            if number is None:
                raise FormatError(f"this is no number: {told(line)}", offset=offset)
            if name == "sampling period":
                counts = ValueType("contentions", "count")
                header = replace(header, period_type=counts, period=number)
            else:
                header = replace(header, duration_ns=wrapped(number * 1_000_000))
        else:
            raise UnrecognizedError(f"this is not understood: {told(line)}", offset=offset)
    return header


def _stacks(text: _Text, kind: str, header: Header) -> Stacks:
    """The samples, up to the first line that is none."""
    samples, blocks = Samples(), array("q")
    for line, offset in text.lines():
        match = _SAMPLE.search(line)
        if match is None:
            break
        size, count = literal(match[1]), literal(match[2])
        if size is None or count is None:
            raise FormatError(f"a number of {told(line)} is none of 64 bits", offset=offset)
        if not header.sample_types:
            raise FormatError("the profile does not say its resolution", offset=offset)
        if kind == "heap":
            if count == 0:
                raise FormatError(f"there are no objects in {told(line)}", offset=offset)
            blocks.append(quotient(size, count))
        elif header.period:
            count, size = wrapped(count * header.period), wrapped(size * header.period)
        samples.add((count, size), addresses_in(match[3], offset))
    stacks = samples.stacks(header) if header.sample_types else _none(header)
    if kind == "heap" and header.sample_types:
        count_column, size_column = unsampled(stacks.values[:, 0], stacks.values[:, 1], _RATE)
        return replace(
            stacks,
            values=np.stack([count_column, size_column], axis=1),
            block_bytes=np.array(blocks, np.int64),
        )
    return stacks


def _none(header: Header) -> Stacks:
    zeros = np.zeros(0, np.int64)
    return Stacks(header, zeros.reshape(0, 0), zeros.astype(np.uint64), zeros)


def read_names(data: bytes, addresses: UInt64s) -> Names:
    """What the lines of `data` say of those addresses; the last line for an address counts."""
    wanted = set(np.unique(addresses).tolist())
    names = Names()
    for line, _ in _Text(data + b"\n").lines():
        match = _LOCATION.search(line)
        if match is None:
            continue
        address = int(match.group(1), 16)
        if address >> 64:
            raise FormatError(f"the address of {told(line)} has more than 64 bits")
        if address in wanted:
            if len(names.frames) >= _MAX_NAMES:
                raise FormatError(f"the profile names more than {_MAX_NAMES:,} addresses")
            function, file, number = _frame(match.group(2))
            names.files.setdefault(function, file)
            names.frames[address] = (function, number)
    return names


def _frame(text: bytes) -> tuple[str, str, int]:
    """Function, file and line."""
    if (match := _FILE_AND_LINE.search(text)) is not None:
        function, file, digits = match.groups()
        number = integer(digits) or 0
        return _decoded(function), _decoded(file), max(number, 0)
    if (match := _PATH.search(text)) is not None:
        function, path = match.groups()
        return _decoded(function), _base(_decoded(path)), 0
    if b"generated stub/JIT" in text:
        return "STUB", "", 0
    return _decoded(text), "", 0


def _base(path: str) -> str:
    """The last part of a path, as Go's filepath.Base."""
    if not path:
        return "."
    return posixpath.basename(path.rstrip("/")) or "/"


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
