"""The mapped files that may follow the samples, and which of them each address is in.

After a line with `MAPPED_LIBRARIES:` or `--- Memory map: ---` stand lines of /proc/PID/maps, or

    START-END [PERMISSIONS] [FILE] [(@OFFSET)] [BUILD ID]

with the numbers in hexadecimal. `NAME=VALUE` gives a value to `$NAME` in the lines after it. What
is neither is skipped, and so is what is not executable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gocost.formats.pprof.legacy.lines import MAX_LINE, Lines, expression, trimmed
from gocost.formats.pprof.profile import Bools, Int32s, UInt64s
from gocost.model.errors import FormatError

_SENTINELS: Final = (b"--- Memory map: ---", b"MAPPED_LIBRARIES:")
_RANGE: Final = rb"^\s*(?:0x)?([[:xdigit:]]+)[\s-]?\s*(?:0x)?([[:xdigit:]]+):?(?:\s+([-rwxp]+))?"
_OF_PROC: Final = expression(
    _RANGE + rb"(?:\s+([[:xdigit:]]+))?\s+[[:xdigit:]]+:[[:xdigit:]]+\s+\d+(?:\s+(\S+))?"
)
_BRIEF: Final = expression(
    _RANGE + rb"(?:\s+(\S+))?(?:\s+\(@([[:xdigit:]]+)\))?(?:\s+([[:xdigit:]]+))?"
)
_LOGGED: Final = re.compile(rb"[^][]++(?<=[0-9])][\t\n\f\r ]")
_LOG_PLACE: Final = re.compile(rb":[0-9]++\Z")
_LIBRARY: Final = re.compile(rb"\.so\Z|\.so[._][0-9]+")
_MAX_NAMES: Final = 32
_MAX_NAME: Final = 64
"""Caps on `NAME=VALUE`, as each line is searched for all names."""
_MAX_MAPPINGS: Final = 1 << 18
"""Four times what Linux allows a process unless told otherwise."""
_MAX_GROWN: Final = 1_000
"""Mappings that may turn out to begin before their line says."""
_USUAL_START: Final = 0x400000
_BITS: Final = 1 << 64


@dataclass(slots=True)
class Mapped:
    """A part of a file in the memory of the process. Changed while it is put in order."""

    start: int
    limit: int
    offset: int = 0
    file: bytes = b""
    build_id: bytes = b""


def skip_to_mappings(lines: Lines) -> None:
    """Goes to the line that mappings come after, or to the end."""
    while not begins_mappings(lines.line) and lines.advance():
        pass


def begins_mappings(line: bytes) -> bool:
    """Whether mappings come after this line."""
    return any(sentinel in line for sentinel in _SENTINELS)


def read_mappings(lines: Lines) -> list[Mapped]:
    """The executable mappings in the remaining lines, in order: the program itself first.

    Raises FormatError for lines and names over the caps.
    """
    found: list[Mapped] = []
    values = _Values()
    while lines.advance():
        line = values.put_in(_without_log_prefix(lines.line), lines.offset)
        entry = _entry(line)
        if entry is not None:
            found += entry
            if len(found) > _MAX_MAPPINGS:
                raise FormatError(f"there are more than {_MAX_MAPPINGS:,} mappings")
        elif b"=" in line:
            name, _, value = line.partition(b"=")
            values.add(trimmed(name), trimmed(value))
    return _program_first(_joined(found))


class _Values:
    """What `$NAME` stands for."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._names: re.Pattern[bytes] | None = None
        self._too_many = False

    def add(self, name: bytes, value: bytes) -> None:
        """A name's first value counts, and of two names that fit the one that came first."""
        if len(self._values) >= _MAX_NAMES or len(name) > _MAX_NAME:
            self._too_many = True
        elif b"$" + name not in self._values:
            self._values[b"$" + name] = value
            self._names = re.compile(b"|".join(map(re.escape, self._values)))

    def put_in(self, line: bytes, offset: int) -> bytes:
        """The line with values for names. Raises FormatError over the caps."""
        if self._names is None or b"$" not in line:
            return line
        if self._too_many:
            raise FormatError(
                f"before this line of the mappings stand more than {_MAX_NAMES} of NAME=VALUE, or"
                f" one with a name longer than {_MAX_NAME} bytes",
                offset=offset,
            )
        size = len(line)

        def value(match: re.Match[bytes]) -> bytes:
            nonlocal size
            size += len(self._values[match.group()]) - len(match.group())
            if size > MAX_LINE:
                raise FormatError(
                    f"with its values a line is longer than {MAX_LINE:,} bytes", offset=offset
                )
            return self._values[match.group()]

        return self._names.sub(value, line)


def _without_log_prefix(line: bytes) -> bytes:
    """The line without `FILE:LINE] ` and what stands before it, which a logger adds."""
    match = _LOGGED.match(line)
    if match is None:
        return line
    place = match.group()[:-2]
    found = _LOG_PLACE.search(place)
    return line[match.end() :] if found is not None and found.start() > 0 else line


def _entry(line: bytes) -> Sequence[Mapped] | None:
    """The mapping of a line; nothing where it is not executable; None where it is none."""
    match: Any = _OF_PROC.search(line)
    if match is not None:
        start, limit, permissions, offset, file = match.groups()
        build_id = None
    else:
        match = _BRIEF.search(line)
        if match is None:
            return None
        start, limit, permissions, file, offset, build_id = match.groups()
    if permissions and b"x" not in permissions:
        return ()
    numbers = [int(number or b"0", 16) for number in (start, limit, offset)]
    if max(numbers) >= _BITS:
        return None
    return [Mapped(numbers[0], numbers[1], numbers[2], file or b"", build_id or b"")]


def _joined(mapped: Sequence[Mapped]) -> list[Mapped]:
    """Neighbours of one file made one."""
    found: list[Mapped] = []
    for each in mapped:
        if found and _adjacent(found[-1], each):
            last = found[-1]
            last.limit = each.limit
            last.file = each.file or last.file
            last.build_id = each.build_id or last.build_id
        else:
            found.append(each)
    return found


def _adjacent(one: Mapped, other: Mapped) -> bool:
    if one.file and other.file and one.file != other.file:
        return False
    if one.build_id and other.build_id and one.build_id != other.build_id:
        return False
    if one.limit != other.start:
        return False
    reached = (one.offset + one.limit - one.start) % _BITS
    return not one.offset or not other.offset or reached == other.offset


def _program_first(mapped: list[Mapped]) -> list[Mapped]:
    """What is probably the program, exchanged with the first of the list."""
    for at, each in enumerate(mapped):
        file = trimmed(each.file.replace(b"(deleted)", b""))
        if file and _LIBRARY.search(file) is None and not file.startswith(b"["):
            mapped[0], mapped[at] = mapped[at], mapped[0]
            break
    return mapped


def associated(addresses: UInt64s, mapped: list[Mapped]) -> tuple[Int32s, list[Mapped]]:
    """For each address the row of its mapping, -1 for address 0; and the mappings.

    An address that is in none gets one over all addresses, which is appended: Go's texts have no
    mappings at all. Before that, a mapping of a later part of a file may turn out to be of an
    earlier one too. Raises FormatError where that happens to more than a thousand.
    """
    mapped = _mended(mapped)
    rows = _first_within(
        addresses, [each.start for each in mapped], [each.limit for each in mapped]
    )
    outside = (rows < 0) & (addresses != 0)
    if outside.any():
        _grow(addresses, mapped, rows, outside)
        homeless = (rows < 0) & (addresses != 0)
        if homeless.any():
            rows[homeless] = len(mapped)
            mapped = [*mapped, Mapped(0, _BITS - 1)]
    rows[addresses == 0] = -1
    return rows, mapped


def _mended(mapped: list[Mapped]) -> list[Mapped]:
    """The mappings, the program's where it belongs although huge pages or an offset hide that."""
    if len(mapped) > 1 and mapped[0].file.startswith(b"/anon_hugepage"):
        mapped = mapped[1:] if mapped[0].limit == mapped[1].start else mapped
    if mapped and (mapped[0].start - mapped[0].offset) % _BITS == _USUAL_START:
        mapped[0].start, mapped[0].offset = _USUAL_START, 0
    return mapped


def _grow(addresses: UInt64s, mapped: list[Mapped], rows: Int32s, outside: Bools) -> None:
    """Gives addresses outside all mappings to those that would begin before them at offset 0.

    In the order of addresses, until the first that no mapping could have; `rows` is changed.
    """
    low = [(each.start - each.offset) % _BITS if each.offset else each.start for each in mapped]
    candidates = _first_within(addresses, low, [each.start for each in mapped])
    unknown = outside & (candidates < 0)
    end = int(unknown.argmax()) if unknown.any() else len(addresses)
    grown = 0
    for at in np.flatnonzero(outside[:end]).tolist():
        if rows[at] >= 0:
            continue
        row = int(candidates[at])
        each = mapped[row]
        within = (addresses >= np.uint64(low[row])) & (addresses < np.uint64(each.start))
        within[:at] = False
        rows[within & ((rows < 0) | (rows > row))] = row
        each.start, each.offset = low[row], 0
        grown += 1
        if grown > _MAX_GROWN:
            raise FormatError(f"more than {_MAX_GROWN:,} mappings begin before where they say")


def _first_within(addresses: UInt64s, starts: Sequence[int], limits: Sequence[int]) -> Int32s:
    """For each address the first range that it is in, -1 where there is none."""
    bounds = np.unique(np.array([*starts, *limits], np.uint64))
    owners = np.full(len(bounds) + 1, -1, np.int32)
    after = list(range(len(bounds) + 1))  # the next place that may be free, for each that is not
    firsts = np.searchsorted(bounds, np.array(starts, np.uint64)).tolist()
    lasts = np.searchsorted(bounds, np.array(limits, np.uint64)).tolist()
    for row, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        place = _free(after, first)
        while place < last:
            owners[place] = row
            after[place] = place + 1
            place = _free(after, place)
    return owners[np.searchsorted(bounds, addresses, side="right") - 1]


def _free(after: list[int], place: int) -> int:
    while after[place] != place:
        after[place] = after[after[place]]
        place = after[place]
    return place
