"""What the bytes of an executable can be, and what a container's own names say about it."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from gocost.formats.executable.interface import Section, Segment


class Kind(IntEnum):
    """What a byte is there for. `label` is the word of the tables."""

    CODE = 0
    PCLNTAB = 1
    TYPES = 2
    READ_ONLY = 3
    DATA = 4
    EMBEDDED = 5
    DWARF = 6
    SYMBOLS = 7
    DYNAMIC = 8
    UNWIND = 9
    BUILD_INFO = 10
    HEADER = 11
    CONTAINER = 12
    PADDING = 13
    UNKNOWN = 14

    @property
    def label(self) -> str:
        """The kind as tables name it."""
        return LABELS[self]

    @property
    def meaning(self) -> str:
        """One line for people who have not met it."""
        return MEANINGS[self]


LABELS: Final = {
    Kind.CODE: "code",
    Kind.PCLNTAB: "pclntab",
    Kind.TYPES: "type data",
    Kind.READ_ONLY: "strings and read-only data",
    Kind.DATA: "data",
    Kind.EMBEDDED: "embedded files",
    Kind.DWARF: "DWARF",
    Kind.SYMBOLS: "symbol table",
    Kind.DYNAMIC: "dynamic linking",
    Kind.UNWIND: "unwind information",
    Kind.BUILD_INFO: "build information",
    Kind.HEADER: "header",
    Kind.CONTAINER: "container",
    Kind.PADDING: "padding",
    Kind.UNKNOWN: "unknown",
}

MEANINGS: Final = {
    Kind.CODE: "machine code",
    Kind.PCLNTAB: "what describes functions: names, lines, stack maps, inlining",
    Kind.TYPES: "type descriptors, itabs and their names, for interfaces and reflection",
    Kind.READ_ONLY: "string constants, tables and other constant data",
    Kind.DATA: "initialised variables",
    Kind.EMBEDDED: "files taken in by //go:embed",
    Kind.DWARF: "debug information; `-ldflags=-w` leaves it out",
    Kind.SYMBOLS: "the symbol table; `-ldflags=-s` leaves it out",
    Kind.DYNAMIC: "what the loader needs: dynamic symbols, relocations, stubs",
    Kind.UNWIND: "stack unwinding tables",
    Kind.BUILD_INFO: "modules and settings of the build, and the build's id",
    Kind.HEADER: "the container's headers",
    Kind.CONTAINER: "other parts of the container, such as signatures and resources",
    Kind.PADDING: "zeros between parts, and filling between functions",
    Kind.UNKNOWN: "bytes that nothing in the file explains",
}

_DYNAMIC = (
    ".interp",
    ".dyn",
    ".rel",
    ".gnu.version",
    ".gnu.hash",
    ".hash",
    ".got",
    ".plt",
    ".idata",
    ".edata",
    ".reloc",
    ".init_array",
    ".fini_array",
    ".ctors",
    ".dtors",
    "__got",
    "__stubs",
    "__symbol_stub",
    "__picsymbolstub",
    "__la_symbol_ptr",
    "__nl_symbol_ptr",
    "__stub_helper",
    "__mod_init_func",
    "__init_offsets",
)
_UNWIND = (
    ".eh_frame",
    ".gcc_except_table",
    ".pdata",
    ".xdata",
    ".ARM.ex",
    "__unwind",
    "__eh_frame",
)
_BUILD_INFO = (".go.buildinfo", "__go_buildinfo", ".note", "__go_fipsinfo", ".go.fipsinfo")
_TYPES = (".typelink", ".itablink", ".go.type", "__typelink", "__itablink", "__go_type")
_SYMBOLS = (".symtab", ".strtab", "symtab", "strtab")
_RESOURCES = (".rsrc",)


def of_section(section: Section, container: str) -> Kind:
    """What a section's name and flags say that it holds."""
    name = section.name.removeprefix(".data.rel.ro") if section.name != ".data.rel.ro" else ""
    if section.is_debug or name.startswith((".debug", ".zdebug", "__debug", "__zdebug")):
        return Kind.DWARF
    if section.kind in ("symtab", "strtab") and not section.alloc:
        return Kind.HEADER if name == ".shstrtab" else Kind.SYMBOLS
    if name in _SYMBOLS and (container != "macho" or section.size_in_file):
        return Kind.SYMBOLS
    if name.startswith(_BUILD_INFO):
        return Kind.BUILD_INFO
    if name.startswith(_TYPES):
        return Kind.TYPES
    if "pclntab" in name:
        return Kind.PCLNTAB
    if name.startswith(_UNWIND):
        return Kind.UNWIND
    if name.startswith(_DYNAMIC):
        return Kind.DYNAMIC
    if name.startswith(_RESOURCES):
        return Kind.CONTAINER
    return _of_flags(alloc=section.alloc, executable=section.executable, writable=section.writable)


def of_segment(segment: Segment) -> Kind:
    """What a part of the file holds of which only the loader's view is known."""
    if segment.kind != "load":
        return Kind.DYNAMIC
    return _of_flags(alloc=True, executable=segment.executable, writable=segment.writable)


def _of_flags(*, alloc: bool, executable: bool, writable: bool) -> Kind:
    if not alloc:
        return Kind.CONTAINER
    if executable:
        return Kind.CODE
    return Kind.DATA if writable else Kind.READ_ONLY


def of_extent(name: str) -> Kind:
    """What a part outside the sections holds, by the name the header readers give it."""
    lower = name.lower()
    if "symbol table" in lower or "string table" in lower:
        return Kind.SYMBOLS
    if any(word in lower for word in ("relocation", "rebase", "binding", "fixup", "indirect")):
        return Kind.DYNAMIC
    if "export" in lower:
        return Kind.DYNAMIC
    if any(word in lower for word in ("header", "section table", "load command", "stub")):
        return Kind.HEADER
    return Kind.CONTAINER
