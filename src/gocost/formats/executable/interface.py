"""What every executable has: the value that the readers of ELF, PE and Mach-O give.

Offsets are bytes from the start of the file (of the whole file, for a slice of a fat Mach-O);
addresses are virtual addresses as linked (PE: image base included). Opening reads headers only:
symbols, relocations and contents are touched when asked for, because touched pages of a mapped
file count as resident memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.fields import ByteOrder, Bytes
from gocost.model.errors import FormatError

Container = Literal["elf", "pe", "macho"]
Kind = Literal["exec", "pie", "shared", "object", "core"]

TOP = (1 << 64) - 1  # the highest address; hostile sums of addresses and sizes go beyond it
UNDEFINED = -1  # Symbols.section: defined in another file
ABSOLUTE = -2  # Symbols.section: a constant, not an address
COMMON = -3  # Symbols.section: allocated by the linker


class Section(msgspec.Struct, frozen=True):
    """One section. `size_in_file` is 0 where it takes no file space (.bss)."""

    index: int
    name: str
    segment: str
    """Mach-O only: the segment that it belongs to, such as `__TEXT`."""
    kind: str
    """progbits, nobits, symtab, strtab, rela, note, ... as the container says."""
    offset: int
    size_in_file: int
    address: int
    size_in_memory: int
    alloc: bool
    """Loaded into memory when the program runs."""
    executable: bool
    writable: bool
    is_debug: bool
    compressed: bool

    @property
    def end(self) -> int:
        """Offset of the first byte after it in the file."""
        return self.offset + self.size_in_file


class Segment(msgspec.Struct, frozen=True):
    """One piece of the file as the loader sees it (ELF: any program header, `kind` tells which)."""

    name: str
    kind: str
    """`load` where it is mapped; else dynamic, interp, note, tls, gnu_stack, ..."""
    offset: int
    size_in_file: int
    address: int
    size_in_memory: int
    readable: bool
    writable: bool
    executable: bool


class Extent(msgspec.Struct, frozen=True):
    """Bytes of the file that belong to no section: headers, tables, signatures."""

    name: str
    offset: int
    size: int

    @property
    def end(self) -> int:
        """Offset of the first byte after it."""
        return self.offset + self.size


class VersionNeed(msgspec.Struct, frozen=True):
    """A symbol version that a needed library has to offer, such as `GLIBC_2.34` of libc.so.6."""

    library: str
    version: str


class Dynamic(msgspec.Struct, frozen=True):
    """What the file asks of the loader."""

    present: bool = False
    """ELF: there is a dynamic section. PE: there are imports. Mach-O: a dynamic linker is named."""
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    """Libraries by name, in the file's order (PE: imported DLLs; Mach-O: LC_LOAD_DYLIB)."""
    version_needs: tuple[VersionNeed, ...] = ()
    soname: str = ""
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    pie_flag: bool = False
    """ELF: DF_1_PIE."""
    minimum_os: str = ""
    """Mach-O: the oldest system, such as `macos 12.0`; PE: the subsystem version."""


class Slice(msgspec.Struct, frozen=True):
    """One architecture of a fat Mach-O file."""

    machine: str
    offset: int
    size: int
    chosen: bool


class SymbolKind(IntEnum):
    """What a symbol names; ELF's own types where there are some."""

    NONE = 0
    OBJECT = 1
    FUNCTION = 2
    SECTION = 3
    FILE = 4
    COMMON = 5
    TLS = 6
    DEBUG = 7


class Symbols(msgspec.Struct, frozen=True, eq=False):
    """The symbol table in columns of one length, in file order.

    PE and Mach-O record no sizes: there a size runs to the next symbol of the section or to the
    section's end (`go tool nm` runs the last one on into the next section).
    """

    address: NDArray[np.uint64]
    size: NDArray[np.uint64]
    section: NDArray[np.int32]
    """Index into Executable.sections, or UNDEFINED, ABSOLUTE, COMMON."""
    kind: NDArray[np.uint8]
    """SymbolKind values."""
    name_offset: NDArray[np.int64]
    """Where in the file the name starts; it ends at a NUL or at `name_limit`."""
    name_limit: NDArray[np.int64]
    data: Bytes
    underscored: bool = False
    """Mach-O: C's leading `_` is on Go's names too; it is taken off those, as `go tool nm` does."""

    def __len__(self) -> int:
        return len(self.address)

    def name_lengths(self, index: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """Bytes of each name as stored, of all symbols or of those at `index`."""
        starts, limits = self._extents(index)
        if not len(starts):
            return np.zeros(0, np.int64)
        low, high = int(starts.min()), int(limits.max())
        stops = np.flatnonzero(self.data[low:high] == 0) + low
        stops = np.append(stops, high)
        found = stops[np.searchsorted(stops, starts)]
        lengths: NDArray[np.int64] = np.maximum(np.minimum(found, limits) - starts, 0)
        return lengths

    def names(self, index: NDArray[np.intp] | None = None) -> list[str]:
        """The names of all symbols, or of those at `index`, as text."""
        starts, limits = self._extents(index)
        if not len(starts):
            return []
        low, high = int(starts.min()), int(limits.max())
        table = self.data[low:high].tobytes()
        first = starts - low
        last = first + self.name_lengths(index)
        spans = zip(first.tolist(), last.tolist(), strict=True)
        if table.isascii():
            text = table.decode("ascii")
            names = [text[start:stop] for start, stop in spans]
        else:
            names = [table[start:stop].decode("utf-8", "replace") for start, stop in spans]
        if self.underscored:
            return [name[1:] if name[:1] == "_" and "." in name else name for name in names]
        return names

    def _extents(
        self, index: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if index is None:
            return self.name_offset, self.name_limit
        return self.name_offset[index], self.name_limit[index]


def no_symbols(data: Bytes) -> Symbols:
    """The table of a stripped file."""
    return Symbols(
        address=np.zeros(0, np.uint64),
        size=np.zeros(0, np.uint64),
        section=np.zeros(0, np.int32),
        kind=np.zeros(0, np.uint8),
        name_offset=np.zeros(0, np.int64),
        name_limit=np.zeros(0, np.int64),
        data=data,
    )


class Relocations(msgspec.Struct, frozen=True, eq=False):
    """Pointers that the loader writes: `target[i]` is stored at `address[i]` (sorted).

    Only those whose final value differs from, or is not in, the file's bytes are listed. In an
    externally linked PIE file most pointers are zero in the file and stand here.
    """

    address: NDArray[np.uint64]
    target: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.address)


def no_relocations() -> Relocations:
    """Pointers stand in the file as they are."""
    return Relocations(np.zeros(0, np.uint64), np.zeros(0, np.uint64))


class Executable(msgspec.Struct, frozen=True, eq=False, dict=True):
    """A parsed executable over its bytes."""

    data: Bytes
    """The whole file, uint8, not copied."""
    container: Container
    machine: str
    """GOARCH where Go has one, else the container's name for it."""
    goos: str
    """GOOS as far as the container tells, or empty."""
    pointer_size: int
    byte_order: ByteOrder
    kind: Kind
    entry: int
    image_base: int
    """PE: the preferred load address; Mach-O: of __TEXT; ELF: of the first loaded segment."""
    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]
    extents: tuple[Extent, ...]
    """Everything the container places outside sections; may overlap sections in odd files."""
    dynamic: Dynamic
    load_symbols: Callable[[], Symbols]
    load_relocations: Callable[[], Relocations]
    slices: tuple[Slice, ...] = ()
    """Fat Mach-O: every slice, the chosen one marked."""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.data)

    def symbols(self) -> Symbols:
        """The symbol table (empty in a stripped file); read on first use."""
        return self._symbols

    def relocations(self) -> Relocations:
        """The pointers that the loader fills in; read on first use."""
        return self._relocations

    def section(self, *names: str) -> Section | None:
        """The first section that has one of the names, tried in that order."""
        for name in names:
            found = self._by_name.get(name)
            if found is not None:
                return found
        return None

    def contents(self, section: Section) -> Bytes:
        """The bytes of a section as they stand in the file (compressed ones still compressed)."""
        return self.data[section.offset : section.end]

    def offset_of(self, address: int) -> int | None:
        """Where in the file the byte at `address` is; None where no file byte is mapped there."""
        loads, starts = self._loads
        at = bisect_right(starts, address) - 1
        if at < 0:
            return None
        load = loads[at]
        inside = address - load.address
        return load.offset + inside if inside < load.size_in_file else None

    def read(self, address: int, size: int) -> Bytes:
        """`size` bytes at `address`, as a view. Raises FormatError where the file has them not."""
        offset = self.offset_of(address)
        if offset is None:
            raise FormatError(f"address {address:#x} is not in the file")
        loads, starts = self._loads
        load = loads[bisect_right(starts, address) - 1]
        if size < 0 or address + size > load.address + load.size_in_file:
            raise FormatError(
                f"{size} bytes at address {address:#x} run over the end of their segment",
                offset=offset,
            )
        return self.data[offset : offset + size]

    def pointer_at(self, address: int) -> int:
        """The pointer stored at `address` once the program is loaded at its linked address."""
        return int(self.pointers(address, 1)[0])

    def pointers(self, address: int, count: int) -> NDArray[np.uint64]:
        """`count` pointers from `address` on, as the loader leaves them."""
        raw = self.read(address, count * self.pointer_size)
        order = "<" if self.byte_order == "little" else ">"
        words = np.frombuffer(raw.tobytes(), f"{order}u{self.pointer_size}").astype(np.uint64)
        moved = self.relocations()
        if len(moved) and count:
            width = self.pointer_size
            low = np.searchsorted(moved.address, np.uint64(address))
            high = np.searchsorted(moved.address, np.uint64(min(address + count * width, TOP)))
            inside = moved.address[low:high] - np.uint64(address)
            aligned = inside % np.uint64(width) == 0
            slots = (inside[aligned] // np.uint64(width)).astype(np.intp)
            words[slots] = moved.target[low:high][aligned]
        return words

    def relocated_pointers_to(self, target: int) -> NDArray[np.uint64]:
        """Addresses where the loader stores `target`; those in plain file bytes are not listed."""
        moved = self.relocations()
        found: NDArray[np.uint64] = moved.address[moved.target == np.uint64(target & TOP)]
        return found

    @cached_property
    def _symbols(self) -> Symbols:
        return self.load_symbols()

    @cached_property
    def _relocations(self) -> Relocations:
        return self.load_relocations()

    @cached_property
    def _by_name(self) -> dict[str, Section]:
        named: dict[str, Section] = {}
        for section in self.sections:
            named.setdefault(section.name, section)
        return named

    @cached_property
    def _loads(self) -> tuple[list[Segment], list[int]]:
        loads = [part for part in self.segments if part.kind == "load" and part.size_in_file]
        loads.sort(key=lambda part: part.address)
        return loads, [part.address for part in loads]


def sizes_to_next(
    address: NDArray[np.uint64], section: NDArray[np.int32], sections: Sequence[Section]
) -> NDArray[np.uint64]:
    """Sizes where the container records none: up to the next symbol, or the section's end."""
    size = np.zeros(len(address), np.uint64)
    defined = np.flatnonzero(section >= 0)
    if not len(defined):
        return size
    ends = np.array([min(part.address + part.size_in_memory, TOP) for part in sections], np.uint64)
    order = defined[np.lexsort((address[defined], section[defined]))]
    at, of = address[order], section[order]
    # The next higher address of the same section: symbols that share an address share a size.
    fresh = np.flatnonzero(np.append(True, (at[1:] != at[:-1]) | (of[1:] != of[:-1])))
    group = np.cumsum(np.bincount(fresh, minlength=len(at))) - 1
    follows = np.append(at[fresh[1:]], np.uint64(0))
    last = np.append(of[fresh[1:]] != of[fresh[:-1]], True)
    follows[last] = ends[of[fresh[last]]]
    stop = follows[group]
    size[order] = np.where(stop > at, stop - at, np.uint64(0))
    return size
