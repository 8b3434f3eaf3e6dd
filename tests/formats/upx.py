"""Executables packed the way UPX packs them, for machines that have no upx.

Laid out after UPX's own source (`p_unix.h`, `p_unix.cpp`, `p_lx_elf.cpp`, `packhead.cpp`,
`stub/src/include/header.S`): a header of two loaded parts, of which one is room to unpack into;
`l_info` and `p_info`; compressed blocks, each behind a `b_info`; the stub that unpacks; and a pack
header of 32 bytes. The mark `UPX!` stands in l_info, in the b_info that ends the blocks, and in the
pack header. The blocks are packed with zlib, which UPX has no number for: nobody here unpacks them.
"""

from __future__ import annotations

import struct
import zlib

MARK = b"UPX!"
VERSION = 13
STUB = bytes(range(1, 200))
BLOCK = 512 * 1024
PACK_HEADER = 32  # bytes


def packed(original: bytes) -> bytes:
    """The ELF, PE or Mach-O executable in packed form."""
    if original[:4] == b"\x7fELF":
        return _packed_elf(original)
    return _packed_pe(original) if original[:2] == b"MZ" else _packed_macho(original)


def packed_library(original: bytes) -> bytes:
    """An ELF shared library in packed form.

    Its first page stays as it is, for the loader to find the dynamic symbols in: the first mark
    comes behind them.
    """
    kept = bytearray(original[:8192].replace(MARK, b"\0\0\0\0"))
    kept[40:48] = bytes(8)  # e_shoff
    kept[60:64] = bytes(4)  # e_shnum, e_shstrndx
    return _with_blocks(bytes(kept), original)


def _packed_elf(original: bytes) -> bytes:
    """One part that holds all of the file and ends with the stub, and one to unpack into."""
    wide, order = original[4] == 2, "<" if original[5] == 1 else ">"
    word = "Q" if wide else "I"
    (machine,) = struct.unpack_from(f"{order}H", original, 18)
    sizes = (64, 56) if wide else (52, 32)
    base = 0x400000
    body = _with_blocks(bytes(sizes[0] + 2 * sizes[1]), original)
    size = len(body) - PACK_HEADER - 4
    entry = base + size - len(STUB)
    header = original[:16] + struct.pack(
        f"{order}HHI3{word}IHHHHHH", 2, machine, 1, entry, sizes[0], 0, 0, *sizes, 2, 0, 0, 0
    )
    room = base + size // 4096 * 4096 + 4096
    for address, in_file, in_memory, flags in ((base, size, size, 5), (room, 0, len(original), 6)):
        places = (0, address, address, in_file, in_memory)
        if wide:
            header += struct.pack(f"{order}II6Q", 1, flags, *places, 4096)
        else:
            header += struct.pack(f"{order}8I", 1, *places, flags, 4096)
    return header + body[len(header) :]


def _packed_macho(original: bytes) -> bytes:
    """A header whose commands are those of a program without libraries."""
    room = struct.pack("<II16s4Q4I", 0x19, 72, b"__PAGEZERO", 0, 1 << 32, 0, 0, 0, 0, 0, 0)
    code = struct.pack(
        "<II16s4Q4I", 0x19, 72, b"__TEXT", 1 << 32, len(original), 0, len(original), 7, 5, 0, 0
    )
    head = original[:12] + struct.pack("<5I", 2, 2, len(room + code), 1, 0)
    return _with_blocks(head + room + code, original)


def _with_blocks(header: bytes, original: bytes) -> bytes:
    """What follows the header in every format but PE."""
    body = header + struct.pack("<I4sHBB", zlib.adler32(STUB), MARK, len(STUB), VERSION, 22)
    start = len(body)
    body += struct.pack("<III", 0, len(original), BLOCK)
    for at in range(0, len(original), BLOCK):
        block = original[at : at + BLOCK]
        small = zlib.compress(block, 1)
        body += struct.pack("<IIBBBB", len(block), len(small), 2, 0, 0, 0) + small
    body += struct.pack("<I4sI", 0, MARK, 0) + STUB
    return body + _pack_header(original, body) + struct.pack("<I", start)


def _packed_pe(original: bytes) -> bytes:
    """Sections UPX0 (room) and UPX1; the pack header ends where UPX1 starts in the file."""
    (signature,) = struct.unpack_from("<I", original, 60)
    (optional,) = struct.unpack_from("<H", original, signature + 20)
    table = signature + 24 + optional
    head = bytearray(original[:table])
    struct.pack_into("<H4xII", head, signature + 6, 2, 0, 0)  # sections, and no symbol table
    small = zlib.compress(original, 1)
    small += bytes(-len(small) % 512)
    raw = 1024
    sections = struct.pack("<8s6IHHI", b"UPX0", len(original), 4096, 0, raw, 0, 0, 0, 0, 0xE0000080)
    at = 4096 + len(original) // 4096 * 4096 + 4096
    sections += struct.pack(
        "<8s6IHHI", b"UPX1", len(small), at, len(small), raw, 0, 0, 0, 0, 0xE0000040
    )
    body = bytes(head) + sections
    mark = b"4.24\0" + _pack_header(original, small)
    return body + bytes(raw - len(body) - len(mark)) + mark + small


def _pack_header(original: bytes, body: bytes) -> bytes:
    fields = (zlib.adler32(original), zlib.adler32(body), len(original), len(body), len(original))
    header = MARK + struct.pack("<4B5I3B", VERSION, 22, 2, 1, *fields, 0, 0, 0)
    return header + bytes([sum(header[4:]) % 251])
