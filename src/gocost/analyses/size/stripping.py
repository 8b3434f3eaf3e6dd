"""What leaving out DWARF (`-ldflags=-w`) and the symbol table (`-s`) would save, from the file.

The linker writes both behind what is loaded, so what they take is what the file would lose: their
bytes, in ELF their entries of the section table and their names, in PE all but the filling of a
section that stays, in Mach-O a segment and all symbols but the imported ones. Measured on 77 pairs
of files built with and without `-s -w` (tests/matrix): within 0.5% of it in ELF and PE, 3% in
Mach-O.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from gocost.analyses.size.kinds import Kind, of_extent, of_section
from gocost.formats.buildinfo import BuildInfo
from gocost.formats.executable.interface import UNDEFINED, Executable, Section

FILE_ALIGNMENT: Final = 512  # of PE files
ELF_HEADER: Final = {4: 40, 8: 64}  # bytes of an entry of the section table
MACHO_SYMBOL: Final = {4: 12, 8: 16}
MACHO_STRIPS: Final = 22  # Go 1.22's linker is the first to leave out symbols of Mach-O files


class Savings(msgspec.Struct, frozen=True):
    """Bytes that the file would be smaller by."""

    dwarf: int
    """With `-w`."""
    both: int
    """With `-s -w`."""


def savings(executable: Executable, info: BuildInfo | None) -> Savings:
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
    dwarf = sum(part.size_in_file for part in executable.segments if part.kind == "debug")
    return Savings(dwarf, dwarf + _macho_symbols(executable, info, outside))


def _macho_symbols(executable: Executable, info: BuildInfo | None, size: int) -> int:
    minor = _minor(info)
    if minor is not None and minor < MACHO_STRIPS:
        return 0
    symbols = executable.symbols()
    imported = np.flatnonzero(symbols.section == UNDEFINED)
    entry = MACHO_SYMBOL.get(executable.pointer_size, 16)
    kept = len(imported) * entry + int((symbols.name_lengths(imported) + 1).sum())
    return max(0, size - kept) if len(symbols) > len(imported) else 0


def _minor(info: BuildInfo | None) -> int | None:
    """21 of `go1.21.13`; None where it is not told."""
    parts = info.go_version.split(".") if info is not None else []
    digits = parts[1].rstrip("abcdefghijklmnopqrstuvwxyz") if len(parts) > 1 else ""
    digits = "".join(digit for digit in digits[:2] if digit.isdigit())
    return int(digits) if digits else None


def _cost(executable: Executable, sections: list[Section]) -> int:
    total = sum(section.size_in_file for section in sections)
    if executable.container == "elf":
        names = sum(len(section.name) + 1 for section in sections)
        total += len(sections) * ELF_HEADER.get(executable.pointer_size, 64) + names
    return total
