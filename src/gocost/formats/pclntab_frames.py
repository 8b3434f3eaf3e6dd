"""What stands at an address of a Go executable: its function, file and line, and what was inlined.

pclntab holds value tables, which say for each pc of a function its file, its line and the innermost
call that was inlined there (PCDATA_InlTreeIndex); the InlTree says for each such call its function
and the pc of its caller within the outer function, where file and line are looked up again
(`runtime/symtab.go`, `runtime/symtabinl.go` in the Go source). Works on stripped files; from Go
1.16 on, as before that the tables lie mixed.

Names of what is no Go code (cgo) are taken from the symbol table where there is one.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from gocost.formats.executable.fields import Bytes
from gocost.formats.executable.interface import Executable, SymbolKind
from gocost.formats.moduledata import MAX_ADDRESS, resolved
from gocost.formats.pclntab_header import Located, locate
from gocost.model.errors import FormatError

_INLINE_INDEX: Final = 2  # PCDATA_InlTreeIndex
_INLINE_TREE: Final = 3  # FUNCDATA_InlTree
_MAX_DEPTH: Final = 256  # calls inlined into each other; the compiler stops far before
_MAX_STEPS: Final = 1 << 20  # entries of a value table that are looked at
_LONGEST: Final = 1 << 16  # bytes of a name or path


@dataclass(frozen=True, slots=True)
class Frame:
    """A function at an address."""

    name: str
    file: str = ""
    line: int = 0
    start_line: int = 0
    """The function's first line; 0 where the toolchain (before Go 1.20) does not record it."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A function's name, where its code begins, and where the next one's does."""

    name: str
    entry: int
    end: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function's record."""

    name: str
    entry: int
    end: int
    """Where the next one begins."""
    start_line: int
    files: int
    lines: int
    inline: int
    """Offsets of its value tables in pctab; 0: none."""
    unit: int
    tree: int | None
    """The address of its InlTree."""


class Symbolizer:
    """Looks up addresses as linked. One hostile record spoils no other: its frames are left out."""

    def __init__(self, image: Executable) -> None:
        """Raises FormatError where there is no pclntab, or one from before Go 1.16."""
        located = locate(image)
        if located is None:
            raise FormatError("the file has no pclntab: it holds no Go code")
        if not located.header.split:
            raise FormatError(
                "the file was built with Go 1.15 or older, whose line tables are not read",
                hint="build it with a newer Go",
            )
        self._image = image
        self._located = located
        self._functions: dict[int, Function | None] = {}
        self._tables: dict[tuple[int, int], tuple[list[int], list[int]]] = {}

    def frames(self, address: int) -> tuple[Frame, ...]:
        """The functions at an address, innermost first; empty where nothing is known."""
        function = self.function(address)
        if function is None:
            return self._symbol(address)
        try:
            return tuple(self._unwound(function, address))
        except (FormatError, IndexError):
            return (Frame(function.name, start_line=function.start_line),)

    def function(self, address: int) -> Function | None:
        """The function of machine code that an address is in."""
        entries = self._entries
        at = int(np.searchsorted(entries, address, "right")) - 1
        if at < 0 or at >= len(entries) - 1:
            return None
        if at not in self._functions:
            try:
                self._functions[at] = self._record(at)
            except (FormatError, IndexError):
                self._functions[at] = None
        return self._functions[at]

    def extent(self, address: int) -> Extent | None:
        """Where the code that an address is in begins and ends, by pclntab or the symbol table."""
        function = self.function(address)
        if function is not None:
            return Extent(function.name, function.entry, function.end)
        starts, ends, index = self._symbols
        at = int(np.searchsorted(starts, np.uint64(max(address, 0)), "right")) - 1
        if at < 0 or address >= int(ends[at]):
            return None
        name = self._image.symbols().names(index[at : at + 1])[0]
        return Extent(name, int(starts[at]), int(ends[at]))

    def named(self) -> list[tuple[str, int, int]]:
        """Name, address and end of every function of the table."""
        found = []
        for entry in self._entries[:-1].tolist():
            function = self.function(entry)
            if function is not None:
                found.append((function.name, function.entry, function.end))
        return found

    def _unwound(self, function: Function, address: int) -> list[Frame]:
        frames: list[Frame] = []
        pc = address - function.entry
        for _ in range(_MAX_DEPTH):
            file, line = self._place(function, pc)
            index = self._value(function, function.inline, pc) if function.inline else -1
            if index < 0 or function.tree is None:
                return [*frames, Frame(function.name, file, line, function.start_line)]
            name, parent, start = self._inlined(function.tree, index)
            frames.append(Frame(name, file, line, start))
            pc = parent
        return frames

    def _place(self, function: Function, pc: int) -> tuple[str, int]:
        number = self._value(function, function.files, pc)
        line = self._value(function, function.lines, pc)
        return (self._file(function.unit + number) if number >= 0 else ""), max(line, 0)

    def _value(self, function: Function, table: int, pc: int) -> int:
        """The value of a table at a pc counted from the function's start; -1 where none is."""
        key = (function.entry, table)
        if key not in self._tables:
            self._tables[key] = self._value_table(table, function.end - function.entry)
        ends, values = self._tables[key]
        at = bisect_right(ends, pc)
        return values[at] if at < len(values) else -1

    def _value_table(self, at: int, size: int) -> tuple[list[int], list[int]]:
        """Where each value of a table ends, and the values."""
        if at <= 0:
            return [], []
        data, quantum = self._pctab, self._located.header.quantum
        ends: list[int] = []
        values: list[int] = []
        value, pc = -1, 0
        for _ in range(_MAX_STEPS):
            delta, at = _varint(data, at)
            if delta == 0 and ends:
                break
            value += -(delta + 1 >> 1) if delta & 1 else delta >> 1
            step, at = _varint(data, at)
            pc += step * quantum
            ends.append(pc)
            values.append(value)
            if pc >= size:
                break
        return ends, values

    def _record(self, at: int) -> Function | None:
        header, funcs = self._located.header, self._funcs
        width = header.word
        start = self._word(funcs, (2 * at + 1) * width, width)
        end = start + header.record
        # Behind the entry: nameoff, args, deferreturn, pcsp, pcfile, pcln, npcdata, cuOffset, ...
        words = [self._word(funcs, start + width + 4 * k, 4) for k in range(8)]
        if end > len(funcs) or words[6] > 1 << 16:
            return None
        begins = self._word(funcs, start + width + 32, 4) if header.version == "1.20" else 0
        count = int(funcs[end - 1])
        tables = [self._word(funcs, end + 4 * k, 4) for k in range(min(words[6], 3))]
        return Function(
            name=self._name(words[0]),
            entry=int(self._entries[at]),
            end=int(self._entries[at + 1]),
            start_line=begins,
            files=words[4],
            lines=words[5],
            inline=tables[_INLINE_INDEX] if len(tables) > _INLINE_INDEX else 0,
            unit=words[7],
            tree=self._tree(end + 4 * words[6], count) if count > _INLINE_TREE else None,
        )

    def _tree(self, at: int, count: int) -> int | None:
        header, moduledata = self._located.header, self._located.moduledata
        if header.version == "1.16":
            width = header.pointer_size
            start = self._located.address + header.functab
            at += -(start + at) % width  # references are pointers, which are aligned
            return self._word(self._funcs, at + _INLINE_TREE * width, width) or None
        offset = self._word(self._funcs, at + 4 * _INLINE_TREE, 4)
        if offset == 0xFFFFFFFF or moduledata is None or moduledata.gofunc is None:
            return None
        return moduledata.gofunc + offset

    def _inlined(self, tree: int, index: int) -> tuple[str, int, int]:
        """Name, the caller's pc, and first line of an inlined call."""
        header = self._located.header
        size, name_at = header.inlined
        record = resolved(self._image, tree + index * size, size)
        name = self._name(self._word(record, name_at, 4))
        parent = self._word(record, name_at + 4, 4)
        start = self._word(record, name_at + 8, 4) if header.version == "1.20" else 0
        return name, parent, start

    def _word(self, data: Bytes, at: int, width: int) -> int:
        raw = data[at : at + width].tobytes()
        if at < 0 or len(raw) < width:
            raise FormatError("a record of pclntab runs over its end", offset=max(at, 0))
        return int.from_bytes(raw, "big" if self._located.header.big else "little")

    def _name(self, offset: int) -> str:
        return _text(self._names, offset)

    def _file(self, index: int) -> str:
        offset = self._word(self._cutab, 4 * index, 4)
        return "" if offset == 0xFFFFFFFF else _text(self._files, offset)

    def _symbol(self, address: int) -> tuple[Frame, ...]:
        """What the symbol table has there: code of C and assembly that Go's linker did not make."""
        extent = self.extent(address)
        return () if extent is None else (Frame(extent.name),)

    @cached_property
    def _symbols(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        table = self._image.symbols()
        index = np.flatnonzero((table.kind == SymbolKind.FUNCTION) & (table.size > 0))
        index = index[np.argsort(table.address[index], kind="stable")]
        return table.address[index], table.address[index] + table.size[index], index

    @cached_property
    def _image_of_table(self) -> Bytes:
        located = self._located
        moduledata = located.moduledata
        limit = self._image.size
        for part in self._image.segments:
            if part.kind == "load" and part.address <= located.address < (
                part.address + part.size_in_file
            ):
                limit = part.address + part.size_in_file - located.address
        if moduledata is not None:
            end = moduledata.functab.address + moduledata.functab.count - located.address
            if located.header.functab < end <= limit:
                limit = end
        return resolved(self._image, located.address, limit)

    @cached_property
    def _names(self) -> Bytes:
        header = self._located.header
        return self._image_of_table[header.names : header.cutab]

    @cached_property
    def _cutab(self) -> Bytes:
        header = self._located.header
        return self._image_of_table[header.cutab : header.files]

    @cached_property
    def _files(self) -> Bytes:
        header = self._located.header
        return self._image_of_table[header.files : header.pctab]

    @cached_property
    def _pctab(self) -> Bytes:
        header = self._located.header
        return self._image_of_table[header.pctab : header.functab]

    @cached_property
    def _funcs(self) -> Bytes:
        return self._image_of_table[self._located.header.functab :]

    @cached_property
    def _entries(self) -> np.ndarray:
        """Where every function begins, and where the last one ends; rising."""
        return _entries(self._located, self._funcs)


def _entries(located: Located, funcs: Bytes) -> np.ndarray:
    header, moduledata = located.header, located.moduledata
    size = header.word * (2 * header.functions + 1)
    if size > len(funcs):
        raise FormatError("the functab is cut off", offset=len(funcs))
    order = ">" if header.big else "<"
    words = np.frombuffer(funcs[:size].tobytes(), f"{order}u{header.word}")[::2].astype(np.int64)
    if header.version != "1.16":
        text = moduledata.text if moduledata is not None else header.text_start
        if text >= MAX_ADDRESS:
            raise FormatError(f"pclntab says that code starts at address {text:#x}")
        sections = moduledata.text_sections if moduledata is not None else ()
        moved = words + text
        for part in sections:
            inside = (words >= part.start) & (words < part.end)
            moved[inside] = words[inside] - part.start + part.address
        words = moved
    if (words[1:] < words[:-1]).any():
        raise FormatError("the functions of pclntab are out of order")
    return words


def _text(table: Bytes, offset: int) -> str:
    raw = table[offset : offset + _LONGEST].tobytes()
    return raw.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _varint(data: Bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = int(data[at])
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 28:
            raise FormatError("a value table of pclntab is damaged", offset=at)
