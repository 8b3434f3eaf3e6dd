"""Writes small ELF files with a pclntab, moduledata and type data in them, stripped.

They open and are understood whole, so that what is mutated in them reaches every decoder.
"""

from __future__ import annotations

import struct
from typing import Literal

from fuzz.small_pclntab import small_pclntab
from fuzz.small_types import small_types

BASE = 0x400000
TEXT = 0x1000


def small_binary(version: str, width: int, order: Literal["little", "big"]) -> bytes:
    """An ELF file of the layouts that Go versions with pclntab `version` write."""
    maps = {"1.16": "buckets", "1.18": "buckets", "1.20": "slots"}[version]
    image, roots, itabs = small_types(width, order, maps, version == "1.16")
    types_at = 0x400
    types = _at(image.base, bytes(image.data), BASE + types_at, width, order)
    table_at = types_at + len(types) + -len(types) % 16
    text_at = table_at + 0x1000
    small = small_pclntab(version, width, order, text=BASE + text_at)
    assert len(small.data) < 0x1000 - 64
    code = b"\xcc" * sum(part.size + part.padding for part in small.functions)
    links_at = text_at + len(code) + -len(code) % 16
    p = "<" if order == "little" else ">"
    links = struct.pack(f"{p}{len(roots)}i", *roots)
    words = "Q" if width == 8 else "I"
    links += bytes(-len(links) % 8)
    itab_links = struct.pack(f"{p}{len(itabs)}{words}", *(BASE + types_at + at for at in itabs))
    module_at = links_at + len(links) + len(itab_links)
    module_at += -module_at % 8
    table = BASE + table_at
    end = BASE + module_at + 0x1000

    def part(start: int, stop: int, unit: int = 1) -> list[int]:
        return [table + start, (stop - start) // unit, (stop - start) // unit]

    module = [table]
    module += part(small.names, small.cutab) + part(small.cutab, small.files, 4)
    module += part(small.files, small.pctab) + part(small.pctab, small.functab)
    module += part(small.functab, small.functab + small.functab_size)
    module += [table + small.functab, len(small.functions) + 1, len(small.functions) + 1]
    module += [BASE + module_at, BASE + text_at, BASE + text_at + len(code)]
    module += [BASE + text_at, BASE + text_at + len(code)]
    module += [BASE + module_at, end] * (5 if version == "1.20" else 4)
    module += [end, BASE + types_at, BASE + types_at]
    module += [BASE + types_at, BASE + types_at + len(types)]
    if version != "1.16":
        module += [BASE + types_at, table + small.funcdata]
    module += [BASE + module_at, 1, 1, BASE + links_at, len(roots), len(roots)]
    module += [BASE + links_at + len(links), len(itabs), len(itabs)] + [0] * 8
    data = struct.pack(f"{p}{len(module)}{words}", *module)
    body = bytearray(module_at + len(data))
    for at, raw in (
        (types_at, types), (table_at, small.data), (text_at, code), (links_at, links + itab_links),
        (module_at, data),
    ):  # fmt: skip
        body[at : at + len(raw)] = raw
    head = _elf(width, p, len(body), text_at, text_at + len(code))
    body[: len(head)] = head
    return bytes(body)


def _at(old: int, raw: bytes, new: int, width: int, order: Literal["little", "big"]) -> bytes:
    """Type data moved to another address: every word that looks like an address in it is."""
    data = bytearray(raw)
    for at in range(0, len(data) - width + 1, 4):
        value = int.from_bytes(data[at : at + width], order)
        if old <= value < old + len(data) and value >= 1 << 20:
            data[at : at + width] = (value - old + new).to_bytes(width, order)
    return bytes(data)


def _elf(width: int, p: str, size: int, text: int, etext: int) -> bytes:
    """A header and three segments: read-only, code, writable."""
    machine = {(8, "<"): 62, (4, "<"): 3, (8, ">"): 22, (4, ">"): 8}[width, p]
    ident = b"\x7fELF" + bytes([2 if width == 8 else 1, 1 if p == "<" else 2, 1]) + bytes(9)
    word = "Q" if width == 8 else "I"
    sizes = (64, 56) if width == 8 else (52, 32)
    head = ident + struct.pack(
        f"{p}HHI3{word}IHHHHHH", 2, machine, 1, BASE + text, sizes[0], 0, 0, *sizes, 3, 0, 0, 0
    )
    for start, stop, flags in ((0, text, 4), (text, etext, 5), (etext, size, 6)):
        at, length = BASE + start, stop - start
        if width == 8:
            head += struct.pack(f"{p}II6Q", 1, flags, start, at, at, length, length, 0x1000)
        else:
            head += struct.pack(f"{p}8I", 1, start, at, at, length, length, flags, 0x1000)
    return head
