"""What is inside the sections: type data, tables, variables and embedded files, by address."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from gocost.analyses.size.intervals import NOTHING, Intervals, disjoint
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.packages import ANONYMOUS, PREDECLARED, Packages
from gocost.analyses.size.regions import Claim
from gocost.formats import type_data
from gocost.formats.executable.interface import Executable
from gocost.formats.moduledata import resolved
from gocost.formats.type_data import TypeData
from gocost.kernels.symbol_names import intern_packages
from gocost.model.errors import FormatError

MAX_EMBEDDED: Final = 100_000
CHUNK: Final = 1 << 19


class Embedded(msgspec.Struct, frozen=True):
    """A file that //go:embed took in."""

    name: str
    address: int
    size: int
    files_at: int
    """Address of the embed.FS's table that lists it."""


def claim(executable: Executable, kind: Kind, address: int | None, size: int) -> Claim | None:
    """A claim of `size` bytes at `address`; None where the file has them not."""
    if address is None or size <= 0:
        return None
    start = executable.offset_of(address)
    last = executable.offset_of(address + size - 1)
    if start is None or last != start + size - 1:
        return None
    return Claim(start, start + size, kind, None, address - start)


def type_intervals(types: TypeData, packages: Packages) -> Intervals:
    """Type data by address with the package of each part."""
    special = {
        type_data.ANONYMOUS: packages.number(ANONYMOUS),
        type_data.PREDECLARED: packages.number(PREDECLARED),
        type_data.UNKNOWN: -1,
    }
    numbers = np.array(
        [
            *packages.numbers(types.paths),
            # Negative indices count from the end: UNKNOWN, PREDECLARED, ANONYMOUS.
            special[type_data.UNKNOWN],
            special[type_data.PREDECLARED],
            special[type_data.ANONYMOUS],
        ],
        np.int32,
    )
    return Intervals(
        types.start + types.address, types.stop + types.address, numbers[types.package]
    )


def symbol_intervals(executable: Executable, packages: Packages, seed: int) -> Intervals:
    """Variables and constants by the symbol table, with the package of each."""
    symbols = executable.symbols()
    if not len(symbols):
        return NOTHING
    plain = [s.alloc and not s.executable and s.size_in_file > 0 for s in executable.sections]
    inside = np.array([*plain, False])
    index = np.where((symbols.section >= 0) & (symbols.section < len(plain)), symbols.section, -1)
    wanted = np.flatnonzero(inside[index] & (symbols.size > 0))
    if not len(wanted):
        return NOTHING
    starts, limits = symbols.name_offset[wanted], symbols.name_limit[wanted]
    if symbols.underscored:
        first = symbols.data[np.clip(starts, 0, len(symbols.data) - 1)]
        starts = np.minimum(starts + (first == ord("_")), limits)
    ids, lengths, at, size = intern_packages(symbols.data, starts, limits, seed=seed)
    view = symbols.data.data
    texts = [
        str(view[a : a + n], "utf-8", "replace")
        for a, n in zip(at.tolist(), size.tolist(), strict=True)
    ]
    numbers = np.array([*packages.numbers(texts), -1], np.int32)
    # `type:*` and `go:func.*` hold what others own; they tell nothing about a package.
    last = symbols.data[np.clip(starts + lengths - 1, 0, len(symbols.data) - 1)]
    own = (last != ord("*")) & (ids >= 0)
    address = symbols.address[wanted][own].astype(np.int64)
    length = np.minimum(symbols.size[wanted][own], np.uint64(1 << 40)).astype(np.int64)
    return disjoint(address, address + length, numbers[ids[own]])


def embedded_files(executable: Executable, faults: list[str]) -> list[Embedded]:
    """The files of every embed.FS, found by the shape of its table.

    A section that cannot be searched is named in `faults`.

    The compiler writes a slice whose elements follow it at once: its own address + 3 words, the
    count twice, then for each file its name and content (string headers) and a hash of 16 bytes
    (`cmd/compile/internal/staticdata/embed.go`). A lone string or []byte leaves no such trace.
    """
    width = executable.pointer_size
    found: list[Embedded] = []
    for section in executable.sections:
        if not section.alloc or section.executable or section.size_in_file < 8 * width:
            continue
        if "pclntab" in section.name or "link" in section.name:
            continue
        # PE pads sections in the file beyond what is loaded.
        size = min(section.size_in_file, section.size_in_memory)
        try:
            tables = _tables(executable, section.address, size)
        except FormatError as error:
            faults.append(
                f"section {section.name} cannot be read as it is loaded ({error.message}): files "
                "that //go:embed took in there are not told from other data"
            )
            continue
        for address in tables:
            found += _files(executable, address)
            if len(found) > MAX_EMBEDDED:
                return found[:MAX_EMBEDDED]
    return found


def _tables(executable: Executable, address: int, size: int) -> list[int]:
    """Addresses of slices whose elements follow them at once. Raises FormatError."""
    width = executable.pointer_size
    order = "<" if executable.byte_order == "little" else ">"
    address, size = address + -address % width, size - -address % width
    found: list[int] = []
    for at in range(0, size, CHUNK):
        length = min(CHUNK + 2 * width, size - at) // width * width
        raw = resolved(executable, address + at, length)
        words = np.frombuffer(raw.data, f"{order}u{width}")
        if len(words) < 3:
            break
        first = address + at + 3 * width
        here = np.arange(first, first + (len(words) - 2) * width, width, dtype=np.uint64)
        hits = np.flatnonzero(words[:-2] == here)
        hits = hits[(words[hits + 1] == words[hits + 2]) & (words[hits + 1] > 0)]
        found += [address + at + int(hit) * width for hit in hits]
    return found


def _files(executable: Executable, address: int) -> list[Embedded]:
    width = executable.pointer_size
    record = 4 * width + 16
    try:
        count = executable.pointer_at(address + width)
        if count > MAX_EMBEDDED or executable.offset_of(address + count * record) is None:
            return []
        words = executable.pointers(address + 3 * width, count * record // width)
        rows = words.reshape(count, record // width)[:, :4].tolist()
        found = []
        for name, name_size, content, size in rows:
            if not 0 < name_size <= 4096:
                return []
            text = executable.read(name, name_size).tobytes().decode()
            if size and executable.offset_of(content) is not None:
                found.append(Embedded(text, content, size, address))
    except (FormatError, UnicodeDecodeError):
        return []
    return found


def embedded_claims(
    executable: Executable, files: list[Embedded], variables: Intervals
) -> tuple[list[Claim], Intervals]:
    """Where embedded files are, and whose: of the package of the table's symbol, if any."""
    claims: list[Claim] = []
    kept: list[tuple[int, int, int]] = []
    for file in files:
        made = claim(executable, Kind.EMBEDDED, file.address, file.size)
        if made is not None:
            claims.append(made)
            owner = int(_at(variables, file.files_at))
            kept.append((file.address, file.address + file.size, owner))
    if not kept:
        return claims, NOTHING
    rows = np.array(kept, np.int64)
    return claims, disjoint(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.int32))


def _at(intervals: Intervals, address: int) -> np.int32:
    index = int(np.searchsorted(intervals.start, address, "right")) - 1
    if index < 0 or address >= intervals.end[index]:
        return np.int32(-1)
    owner: np.int32 = intervals.package[index]
    return owner


def without(these: Intervals, taken: Intervals) -> Intervals:
    """What is left of ranges where others have been taken; a range that is cut keeps its start."""
    if not len(taken) or not len(these):
        return these
    at = np.searchsorted(taken.start, these.start, "right") - 1
    reached = np.where(at >= 0, taken.end[np.maximum(at, 0)], these.start)
    start = np.maximum(these.start, reached)
    after = np.searchsorted(taken.start, start, "left")
    limit = np.append(taken.start, np.iinfo(np.int64).max)[after]
    end = np.minimum(these.end, limit)
    return disjoint(start, end, these.package)
