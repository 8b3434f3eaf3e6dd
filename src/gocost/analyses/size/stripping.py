"""What leaving out DWARF (`-ldflags=-w`) and the symbol table (`-s`) would save, from the file.

The linker writes both behind what is loaded, so what they take is what the file would lose: their
bytes, the alignment before them, and in ELF their entries of the section table and their names.
"""

from __future__ import annotations

from typing import Final

import msgspec

from gocost.analyses.size.kinds import Kind, of_extent, of_section
from gocost.formats.executable.interface import Executable, Section

FILE_ALIGNMENT: Final = 512  # of PE files
ELF_HEADER: Final = {4: 40, 8: 64}  # bytes of an entry of the section table


class Savings(msgspec.Struct, frozen=True):
    """Bytes that the file would be smaller by."""

    dwarf: int
    """With `-w`."""
    both: int
    """With `-s -w`."""


def savings(executable: Executable) -> Savings:
    """What stripping would save; 0 where there is nothing left to strip."""
    debug, symbols = [], []
    for section in executable.sections:
        kind = of_section(section, executable.container)
        if kind == Kind.DWARF:
            debug.append(section)
        elif kind == Kind.SYMBOLS and not section.alloc:
            symbols.append(section)
    dwarf = _cost(executable, debug)
    if executable.container == "elf":
        return Savings(dwarf, dwarf + _cost(executable, symbols))
    outside = sum(part.size for part in executable.extents if of_extent(part.name) == Kind.SYMBOLS)
    if executable.container == "pe":
        inside = [s for s in executable.sections if s.name == ".symtab" and s.size_in_file]
        # The section stays with nothing in it but filling.
        size = max(outside, sum(s.size_in_file for s in inside))
        return Savings(dwarf, dwarf + max(0, size - FILE_ALIGNMENT))
    # Mach-O: the loader's symbols stay; what stays cannot be told from the file before it is made.
    return Savings(dwarf, dwarf + outside)


def _cost(executable: Executable, sections: list[Section]) -> int:
    total = sum(section.size_in_file for section in sections)
    if executable.container == "elf":
        names = sum(len(section.name) + 1 for section in sections)
        total += len(sections) * ELF_HEADER.get(executable.pointer_size, 64) + names
    return total
