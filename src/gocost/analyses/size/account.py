"""Every byte of an executable, once: of which kind, in which place, whose.

The file is cut into regions (`regions`), and each region is shared out among those who own what is
in it: code and pclntab among functions, type data and variables among packages. What is left of a
region belongs to nobody and is a row of its own. The parts add up to the file, always.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.analyses.size import contents, functions
from gocost.analyses.size.contents import Embedded
from gocost.analyses.size.functions import Functions, Names
from gocost.analyses.size.intervals import NOTHING, Intervals
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.ledger import Ledger
from gocost.analyses.size.packages import C_CODE, Packages
from gocost.analyses.size.regions import Claim, Region, partition
from gocost.formats import pclntab, pclntab_header, type_data
from gocost.formats.buildinfo import BuildInfo
from gocost.formats.executable.interface import Executable
from gocost.formats.moduledata import Moduledata
from gocost.formats.pclntab import Inlined, Pclntab
from gocost.formats.pclntab_header import Located
from gocost.formats.type_data import TypeData
from gocost.model.errors import FormatError

EMBED: Final = "embed"
MIN_C_CODE: Final = 64  # bytes; less is the filling at the ends of sections


class Account(msgspec.Struct, frozen=True, eq=False):
    """Where the bytes of one executable are."""

    size: int
    loaded: int
    """Bytes of memory that loading it takes."""
    ledger: Ledger
    packages: Packages
    functions: Functions | None
    names: Names | None
    inlined: Inlined | None
    embedded: tuple[Embedded, ...]
    info: BuildInfo | None
    stripped: bool
    """There is no symbol table."""
    type_bytes: tuple[int, int]
    """Bytes of type data whose descriptor was found, and of the range they lie in."""
    faults: tuple[str, ...] = ()
    """What could not be read, and what that costs the account."""


class _Parts(msgspec.Struct, frozen=True, eq=False):
    """What was decoded of a file."""

    located: Located | None
    table: Pclntab | None
    names: Names | None
    functions: Functions | None
    types: TypeData | None
    faults: list[str]


class _Share(msgspec.Struct, frozen=True, eq=False):
    """Bytes at `start` to `end` of the file that are functions' or packages'."""

    start: int
    end: int
    function: NDArray[np.int64]
    package: NDArray[np.int64]


def account(executable: Executable, info: BuildInfo | None, *, seed: int) -> Account:
    """Account for every byte of an executable.

    What cannot be decoded is named in `faults` and accounted for by section only. `seed` is a
    random number that protects hash tables; the result does not depend on it.
    """
    packages = Packages(info)
    parts = _decode(executable, packages, seed)
    moduledata = parts.located.moduledata if parts.located is not None else None
    variables = contents.symbol_intervals(executable, packages, seed)
    types = NOTHING
    if parts.types is not None:
        types = contents.type_intervals(parts.types, packages)
    files = contents.embedded_files(executable, parts.faults) if packages.has(EMBED) else []
    file_claims, file_owners = contents.embedded_claims(executable, files, variables)
    variables = contents.without(variables, types)
    regions = partition(executable, [*_claims(executable, parts, moduledata), *file_claims])
    ledger = Ledger()
    c_code = packages.number(C_CODE)
    shares = _shares(executable, parts, moduledata, len(packages.names))
    for region in regions:
        _attribute(ledger, region, parts.functions, shares, types, variables, file_owners, c_code)
    if ledger.total() != executable.size:
        raise AssertionError(f"{ledger.total()} bytes accounted for of {executable.size}")
    return Account(
        size=executable.size,
        loaded=sum(part.size_in_memory for part in executable.segments if part.kind == "load"),
        ledger=ledger,
        packages=packages,
        functions=parts.functions,
        names=parts.names,
        inlined=parts.table.inlined if parts.table is not None else None,
        embedded=tuple(files),
        info=info,
        stripped=not len(executable.symbols()),
        type_bytes=_type_bytes(parts.types),
        faults=tuple(parts.faults),
    )


def _decode(executable: Executable, packages: Packages, seed: int) -> _Parts:
    faults: list[str] = []
    located = pclntab_header.locate(executable)
    if located is None:
        faults.append("no pclntab was found: code is not attributed to functions and packages")
        return _Parts(None, None, None, None, None, faults)
    if located.moduledata is None and located.header.split:
        faults.append("no moduledata was found: type data and funcdata are not attributed")
    elif located.moduledata is not None and located.moduledata.types is None:
        faults.append("moduledata has an unknown layout: type data is not attributed")
    table = names = own = types = None
    try:
        table = pclntab.decode(executable, located)
        names = functions.read_names(table, packages, seed)
        own = functions.read_functions(executable, table, names, packages, seed)
        if table.faults:
            faults.append(f"{table.faults} entries of pclntab are damaged and were left out")
    except FormatError as error:
        faults.append(f"pclntab cannot be read ({error.message}): code is not attributed")
    if located.moduledata is not None:
        types = type_data.decode(executable, located.moduledata)
    return _Parts(located, table, names, own, types, faults)


def _claims(executable: Executable, parts: _Parts, moduledata: Moduledata | None) -> list[Claim]:
    """What was found inside the sections, most trustworthy first."""
    found: list[Claim | None] = []

    def add(kind: Kind, address: int | None, size: int) -> None:
        found.append(contents.claim(executable, kind, address, size))

    table = parts.table
    if table is not None:
        add(Kind.PCLNTAB, table.address, table.size)
    if parts.types is not None:
        add(Kind.TYPES, parts.types.address, parts.types.area_end - parts.types.address)
    if table is not None and table.funcdata is not None:
        add(Kind.PCLNTAB, table.funcdata.address, functions.funcdata_size(table))
    if moduledata is not None:
        add(Kind.PCLNTAB, moduledata.findfunctab, pclntab.findfunctab_size(moduledata))
        if moduledata.typelinks is not None:
            add(Kind.TYPES, moduledata.typelinks.address, 4 * moduledata.typelinks.count)
        if moduledata.itablinks is not None:
            width = executable.pointer_size
            add(Kind.TYPES, moduledata.itablinks.address, width * moduledata.itablinks.count)
    return [claim for claim in found if claim is not None]


def _shares(
    executable: Executable, parts: _Parts, moduledata: Moduledata | None, packages: int
) -> list[_Share]:
    """Who is described by which bytes of pclntab, funcdata and findfunctab."""
    table, names, own = parts.table, parts.names, parts.functions
    if table is None or names is None or own is None or not table.header.split:
        return []
    count = len(own)
    nothing = np.zeros(0, np.int64)
    shares: list[_Share] = []

    def share(
        address: int, size: int, function: NDArray[np.int64], package: NDArray[np.int64]
    ) -> None:
        start = executable.offset_of(address)
        if start is not None and size > 0:
            shares.append(_Share(start, start + size, _padded(function, count), package))

    described = functions.describe(table, names, own.package, packages)
    of_files, faults = functions.describe_files(table, own.package, packages)
    if faults:
        parts.faults.append(
            f"{faults} entries of pclntab's table of files are damaged: file names, and code of "
            "packages of assembly alone, may be attributed to nobody or to others"
        )
    share(table.address, table.size, described.function, described.package + of_files)
    if table.funcdata is not None:
        by_function = functions.describe_funcdata(table, count)
        share(table.funcdata.address, functions.funcdata_size(table), by_function, nothing)
    if moduledata is not None:
        size = pclntab.findfunctab_size(moduledata)
        if contents.claim(executable, Kind.PCLNTAB, moduledata.findfunctab, size) is not None:
            by_function = functions.describe_findfunctab(own, moduledata)
            share(moduledata.findfunctab, size, by_function, nothing)
    return shares


def _padded(column: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    if len(column) == count:
        return column
    whole = np.zeros(count, np.int64)
    whole[: len(column)] = column
    return whole


def _attribute(
    ledger: Ledger,
    region: Region,
    own: Functions | None,
    shares: list[_Share],
    types: Intervals,
    variables: Intervals,
    files: Intervals,
    c_code: int,
) -> None:
    """Share out one region; what is left belongs to nobody."""
    place = ledger.place(region.place)
    left = region.size
    if region.kind == Kind.CODE and own is not None and region.shift is not None:
        left -= _code(ledger, place, region, own)
    elif region.kind == Kind.PCLNTAB and own is not None:
        left -= _described(ledger, place, region, own, shares)
    elif region.shift is not None:
        low, high = region.start + region.shift, region.end + region.shift
        if region.kind == Kind.TYPES:
            owner, amounts = types.within(low, high)
            left -= ledger.add(Kind.TYPES, place, amounts, owner)
        elif region.kind == Kind.EMBEDDED:
            owner, amounts = files.within(low, high)
            left -= ledger.add(Kind.EMBEDDED, place, amounts, owner)
        elif region.kind in (Kind.READ_ONLY, Kind.DATA):
            # itabs lie among other constants up to Go 1.26.
            owner, amounts = types.within(low, high)
            left -= ledger.add(Kind.TYPES, place, amounts, owner)
            owner, amounts = variables.within(low, high)
            left -= ledger.add(region.kind, place, amounts, owner)
    if left < 0:
        raise AssertionError(f"{-left} bytes too many in {region}")
    if region.kind == Kind.CODE and own is not None and left >= MIN_C_CODE:
        # Go's functions are all known: what else runs was linked from C.
        left -= ledger.add(Kind.CODE, place, left, c_code)
    ledger.add(region.kind, place, left)


def _code(ledger: Ledger, place: int, region: Region, own: Functions) -> int:
    low, high = region.start + (region.shift or 0), region.end + (region.shift or 0)
    total = 0
    # Go's functions and C's behind them are each in order.
    for first, last in ((0, own.go), (own.go, len(own))):
        start, code_end, end = own.start[first:last], own.code_end[first:last], own.end[first:last]
        lowest = np.clip(start, low, high)
        code = np.clip(code_end, low, high) - lowest
        index = np.flatnonzero(code > 0)
        numbers = (index + first).astype(np.int32)
        total += ledger.add(Kind.CODE, place, code[index], own.package[first:last][index], numbers)
        filling = int((np.clip(end, low, high) - lowest).sum() - code.sum())
        total += ledger.add(Kind.PADDING, place, filling)
    return total


def _described(
    ledger: Ledger, place: int, region: Region, own: Functions, shares: list[_Share]
) -> int:
    mine = [share for share in shares if region.start <= share.start and share.end <= region.end]
    mine.sort(key=lambda share: share.start)
    total = 0
    reached = region.start
    for share in mine:
        amount = int(share.function.sum() + share.package.sum())
        if share.start < reached or amount > share.end - share.start:
            continue  # tables that overlap: whose bytes they are cannot be told
        reached = share.end
        index = np.flatnonzero(share.function)
        total += ledger.add(
            Kind.PCLNTAB,
            place,
            share.function[index],
            own.package[index],
            index.astype(np.int32),
        )
        packages = np.flatnonzero(share.package)
        total += ledger.add(Kind.PCLNTAB, place, share.package[packages], packages.astype(np.int32))
    return total


def _type_bytes(types: TypeData | None) -> tuple[int, int]:
    if types is None:
        return 0, 0
    return types.explained_in_area, types.area_end - types.address
