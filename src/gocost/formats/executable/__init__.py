"""Executables: one value (`Executable`) out of ELF, PE and Mach-O files.

with mapped_file(path) as data:          # sources: an mmap, or bytes
    image = open_executable(data)
    image.section(".gopclntab", "__gopclntab")
    image.symbols().names()
    image.pointer_at(address)
"""

from __future__ import annotations

import mmap

import numpy as np

from gocost.formats.executable.elf import open_elf
from gocost.formats.executable.elf_header import MAGIC as ELF_MAGIC
from gocost.formats.executable.fields import Bytes
from gocost.formats.executable.interface import (
    ABSOLUTE,
    COMMON,
    UNDEFINED,
    Dynamic,
    Executable,
    Extent,
    Relocations,
    Section,
    Segment,
    Slice,
    SymbolKind,
    Symbols,
    VersionNeed,
)
from gocost.formats.executable.macho import FAT_MAGICS as MACHO_FAT_MAGICS
from gocost.formats.executable.macho import MAGICS as MACHO_MAGICS
from gocost.formats.executable.macho import open_macho
from gocost.formats.executable.pe import MAGIC as PE_MAGIC
from gocost.formats.executable.pe import open_pe
from gocost.model.errors import FormatError

__all__ = [
    "ABSOLUTE",
    "COMMON",
    "UNDEFINED",
    "Dynamic",
    "Executable",
    "Extent",
    "Relocations",
    "Section",
    "Segment",
    "Slice",
    "SymbolKind",
    "Symbols",
    "VersionNeed",
    "as_array",
    "open_executable",
]


def as_array(data: bytes | bytearray | memoryview | mmap.mmap | Bytes) -> Bytes:
    """The buffer as a uint8 array that shares its memory."""
    if isinstance(data, np.ndarray):
        return data
    return np.frombuffer(data, np.uint8) if len(data) else np.zeros(0, np.uint8)


def open_executable(
    data: bytes | bytearray | memoryview | mmap.mmap | Bytes, machine: str | None = None
) -> Executable:
    """Reads the headers of an executable of any container.

    `machine` (GOARCH) chooses the slice of a fat Mach-O file. Raises FormatError for anything
    that is not a whole executable; formats.packers can then say what it is instead.
    """
    array = as_array(data)
    magic = bytes(array[:4])
    if magic == ELF_MAGIC:
        return open_elf(array)
    if magic in MACHO_MAGICS or magic in MACHO_FAT_MAGICS:
        return open_macho(array, machine)
    if magic[:2] == PE_MAGIC:
        return open_pe(array)
    raise FormatError("not an executable: neither ELF nor PE nor Mach-O", offset=0)
