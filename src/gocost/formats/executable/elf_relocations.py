"""The relocations of an ELF file that hold pointers which the file's own bytes do not.

Layout: System V gABI, chapter 4 (relocation), and each machine's supplement for the types. RELA
entries carry their addend; REL and RELR entries leave it in the file's bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.elf_header import Header, mapped, symbol_dtype
from gocost.formats.executable.interface import Relocations, Segment, no_relocations

_DT_SYMTAB, _DT_RELA, _DT_RELASZ, _DT_REL, _DT_RELSZ = 6, 7, 8, 17, 18

# Relocation types by machine: (target is the addend, target is symbol + addend).
_RELOCATIONS = {
    "amd64": (8, (1, 6)),
    "arm64": (1027, (257, 1025)),
    "386": (8, (1, 6)),
    "arm": (23, (2, 21)),
    "ppc64": (22, (38, 20)),
    "ppc64le": (22, (38, 20)),
    "riscv64": (3, (2,)),
    "s390x": (12, (22, 10)),
    "loong64": (3, (2,)),
}


def read_relocations(
    head: Header, segments: tuple[Segment, ...], tags: dict[int, int]
) -> Relocations:
    """RELA relative and symbolic pointers. REL and RELR keep their addends in the file's bytes."""
    types = _RELOCATIONS.get(head.machine)
    start = mapped(segments, tags.get(_DT_RELA, 0))
    size = tags.get(_DT_RELASZ, 0)
    if types is None or start is None or not size or _DT_RELA not in tags:
        return _symbolic_rel(head, segments, tags)
    relative, symbolic = types
    p = head.fields.prefix
    width = 8 if head.wide else 4
    dtype = np.dtype([("at", f"{p}u{width}"), ("info", f"{p}u{width}"), ("add", f"{p}u{width}")])
    rows = head.fields.records(dtype, start, size // dtype.itemsize, "the relocations")
    shift, mask = (32, 0xFFFFFFFF) if head.wide else (8, 0xFF)
    kind = rows["info"].astype(np.uint64) & np.uint64(mask)
    wanted = kind == relative
    by_symbol = np.isin(kind, symbolic)
    address = rows["at"][wanted].astype(np.uint64)
    target = rows["add"][wanted].astype(np.uint64)
    if by_symbol.any():
        number = (rows["info"][by_symbol].astype(np.uint64) >> np.uint64(shift)).astype(np.int64)
        value, defined = _dynamic_symbol_values(head, segments, tags, number)
        address = np.append(address, rows["at"][by_symbol].astype(np.uint64)[defined])
        target = np.append(target, (value + rows["add"][by_symbol].astype(np.uint64))[defined])
    return _sorted(address, target)


def _symbolic_rel(head: Header, segments: tuple[Segment, ...], tags: dict[int, int]) -> Relocations:
    """REL: a symbolic pointer is the symbol's value plus what the file's bytes say."""
    types = _RELOCATIONS.get(head.machine)
    start = mapped(segments, tags.get(_DT_REL, 0))
    if types is None or start is None or _DT_REL not in tags or head.wide:
        return no_relocations()
    p = head.fields.prefix
    dtype = np.dtype([("at", f"{p}u4"), ("info", f"{p}u4")])
    count = tags.get(_DT_RELSZ, 0) // dtype.itemsize
    rows = head.fields.records(dtype, start, count, "the relocations")
    rows = rows[np.isin(rows["info"] & 0xFF, types[1])]
    value, defined = _dynamic_symbol_values(
        head, segments, tags, (rows["info"] >> 8).astype(np.int64)
    )
    rows, value = rows[defined], value[defined]
    offsets = [mapped(segments, int(at)) for at in rows["at"]]
    addends = [0 if at is None else head.fields.integer(at, 4, "a pointer") for at in offsets]
    target = (value + np.array(addends, np.uint64)) & np.uint64(0xFFFFFFFF)
    return _sorted(rows["at"].astype(np.uint64), target)


def _dynamic_symbol_values(
    head: Header, segments: tuple[Segment, ...], tags: dict[int, int], number: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Values of dynamic symbols by number, and which of them this file itself defines."""
    start = mapped(segments, tags.get(_DT_SYMTAB, 0))
    if start is None or not len(number):
        return np.zeros(len(number), np.uint64), np.zeros(len(number), np.bool_)
    dtype = symbol_dtype(head)
    count = int(number.max()) + 1
    rows = head.fields.records(dtype, start, count, "the dynamic symbols")[number]
    return rows["value"].astype(np.uint64), rows["shndx"] != 0


def _sorted(address: NDArray[np.uint64], target: NDArray[np.uint64]) -> Relocations:
    if len(address) > 1 and not bool((address[1:] >= address[:-1]).all()):
        order = np.argsort(address, kind="stable")
        address, target = address[order], target[order]
    return Relocations(address, target)
