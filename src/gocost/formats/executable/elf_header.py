"""The ELF header, and what the readers of its tables share.

Layout: System V gABI, chapter 4. 52 bytes in a 32-bit file, 64 in a 64-bit one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gocost.formats.executable.fields import ByteOrder, Bytes, Fields
from gocost.formats.executable.interface import Segment
from gocost.model.errors import FormatError

MAGIC = b"\x7fELF"
MAX_HEADERS = 65_536  # sections, program headers, dynamic entries, version needs

_SHN_XINDEX = 0xFFFF
_MACHINES = {
    3: "386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    43: "sparc64",
    62: "amd64",
    183: "arm64",
    243: "riscv64",
    258: "loong64",
}


class Header(NamedTuple):
    """The fields of the ELF header that are used."""

    fields: Fields
    wide: bool
    abi: int
    type: int
    machine: str
    entry: int
    size: int
    phoff: int
    phentsize: int
    phnum: int
    shoff: int
    shentsize: int
    shnum: int
    shstrndx: int


def read_header(data: Bytes) -> Header:
    ident = bytes(data[:16])
    if ident[:4] != MAGIC:
        raise FormatError("not an ELF file", offset=0)
    Fields(data, "little").check(0, 16, "the ELF header")
    if ident[4] not in (1, 2) or ident[5] not in (1, 2):
        raise FormatError("an ELF file of unknown class or byte order", offset=4)
    wide = ident[4] == 2
    order: ByteOrder = "little" if ident[5] == 1 else "big"
    fields = Fields(data, order)
    layout = "HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"
    (
        kind,
        machine,
        _,
        entry,
        phoff,
        shoff,
        _,
        size,
        phentsize,
        phnum,
        shentsize,
        shnum,
        shstrndx,
    ) = fields.unpack(layout, 16, "the ELF header")
    if shoff and (shnum == 0 or shstrndx == _SHN_XINDEX or phnum == 0xFFFF):
        # Counts that do not fit stand in the first section header.
        first = fields.unpack("IIQQQQII" if wide else "IIIIIIII", shoff, "the first section header")
        shnum = shnum or first[5]
        shstrndx = first[6] if shstrndx == _SHN_XINDEX else shstrndx
        phnum = first[7] if phnum == 0xFFFF else phnum
    if not shoff:
        shnum = 0
    for count, what in ((phnum, "program headers"), (shnum, "sections")):
        if count > MAX_HEADERS:
            raise FormatError(f"{count} {what}, over the cap of {MAX_HEADERS}", offset=16)
    name = _MACHINES.get(machine, f"machine {machine}")
    if order == "little" and name in ("mips", "ppc64"):
        name += "le"
    if wide and name.startswith("mips"):
        name = name.replace("mips", "mips64")
    return Header(
        fields, wide, ident[7], kind, name, entry, size, phoff, phentsize, phnum, shoff, shentsize,
        shnum, shstrndx,
    )  # fmt: skip


def mapped(segments: tuple[Segment, ...], address: int) -> int | None:
    """The file offset of an address, or None."""
    for part in segments:
        if part.kind == "load" and 0 <= address - part.address < part.size_in_file:
            return part.offset + address - part.address
    return None


def symbol_dtype(head: Header) -> np.dtype[Any]:
    p = head.fields.prefix
    if head.wide:
        return np.dtype(
            [("name", f"{p}u4"), ("info", "u1"), ("other", "u1"), ("shndx", f"{p}u2"),
             ("value", f"{p}u8"), ("size", f"{p}u8")]
        )  # fmt: skip
    return np.dtype(
        [("name", f"{p}u4"), ("value", f"{p}u4"), ("size", f"{p}u4"), ("info", "u1"),
         ("other", "u1"), ("shndx", f"{p}u2")]
    )  # fmt: skip
