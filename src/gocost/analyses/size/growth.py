"""What made a binary grow: the difference of two sides, split by cause, to the byte.

A cause is what somebody did: changed the toolchain, upgraded, added or removed a module, changed
their own code, built or stripped differently. Modules that nobody touched still change a little,
because other code inlines other things into them and the linker drops or keeps other parts; where
the toolchain changed as well, that is most of it, and the two cannot be told apart.

A base that was saved as a report tells less than a binary. What it does not tell is left out, or is
a row of its own, so that the rows add up all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from gocost.analyses.size.sides import (
    ADDED,
    CAUSES,
    KEPT,
    REMOVED,
    UNCHANGED,
    UPGRADED,
    Key,
    Part,
    Side,
    like,
    without_symbols,
)
from gocost.analyses.size.tables import SIZE
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, SumsTo, Table

_IGNORED: Final = ("vcs", "vcs.revision", "vcs.time", "vcs.modified")
FUNCTION_ROWS: Final = 200


class Growth(msgspec.Struct, frozen=True, eq=False):
    """The tables, and what cannot be told from them."""

    causes: Table
    growth: Table
    packages: Table | None
    functions: Table | None
    notes: tuple[str, ...]


# Cause, module or kind, delta, bytes of the base, bytes now, version in the base, version now.
_Row = tuple[str, str, int, int, int, str, str]


def growth(base: Side, head: Side) -> Growth:
    """Split `head.size - base.size`; the rows of each table but the last add up to it."""
    notes = []
    if base.by_symbols != head.by_symbols and None not in (base.by_symbols, head.by_symbols):
        notes.append(_of_symbols(base, head))
        base, head = without_symbols(base), without_symbols(head)
    before, after = base.modules, like(base.modules, head.modules, head.size)
    rows = [_row(key, before.get(key), after.get(key)) for key in {**before, **after}]
    rows.sort(key=lambda row: (CAUSES.index(row[0]), -abs(row[2]), row[1]))
    if sum(row[2] for row in rows) != head.size - base.size:
        raise AssertionError("the causes of growth do not add up to it")
    return Growth(
        _causes(rows),
        _growth(rows),
        _packages(base, head),
        _functions(base, head),
        (*_of_toolchains(base, head, rows), *_settings(base, head), *notes),
    )


def _row(key: Key, old: Part | None, new: Part | None) -> _Row:
    size = (old.bytes if old else 0, new.bytes if new else 0)
    versions = ((old.version if old else "") or "", (new.version if new else "") or "")
    return (_cause(old, new), key[0] or key[1], size[1] - size[0], *size, *versions)


def _cause(old: Part | None, new: Part | None) -> str:
    known = (new or old or Part(0)).cause
    if known:
        return known
    if old is None:
        return ADDED
    if new is None:
        return REMOVED
    if old.version is None or new.version is None:
        return KEPT
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


def _packages(base: Side, head: Side) -> Table | None:
    if base.packages is None or head.packages is None:
        return None
    after = like(base.packages, head.packages, head.size)
    rows = _differences(
        {key: part.bytes for key, part in base.packages.items()},
        {key: part.bytes for key, part in after.items()},
    )
    return Table(
        "What changed, by package",
        (Column("module"), Column("package"), *_SIDES),
        rows,
        SumsTo("bytes", SIZE),
    )


def _functions(base: Side, head: Side) -> Table | None:
    """The functions that changed most; names that toolchains number differently are no match."""
    if base.functions is None or head.functions is None:
        return None
    rows = [row for row in _differences(base.functions, head.functions) if row[2]]
    return Table(
        "What changed most, by function",
        (Column("module"), Column("function"), *_SIDES),
        rows[:FUNCTION_ROWS],
    )


def _differences(
    before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]
) -> list[tuple[str, str, int, int, int]]:
    rows = []
    for key in {**after, **before}:
        old, new = before.get(key, 0), after.get(key, 0)
        if old or new:
            rows.append((*key, new - old, old, new))
    rows.sort(key=lambda row: (-abs(row[2]), row[0], row[1]))
    return rows


def _of_toolchains(base: Side, head: Side, rows: Sequence[_Row]) -> list[str]:
    if base.toolchain is None or base.toolchain == head.toolchain:
        return []
    old, new = base.toolchain or "unknown", head.toolchain or "unknown"
    found = [f"the toolchain changed from {old} to {new}"]
    moved = [row for row in rows if row[0] in (UPGRADED, ADDED, REMOVED)]
    if moved:
        found.append(
            f"{len(moved)} modules changed together with the toolchain: how much of their "
            "difference is the compiler's cannot be told; build both with one toolchain to see"
        )
    elif any(row[0] == UNCHANGED and row[2] for row in rows):
        found.append("modules that did not change differ because the compiler did")
    return found


def _settings(base: Side, head: Side) -> list[str]:
    old, new = base.settings, head.settings
    if old is None or new is None:
        return []
    changed = [
        f"{key} from {old.get(key, 'unset') or 'empty'} to {new.get(key, 'unset') or 'empty'}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key) and key not in _IGNORED
    ]
    return [f"build settings changed: {'; '.join(changed)}"] if changed else []


def _of_symbols(base: Side, head: Side) -> str:
    which = "this file" if base.by_symbols else "the base"
    if base.by_symbols and base.kinds is None:
        return (
            f"only {which} is stripped: the base counts data among the modules that own it, and "
            "how much that is cannot be told"
        )
    return (
        f"only {which} is stripped: the container's part of the change says how much, and data "
        "is attributed by type only, which both sides allow"
    )
