"""The functions of an executable, whose they are, and the bytes that describe them.

Go's own functions come from pclntab, stripped or not; C functions that the external linker put
beside them come from the symbol table where there is one. A function whose name tells no package
(assembly's, an unnamed type's `type:.eq`) belongs to its compilation unit's package; one that has
no compilation unit was linked from C.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.analyses.size.ordering import first_of_each
from gocost.analyses.size.packages import C_CODE, LINKER, Packages
from gocost.formats.executable.fields import Bytes
from gocost.formats.executable.interface import Executable, SymbolKind, Symbols
from gocost.formats.moduledata import Moduledata
from gocost.formats.pclntab import (
    FINDFUNC_BUCKET,
    FINDFUNC_RECORD,
    UNUSED,
    Pclntab,
    findfunctab_size,
)
from gocost.kernels.symbol_names import intern_packages

_FEW_UNITS = 256  # compilation units of which no function tells its package
_TEXT_CHUNK = 1 << 18  # bytes of names that are looked at at once
_FEW = 100_000  # names without a package that are looked at one by one


class Functions(msgspec.Struct, frozen=True, eq=False):
    """Functions by rising address: Go's (`go` of them) and, behind them, C's, by rising address."""

    start: NDArray[np.int64]
    code_end: NDArray[np.int64]
    end: NDArray[np.int64]
    """With the padding up to the next function."""
    package: NDArray[np.int32]
    go: int
    texts: Names
    symbols: Symbols | None = None
    symbol: NDArray[np.int64] | None = None
    """C's functions by their index in `symbols`."""

    def __len__(self) -> int:
        return len(self.start)

    def names(self, index: NDArray[Any]) -> list[str]:
        """The names of the functions of those numbers."""
        mine = index < self.go
        if mine.all():
            return self.texts.text(self.texts.table.name[index])
        result = np.empty(len(index), object)
        result[mine] = self.texts.text(self.texts.table.name[index[mine]])
        result[~mine] = self._c_names(index[~mine])
        return list(result)

    def places(
        self, index: NDArray[np.int64], labels: Sequence[str]
    ) -> tuple[Bytes, Bytes, NDArray[np.int64], NDArray[np.int32]] | None:
        """Where names stand: two string tables, starts and lengths.

        A start below 0 counts in the second table, from -1 down; so do labels, whose numbers are
        below 0 in `index`. None where the names are not UTF-8.
        """
        table = self.texts.table
        if not table.header.split or not _is_text(table.nametab):
            return None
        own = (index >= 0) & (index < self.go)
        name = np.where(own, table.name[np.where(own, index, 0)], -1)
        told = name >= 0
        start = np.where(told, table.names[name], 0).astype(np.int64)
        length = np.where(told, self.texts.length[name], 0).astype(np.int32)
        rest = np.flatnonzero(~told)
        numbers = index[rest]
        texts = ["(unnamed)"] * len(rest)
        for k in np.flatnonzero(numbers < 0).tolist():
            texts[k] = labels[-1 - int(numbers[k])]
        c_code = np.flatnonzero(numbers >= self.go)
        for k, text in zip(c_code.tolist(), self._c_names(numbers[c_code]), strict=True):
            texts[k] = text
        raw = [text.encode("utf-8", "replace") for text in texts]
        lengths = np.array([len(text) for text in raw], np.int64)
        start[rest] = -1 - (np.cumsum(lengths) - lengths)
        length[rest] = lengths
        return table.nametab, np.frombuffer(b"".join(raw) or b" ", np.uint8), start, length

    def _c_names(self, index: NDArray[np.int64]) -> list[str]:
        if self.symbols is None or self.symbol is None or not len(index):
            return []
        return self.symbols.names(self.symbol[index - self.go].astype(np.intp))


def _is_text(table: Bytes) -> bool:
    """The string table is UTF-8, as all but hostile ones are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(table), _TEXT_CHUNK):
            chunk = table[at : at + _TEXT_CHUNK]
            # Few chunks hold anything but ASCII, and a cut character is not to run into those.
            if int(chunk.max()) >= 0x80:
                decoder.decode(chunk.tobytes())
            elif decoder.getstate()[0]:
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class Names(msgspec.Struct, frozen=True, eq=False):
    """The names of pclntab with the package of each."""

    table: Pclntab
    package: NDArray[np.int32]
    length: NDArray[np.uint32]

    def text(self, index: NDArray[Any]) -> list[str]:
        """Names as text, by their index in the table; -1 is a name that is not told."""
        if self.table.header.split and 4 * len(index) > len(self.length):
            # Cutting the whole table at once is several times faster than name by name.
            every = self.table.nametab.tobytes().decode("utf-8", "replace").split("\0")
            every[-1] = "(unnamed)"  # what is behind the last NUL; -1 leads here
            return list(map(every.__getitem__, index.tolist()))
        starts = self.table.names[index].tolist()
        lengths = self.length[index].tolist()
        view = self.table.nametab.data
        return [
            str(view[at : at + length], "utf-8", "replace") if number >= 0 else "(unnamed)"
            for number, at, length in zip(index.tolist(), starts, lengths, strict=True)
        ]


def read_names(table: Pclntab, packages: Packages, seed: int) -> Names:
    """Number the packages of all names of pclntab."""
    starts = table.names.astype(np.int64)
    if table.header.split:
        limits = np.append(starts[1:], len(table.nametab)) - 1
    else:
        limits = np.full(len(starts), len(table.nametab), np.int64)
    ids, lengths, at, size = intern_packages(
        table.nametab, starts, limits, seed=seed, ended=table.header.split
    )
    if table.header.split and len(lengths):
        lengths[-1] = _last_length(table)
    numbers = _register(table.nametab, at, size, packages)
    return Names(table, _translate(ids, numbers), lengths)


def _last_length(table: Pclntab) -> int:
    """The last name ends at a NUL, not where the table's padding does."""
    raw = table.nametab[table.names[-1] :].tobytes()
    return len(raw.split(b"\0", 1)[0])


def _register(
    data: NDArray[np.uint8],
    at: NDArray[np.int64],
    size: NDArray[np.uint32],
    packages: Packages,
) -> NDArray[np.int32]:
    view = data.data
    texts = [
        str(view[start : start + length], "utf-8", "replace")
        for start, length in zip(at.tolist(), size.tolist(), strict=True)
    ]
    return np.array(packages.numbers(texts), np.int32)


def _translate(ids: NDArray[np.int32], numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    if not len(numbers):
        return ids
    found: NDArray[np.int32] = np.where(ids >= 0, numbers[ids], np.int32(-1))
    return found


def read_functions(
    executable: Executable, table: Pclntab, names: Names, packages: Packages, seed: int
) -> Functions:
    """Every function with its package, C's behind Go's."""
    package = _package_of_functions(table, names, packages)
    start = table.entry
    own = Functions(start, start + table.code, start + table.gap, package, len(table), names)
    return _with_c(executable, own, packages, seed)


def _package_of_functions(table: Pclntab, names: Names, packages: Packages) -> NDArray[np.int32]:
    if not len(names.package):
        return np.full(len(table), -1, np.int32)
    package = np.where(table.name >= 0, names.package[table.name], np.int32(-1))
    if not (table.cu >= 0).any():
        return package
    has_unit = table.cu >= 0
    sure = np.flatnonzero(has_unit & (package >= 0))
    units, first = first_of_each(table.cu[sure])
    lost = np.flatnonzero(has_unit & (package < 0))
    if len(lost) and len(units):
        at = np.minimum(np.searchsorted(units, table.cu[lost]), len(units) - 1)
        known = units[at] == table.cu[lost]
        package[lost[known]] = package[sure[first[at[known]]]]
        lost = lost[~known]
    for unit in first_of_each(table.cu[lost])[0][:_FEW_UNITS].tolist():
        found = package_of_file(first_file(table, unit), packages)
        package[lost[table.cu[lost] == unit]] = found
    # Without a unit: the linker's own, or C's, unless the name is of a package that Go compiled.
    go_made = np.zeros(len(packages.names) + 1, bool)
    go_made[package[sure]] = True
    foreign = np.flatnonzero(~has_unit & ((package < 0) | ~go_made[package]))
    if len(foreign) and len(foreign) <= _FEW:
        texts = names.text(table.name[foreign])
        made = np.array([text.startswith(("go:", "go.")) for text in texts])
        c, linker = packages.number(C_CODE), packages.number(LINKER)
        package[foreign] = np.where(made, np.int32(linker), np.int32(c))
    return package


def _with_c(executable: Executable, own: Functions, packages: Packages, seed: int) -> Functions:
    """C functions by the symbol table, where Go's functions leave code uncovered."""
    if not any(section.executable for section in executable.sections):
        return own
    symbols = executable.symbols()
    if not len(symbols):
        return own
    low, high = _bounds(own)
    code = np.array([section.executable for section in executable.sections] + [False])
    address = symbols.address.astype(np.int64)
    size = np.minimum(symbols.size, np.uint64(1 << 40)).astype(np.int64)
    index = np.where((symbols.section >= 0) & (symbols.section < len(code)), symbols.section, -1)
    wanted = np.flatnonzero(
        code[index] & (size > 0) & ((address < low) | (address >= high))
        & (symbols.kind != SymbolKind.SECTION)
    )  # fmt: skip
    if not len(wanted):
        return own
    wanted = wanted[np.argsort(address[wanted], kind="stable")]
    start, end = address[wanted], address[wanted] + size[wanted]
    reached = np.maximum.accumulate(np.append(start[:1], end[:-1]))
    start = np.maximum(start, reached)
    # A symbol before Go's text must not reach into it.
    end = np.where(start < low, np.minimum(end, low), end)
    kept = end > start
    start, end, wanted = start[kept], end[kept], wanted[kept]
    number = np.int32(packages.number(C_CODE))

    return Functions(
        np.concatenate((own.start, start)),
        np.concatenate((own.code_end, end)),
        np.concatenate((own.end, end)),
        np.concatenate((own.package, np.full(len(start), number, np.int32))),
        own.go,
        own.texts,
        symbols,
        wanted.astype(np.int64),
    )


def _bounds(own: Functions) -> tuple[int, int]:
    covered = own.end > own.start
    if not covered.any():
        return 0, 0
    return int(own.start[covered].min()), int(own.end[covered].max())


def first_file(table: Pclntab, unit: int) -> str:
    """The path of the first source file of a compilation unit; empty where it has none."""
    for offset in _file_offsets(table, unit, unit + 64).tolist():
        if offset < len(table.files):
            raw = table.files[offset : offset + 4096].tobytes()
            return raw.split(b"\0", 1)[0].decode("utf-8", "replace")
    return ""


def _file_offsets(table: Pclntab, start: int, stop: int) -> NDArray[np.int64]:
    words = table.cutab[4 * start : 4 * min(stop, len(table.cutab) // 4)].tobytes()
    return np.frombuffer(words, ">u4" if table.header.big else "<u4").astype(np.int64)


def package_of_file(path: str, packages: Packages) -> int:
    """The package that a source file is of: the longest end of its folder that is a known one.

    A package of assembly alone is named by what follows `/src/` in the toolchain's tree.
    """
    folder = path.rpartition("/")[0]
    parts = [part.partition("@")[0] for part in folder.split("/")]
    for k in range(len(parts)):
        name = "/".join(parts[k:])
        if name and packages.has(name):
            return packages.number(name)
    behind = folder.partition("/src/")[2]
    return packages.number(behind) if behind and "@" not in behind else -1


class Described(msgspec.Struct, frozen=True, eq=False):
    """What pclntab, funcdata and findfunctab spend on each function and package, in bytes."""

    function: NDArray[np.int64]
    """By function, records, tables, names and funcdata."""
    package: NDArray[np.int64]
    """By package, what is not one function's: names that were only inlined, files, units."""


def describe(table: Pclntab, names: Names, package: NDArray[np.int32], count: int) -> Described:
    """Attribute the bytes of pclntab itself; `count` is how many packages there are."""
    own = table.record.astype(np.int64) + table.tables
    by_package = np.zeros(count, np.int64)
    if len(table.names) and table.header.split:
        spans = names.length.astype(np.int64) + 1
        user = np.full(len(spans), -1, np.int64)
        told = np.flatnonzero(table.name >= 0)[::-1]
        user[table.name[told]] = told  # the first function of a name, as the last one written
        used = user >= 0
        own[user[used]] += spans[used]
        _spread(by_package, names.package[~used], spans[~used])
    return Described(own, by_package)


def describe_files(
    table: Pclntab, package: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], int]:
    """Bytes of cutab and of file names by package: of the first unit that uses them.

    And how many entries are damaged: units behind the end of cutab, names behind that of files.
    """
    by_package = np.zeros(count, np.int64)
    offsets, files = _file_offsets(table, 0, len(table.cutab)), len(table.files)
    words = len(offsets)
    faults = len(first_of_each(table.cu[table.cu >= words])[0])
    faults += int(((offsets >= files) & (offsets != UNUSED)).sum())
    sure = np.flatnonzero((table.cu >= 0) & (package[: len(table)] >= 0))
    units, first = first_of_each(table.cu[sure])
    first = first[units < words]
    units = units[units < words]
    if not len(units):
        return by_package, faults
    owner = package[sure[first]]
    ends = np.append(units[1:], words).astype(np.int64)
    _spread(by_package, owner, 4 * (ends - units))
    offsets[offsets >= files] = -1
    highest = np.maximum.accumulate(offsets)
    fresh = np.flatnonzero(offsets > np.append(np.int64(-1), highest[:-1]))
    starts = offsets[fresh]
    unit = np.searchsorted(units, fresh, "right") - 1
    spans = np.append(starts[1:], files) - starts
    _spread(by_package, np.where(unit >= 0, owner[np.maximum(unit, 0)], np.int32(-1)), spans)
    return by_package, faults


def funcdata_size(table: Pclntab) -> int:
    """Bytes of funcdata. Before Go 1.26 where the last one ends is not recorded: it is left out."""
    data = table.funcdata
    if data is None:
        return 0
    return data.end - data.address if data.end is not None else int(data.start[-1])


def describe_funcdata(table: Pclntab, count: int) -> NDArray[np.int64]:
    """Bytes of funcdata by function."""
    data = table.funcdata
    if data is None:
        return np.zeros(count, np.int64)
    spans = np.append(data.start[1:], funcdata_size(table)) - data.start
    return np.bincount(data.owner, weights=spans, minlength=count).astype(np.int64)


def describe_findfunctab(functions: Functions, moduledata: Moduledata) -> NDArray[np.int64]:
    """Bytes of findfunctab by function: each bucket to the function at its start."""
    size = findfunctab_size(moduledata)
    by_function = np.zeros(len(functions), np.int64)
    starts = np.arange(0, size, FINDFUNC_RECORD, dtype=np.int64)
    pcs = moduledata.minpc + starts // FINDFUNC_RECORD * FINDFUNC_BUCKET
    go = functions.start[: functions.go]
    if not len(go) or not len(pcs):
        return by_function
    at = np.clip(np.searchsorted(go, pcs, "right") - 1, 0, None)
    spans = np.minimum(starts + FINDFUNC_RECORD, size) - starts
    return by_function + np.bincount(at, weights=spans, minlength=len(functions)).astype(np.int64)


def _spread(sums: NDArray[np.int64], owner: NDArray[np.int32], amounts: NDArray[np.int64]) -> None:
    owned = owner >= 0
    if owned.any():
        sums += np.bincount(owner[owned], weights=amounts[owned], minlength=len(sums)).astype(
            np.int64
        )
