"""What made a binary grow: the difference of two accounts, split by cause, to the byte.

A cause is what somebody did: changed the toolchain, upgraded, added or removed a module, changed
their own code, built or stripped differently. Modules that nobody touched still change a little,
because other code inlines other things into them and the linker drops or keeps other parts; where
the toolchain changed as well, that is most of it, and the two cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from gocost.analyses.size.account import Account
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.packages import ANONYMOUS, ModuleName
from gocost.analyses.size.tables import SIZE, in_parentheses
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, SumsTo, Table

TOOLCHAIN: Final = "toolchain and standard library"
UPGRADED: Final = "upgraded module"
ADDED: Final = "added module"
REMOVED: Final = "removed module"
UNCHANGED: Final = "unchanged module"
OWN: Final = "own code"
C_CODE: Final = "C code"
SHARED: Final = "data of no one package"
CONTAINER: Final = "container"
CAUSES: Final = (
    TOOLCHAIN, UPGRADED, ADDED, REMOVED, UNCHANGED, OWN, C_CODE, SHARED, CONTAINER
)  # fmt: skip

_CONTENT: Final = (
    Kind.CODE, Kind.PCLNTAB, Kind.TYPES, Kind.READ_ONLY, Kind.DATA, Kind.EMBEDDED
)  # fmt: skip
_IGNORED: Final = ("vcs", "vcs.revision", "vcs.time", "vcs.modified")
FUNCTION_ROWS: Final = 200


class Growth(msgspec.Struct, frozen=True, eq=False):
    """The tables, and what cannot be told from them."""

    causes: Table
    growth: Table
    packages: Table
    functions: Table
    notes: tuple[str, ...]


# Cause, module or kind, delta, bytes of the base, bytes now, version in the base, version now.
_Row = tuple[str, str, int, int, int, str, str]


class _Part(msgspec.Struct, frozen=True):
    """A module, or a kind of bytes that no module owns, on one side."""

    cause_hint: str
    version: str
    bytes: int


def growth(base: Account, head: Account) -> Growth:
    """Split `head.size - base.size`; the rows of each table add up to it."""
    before, after = _parts(base), _parts(head)
    rows: list[_Row] = []
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        size = (old.bytes if old else 0, new.bytes if new else 0)
        rows.append(
            (
                _cause(old, new),
                name,
                size[1] - size[0],
                *size,
                old.version if old else "",
                new.version if new else "",
            )
        )
    rows.sort(key=lambda row: (CAUSES.index(row[0]), -abs(row[2]), row[1]))
    if sum(row[2] for row in rows) != head.size - base.size:
        raise AssertionError("the causes of growth do not add up to it")
    return Growth(
        _causes(rows),
        _growth(rows),
        _packages(base, head),
        _functions(base, head),
        tuple(_notes(base, head, rows)),
    )


def _parts(account: Account) -> dict[str, _Part]:
    packages = account.packages
    matrix = account.ledger.by_package(len(packages.names))
    sums = np.zeros(len(packages.modules), np.int64)
    np.add.at(sums, np.array(packages.module_of, np.intp), matrix[:-1].sum(axis=1))
    parts = {
        module.path: _Part(_role(module), module.version, size)
        for module, size in zip(packages.modules, sums.tolist(), strict=True)
        if size
    }
    for kind, size in zip(Kind, matrix[-1].tolist(), strict=True):
        if size:
            hint = SHARED if kind in _CONTENT else CONTAINER
            parts[in_parentheses(kind)] = _Part(hint, "", size)
    return parts


def _role(module: ModuleName) -> str:
    if module.path == ANONYMOUS:
        return SHARED
    return {"std": TOOLCHAIN, "main": OWN, "c": C_CODE}.get(module.role, "")


def _cause(old: _Part | None, new: _Part | None) -> str:
    known = (new or old or _Part("", "", 0)).cause_hint
    if known:
        return known
    if old is None:
        return ADDED
    if new is None:
        return REMOVED
    return UNCHANGED if old.version == new.version else UPGRADED


_SIDES: Final = (
    Column("delta", Unit.BYTES, "what was added; negative: what went away", additive=True),
    Column("base", Unit.BYTES, "bytes in the base", additive=True),
    Column("bytes", Unit.BYTES, "bytes now", additive=True),
)


def _causes(rows: Sequence[_Row]) -> Table:
    sums = {cause: [0, 0, 0, 0] for cause in CAUSES}
    for cause, _, *amounts, _, _ in rows:
        sums[cause] = [total + more for total, more in zip(sums[cause], (1, *amounts), strict=True)]
    return Table(
        "What made the size change",
        (
            Column("cause", Unit.TEXT, "what somebody did"),
            Column("parts", Unit.COUNT, "how many modules or kinds of bytes", additive=True),
            *_SIDES,
        ),
        [(cause, *total) for cause, total in sums.items() if total[2] or total[3]],
        SumsTo("bytes", SIZE),
    )


def _growth(rows: Sequence[Sequence[Cell]]) -> Table:
    return Table(
        "What made the size change, by module",
        (
            Column("cause", Unit.TEXT, "what somebody did"),
            Column("module", Unit.TEXT, "module, or a kind of bytes that no module owns"),
            *_SIDES,
            Column("base_version", Unit.TEXT, "its version in the base"),
            Column("version", Unit.TEXT, "its version now"),
        ),
        rows,
        SumsTo("bytes", SIZE),
    )


def _packages(base: Account, head: Account) -> Table:
    sides = []
    for account in (base, head):
        packages = account.packages
        matrix = account.ledger.by_package(len(packages.names))
        found = {
            (packages.modules[module].path, name): size
            for name, module, size in zip(
                packages.names, packages.module_of, matrix[:-1].sum(axis=1).tolist(), strict=True
            )
        }
        for kind, size in zip(Kind, matrix[-1].tolist(), strict=True):
            found["", in_parentheses(kind)] = size
        sides.append(found)
    rows = _differences(*sides)
    return Table(
        "What changed, by package",
        (Column("module"), Column("package"), *_SIDES),
        rows,
        SumsTo("bytes", SIZE),
    )


def _functions(base: Account, head: Account) -> Table:
    """The functions that changed most; names that toolchains number differently are no match."""
    rows = [row for row in _differences(_by_name(base), _by_name(head)) if row[2]]
    return Table(
        "What changed most, by function",
        (Column("module"), Column("function"), *_SIDES),
        rows[:FUNCTION_ROWS],
    )


def _by_name(account: Account) -> dict[tuple[str, str], int]:
    functions, packages = account.functions, account.packages
    if functions is None:
        return {}
    sums = account.ledger.of_functions(len(functions)).sum(axis=0).tolist()
    modules = [packages.modules[module].path for module in packages.module_of]
    owner = functions.package.tolist()
    found: dict[tuple[str, str], int] = {}
    for number, name in enumerate(functions.names(np.arange(len(functions)))):
        key = (modules[owner[number]] if owner[number] >= 0 else "", name)
        found[key] = found.get(key, 0) + sums[number]
    return found


def _differences(
    before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]
) -> list[tuple[str, str, int, int, int]]:
    rows = []
    for key in {**after, **before}:
        old, new = before.get(key, 0), after.get(key, 0)
        if old or new:
            rows.append((*key, new - old, old, new))
    rows.sort(key=lambda row: (-abs(row[2]), row[0], row[1]))
    return rows


def _notes(base: Account, head: Account, rows: Sequence[_Row]) -> list[str]:
    found: list[str] = []
    old = base.info.go_version if base.info is not None else ""
    new = head.info.go_version if head.info is not None else ""
    moved = [row for row in rows if row[0] in (UPGRADED, ADDED, REMOVED)]
    if old != new:
        found.append(f"the toolchain changed from {old or 'unknown'} to {new or 'unknown'}")
        if moved:
            found.append(
                f"{len(moved)} modules changed together with the toolchain: how much of their "
                "difference is the compiler's cannot be told; build both with one toolchain to see"
            )
        elif any(row[0] == UNCHANGED and row[2] for row in rows):
            found.append("modules that did not change differ because the compiler did")
    found += _settings(base, head)
    if base.stripped != head.stripped:
        which = "the base" if base.stripped else "this file"
        found.append(
            f"only {which} is stripped: the container's part of the change says how much, and data "
            "is attributed by type only, which both sides allow"
        )
    return found


def _settings(base: Account, head: Account) -> list[str]:
    sides = [
        dict(account.info.settings) if account.info is not None else {} for account in (base, head)
    ]
    changed = [
        f"{key} from {sides[0].get(key, 'unset') or 'empty'} to "
        f"{sides[1].get(key, 'unset') or 'empty'}"
        for key in sorted({*sides[0], *sides[1]})
        if sides[0].get(key) != sides[1].get(key) and key not in _IGNORED
    ]
    return [f"build settings changed: {'; '.join(changed)}"] if changed else []
