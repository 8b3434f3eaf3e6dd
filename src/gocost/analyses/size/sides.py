"""One side of a comparison of sizes: whose the bytes are, in a form that a saved report has too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
import numpy as np

from gocost.analyses.size.account import Account
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.packages import ANONYMOUS, ModuleName
from gocost.analyses.size.tables import in_parentheses

TOOLCHAIN: Final = "toolchain and standard library"
UPGRADED: Final = "upgraded module"
ADDED: Final = "added module"
REMOVED: Final = "removed module"
UNCHANGED: Final = "unchanged module"
KEPT: Final = "module, upgraded or not"
OWN: Final = "own code"
C_CODE: Final = "C code"
SHARED: Final = "data of no one package"
CONTAINER: Final = "container"
UNTOLD: Final = "not told by the base"
CAUSES: Final = (
    TOOLCHAIN, UPGRADED, ADDED, REMOVED, UNCHANGED, KEPT, OWN, C_CODE, SHARED, CONTAINER, UNTOLD
)  # fmt: skip

CONTENT: Final = (
    Kind.CODE, Kind.PCLNTAB, Kind.TYPES, Kind.READ_ONLY, Kind.DATA, Kind.EMBEDDED
)  # fmt: skip
BY_SYMBOLS: Final = (Kind.READ_ONLY, Kind.DATA, Kind.EMBEDDED)
"""Kinds of bytes that only a symbol table tells the package of."""

Key = tuple[str, str]
"""Module and package: the package is empty for a module as a whole, the module for bytes that are
nobody's, whose package is their kind in parentheses."""

NOT_LISTED: Final[Key] = ("", "(not listed in the base)")
"""Everything that a table which was cut off does not name."""
NO_MODULES_DATA: Final[Key] = ("", "(data of no module)")
"""Content that is no module's, where its kinds are not told apart."""
NO_MODULES: Final[Key] = ("", "(bytes of no module)")
"""Everything that is no module's, where not even the container is told from it."""


class Part(msgspec.Struct, frozen=True):
    """A module or a package, or a kind of bytes that none owns."""

    bytes: int
    data: int = 0
    """Of these, attributed by the symbol table."""
    cause: str = ""
    """What makes it change, where that is known without the other side."""
    version: str | None = ""
    """None where it is not told."""


Parts = Mapping[Key, Part]


class Side(msgspec.Struct, frozen=True, eq=False):
    """What a binary weighs and whose that is; None is what a saved report does not tell."""

    size: int
    modules: Parts
    """They add up to `size`."""
    packages: Parts | None = None
    """They add up to `size`, too."""
    functions: Mapping[tuple[str, str], int] | None = None
    """By module and name."""
    kinds: Mapping[Kind, int] | None = None
    """All bytes of the kinds BY_SYMBOLS."""
    by_symbols: bool | None = None
    """Whether a symbol table told whose data is."""
    toolchain: str | None = None
    settings: Mapping[str, str] | None = None


def side_of(account: Account) -> Side:
    """The account of a binary that is at hand."""
    packages = account.packages
    matrix = account.ledger.by_package(len(packages.names))
    sums, data = matrix.sum(axis=1), matrix[:, BY_SYMBOLS].sum(axis=1)
    owner = np.array(packages.module_of, np.intp)
    by_module = np.zeros((2, len(packages.modules)), np.int64)
    for row, amounts in zip(by_module, (sums, data), strict=True):
        np.add.at(row, owner, amounts[:-1])
    modules = zip(packages.modules, *by_module.tolist(), strict=True)
    names = zip(
        packages.names, packages.module_of, sums[:-1].tolist(), data[:-1].tolist(), strict=True
    )
    nobody = {
        key_of(kind): Part(size, 0, cause_of(kind))
        for kind, size in zip(Kind, matrix[-1].tolist(), strict=True)
        if size
    }
    info = account.info
    return Side(
        size=account.size,
        modules={
            (module.path, ""): Part(size, known, _role(module), module.version)
            for module, size, known in modules
            if size
        }
        | nobody,
        packages={
            (packages.modules[module].path, name): Part(size, known)
            for name, module, size, known in names
            if size
        }
        | nobody,
        functions=_by_name(account),
        kinds={kind: int(matrix[:, kind].sum()) for kind in BY_SYMBOLS},
        by_symbols=bool(data[:-1].any()),
        toolchain=info.go_version if info is not None else "",
        settings=dict(info.settings) if info is not None else {},
    )


def key_of(kind: Kind) -> Key:
    """Where bytes of a kind stand that are nobody's."""
    return "", in_parentheses(kind)


def cause_of(kind: Kind) -> str:
    """What makes bytes change that are of a kind and nobody's."""
    return SHARED if kind in CONTENT else CONTAINER


def without_symbols(side: Side) -> Side:
    """The same, with the data that a symbol table attributed counted as nobody's.

    So it compares with a side that has no symbol table. Of a side that tells no `kinds` it is
    the side itself.
    """
    if side.kinds is None:
        return side
    packages = _without(side.packages, side.size, side.kinds) if side.packages is not None else None
    return msgspec.structs.replace(
        side,
        modules=_without(side.modules, side.size, side.kinds),
        packages=packages,
        by_symbols=False,
    )


def _without(parts: Parts, size: int, kinds: Mapping[Kind, int]) -> Parts:
    found = {
        key: msgspec.structs.replace(part, bytes=part.bytes - part.data, data=0)
        for key, part in parts.items()
        if part.bytes > part.data
    }
    for kind, amount in kinds.items():
        # What is not listed one by one may hold the kind.
        if amount and (key_of(kind) in parts or NOT_LISTED not in parts):
            found[key_of(kind)] = Part(amount, 0, SHARED)
    if NOT_LISTED in parts:
        return folded(found, size, found.keys() - {NOT_LISTED}, NOT_LISTED, UNTOLD)
    return found


def like(base: Parts, head: Parts, size: int) -> Parts:
    """`head`, whose sum is `size`, with what `base` does not tell apart put together as there."""
    content = {key_of(kind) for kind in CONTENT}
    listed = {
        NOT_LISTED: lambda key: key in base,
        NO_MODULES_DATA: lambda key: key[0] or key not in content,
        NO_MODULES: lambda key: key[0],
    }
    for rest, is_listed in listed.items():
        if rest in base:
            return folded(head, size, list(filter(is_listed, head)), rest, base[rest].cause)
    return head


def folded(parts: Parts, size: int, listed: Collection[Key], key: Key, cause: str) -> Parts:
    """The parts that are not `listed` put together as one, which makes the sum `size`."""
    kept = {each: part for each, part in parts.items() if each in listed}
    rest = size - sum(part.bytes for part in kept.values())
    return {**kept, key: Part(rest, 0, cause, None)}


def _role(module: ModuleName) -> str:
    if module.path == ANONYMOUS:
        return SHARED
    return {"std": TOOLCHAIN, "main": OWN, "c": C_CODE}.get(module.role, "")


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
