"""pclntab: which functions are in an executable, and what the file spends to describe them.

Behind the header (`pclntab_header`) stand tables of names, files, compilation units and pc values,
and the functab: for each function its address and its _func record, which refers to the others
(`cmd/link/internal/ld/pcln.go`, `runtime/symtab.go` in the Go source). Every byte of the table is
billed to the function that it describes; what the linker shares, to the first that refers to it.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.fields import Bytes
from gocost.formats.executable.interface import Executable
from gocost.formats.moduledata import MAX_ADDRESS, Moduledata, resolved
from gocost.formats.pclntab_header import SECTIONS, Header, Located
from gocost.kernels import inline_trees
from gocost.kernels import pclntab as kernel
from gocost.model.errors import FormatError

FINDFUNC_BUCKET: Final = 4096  # bytes of text that a bucket of findfunctab covers
FINDFUNC_RECORD: Final = 20  # bytes of a bucket
LAST_FUNCDATA: Final = 1 << 22  # bytes at most, where its end is not recorded
UNUSED: Final = 0xFFFFFFFF  # in cutab: a file of which the linker kept nothing
NAMES_CHUNK: Final = 1 << 18
FUNCDATA_GAP: Final = 4096  # bytes; one function's stack maps are rarely longer


class Inlined(msgspec.Struct, frozen=True, eq=False):
    """What was inlined where; each row is the bytes of one call, without what it inlined itself."""

    outer: NDArray[np.int32]
    """The function that holds the bytes."""
    name: NDArray[np.int32]
    """Index of the inlined function's name in Pclntab.names."""
    bytes: NDArray[np.int32]


NOTHING_INLINED: Final = Inlined(*(np.zeros(0, np.int32) for _ in range(3)))


class Funcdata(msgspec.Struct, frozen=True, eq=False):
    """Where `go:func.*` is and whom its parts belong to."""

    address: int
    """Of the first funcdata that is referred to."""
    start: NDArray[np.int64]
    """Offsets from `address`, rising; a part ends where the next one starts."""
    owner: NDArray[np.int32]
    """The first function that refers to it."""
    end: int | None
    """Address behind the last part, where moduledata tells."""


class Pclntab(msgspec.Struct, frozen=True, eq=False):
    """The functions of an executable, in columns of one length, by rising address."""

    header: Header
    address: int
    size: int
    """Bytes from the header to the end of the functab."""
    entry: NDArray[np.int64]
    code: NDArray[np.int32]
    """Bytes of code, as the symbol table has them."""
    gap: NDArray[np.int32]
    """Bytes to the next function: code and the padding behind it."""
    name: NDArray[np.int32]
    """Index into `names`; -1 where the table does not say."""
    cu: NDArray[np.int32]
    """Index into cutab, the same for all functions of a compilation unit; -1: none."""
    record: NDArray[np.int32]
    """Bytes of functab and _func."""
    tables: NDArray[np.int32]
    """Bytes of pctab."""
    cutab: Bytes
    """For each file of each compilation unit a 32-bit offset into `files`, or UNUSED."""
    files: Bytes
    """NUL-terminated paths."""
    nametab: Bytes
    names: NDArray[np.int32]
    """Where in `nametab` each name starts: of functions, and of those that were only inlined."""
    inlined: Inlined
    funcdata: Funcdata | None
    faults: int
    """Functions that the table describes wrongly; they keep what could be read of them."""

    def __len__(self) -> int:
        return len(self.entry)


def decode(executable: Executable, located: Located) -> Pclntab:
    """Every function of the table, and what was inlined into it. Raises FormatError."""
    header, moduledata = located.header, located.moduledata
    size = _size(executable, located)
    image = resolved(executable, located.address, size)
    if not header.split:
        return _in_order(_decode_old(located, image))
    names = image[header.names : header.cutab]
    pctab = image[header.pctab : header.functab]
    funcs = image[header.functab :]
    text = moduledata.text if moduledata is not None else header.text_start
    if text >= MAX_ADDRESS:
        raise FormatError(f"pclntab says that code starts at address {text:#x}")
    entries, trees, columns, faults = kernel.read_functions(
        funcs,
        pctab,
        first=0,
        count=header.functions,
        width=header.word,
        entry_width=header.word,
        header=header.record,
        cu_at=header.word + 28,
        quantum=header.quantum,
        big=header.big,
        inline_data=3,
        data_width=_reference(header),
        region=located.address + header.functab,
    )
    if header.version != "1.16":
        entries = _addresses(entries, text, moduledata)
    starts = name_starts(names)
    funcdata, tree_bytes = _funcdata(executable, located, funcs, columns, trees)
    inlined = NOTHING_INLINED
    if funcdata is not None:
        inlined, more = _inlined(header, pctab, tree_bytes, trees, columns, funcdata, starts)
        faults += more
    table = Pclntab(
        header=header,
        address=located.address,
        size=size,
        entry=entries,
        code=columns[kernel.SIZE],
        gap=columns[kernel.GAP],
        name=index_of(starts, columns[kernel.NAME]),
        cu=columns[kernel.CU],
        record=columns[kernel.RECORD],
        tables=columns[kernel.TABLES],
        cutab=image[header.cutab : header.files],
        files=image[header.files : header.pctab],
        nametab=names,
        names=starts,
        inlined=inlined,
        funcdata=funcdata,
        faults=faults,
    )
    return _in_order(table)


def _in_order(table: Pclntab) -> Pclntab:
    """By rising address: text in several sections, or a hostile table, may not be."""
    start = table.entry
    if not (start[1:] < start[:-1]).any():
        return table
    order = np.argsort(start, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    start = start[order]
    room = np.append(start[1:], np.int64(1) << 62) - start
    gap = np.minimum(table.gap[order], room).astype(np.int32)
    inlined, data = table.inlined, table.funcdata
    return msgspec.structs.replace(
        table,
        entry=start,
        code=np.minimum(table.code[order], gap),
        gap=gap,
        name=table.name[order],
        cu=table.cu[order],
        record=table.record[order],
        tables=table.tables[order],
        inlined=Inlined(place[inlined.outer], inlined.name, inlined.bytes),
        funcdata=msgspec.structs.replace(data, owner=place[data.owner])
        if data is not None
        else None,
    )


def name_starts(names: Bytes) -> NDArray[np.int32]:
    """Where each NUL-terminated string of a table starts."""
    pieces = [np.zeros(1, np.int32)]
    zero = np.empty(NAMES_CHUNK, bool)  # reused: fresh memory costs more than the search
    for at in range(0, len(names), NAMES_CHUNK):
        chunk = names[at : at + NAMES_CHUNK]
        found = np.flatnonzero(np.equal(chunk, 0, out=zero[: len(chunk)]))
        pieces.append((found + (at + 1)).astype(np.int32))
    starts = np.concatenate(pieces)
    return starts[: np.searchsorted(starts, len(names))]


def index_of(starts: NDArray[np.int32], offsets: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each offset the index in `starts` (rising) that equals it, or -1."""
    if not len(starts):
        return np.full(len(offsets), -1, np.int32)
    at = np.searchsorted(starts, offsets).astype(np.int32)
    np.minimum(at, len(starts) - 1, out=at)
    at[starts[at] != offsets] = -1
    return at


def findfunctab_size(moduledata: Moduledata) -> int:
    """Bytes of runtime.findfunctab: a byte for each 256 bytes of text and 4 for each 4096."""
    span = moduledata.maxpc - moduledata.minpc
    small = FINDFUNC_BUCKET // (FINDFUNC_RECORD - 4)
    return 4 * -(-span // FINDFUNC_BUCKET) + -(-span // small)


def _size(executable: Executable, located: Located) -> int:
    """Bytes from the header to the end of the functab."""
    header, moduledata = located.header, located.moduledata
    left = _mapped(executable, located.address)
    if moduledata is not None:
        end = moduledata.functab.address + moduledata.functab.count
        if header.functab < end - located.address <= left:
            return end - located.address
    named = executable.section(*SECTIONS)
    if named is not None and named.offset == located.offset:
        return min(named.size_in_file, left)
    return left


def _mapped(executable: Executable, address: int) -> int:
    """Bytes that the file has from `address` on in the same segment."""
    sizes = [
        min(part.address + part.size_in_file - address, executable.size)
        for part in executable.segments
        if part.kind == "load" and part.address <= address < part.address + part.size_in_file
    ]
    return max(sizes, default=0)


def _reference(header: Header) -> int:
    """Bytes of a funcdata reference: an offset from 1.18 on, before that an address."""
    return header.pointer_size if header.version == "1.16" else 4


def _addresses(
    offsets: NDArray[np.int64], text: int, moduledata: Moduledata | None
) -> NDArray[np.int64]:
    """Addresses of offsets from the start of text, which may be in several sections."""
    result: NDArray[np.int64] = offsets + text
    for part in moduledata.text_sections if moduledata is not None else ():
        inside = (offsets >= part.start) & (offsets < part.end)
        result[inside] = offsets[inside] - part.start + part.address
    return result


def _funcdata(
    executable: Executable,
    located: Located,
    funcs: Bytes,
    columns: NDArray[np.int32],
    trees: NDArray[np.int64],
) -> tuple[Funcdata | None, Bytes]:
    """Whom `go:func.*` belongs to, and its bytes; `trees` are made to count from their start."""
    header, moduledata = located.header, located.moduledata
    empty = np.zeros(0, np.uint8)
    if moduledata is None:
        return None, empty
    width = _reference(header)
    if width == 4 and header.version != "1.16" and moduledata.gofunc is not None:
        start, base = moduledata.gofunc, 0
    elif header.version == "1.16" and moduledata.types is not None:
        # References are addresses: anywhere in the read-only data.
        start = min(moduledata.types, located.address)
        base = start
    else:
        return None, empty
    room = _mapped(executable, start)
    end = None
    if moduledata.epclntab is not None and start < moduledata.epclntab <= start + room:
        end = moduledata.epclntab
        room = end - start
    starts, owners = kernel.funcdata_owners(
        funcs, columns, width=width, big=header.big, base=base, size=room
    )
    if not len(starts):
        return None, empty
    if width == header.pointer_size and header.version == "1.16":
        starts, owners = _densest(starts, owners)
    low = int(starts[0])
    # The last part's end is not recorded before 1.26; funcdata are rarely longer than this.
    stop = room if end is not None else min(room, int(starts[-1]) + LAST_FUNCDATA)
    tree_bytes = executable.read(start + low, stop - low)
    trees[trees >= 0] -= base + low
    trees[(trees < 0) | (trees >= len(tree_bytes))] = -1
    return Funcdata(start + low, starts - low, owners, end), tree_bytes


def _densest(
    starts: NDArray[np.int64], owners: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The longest run without a wide gap.

    Addresses also lead to the few funcdata that assembly keeps elsewhere; what lies between those
    and the run is something else.
    """
    cuts = np.flatnonzero(np.diff(starts) > FUNCDATA_GAP) + 1
    edges = np.concatenate(([0], cuts, [len(starts)]))
    widest = int(np.argmax(np.diff(edges)))
    run = slice(int(edges[widest]), int(edges[widest + 1]))
    return starts[run], owners[run]


def _inlined(
    header: Header,
    pctab: Bytes,
    tree_bytes: Bytes,
    trees: NDArray[np.int64],
    columns: NDArray[np.int32],
    funcdata: Funcdata,
    starts: NDArray[np.int32],
) -> tuple[Inlined, int]:
    record, name_at = header.inlined
    has = np.flatnonzero(trees >= 0)
    entries = np.zeros(len(trees), np.int32)
    at = np.searchsorted(funcdata.start, trees[has])
    ends = np.append(funcdata.start[1:], len(tree_bytes))
    at = np.minimum(at, len(funcdata.start) - 1)
    known = funcdata.start[at] == trees[has]
    entries[has] = np.where(known, (ends[at] - funcdata.start[at]) // record, 0)
    endless = np.zeros(len(trees), bool)
    if funcdata.end is None:
        # Where the last InlTree ends is not known: only calls that own bytes are certain.
        endless[has[known & (at == len(funcdata.start) - 1)]] = True
        entries[endless] = np.minimum(entries[endless], 4096)
    outer, names, amounts, faults = inline_trees.read_inlined(
        pctab,
        tree_bytes,
        columns[kernel.INLINE_INDEX],
        trees,
        columns[kernel.SIZE],
        entries,
        record=record,
        name_at=name_at,
        quantum=header.quantum,
        big=header.big,
    )
    index = index_of(starts, names.view(np.int32))
    valid = (index >= 0) & ((amounts > 0) | ~endless[outer])
    if valid.all():
        return Inlined(outer, index, amounts), faults
    return Inlined(outer[valid], index[valid], amounts[valid]), faults


def _decode_old(located: Located, table: Bytes) -> Pclntab:
    """Go 1.2 to 1.15: functions and sizes; their tables lie mixed and are not told apart."""
    header = located.header
    entries, _, columns, faults = kernel.read_functions(
        table,
        table,
        first=header.functab,
        count=header.functions,
        width=header.word,
        entry_width=header.word,
        header=header.record,
        cu_at=0,
        quantum=header.quantum,
        big=header.big,
        inline_data=4,
        data_width=header.pointer_size,
        region=located.address,
    )
    offsets = columns[kernel.NAME]
    starts = np.unique(offsets[(offsets >= 0) & (offsets < len(table))])
    nothing = np.zeros(len(offsets), np.int32)
    return Pclntab(
        header=header,
        address=located.address,
        size=len(table),
        entry=entries,
        code=columns[kernel.SIZE],
        gap=columns[kernel.GAP],
        name=index_of(starts, offsets),
        cu=columns[kernel.CU],
        record=nothing,
        tables=nothing,
        cutab=np.zeros(0, np.uint8),
        files=np.zeros(0, np.uint8),
        nametab=table,
        names=starts,
        inlined=NOTHING_INLINED,
        funcdata=None,
        faults=faults,
    )
