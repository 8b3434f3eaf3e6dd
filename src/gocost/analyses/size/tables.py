"""The account as tables: one a question, each adding up to the file's size.

What belongs to no module, package or function stands in rows in parentheses, by kind: they are
part of the file and of every table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gocost.analyses.size.account import Account
from gocost.analyses.size.function_rows import FunctionRows
from gocost.analyses.size.inlining import by_name, elsewhere
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.ordering import descending
from gocost.analyses.size.packages import ModuleName
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, SumsTo, Table

SIZE: Final = "binary.size"
DIMENSIONS: Final = ("module", "package", "function", "section", "kind")
INLINED_ROWS: Final = 500

_BYTES = Column("bytes", Unit.BYTES, "bytes of the file", additive=True)
_SPLIT = (
    _BYTES,
    Column("code", Unit.BYTES, "machine code", additive=True),
    Column("pclntab", Unit.BYTES, "what describes its functions", additive=True),
    Column("type_data", Unit.BYTES, "type descriptors and itabs", additive=True),
    Column("data", Unit.BYTES, "variables, constants and embedded files", additive=True),
    Column(
        "inlined_elsewhere",
        Unit.BYTES,
        "code of it that stands in functions of others; it is counted there",
        additive=True,
    ),
)
_MODULE = Column("module", Unit.TEXT, "module path; std is the standard library")
_VERSION = Column("version", Unit.TEXT, "its version, and what replaced it")
_PACKAGE = Column("package", Unit.TEXT, "import path")
_FUNCTION = Column("function", Unit.TEXT, "name as the linker has it")


def tables(account: Account) -> dict[str, Table]:
    """kinds, sections, modules, packages, functions, and inlined where anything was."""
    matrix = account.ledger.by_package(len(account.packages.names))
    away = elsewhere(account)
    found = {
        "kinds": _kinds(account),
        "sections": _sections(account),
        "modules": _modules(account, matrix, away),
        "packages": _packages(account, matrix, away),
        "functions": _functions(account),
    }
    inlined = _inlined(account)
    if inlined is not None:
        found["inlined"] = inlined
    if account.embedded:
        found["embedded"] = _embedded(account)
    return found


def in_parentheses(kind: Kind) -> str:
    """How a row names bytes that belong to nobody."""
    return f"({kind.label})"


def _kinds(account: Account) -> Table:
    sums = account.ledger.by_kind()
    owned = account.ledger.by_package(len(account.packages.names))[:-1].sum(axis=0)
    rows = [
        (kind.label, int(sums[kind]), int(owned[kind]), kind.meaning)
        for kind in sorted(Kind, key=lambda kind: (-sums[kind], kind))
        if sums[kind]
    ]
    return Table(
        "What the bytes are",
        (
            Column("kind", Unit.TEXT, "what the bytes are there for"),
            _BYTES,
            Column("attributed", Unit.BYTES, "of these, known to be a package's", additive=True),
            Column("meaning", Unit.TEXT, "the kind in a few words"),
        ),
        rows,
        SumsTo("bytes", SIZE),
    )


def _sections(account: Account) -> Table:
    sums = account.ledger.by_place().tolist()
    rows = sorted(zip(account.ledger.places, sums, strict=True), key=lambda row: -row[1])
    return Table(
        "Where in the container",
        (Column("section", Unit.TEXT, "section, or part outside the sections"), _BYTES),
        rows,
        SumsTo("bytes", SIZE),
    )


def _modules(account: Account, matrix: NDArray[np.int64], away: NDArray[np.int64]) -> Table:
    packages = account.packages
    modules = packages.modules
    sums = np.zeros((len(modules), len(Kind)), np.int64)
    inlined = np.zeros(len(modules), np.int64)
    owner = np.array(packages.module_of, np.intp)
    np.add.at(sums, owner, matrix[:-1])
    np.add.at(inlined, owner, away)
    rows: list[Sequence[Cell]] = [
        (module.path, module.version, *_split(kinds), more)
        for module, kinds, more in zip(modules, sums.tolist(), inlined.tolist(), strict=True)
        if any(kinds) or more
    ]
    rows += [(name, "", *cells) for name, cells in _nobody(matrix[-1].tolist())]
    rows.sort(key=lambda row: (-_number(row[2]), row[0]))
    return Table(
        "Whose the bytes are, by module", (_MODULE, _VERSION, *_SPLIT), rows, SumsTo("bytes", SIZE)
    )


def _packages(account: Account, matrix: NDArray[np.int64], away: NDArray[np.int64]) -> Table:
    packages = account.packages
    columns = zip(
        packages.names, packages.module_of, matrix[:-1].tolist(), away.tolist(), strict=True
    )
    rows: list[Sequence[Cell]] = [
        (packages.modules[module].path, name, *_split(kinds), more)
        for name, module, kinds, more in columns
        if any(kinds) or more
    ]
    rows += [("", name, *cells) for name, cells in _nobody(matrix[-1].tolist())]
    rows.sort(key=lambda row: (-_number(row[2]), row[1]))
    return Table(
        "Whose the bytes are, by package", (_MODULE, _PACKAGE, *_SPLIT), rows, SumsTo("bytes", SIZE)
    )


def _number(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _split(kinds: Sequence[int]) -> tuple[int, int, int, int, int]:
    """bytes, code, pclntab, type_data, data out of bytes by Kind."""
    return (
        sum(kinds),
        kinds[Kind.CODE],
        kinds[Kind.PCLNTAB],
        kinds[Kind.TYPES],
        kinds[Kind.READ_ONLY] + kinds[Kind.DATA] + kinds[Kind.EMBEDDED],
    )


def _nobody(kinds: Sequence[int]) -> list[tuple[str, tuple[int, ...]]]:
    found: list[tuple[str, tuple[int, ...]]] = []
    for kind, amount in zip(Kind, kinds, strict=True):
        if amount:
            alone = [amount if other == kind else 0 for other in Kind]
            found.append((in_parentheses(kind), (*_split(alone), 0)))
    return found


def _functions(account: Account) -> Table:
    packages = account.packages
    count = len(account.functions) if account.functions is not None else 0
    sums = account.ledger.of_functions(count)
    whole = sums.sum(axis=0)
    rest = account.ledger.without_function(len(packages.names))
    own = np.flatnonzero(whole)
    owners, kinds = np.nonzero(rest)
    amounts = rest[owners, kinds]
    nobody = len(packages.names)
    owned = [
        (packages.modules[module].path, name)
        for name, module in zip(packages.names, packages.module_of, strict=True)
    ]
    # Nobody's rows are named by kind where others name their package.
    labels = [in_parentheses(kind) for kind in Kind]
    owned += [("", label) for label in labels]
    mine = np.zeros(0, np.int32)
    if account.functions is not None:
        mine = account.functions.package[own]
    owner = np.concatenate(
        (np.where(mine < 0, nobody + Kind.CODE, mine), owners + (owners == nobody) * kinds)
    ).astype(np.int32)
    name = np.concatenate((own, -1 - kinds))
    size = np.concatenate((whole[own], amounts))
    code = np.concatenate((sums[0][own], np.where(kinds == Kind.CODE, amounts, 0)))
    described = np.concatenate((sums[1][own], np.where(kinds == Kind.PCLNTAB, amounts, 0)))
    order = descending(size)
    rows = FunctionRows(
        owned,
        labels,
        account.functions,
        owner[order],
        name[order],
        np.stack((size, code, described))[:, order],
    )
    return Table(
        "Whose the bytes are, by function",
        (
            _MODULE,
            _PACKAGE,
            _FUNCTION,
            _BYTES,
            Column("code", Unit.BYTES, "machine code", additive=True),
            Column("pclntab", Unit.BYTES, "what describes it", additive=True),
        ),
        rows,
        SumsTo("bytes", SIZE),
    )


def _inlined(account: Account) -> Table | None:
    found = by_name(account, INLINED_ROWS)
    if not found:
        return None
    return Table(
        "What was inlined into functions of other packages",
        (
            _MODULE,
            _PACKAGE,
            _FUNCTION,
            Column("bytes", Unit.BYTES, "code of it inside functions of others", additive=True),
            Column("calls", Unit.COUNT, "how many calls of it were replaced", additive=True),
        ),
        found,
    )


def _embedded(account: Account) -> Table:
    rows = sorted(
        {(file.name, file.size, file.address) for file in account.embedded},
        key=lambda row: (-row[1], row[0]),
    )
    return Table(
        "Files taken in by //go:embed",
        (Column("file", Unit.TEXT, "path in the file system"), _BYTES),
        [(name, size) for name, size, _ in rows],
    )


def nested(account: Account, dimensions: Sequence[str]) -> Table:
    """Bytes by any combination of DIMENSIONS, the outermost first."""
    keys, amounts = _grouped(account, dimensions)
    labels = [_labels(account, name) for name in dimensions]
    rows: list[Sequence[Cell]] = []
    outer: dict[int, int] = {}
    for key, amount in zip(keys.tolist(), amounts.tolist(), strict=True):
        outer[key[0]] = outer.get(key[0], 0) + amount
        rows.append(
            (*(text[number] for text, number in zip(labels, key, strict=True)), amount, key[0])
        )
    rows.sort(key=lambda row: (-outer[row[-1]], row[-1], -_number(row[-2])))  # type: ignore[index]
    titles = " and ".join(dimensions)
    return Table(
        f"Bytes by {titles}",
        (*(Column(name) for name in dimensions), _BYTES),
        [row[:-1] for row in rows],
        SumsTo("bytes", SIZE),
    )


def _grouped(
    account: Account, dimensions: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct keys, a row each, and their bytes."""
    module_of = np.array([*account.packages.module_of, -1], np.int64)
    columns: list[list[NDArray[np.int64]]] = [[] for _ in dimensions]
    amounts = [entry.bytes for entry in account.ledger.entries]
    for entry in account.ledger.entries:
        count = len(entry.bytes)
        package = np.broadcast_to(np.asarray(entry.package, np.int64), count)
        function = np.broadcast_to(np.asarray(entry.function, np.int64), count)
        module = module_of[package]
        # What belongs to nobody is told apart by its kind: numbers below -1.
        nobody = -1 - (entry.kind + 1)
        found = {
            "module": np.where(module < 0, nobody, module),
            "package": np.where(package < 0, nobody, package),
            "function": np.where(function < 0, nobody, function),
            "section": np.full(count, entry.place),
            "kind": np.full(count, entry.kind),
        }
        for k, name in enumerate(dimensions):
            columns[k].append(found[name])
    if not amounts:
        return np.zeros((0, len(dimensions)), np.int64), np.zeros(0, np.int64)
    keys = np.stack([np.concatenate(column) for column in columns], axis=1)
    # One number a key, kept dense on the way so that it cannot overflow.
    packed = np.zeros(len(keys), np.int64)
    for k in range(len(dimensions)):
        values, index = np.unique(keys[:, k], return_inverse=True)
        _, packed = np.unique(packed * len(values) + index, return_inverse=True)
    _, first, index = np.unique(packed, return_index=True, return_inverse=True)
    sums = np.bincount(index, weights=np.concatenate(amounts))
    return keys[first], sums.astype(np.int64)


class _Labels:
    """Names by number; numbers below -1 are kinds in parentheses."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __getitem__(self, number: int) -> str:
        if number < -1:
            return in_parentheses(Kind(-number - 2))
        return self._names[number] if number >= 0 else ""


def _labels(account: Account, dimension: str) -> _Labels:
    if dimension == "module":
        return _Labels([module.path for module in account.packages.modules])
    if dimension == "package":
        return _Labels(account.packages.names)
    if dimension == "section":
        return _Labels(account.ledger.places)
    if dimension == "kind":
        return _Labels([kind.label for kind in Kind])
    if account.functions is None:
        return _Labels([])
    return _Labels(account.functions.names(np.arange(len(account.functions))))


def filtered(table: Table, pattern: re.Pattern[str]) -> Table:
    """The rows of which a text matches, and one row for all others, so that the sum stands."""
    texts = [k for k, column in enumerate(table.columns) if column.unit == Unit.TEXT]
    kept: list[Sequence[Cell]] = []
    sums = [0] * len(table.columns)
    count = 0
    for row in table.rows:
        if any(pattern.search(str(row[k])) for k in texts):
            kept.append(row)
            continue
        count += 1
        for k, column in enumerate(table.columns):
            if column.additive:
                sums[k] += _number(row[k])
    if count:
        rest: list[Cell] = [
            sums[k] if column.additive else "" for k, column in enumerate(table.columns)
        ]
        rest[0] = f"({count:,} unmatched)"
        kept.append(rest)
    return Table(table.title, table.columns, kept, table.sums_to)


def module_sizes(account: Account) -> list[tuple[ModuleName, int]]:
    """Bytes of each module, largest first."""
    matrix = account.ledger.by_package(len(account.packages.names))
    sums = np.zeros(len(account.packages.modules), np.int64)
    np.add.at(sums, np.array(account.packages.module_of, np.intp), matrix[:-1].sum(axis=1))
    pairs = zip(account.packages.modules, sums.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0].path))
