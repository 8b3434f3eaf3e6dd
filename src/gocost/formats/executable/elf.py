"""ELF: headers, symbol table, dynamic section and relocations.

Layout (System V gABI, chapters 4 and 5): a 52- or 64-byte header names the program header table
(what the loader maps) and the section header table (what linkers and tools see; may be missing).
The dynamic section is found through PT_DYNAMIC, so that it is read in a file without sections too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.elf_header import (
    MAX_HEADERS,
    Header,
    mapped,
    read_header,
    symbol_dtype,
)
from gocost.formats.executable.elf_relocations import read_relocations
from gocost.formats.executable.fields import Bytes, Fields
from gocost.formats.executable.interface import (
    ABSOLUTE,
    COMMON,
    UNDEFINED,
    Dynamic,
    Executable,
    Extent,
    Kind,
    Section,
    Segment,
    Symbols,
    VersionNeed,
    no_symbols,
)
from gocost.model.errors import FormatError

_OS_ABI = {2: "netbsd", 3: "linux", 6: "solaris", 9: "freebsd", 12: "openbsd"}
_INTERPRETER_OS = (
    ("/usr/libexec/ld-elf.so.2", "dragonfly"),
    ("/libexec/ld-elf.so", "freebsd"),
    ("/usr/libexec/ld.so", "openbsd"),
    ("/ld.elf_so", "netbsd"),
    ("/system/bin/linker", "android"),
    ("/lib/amd64/ld.so.1", "solaris"),
)
_SECTION_KINDS = {
    1: "progbits",
    2: "symtab",
    3: "strtab",
    4: "rela",
    5: "hash",
    6: "dynamic",
    7: "note",
    8: "nobits",
    9: "rel",
    11: "dynsym",
    14: "init_array",
    15: "fini_array",
    19: "relr",
    0x6FFFFFF6: "gnu_hash",
    0x6FFFFFFD: "verdef",
    0x6FFFFFFE: "verneed",
    0x6FFFFFFF: "versym",
}
_SEGMENT_KINDS = {
    1: "load",
    2: "dynamic",
    3: "interp",
    4: "note",
    6: "phdr",
    7: "tls",
    0x6474E550: "gnu_eh_frame",
    0x6474E551: "gnu_stack",
    0x6474E552: "gnu_relro",
    0x6474E553: "gnu_property",
}
_SHN_ABS, _SHN_COMMON = 0xFFF1, 0xFFF2
_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR, _SHF_COMPRESSED = 1, 2, 4, 0x800
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 14, 15, 29
_DT_FLAGS_1, _DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFB, 0x6FFFFFFE, 0x6FFFFFFF
_DF_1_PIE = 0x08000000


def open_elf(data: Bytes) -> Executable:
    """Reads the headers of an ELF file. Raises FormatError."""
    head = read_header(data)
    segments = _segments(head)
    sections = _sections(head)
    dynamic, tags = _dynamic(head, segments)
    loads = [part for part in segments if part.kind == "load"]
    by_kind = {section.kind: section for section in reversed(sections)}
    return Executable(
        data=data,
        container="elf",
        machine=head.machine,
        goos=_goos(head.abi, dynamic.interpreter, sections),
        pointer_size=8 if head.wide else 4,
        byte_order=head.fields.order,
        kind=_kind(head.type, dynamic),
        entry=head.entry,
        image_base=min((part.address for part in loads), default=0),
        sections=sections,
        segments=segments,
        extents=_extents(head),
        dynamic=dynamic,
        load_symbols=lambda: _symbols(head, sections, by_kind.get("symtab")),
        load_relocations=lambda: read_relocations(head, segments, tags),
    )


def _segments(head: Header) -> tuple[Segment, ...]:
    need = 56 if head.wide else 32
    if head.phnum and head.phentsize < need:
        raise FormatError(f"program headers of {head.phentsize} bytes, {need} expected", offset=54)
    segments = []
    for at in range(head.phnum):
        offset = head.phoff + at * head.phentsize
        if head.wide:
            kind, flags, start, address, _, size, memory, _ = head.fields.unpack(
                "IIQQQQQQ", offset, "a program header"
            )
        else:
            kind, start, address, _, size, memory, flags, _ = head.fields.unpack(
                "IIIIIIII", offset, "a program header"
            )
        name = _SEGMENT_KINDS.get(kind, f"type {kind:#x}")
        if name in ("load", "dynamic", "interp"):
            head.fields.check(start, size, f"the {name} segment {at}")
        segments.append(
            Segment(
                name=f"{name} {at}",
                kind=name,
                offset=start,
                size_in_file=size,
                address=address,
                size_in_memory=memory,
                readable=bool(flags & 4),
                writable=bool(flags & 2),
                executable=bool(flags & 1),
            )
        )
    return tuple(segments)


class _RawSection(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int


def _sections(head: Header) -> tuple[Section, ...]:
    need = 64 if head.wide else 40
    if head.shnum and head.shentsize < need:
        raise FormatError(f"section headers of {head.shentsize} bytes, {need} expected", offset=58)
    layout = "IIQQQQ" if head.wide else "IIIIII"
    raw = [
        _RawSection(
            *head.fields.unpack(layout, head.shoff + at * head.shentsize, "a section header")
        )
        for at in range(head.shnum)
    ]
    names = raw[head.shstrndx].offset if head.shstrndx < len(raw) else None
    return tuple(_section(head.fields, at, part, names) for at, part in enumerate(raw))


def _section(fields: Fields, index: int, raw: _RawSection, names: int | None) -> Section:
    name = "" if names is None else fields.text(names + raw.name, f"the name of section {index}")
    kind = _SECTION_KINDS.get(raw.kind, "null" if raw.kind == 0 else f"type {raw.kind:#x}")
    in_file = 0 if kind in ("nobits", "null") else raw.size
    if in_file:
        fields.check(raw.offset, in_file, f"section {name or index}")
    alloc = bool(raw.flags & _SHF_ALLOC)
    return Section(
        index=index,
        name=name,
        segment="",
        kind=kind,
        # What takes no file space may say any offset; it is kept inside the file.
        offset=min(raw.offset, fields.size),
        size_in_file=in_file,
        address=raw.address,
        size_in_memory=raw.size if alloc else 0,
        alloc=alloc,
        executable=bool(raw.flags & _SHF_EXECINSTR),
        writable=bool(raw.flags & _SHF_WRITE),
        is_debug=name.startswith((".debug_", ".zdebug_", ".gdb_index", ".gnu_debug")),
        compressed=bool(raw.flags & _SHF_COMPRESSED) or name.startswith(".zdebug_"),
    )


def _extents(head: Header) -> tuple[Extent, ...]:
    parts = (
        Extent("ELF header", 0, head.size or (64 if head.wide else 52)),
        Extent("program headers", head.phoff, head.phnum * head.phentsize),
        Extent("section headers", head.shoff, head.shnum * head.shentsize),
    )
    return tuple(part for part in parts if part.size and part.end <= head.fields.size)


def _kind(elf_type: int, dynamic: Dynamic) -> Kind:
    if elf_type == 1:
        return "object"
    if elf_type == 4:
        return "core"
    if elf_type == 2:
        return "exec"
    # ET_DYN is both: a library says its soname, a program has an interpreter or says DF_1_PIE.
    if dynamic.pie_flag or (dynamic.interpreter and not dynamic.soname):
        return "pie"
    return "shared"


def _goos(abi: int, interpreter: str, sections: tuple[Section, ...]) -> str:
    for prefix, goos in _INTERPRETER_OS:
        if prefix in interpreter:
            return goos
    for section in sections:
        for goos in ("netbsd", "openbsd", "dragonfly"):
            if section.name == f".note.{goos}.ident":
                return goos
    return _OS_ABI.get(abi, "linux" if abi == 0 else "")


def _dynamic(head: Header, segments: tuple[Segment, ...]) -> tuple[Dynamic, dict[int, int]]:
    interpreter = ""
    for part in segments:
        if part.kind == "interp" and part.size_in_file:
            interpreter = head.fields.fixed_text(
                part.offset, min(part.size_in_file, 4096), "the interpreter's path"
            )
    table = next((part for part in segments if part.kind == "dynamic"), None)
    if table is None:
        return Dynamic(interpreter=interpreter), {}
    entries = _dynamic_entries(head, table)
    tags: dict[int, int] = {}
    for tag, value in entries:
        tags.setdefault(tag, value)
    strings = mapped(segments, tags.get(_DT_STRTAB, 0))

    def texts(tag: int) -> tuple[str, ...]:
        if strings is None:
            return ()
        return tuple(
            head.fields.text(strings + value, "a dynamic string")
            for found, value in entries
            if found == tag
        )

    return (
        Dynamic(
            present=True,
            interpreter=interpreter,
            needed=texts(_DT_NEEDED),
            version_needs=tuple(_version_needs(head.fields, segments, tags, strings)),
            soname="".join(texts(_DT_SONAME)[:1]),
            rpath=texts(_DT_RPATH),
            runpath=texts(_DT_RUNPATH),
            pie_flag=bool(tags.get(_DT_FLAGS_1, 0) & _DF_1_PIE),
        ),
        tags,
    )


def _dynamic_entries(head: Header, table: Segment) -> list[tuple[int, int]]:
    width = 8 if head.wide else 4
    count = table.size_in_file // (2 * width)
    if count > MAX_HEADERS:
        raise FormatError(
            f"{count} dynamic entries, over the cap of {MAX_HEADERS}", offset=table.offset
        )
    words = head.fields.records(
        np.dtype(f"{head.fields.prefix}u{width}"), table.offset, 2 * count, "the dynamic section"
    ).tolist()
    pairs = list(zip(words[::2], words[1::2], strict=True))
    end = next((at for at, (tag, _) in enumerate(pairs) if tag == 0), len(pairs))
    return pairs[:end]


def _version_needs(
    fields: Fields, segments: tuple[Segment, ...], tags: dict[int, int], strings: int | None
) -> Iterator[VersionNeed]:
    at = mapped(segments, tags.get(_DT_VERNEED, 0))
    if at is None or strings is None or _DT_VERNEED not in tags:
        return
    left = MAX_HEADERS
    for _ in range(min(tags.get(_DT_VERNEEDNUM, 0), MAX_HEADERS)):
        _, count, library, aux, following = fields.unpack("HHIII", at, "a version need")
        name = fields.text(strings + library, "a needed library's name")
        entry = at + aux
        for _ in range(count):
            left -= 1
            if left < 0:
                raise FormatError(f"version needs over the cap of {MAX_HEADERS}", offset=at)
            _, _, _, text, step = fields.unpack("IHHII", entry, "a needed version")
            yield VersionNeed(name, fields.text(strings + text, "a needed version's name"))
            if not step:
                break
            entry += step
        if not following:
            return
        at += following


def _symbols(head: Header, sections: tuple[Section, ...], table: Section | None) -> Symbols:
    if table is None or not table.size_in_file:
        return no_symbols(head.fields.array)
    dtype = symbol_dtype(head)
    count = table.size_in_file // dtype.itemsize
    rows = head.fields.records(dtype, table.offset, count, "the symbol table")[1:]
    strings = _linked_strings(head, sections, table)
    kinds = np.array([0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 2, 0, 0, 0, 0, 0], np.uint8)
    return Symbols(
        address=rows["value"].astype(np.uint64),
        size=rows["size"].astype(np.uint64),
        section=_section_numbers(rows["shndx"].astype(np.int32), len(sections)),
        kind=kinds[rows["info"] & 15],
        name_offset=np.minimum(rows["name"].astype(np.int64) + strings.offset, strings.end),
        name_limit=np.full(len(rows), strings.end, np.int64),
        data=head.fields.array,
    )


def _section_numbers(raw: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    number = np.where((raw == 0) | (raw >= count), np.int32(UNDEFINED), raw)
    number[raw == _SHN_ABS] = ABSOLUTE
    number[raw == _SHN_COMMON] = COMMON
    return number


def _linked_strings(head: Header, sections: tuple[Section, ...], table: Section) -> Section:
    """The string table that a symbol table's header links to."""
    at = head.shoff + table.index * head.shentsize + (40 if head.wide else 24)
    link = head.fields.integer(at, 4, "a section header")
    if link >= len(sections) or sections[link].kind != "strtab":
        raise FormatError(
            f"the symbol table links to section {link}, not a string table", offset=at
        )
    return sections[link]
