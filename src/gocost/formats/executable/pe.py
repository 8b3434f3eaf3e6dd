"""PE (Windows): headers, COFF symbol table and imports.

Layout (Microsoft's "PE Format"): a DOS header and stub, at the offset that 0x3c names the
signature `PE\\0\\0`, the COFF header, the optional header with its data directories, and the
section table. Go writes a COFF symbol table after the sections unless stripped. Addresses here
include the preferred image base, which pointers in the file assume, so none needs relocating.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.fields import Bytes, Fields
from gocost.formats.executable.interface import (
    ABSOLUTE,
    TOP,
    UNDEFINED,
    Dynamic,
    Executable,
    Extent,
    Kind,
    Section,
    Segment,
    SymbolKind,
    Symbols,
    no_relocations,
    no_symbols,
    sizes_to_next,
)
from gocost.model.errors import FormatError

MAGIC = b"MZ"
MAX_SECTIONS = 4096
MAX_IMPORTS = 4096

_MACHINES = {0x14C: "386", 0x8664: "amd64", 0x1C0: "arm", 0x1C4: "arm", 0xAA64: "arm64"}
_SYMBOL = 18  # bytes of a COFF symbol record
_CODE, _UNINITIALIZED = 0x20, 0x80
_EXECUTE, _WRITE = 0x20000000, 0x80000000
_IMPORTS, _CERTIFICATES = 1, 4  # data directories


class _Header(NamedTuple):
    fields: Fields
    wide: bool
    machine: str
    signature: int
    sections: int
    section_table: int
    symbol_table: int
    symbol_count: int
    characteristics: int
    dll_characteristics: int
    entry: int
    image_base: int
    headers: int
    subsystem: str
    directories: tuple[tuple[int, int], ...]


def open_pe(data: Bytes) -> Executable:
    """Reads the headers of a PE file. Raises FormatError."""
    head = _header(data)
    strings = head.symbol_table + head.symbol_count * _SYMBOL if head.symbol_table else None
    sections = tuple(_section(head, at, strings) for at in range(head.sections))
    return Executable(
        data=data,
        container="pe",
        machine=head.machine,
        goos="windows",
        pointer_size=8 if head.wide else 4,
        byte_order="little",
        kind=_kind(head),
        entry=head.image_base + head.entry,
        image_base=head.image_base,
        sections=sections,
        segments=tuple(_segment(section) for section in sections),
        extents=_extents(head, strings),
        dynamic=_imports(head, sections),
        load_symbols=lambda: _symbols(head, sections, strings),
        load_relocations=no_relocations,
    )


def _header(data: Bytes) -> _Header:
    fields = Fields(data, "little")
    if bytes(data[:2]) != MAGIC:
        raise FormatError("not a PE file", offset=0)
    signature = fields.integer(0x3C, 4, "the DOS header")
    fields.check(signature, 24, "the PE signature")
    if bytes(data[signature : signature + 4]) != b"PE\0\0":
        raise FormatError("a DOS program without a PE header", offset=signature)
    machine, count, _, symbols, symbol_count, optional_size, characteristics = fields.unpack(
        "HHIIIHH", signature + 4, "the COFF header"
    )
    if count > MAX_SECTIONS:
        raise FormatError(f"{count} sections, over the cap of {MAX_SECTIONS}", offset=signature + 6)
    optional = signature + 24
    magic = fields.integer(optional, 2, "the optional header")
    if magic not in (0x10B, 0x20B):
        raise FormatError(f"an optional header of unknown kind {magic:#x}", offset=optional)
    wide = magic == 0x20B
    entry = fields.integer(optional + 16, 4, "the optional header")
    base = fields.integer(optional + (24 if wide else 28), 8 if wide else 4, "the optional header")
    major, minor = fields.unpack("HH", optional + 48, "the optional header")
    (dll_characteristics,) = fields.unpack("H", optional + 70, "the optional header")
    table = optional + (108 if wide else 92)
    directories = fields.integer(table, 4, "the optional header")
    room = max(0, (optional + optional_size - table - 4) // 8)
    return _Header(
        fields=fields,
        wide=wide,
        machine=_MACHINES.get(machine, f"machine {machine:#x}"),
        signature=signature,
        sections=count,
        section_table=optional + optional_size,
        symbol_table=symbols if symbol_count else 0,
        symbol_count=symbol_count,
        characteristics=characteristics,
        dll_characteristics=dll_characteristics,
        entry=entry,
        image_base=base,
        headers=fields.integer(optional + 60, 4, "the optional header"),
        subsystem=f"{major}.{minor}",
        directories=tuple(
            fields.unpack("II", table + 4 + 8 * at, "a data directory")
            for at in range(min(directories, room, 16))
        ),
    )


def _kind(head: _Header) -> Kind:
    if head.characteristics & 0x2000:
        return "shared"
    return "pie" if head.dll_characteristics & 0x40 else "exec"  # DYNAMIC_BASE


def _section(head: _Header, index: int, strings: int | None) -> Section:
    at = head.section_table + 40 * index
    memory, address, size, offset = head.fields.unpack("IIII", at + 8, "the section table")
    flags = head.fields.integer(at + 36, 4, "the section table")
    name = head.fields.fixed_text(at, 8, "a section's name")
    if name.startswith("/") and name[1:].isdigit() and strings is not None:
        name = head.fields.text(strings + int(name[1:]), "a section's long name")
    in_file = size if offset else 0
    if in_file:
        head.fields.check(offset, in_file, f"section {name}")
    is_debug = name.startswith((".debug_", ".zdebug_"))
    return Section(
        index=index,
        name=name,
        segment="",
        kind="nobits" if flags & _UNINITIALIZED and not in_file else "progbits",
        offset=offset,
        size_in_file=in_file,
        address=(head.image_base + address) & TOP,
        size_in_memory=memory or size,
        alloc=not is_debug and name != ".symtab",
        executable=bool(flags & (_EXECUTE | _CODE)),
        writable=bool(flags & _WRITE),
        is_debug=is_debug,
        compressed=name.startswith(".zdebug_"),
    )


def _segment(section: Section) -> Segment:
    """A section as the loader maps it: what the file pads beyond the memory size is not mapped."""
    return Segment(
        name=section.name,
        kind="load" if section.alloc else "discarded",
        offset=section.offset,
        size_in_file=min(section.size_in_file, section.size_in_memory),
        address=section.address,
        size_in_memory=section.size_in_memory,
        readable=True,
        writable=section.writable,
        executable=section.executable,
    )


def _extents(head: _Header, strings: int | None) -> tuple[Extent, ...]:
    fields = head.fields
    parts = [
        Extent("DOS header and stub", 0, head.signature),
        Extent("PE headers", head.signature, head.section_table - head.signature),
        Extent("section table", head.section_table, 40 * head.sections),
    ]
    if strings is not None:
        size = head.symbol_count * _SYMBOL
        fields.check(head.symbol_table, size, "the symbol table")
        parts.append(Extent("symbol table", head.symbol_table, size))
        if strings + 4 <= fields.size:
            length = fields.integer(strings, 4, "the string table")
            parts.append(Extent("string table", strings, min(length, fields.size - strings)))
    if len(head.directories) > _CERTIFICATES:
        # The one directory that names a file offset instead of an address.
        offset, size = head.directories[_CERTIFICATES]
        if size:
            fields.check(offset, size, "the certificate table")
            parts.append(Extent("certificates", offset, size))
    return tuple(part for part in parts if part.size > 0)


def _imports(head: _Header, sections: tuple[Section, ...]) -> Dynamic:
    system = f"windows {head.subsystem}"
    address, size = head.directories[_IMPORTS] if len(head.directories) > _IMPORTS else (0, 0)
    at = _mapped(head, sections, address) if size else None
    if at is None:
        return Dynamic(minimum_os=system)
    names: list[str] = []
    for _ in range(MAX_IMPORTS):
        lookup, _, _, name, thunk = head.fields.unpack("IIIII", at, "an import")
        if not (lookup or name or thunk):
            return Dynamic(present=True, needed=tuple(names), minimum_os=system)
        where = _mapped(head, sections, name)
        if where is None:
            raise FormatError(f"an imported library's name at {name:#x} is not mapped", offset=at)
        names.append(head.fields.text(where, "an imported library's name"))
        at += 20
    raise FormatError(f"imports over the cap of {MAX_IMPORTS}", offset=at)


def _mapped(head: _Header, sections: tuple[Section, ...], relative: int) -> int | None:
    address = head.image_base + relative
    for part in sections:
        if part.address <= address < part.address + min(part.size_in_file, part.size_in_memory):
            return part.offset + address - part.address
    return None


def _symbols(head: _Header, sections: tuple[Section, ...], strings: int | None) -> Symbols:
    if strings is None:
        return no_symbols(head.fields.array)
    dtype = np.dtype(
        [("zero", "<u4"), ("name", "<u4"), ("value", "<u4"), ("section", "<i2"), ("type", "<u2"),
         ("storage", "u1"), ("aux", "u1")]
    )  # fmt: skip
    rows = head.fields.records(dtype, head.symbol_table, head.symbol_count, "the symbol table")
    own = _without_auxiliary(rows["aux"])
    rows = rows[own]
    section = rows["section"].astype(np.int32) - 1
    section[section < UNDEFINED] = ABSOLUTE
    section[section >= len(sections)] = UNDEFINED
    starts = np.array([part.address for part in sections] or [0], np.uint64)
    base = np.where(section >= 0, starts[np.maximum(section, 0)], np.uint64(0))
    address = base + rows["value"].astype(np.uint64)
    inline = rows["zero"] != 0
    record = head.symbol_table + own * _SYMBOL
    end = head.fields.size
    named = np.minimum(strings + rows["name"].astype(np.int64), end)
    return Symbols(
        address=address,
        size=sizes_to_next(address, section, sections),
        section=section,
        kind=_symbol_kinds(rows["type"], rows["storage"], section, sections),
        name_offset=np.where(inline, record, named),
        name_limit=np.where(inline, record + 8, end),
        data=head.fields.array,
    )


def _without_auxiliary(aux: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Indices of the records that are symbols: each is followed by `aux` records that are not."""
    own = np.ones(len(aux), np.bool_)
    until = 0
    for at in np.flatnonzero(aux).tolist():
        if at >= until:
            until = at + 1 + int(aux[at])
            own[at + 1 : until] = False
    return np.flatnonzero(own).astype(np.int64)


def _symbol_kinds(
    kind: NDArray[np.uint16],
    storage: NDArray[np.uint8],
    section: NDArray[np.int32],
    sections: tuple[Section, ...],
) -> NDArray[np.uint8]:
    code = np.array([part.executable for part in sections] or [False])
    in_code = (section >= 0) & code[np.maximum(section, 0)]
    found = np.where(section >= 0, SymbolKind.OBJECT, SymbolKind.NONE).astype(np.uint8)
    found[in_code | (kind == 0x20)] = SymbolKind.FUNCTION
    found[storage == 103] = SymbolKind.FILE
    return found
