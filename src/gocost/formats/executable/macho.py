"""Mach-O (macOS, iOS), thin and fat: load commands, symbol table and pointer fixups.

Layout (`mach-o/loader.h`, `mach-o/fat.h`, `mach-o/fixup-chains.h`): a 28- or 32-byte header,
then load commands that name segments (with their sections) and the tables of __LINKEDIT. A fat
file is a big-endian list of such files. Since macOS 12 linkers store pointers as chains of packed
words (LC_DYLD_CHAINED_FIXUPS); Go's own linker writes plain pointers.
"""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from gocost.formats.executable.fields import Bytes, Fields
from gocost.formats.executable.fixup_chains import read_fixups
from gocost.formats.executable.interface import (
    ABSOLUTE,
    UNDEFINED,
    Dynamic,
    Executable,
    Extent,
    Kind,
    Section,
    Segment,
    Slice,
    SymbolKind,
    Symbols,
    no_symbols,
    sizes_to_next,
)
from gocost.model.errors import FormatError

MAGICS = (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
FAT_MAGICS = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
MAX_SLICES = 32  # also what tells a fat file from a Java class, whose version stands there
MAX_COMMANDS = 16_384
MAX_SECTIONS = 65_536

_MACHINES = {
    7: "386",
    0x1000007: "amd64",
    12: "arm",
    0x100000C: "arm64",
    18: "ppc",
    0x1000012: "ppc64",
}
_KINDS: dict[int, Kind] = {1: "object", 2: "exec", 4: "core", 6: "shared", 8: "shared"}
_PLATFORMS = {1: "macos", 2: "ios", 3: "tvos", 4: "watchos", 6: "maccatalyst"}
_VERSION_MIN = {0x24: "macos", 0x25: "ios", 0x2F: "tvos", 0x30: "watchos"}
_ZERO_FILL = (0x1, 0xC, 0x12)
_DYLIBS = (0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023)  # load, weak, re-export, lazy, upward
_SEGMENT, _SYMTAB, _THREAD, _DYSYMTAB, _DYLIB_ID, _LINKER = 0x1, 0x2, 0x5, 0xB, 0xD, 0xE
_SEGMENT_64, _RPATH, _MAIN, _BUILD_VERSION = 0x19, 0x8000001C, 0x80000028, 0x32
_DYLD_INFO, _DYLD_INFO_ONLY, _CHAINED_FIXUPS = 0x22, 0x80000022, 0x80000034
_LINKEDIT_DATA = {
    0x1D: "code signature",
    0x1E: "segment split info",
    0x26: "function starts",
    0x29: "data in code",
    0x2B: "code signing requirements",
    0x2E: "linker optimization hints",
    0x80000033: "exports trie",
    _CHAINED_FIXUPS: "chained fixups",
}
_N_STAB, _N_TYPE, _N_ABS, _N_SECT = 0xE0, 0x0E, 0x02, 0x0E


class _Image(msgspec.Struct):
    """What the load commands said so far; offsets count from the start of the slice."""

    fields: Fields
    wide: bool
    segments: list[Segment] = []
    sections: list[Section] = []
    extents: list[Extent] = []
    needed: list[str] = []
    rpath: list[str] = []
    linker: str = ""
    soname: str = ""
    platform: str = ""
    minimum_os: str = ""
    main: int | None = None
    thread_entry: int = 0
    symbols: tuple[int, int, int, int] | None = None
    fixups: Extent | None = None

    @property
    def base(self) -> int:
        return next((part.address for part in self.segments if part.name == "__TEXT"), 0)


def open_macho(data: Bytes, machine: str | None = None) -> Executable:
    """Reads the headers of a Mach-O file. Raises FormatError.

    Of a fat file it takes the slice for `machine` (GOARCH), by default the first, as the go
    command does.
    """
    if bytes(data[:4]) in FAT_MAGICS:
        return _open_fat(data, machine)
    return _open_slice(data, 0, len(data))


def _open_fat(data: Bytes, machine: str | None) -> Executable:
    fields = Fields(data, "big")
    wide = bytes(data[:4]) == FAT_MAGICS[1]
    count = fields.integer(4, 4, "the fat header")
    if not 0 < count <= MAX_SLICES:
        raise FormatError(f"a fat file of {count} slices, over the cap of {MAX_SLICES}", offset=4)
    step = 32 if wide else 20
    slices = []
    for at in range(count):
        cpu, _, offset, size = fields.unpack("IIQQ" if wide else "IIII", 8 + at * step, "a slice")
        fields.check(offset, size, "a slice")
        slices.append(Slice(_MACHINES.get(cpu, f"machine {cpu:#x}"), offset, size, chosen=False))
    wanted = [at for at, part in enumerate(slices) if machine in (None, part.machine)]
    if not wanted:
        have = ", ".join(part.machine for part in slices)
        raise FormatError(f"no slice for {machine} in this fat file", hint=f"it has {have}")
    slices[wanted[0]] = replace(slices[wanted[0]], chosen=True)
    taken = slices[wanted[0]]
    image = _open_slice(data, taken.offset, taken.size)
    others = [
        Extent(f"slice {part.machine}", part.offset, part.size)
        for part in slices
        if not part.chosen
    ]
    return replace(
        image,
        slices=tuple(slices),
        extents=(Extent("fat header", 0, 8 + count * step), *image.extents, *others),
    )


def _open_slice(data: Bytes, start: int, size: int) -> Executable:
    part = data[start : start + size]
    magic = bytes(part[:4])
    if magic not in MAGICS:
        raise FormatError("not a Mach-O file", offset=start)
    fields = Fields(part, "big" if magic[0] == 0xFE else "little")
    cpu, _, kind, count, commands, flags = fields.unpack("IIIIII", 4, "the Mach-O header")
    wide = 0xCF in (magic[0], magic[3])
    image = _Image(fields, wide)
    first = 32 if wide else 28
    fields.check(first, commands, "the load commands")
    if count > MAX_COMMANDS:
        raise FormatError(f"{count} load commands, over the cap of {MAX_COMMANDS}", offset=16)
    image.extents += [Extent("Mach-O header", 0, first), Extent("load commands", first, commands)]
    _read_commands(image, first, count, first + commands)
    sections = tuple(replace(one, offset=one.offset + start) for one in image.sections)
    found: Kind = _KINDS.get(kind, "exec")
    return Executable(
        data=data,
        container="macho",
        machine=_MACHINES.get(cpu, f"machine {cpu:#x}"),
        goos="ios" if image.platform == "ios" else "darwin",
        pointer_size=8 if wide else 4,
        byte_order=fields.order,
        kind="pie" if found == "exec" and flags & 0x200000 else found,
        entry=image.thread_entry if image.main is None else image.base + image.main,
        image_base=image.base,
        sections=sections,
        segments=tuple(replace(one, offset=one.offset + start) for one in image.segments),
        extents=tuple(replace(one, offset=one.offset + start) for one in image.extents if one.size),
        dynamic=Dynamic(
            present=bool(image.linker or image.needed),
            interpreter=image.linker,
            needed=tuple(image.needed),
            soname=image.soname,
            rpath=tuple(image.rpath),
            minimum_os=image.minimum_os,
        ),
        load_symbols=lambda: _symbols(image, data, start, sections),
        load_relocations=lambda: read_fixups(fields, image.segments, image.base, image.fixups),
    )


def _read_commands(image: _Image, at: int, count: int, end: int) -> None:
    for _ in range(count):
        command, size = image.fields.unpack("II", at, "a load command")
        if size < 8 or at + size > end:
            raise FormatError(f"a load command of {size} bytes does not fit", offset=at)
        _read_command(image, command, at, size)
        at += size


def _read_command(image: _Image, command: int, at: int, size: int) -> None:
    fields = image.fields
    if command in (_SEGMENT, _SEGMENT_64):
        _read_segment(image, at, wide=command == _SEGMENT_64)
    elif command == _SYMTAB:
        symbols, count, strings, length = fields.unpack("IIII", at + 8, "LC_SYMTAB")
        image.symbols = (symbols, count, strings, length)
        _extent(image, "symbol table", symbols, count * (16 if image.wide else 12))
        _extent(image, "string table", strings, length)
    elif command == _DYSYMTAB:
        words = fields.unpack("6I", at + 56, "LC_DYSYMTAB")
        _extent(image, "indirect symbols", words[0], words[1] * 4)
        _extent(image, "external relocations", words[2], words[3] * 8)
        _extent(image, "local relocations", words[4], words[5] * 8)
    elif command in (_DYLD_INFO, _DYLD_INFO_ONLY):
        words = fields.unpack("10I", at + 8, "LC_DYLD_INFO")
        names = (
            "rebase info",
            "binding info",
            "weak binding info",
            "lazy binding info",
            "export info",
        )
        for number, name in enumerate(names):
            _extent(image, name, words[2 * number], words[2 * number + 1])
    elif command in _LINKEDIT_DATA:
        offset, length = fields.unpack("II", at + 8, "a load command")
        _extent(image, _LINKEDIT_DATA[command], offset, length)
        if command == _CHAINED_FIXUPS and length:
            image.fixups = Extent("chained fixups", offset, length)
    else:
        _read_dynamic_command(image, command, at, size)


def _read_dynamic_command(image: _Image, command: int, at: int, size: int) -> None:
    fields = image.fields
    if command in _DYLIBS:
        image.needed.append(_command_text(fields, at, size))
    elif command == _RPATH:
        image.rpath.append(_command_text(fields, at, size))
    elif command == _LINKER:
        image.linker = _command_text(fields, at, size)
    elif command == _DYLIB_ID:
        image.soname = _command_text(fields, at, size)
    elif command == _BUILD_VERSION:
        platform, oldest = fields.unpack("II", at + 8, "LC_BUILD_VERSION")
        image.platform = _PLATFORMS.get(platform, f"platform {platform}")
        image.minimum_os = f"{image.platform} {_version(oldest)}"
    elif command in _VERSION_MIN:
        image.platform = _VERSION_MIN[command]
        (oldest,) = fields.unpack("I", at + 8, "LC_VERSION_MIN")
        image.minimum_os = f"{image.platform} {_version(oldest)}"
    elif command == _MAIN:
        (image.main,) = fields.unpack("Q", at + 8, "LC_MAIN")
    elif command == _THREAD:
        (flavor,) = fields.unpack("I", at + 8, "LC_UNIXTHREAD")
        # Where the program counter stands among the registers: x86-64 rip, arm64 pc.
        counter = {4: 16, 6: 32}.get(flavor)
        if counter is not None and image.wide:
            image.thread_entry = fields.integer(at + 16 + 8 * counter, 8, "LC_UNIXTHREAD")


def _read_segment(image: _Image, at: int, *, wide: bool) -> None:
    fields = image.fields
    name = fields.fixed_text(at + 8, 16, "a segment's name")
    address, memory, offset, size, _, protection, count, _ = fields.unpack(
        "QQQQIIII" if wide else "IIIIIIII", at + 24, "a segment"
    )
    fields.check(offset, size, f"segment {name}")
    image.segments.append(
        Segment(
            name=name,
            kind="debug" if name == "__DWARF" else "load" if name != "__PAGEZERO" else "guard",
            offset=offset,
            size_in_file=size,
            address=address,
            size_in_memory=memory,
            readable=bool(protection & 1),
            writable=bool(protection & 2),
            executable=bool(protection & 4),
        )
    )
    if len(image.sections) + count > MAX_SECTIONS:
        raise FormatError(f"sections over the cap of {MAX_SECTIONS}", offset=at)
    step = 80 if wide else 68
    first = at + (72 if wide else 56)
    for number in range(count):
        _read_section(image, first + number * step, wide=wide, writable=bool(protection & 2))


def _read_section(image: _Image, at: int, *, wide: bool, writable: bool) -> None:
    fields = image.fields
    name = fields.fixed_text(at, 16, "a section's name")
    segment = fields.fixed_text(at + 16, 16, "a section's segment")
    address, memory, offset, _, relocations, relocation_count, flags = fields.unpack(
        "QQIIIII" if wide else "IIIIIII", at + 32, "a section"
    )
    empty = flags & 0xFF in _ZERO_FILL
    if not empty:
        fields.check(offset, memory, f"section {segment},{name}")
    _extent(image, f"relocations of {name}", relocations, relocation_count * 8)
    is_debug = segment == "__DWARF" or name.startswith(("__debug_", "__zdebug_"))
    image.sections.append(
        Section(
            index=len(image.sections),
            name=name,
            segment=segment,
            kind="nobits" if empty else "progbits",
            offset=0 if empty else offset,
            size_in_file=0 if empty else memory,
            address=address,
            size_in_memory=0 if is_debug else memory,
            alloc=not is_debug,
            executable=bool(flags & 0x80000400),  # pure or some instructions
            writable=writable,
            is_debug=is_debug,
            compressed=name.startswith("__zdebug_"),
        )
    )


def _extent(image: _Image, name: str, offset: int, size: int) -> None:
    if size:
        image.fields.check(offset, size, f"the {name}")
        image.extents.append(Extent(name, offset, size))


def _command_text(fields: Fields, at: int, size: int) -> str:
    start = fields.integer(at + 8, 4, "a load command")
    if not 12 <= start <= size:
        raise FormatError("a load command's text lies outside it", offset=at)
    return fields.fixed_text(at + start, size - start, "a load command")


def _version(packed: int) -> str:
    return f"{packed >> 16}.{packed >> 8 & 0xFF}"


def _symbols(image: _Image, data: Bytes, start: int, sections: tuple[Section, ...]) -> Symbols:
    if image.symbols is None or not image.symbols[1]:
        return no_symbols(data)
    table, count, strings, length = image.symbols
    p = image.fields.prefix
    dtype = np.dtype(
        [("name", f"{p}u4"), ("type", "u1"), ("section", "u1"), ("description", f"{p}u2"),
         ("value", f"{p}u{8 if image.wide else 4}")]
    )  # fmt: skip
    rows = image.fields.records(dtype, table, count, "the symbol table")
    kind = rows["type"]
    section = np.full(count, UNDEFINED, np.int32)
    defined = (kind & _N_TYPE == _N_SECT) & (rows["section"] <= len(sections))
    section[defined] = rows["section"][defined].astype(np.int32) - 1
    section[kind & _N_TYPE == _N_ABS] = ABSOLUTE
    debug = kind & _N_STAB != 0
    section[debug] = UNDEFINED
    address = rows["value"].astype(np.uint64)
    end = start + strings + length
    return Symbols(
        address=address,
        size=sizes_to_next(address, section, sections),
        section=section,
        kind=_symbol_kinds(section, debug, sections),
        name_offset=np.minimum(start + strings + rows["name"].astype(np.int64), end),
        name_limit=np.full(count, end, np.int64),
        data=data,
        underscored=True,
    )


def _symbol_kinds(
    section: NDArray[np.int32], debug: NDArray[np.bool_], sections: tuple[Section, ...]
) -> NDArray[np.uint8]:
    code = np.array([part.executable for part in sections] or [False])
    kind = np.where(section >= 0, SymbolKind.OBJECT, SymbolKind.NONE).astype(np.uint8)
    kind[(section >= 0) & code[np.maximum(section, 0)]] = SymbolKind.FUNCTION
    kind[debug] = SymbolKind.DEBUG
    return kind
