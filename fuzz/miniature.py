"""Shrinks real executables to a few KiB that still open, as seeds for fuzzing.

    python -m fuzz.miniature        # writes fuzz/corpus/executable from the tests' Go binaries

A file that is merely cut fails at its first check, and a decoder behind it is never reached. Here
the headers are kept, of each section only the first bytes, and sizes and offsets are rewritten to
match: sections, symbols, dynamic entries, relocations and build info stay readable.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from gocost.formats.executable import Executable, Section, open_executable

CORPUS = Path(__file__).parent / "corpus" / "executable"
SEEDS = (
    "linux-amd64", "linux-amd64-pie", "linux-amd64-cgo-pie", "linux-amd64-c-shared", "linux-386",
    "linux-s390x", "windows-amd64", "windows-386", "darwin-arm64", "darwin-amd64",
    "go1.16-linux-amd64", "go1.17-windows-amd64",
)  # fmt: skip
# Bytes kept of sections by name or kind; of every other one, _FEW.
_KEEP = {
    "dynamic": 512, "dynsym": 24 * 8, "verneed": 256, "rela": 24 * 6, "symtab": 24 * 8,
    ".dynstr": 2048, ".interp": 64, ".go.buildinfo": 1024, "__go_buildinfo": 1024, ".shstrtab": 512,
    ".strtab": 128, ".idata": 640, ".data": 768, "__data": 128,
}  # fmt: skip
_FEW = 16
_SLICES = ((0x0100000C, "darwin-arm64"), (0x01000007, "darwin-amd64"))  # CPU type and seed


def main() -> None:
    """Writes the seeds; those of further executables that are named as arguments too."""
    from tests.fixtures.binaries import binary

    CORPUS.mkdir(parents=True, exist_ok=True)
    given = {Path(argument).name: Path(argument) for argument in sys.argv[1:]}
    for name, path in {**given, **{name: binary(name) for name in SEEDS}}.items():
        data = path.read_bytes()
        image = open_executable(data)
        shrink = {"elf": _elf, "pe": _pe, "macho": _macho}[image.container]
        small = shrink(data, image)
        open_executable(small).symbols().names()
        (CORPUS / f"{name}.bin").write_bytes(small)
        print(f"{name}: {len(data):,} to {len(small):,} bytes")
    (CORPUS / "darwin-fat.bin").write_bytes(_fat())


def _fat() -> bytes:
    """Both darwin seeds as slices of one file."""
    slices = [(cpu, (CORPUS / f"{name}.bin").read_bytes()) for cpu, name in _SLICES]
    head, body = struct.pack(">II", 0xCAFEBABE, len(slices)), b""
    for cpu, data in slices:
        head += struct.pack(">IIIII", cpu, 0, 64 + len(body), len(data), 0)
        body += data
    return head.ljust(64, b"\0") + body


def _kept(section: Section) -> int:
    limit = _KEEP.get(section.name, _KEEP.get(section.kind, _FEW))
    return min(section.size_in_file, limit)


def _elf(data: bytes, image: Executable) -> bytes:
    """One PT_LOAD for each section that is kept, so that addresses still lead into the file."""
    wide, p = image.pointer_size == 8, "<" if image.byte_order == "little" else ">"
    head_size, ph_size, sh_size = (64, 56, 64) if wide else (52, 32, 40)
    sections = [part for part in image.sections if not part.is_debug]
    # Links are by number: what is dropped behind the last kept one leaves a hole of kind null.
    special = [part for part in image.segments if part.kind in ("dynamic", "interp")]
    loads = [part for part in sections if part.alloc and part.size_in_file]
    phnum, shnum = len(loads) + len(special), len(image.sections)
    shoff = head_size + phnum * ph_size
    body_at = shoff + shnum * sh_size
    body = bytearray()
    place: dict[int, tuple[int, int]] = {}
    for part in sections:
        place[part.index] = (body_at + len(body), _kept(part))
        kept = bytearray(data[part.offset : part.offset + _kept(part)])
        if part.kind == "dynamic":
            _shorten_relocations(kept, p, wide, sections)
        body += kept
    old_shoff = struct.unpack_from(f"{p}Q" if wide else f"{p}I", data, 40 if wide else 32)[0]
    headers = bytearray()
    for part in image.sections:
        raw = bytearray(data[old_shoff + part.index * sh_size :][:sh_size])
        if part.index not in place:
            raw = bytearray(sh_size)
        elif part.size_in_file:
            struct.pack_into(
                f"{p}QQ" if wide else f"{p}II", raw, 24 if wide else 16, *place[part.index]
            )
        headers += raw
    segments = bytearray()
    for part in loads:
        offset, size = place[part.index]
        flags = 4 | (2 if part.writable else 0) | (1 if part.executable else 0)
        segments += _program_header(p, wide, 1, flags, offset, part.address, size)
    for segment in special:
        home = next(part for part in loads if part.address == segment.address)
        offset, size = place[home.index]
        kind = 2 if segment.kind == "dynamic" else 3
        segments += _program_header(p, wide, kind, 4, offset, segment.address, size)
    head = bytearray(data[:head_size])
    struct.pack_into(f"{p}QQ" if wide else f"{p}II", head, 32 if wide else 28, head_size, shoff)
    struct.pack_into(f"{p}H", head, 56 if wide else 44, phnum)
    return bytes(head + segments + headers + body)


def _shorten_relocations(dynamic: bytearray, p: str, wide: bool, sections: list[Section]) -> None:
    """DT_RELASZ says how many relocations were kept."""
    word = f"{p}Q" if wide else f"{p}I"
    width = 8 if wide else 4
    kept = next((_kept(part) for part in sections if part.kind == "rela"), 0)
    for at in range(0, len(dynamic) - width, 2 * width):
        if struct.unpack_from(word, dynamic, at)[0] == 8:
            struct.pack_into(word, dynamic, at + width, kept)


def _program_header(
    p: str, wide: bool, kind: int, flags: int, offset: int, address: int, size: int
) -> bytes:
    if wide:
        return struct.pack(f"{p}IIQQQQQQ", kind, flags, offset, address, address, size, size, 1)
    return struct.pack(f"{p}IIIIIIII", kind, offset, address, address, size, size, flags, 1)


def _pe(data: bytes, image: Executable) -> bytes:
    """The section table with shorter sections, ten symbols and no further directories."""
    signature = struct.unpack_from("<I", data, 0x3C)[0]
    count, optional = (struct.unpack_from("<H", data, signature + at)[0] for at in (6, 20))
    table = signature + 24 + optional
    head = bytearray(data[: table + 40 * count])
    body = bytearray()
    for section in image.sections:
        at = table + 40 * section.index
        raw = data[section.offset : section.offset + _kept(section)]
        struct.pack_into("<I", head, at + 8, len(raw) or section.size_in_memory)
        struct.pack_into("<II", head, at + 16, len(raw), len(head) + len(body) if raw else 0)
        body += raw
    symbols, number = struct.unpack_from("<II", data, signature + 12)
    if symbols:
        start = symbols + 18 * number
        struct.pack_into("<II", head, signature + 12, len(head) + len(body), 10)
        body += (
            data[symbols : symbols + 180] + struct.pack("<I", 260) + data[start + 4 : start + 260]
        )
    return bytes(head + body)


def _macho(data: bytes, image: Executable) -> bytes:
    """The load commands with shorter sections; segments hold just what is kept of theirs."""
    commands, size = struct.unpack_from("<II", data, 16)
    head = bytearray(data[: 32 + size])
    body = bytearray()
    sections = iter(image.sections)
    at = 32
    for _ in range(commands):
        command, length = struct.unpack_from("<II", head, at)
        if command == 0x19:
            start = len(head) + len(body)
            for number in range(struct.unpack_from("<I", head, at + 64)[0]):
                section = next(sections)
                field = at + 72 + 80 * number
                raw = data[section.offset : section.offset + _kept(section)]
                offset = len(head) + len(body) if raw else 0
                struct.pack_into(
                    "<QI", head, field + 40, len(raw) or section.size_in_memory, offset
                )
                body += raw
            struct.pack_into("<QQ", head, at + 40, start, len(head) + len(body) - start)
        elif command == 0x2:
            table, _, strings, _ = struct.unpack_from("<IIII", data, at + 8)
            where = len(head) + len(body)
            struct.pack_into("<IIII", head, at + 8, where, 10, where + 160, 256)
            # Padded, so that ten symbols and 256 bytes of names are there in a small file too.
            body += data[table : table + 160].ljust(160, b"\0")
            body += data[strings : strings + 256].ljust(256, b"\0")
        elif command == 0x80000034:
            table, length_of = struct.unpack_from("<II", data, at + 8)
            struct.pack_into("<I", head, at + 8, len(head) + len(body))
            body += data[table : table + length_of]
        elif command in (0xB, 0x22, 0x80000022, 0x1D, 0x26, 0x80000033):
            head[at + 8 : at + length] = bytes(length - 8)
        at += length
    return bytes(head + body)


if __name__ == "__main__":
    main()
