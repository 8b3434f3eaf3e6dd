"""The header of pclntab: where in an executable it is, and how the tables behind it are laid out.

A magic that names the layout, two zero bytes, the instruction quantum and the pointer size, then
words of pointer size (`debug/gosym/pclntab.go`, `cmd/link/internal/ld/pcln.go` in the Go source):

    1.2   nfunc; the functab follows, every offset counts from the header
    1.16  nfunc nfiles                 funcnames cutab filetab pctab functab
    1.18  nfunc nfiles textStart       funcnames cutab filetab pctab functab
    1.20  the same; _func has a startLine more, an InlTree record is 16 bytes, not 20

From Go 1.26 textStart is 0 and moduledata.text takes its place.
"""

from __future__ import annotations

from typing import Final

import msgspec

from gocost.formats.executable.fields import Bytes
from gocost.formats.executable.interface import Executable
from gocost.formats.moduledata import Moduledata, find_moduledata, resolved
from gocost.model.errors import FormatError

MAGICS: Final = {0xFFFFFFFB: "1.2", 0xFFFFFFFA: "1.16", 0xFFFFFFF0: "1.18", 0xFFFFFFF1: "1.20"}
SECTIONS: Final = (".gopclntab", ".data.rel.ro.gopclntab", "__gopclntab")
QUANTA: Final = (1, 2, 4)
MAX_OFFSET: Final = 1 << 40
CHUNK: Final = 1 << 22  # bytes that are searched for a magic at once


class Header(msgspec.Struct, frozen=True):
    """The header, offsets counted from it."""

    version: str
    big: bool
    quantum: int
    pointer_size: int
    functions: int
    text_start: int
    names: int
    cutab: int
    files: int
    pctab: int
    functab: int

    @property
    def size(self) -> int:
        """Bytes of the header itself."""
        return 8 + self.pointer_size * {"1.2": 1, "1.16": 7, "1.18": 8, "1.20": 8}[self.version]

    @property
    def split(self) -> bool:
        """The parts are tables of their own (from 1.16 on)."""
        return self.version != "1.2"

    @property
    def word(self) -> int:
        """Bytes of a functab word."""
        return 4 if self.version in ("1.18", "1.20") else self.pointer_size

    @property
    def record(self) -> int:
        """Bytes of a _func without its tables."""
        return self.word + 32 + {"1.2": 0, "1.16": 4, "1.18": 4, "1.20": 8}[self.version]

    @property
    def inlined(self) -> tuple[int, int]:
        """Bytes of an InlTree record, and where in it the name is."""
        return (16, 4) if self.version == "1.20" else (20, 12)


class Located(msgspec.Struct, frozen=True, eq=False):
    """A header, where it is, and its moduledata if there is one."""

    header: Header
    address: int
    offset: int
    moduledata: Moduledata | None


def read_header(data: Bytes) -> Header:
    """The header at the start of `data`. Raises FormatError."""
    if len(data) < 8:
        raise FormatError("a pclntab header is cut off", offset=0)
    raw = data[: 8 + 8 * 8].tobytes()
    for order in ("little", "big"):
        version = MAGICS.get(int.from_bytes(raw[:4], order))
        if version is not None:
            break
    else:
        raise FormatError("no pclntab magic that is known", offset=0)
    quantum, width = raw[6], raw[7]
    if raw[4] or raw[5] or quantum not in QUANTA or width not in (4, 8):
        raise FormatError("a pclntab header with an impossible quantum or pointer size", offset=4)
    count = {"1.2": 1, "1.16": 7, "1.18": 8, "1.20": 8}[version]
    if len(raw) < 8 + count * width:
        raise FormatError("a pclntab header is cut off", offset=0)
    words = [int.from_bytes(raw[8 + k * width : 8 + (k + 1) * width], order) for k in range(count)]
    size = 8 + count * width
    if version == "1.2":
        offsets = [0, 0, 0, 0, size]
    else:
        offsets = words[-5:]
        if not size <= offsets[0] <= offsets[1] <= offsets[2] <= offsets[3] <= offsets[4]:
            raise FormatError("the tables of a pclntab header are out of order", offset=8)
        if offsets[4] >= MAX_OFFSET:
            raise FormatError(f"a table over {MAX_OFFSET:,} bytes behind its header", offset=8)
    return Header(
        version,
        order == "big",
        quantum,
        width,
        words[0],
        words[2] if count == 8 else 0,
        *offsets,
    )


def locate(executable: Executable) -> Located | None:
    """The pclntab of an executable, stripped or not; None where there is none (no Go code).

    A place that moduledata points to is preferred over one that only looks like a header.
    """
    first: Located | None = None
    for offset, address in _candidates(executable):
        try:
            left = len(executable.data) - offset
            header = read_header(resolved(executable, address, min(72, left)))
        except FormatError:
            continue
        if header.pointer_size != executable.pointer_size or header.functab >= left:
            continue
        moduledata = None
        if header.split:
            moduledata = find_moduledata(executable, address, address + header.names)
        found = Located(header, address, offset, moduledata)
        if moduledata is not None or not header.split:
            return found
        first = first or found
    return first


def _candidates(executable: Executable) -> list[tuple[int, int]]:
    """Offset and address of what may be a header: the sections named so, else every magic."""
    named = executable.section(*SECTIONS)
    if named is not None and named.size_in_file >= 8:
        return [(named.offset, named.address)]
    order = executable.byte_order
    endings = [
        magic.to_bytes(4, order) + bytes([0, 0, quantum, executable.pointer_size])
        for magic in MAGICS
        for quantum in QUANTA
    ]
    found: list[tuple[int, int]] = []
    parts = [part for part in executable.segments if part.kind == "load"]
    for part in sorted(parts, key=lambda part: (part.executable, part.writable)):
        stop = min(part.offset + part.size_in_file, executable.size)
        for start in range(part.offset, stop, CHUNK):
            chunk = executable.data[start : min(start + CHUNK + 8, stop)].tobytes()
            for ending in endings:
                at = chunk.find(ending)
                while at >= 0 and len(found) < 64:
                    address = part.address + start + at - part.offset
                    if address % executable.pointer_size == 0:
                        found.append((start + at, address))
                    at = chunk.find(ending, at + 1)
        if found:
            break
    return found
