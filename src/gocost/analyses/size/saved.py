"""The side of a comparison that was saved as a report, as far as the report carries it.

`gocost size --format json` has tables of modules with their versions, of packages and functions;
`gocost check --save` has facts: what modules, packages and kinds of bytes weigh. With `--top` or
`--filter` tables are cut off, and what they leave out is one part.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.packages import ANONYMOUS, STD, UNKNOWN_MODULE
from gocost.analyses.size.packages import C_CODE as C_MODULE
from gocost.analyses.size.sides import (
    BY_SYMBOLS,
    C_CODE,
    CONTENT,
    NO_MODULES,
    NO_MODULES_DATA,
    NOT_LISTED,
    OWN,
    SHARED,
    TOOLCHAIN,
    UNTOLD,
    Key,
    Part,
    Parts,
    Side,
    cause_of,
    folded,
    key_of,
)
from gocost.analyses.size.tables import in_parentheses
from gocost.model.errors import FormatError
from gocost.model.fact import Fact
from gocost.model.report import Table

_DEVELOPED: Final = "(devel)"
_KINDS: Final = {in_parentheses(kind): kind for kind in Kind}
_LABELS: Final = {kind.label: kind for kind in Kind}

_CUT_OFF: Final = (
    "tables of the base are cut off, and what they do not list is one row: save it without --top "
    "and --filter to have that told apart"
)
_NO_SETTINGS: Final = "whether build settings changed cannot be told: the base has none"
_NO_TABLES: Final = (
    "the base has no tables: versions of modules and functions cannot be compared; `gocost size "
    "FILE --format json -o REPORT.json` saves them"
)
_TOTAL_ONLY: Final = (
    "the base tells the total alone, so what made it change cannot be told; `gocost size FILE "
    "--format json -o REPORT.json` saves the rest"
)


def saved_side(
    facts: Sequence[Fact], tables: Mapping[str, Table], own: Collection[str]
) -> tuple[Side, list[str]]:
    """The side that a report's facts (of one binary) and tables tell of, and what they do not.

    `own` are the paths of the main module now: a report does not say which its own is. A side
    without modules tells the total alone. Raises FormatError for figures that no binary has.
    """
    size = next((fact.value for fact in facts if fact.metric == "binary.size"), None)
    if type(size) is not int or size <= 0:
        raise FormatError("its binary.size is no number of bytes")
    if {"kinds", "modules", "packages"} <= tables.keys():
        return _of_tables(size, tables, own)
    return _of_facts(size, facts, own)


def _of_tables(
    size: int, tables: Mapping[str, Table], own: Collection[str]
) -> tuple[Side, list[str]]:
    rows = _rows(tables["modules"], ("module", "version"), ("bytes", "data"))
    if not tables["modules"].complete:
        rows = rows[:-1]
    versions = {name: version for (name, version), _ in rows}
    mine = [name for name in versions if name in own]
    mine = mine or [name for name, version in versions.items() if version == _DEVELOPED]
    modules = {
        _key(name): Part(total, data, _cause(_key(name), mine), version)
        for (name, version), (total, data) in rows
    }
    packages = _rows(tables["packages"], ("module", "package"), ("bytes", "data"))
    if not tables["packages"].complete:
        packages = packages[:-1]
    kinds = {label: total for (label,), (total,) in _rows(tables["kinds"], ("kind",), ("bytes",))}
    functions = tables.get("functions")
    used = [tables[name] for name in ("modules", "packages", "kinds")]
    used += [functions] if functions is not None else []
    side = Side(
        size=size,
        modules=_adding_up(modules, size, tables["modules"]),
        packages=_adding_up(
            {(module, name): Part(total, data) for (module, name), (total, data) in packages},
            size,
            tables["packages"],
        ),
        functions=_functions(functions) if functions is not None and functions.complete else None,
        kinds={kind: kinds.get(kind.label, 0) for kind in BY_SYMBOLS}
        if tables["kinds"].complete
        else None,
        by_symbols=any(part.data for key, part in modules.items() if key[0]),
        toolchain=versions.get(STD),
    )
    cut_off = not all(table.complete for table in used)
    return side, [_NO_SETTINGS, *([_CUT_OFF] if cut_off else [])]


def _adding_up(parts: dict[Key, Part], size: int, table: Table) -> Parts:
    """The parts, with one for what a table that was cut off does not list."""
    total = sum(part.bytes for part in parts.values())
    if total > size or (total < size and table.complete):
        raise FormatError(f"its table {table.title!r} does not add up to its binary.size")
    if table.complete:
        return parts
    return folded(parts, size, parts.keys(), NOT_LISTED, UNTOLD)


def _functions(table: Table) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for (module, name), (total,) in _rows(table, ("module", "function"), ("bytes",)):
        if name not in _KINDS:  # bytes of a package that are no function's
            found[module, name] = found.get((module, name), 0) + total
    return found


def _of_facts(size: int, facts: Sequence[Fact], own: Collection[str]) -> tuple[Side, list[str]]:
    modules = {
        (fact.labels.get("module", ""), ""): fact
        for fact in facts
        if fact.metric == "binary.module.size"
    }
    if not modules:
        return Side(size, {}), [_TOTAL_ONLY]
    packages = {
        (fact.labels.get("module", ""), fact.labels.get("package", "")): fact
        for fact in facts
        if fact.metric == "binary.package.size"
    }
    kinds = {
        kind: _bytes(fact)
        for fact in facts
        if fact.metric == "binary.kind.size"
        and (kind := _LABELS.get(fact.labels.get("kind", ""))) is not None
    }
    strippable = [fact.value for fact in facts if fact.metric == "binary.size.strippable"]
    side = Side(
        size=size,
        modules=_with_rest(
            {
                key: Part(_bytes(fact), 0, _cause(key, own), _version(key[0]))
                for key, fact in modules.items()
            },
            size,
            kinds,
        ),
        packages=_with_rest({key: Part(_bytes(f)) for key, f in packages.items()}, size, kinds)
        if packages
        else None,
        by_symbols=bool(strippable[0]) if strippable else None,
    )
    return side, [_NO_SETTINGS, _NO_TABLES]


def _with_rest(parts: dict[Key, Part], size: int, kinds: Mapping[Kind, int]) -> Parts:
    """With what is nobody's: the container by kind where kinds are told, and the rest as one."""
    container = {
        key_of(kind): Part(total, 0, cause_of(kind))
        for kind, total in kinds.items()
        if kind not in CONTENT
    }
    rest, cause = (NO_MODULES_DATA, SHARED) if kinds else (NO_MODULES, UNTOLD)
    every = {**parts, **container}
    found = folded(every, size, every.keys(), rest, cause)
    if found[rest].bytes < 0:
        raise FormatError("its modules are larger than its binary.size")
    return found


def _key(name: str) -> Key:
    return ("", name) if name in _KINDS else (name, "")


def _cause(key: Key, own: Collection[str]) -> str:
    module = key[0]
    if not module:
        return cause_of(_KINDS[key[1]])
    if module in own:
        return OWN
    return {STD: TOOLCHAIN, C_MODULE: C_CODE, ANONYMOUS: SHARED}.get(module, "")


def _version(module: str) -> str | None:
    """None where it has one that is not told."""
    return "" if module == UNKNOWN_MODULE else None


def _bytes(fact: Fact) -> int:
    if type(fact.value) is not int or fact.value < 0:
        raise FormatError(f"a {fact.metric} of it is no number of bytes")
    return fact.value


def _rows(
    table: Table, texts: tuple[str, ...], numbers: tuple[str, ...]
) -> list[tuple[list[str], list[int]]]:
    """Texts and numbers of each row. Raises FormatError where the table is another one."""
    names = table.names()
    missing = [name for name in (*texts, *numbers) if name not in names]
    if missing:
        raise FormatError(f"its table {table.title!r} has no column {missing[0]}")
    text_at = [names.index(name) for name in texts]
    number_at = [names.index(name) for name in numbers]
    found = []
    for row in table.rows:
        if len(row) != len(names):
            raise FormatError(f"a row of its table {table.title!r} is cut off")
        amounts = [cell for k in number_at if type(cell := row[k]) is int and cell >= 0]
        if len(amounts) != len(numbers):
            raise FormatError(f"a row of its table {table.title!r} has no number of bytes")
        found.append(([str(row[k] or "") for k in text_at], amounts))
    return found
