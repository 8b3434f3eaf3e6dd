"""Which packages a binary was built from and what they import, asked of the go command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gocost.analyses.size.account import Account
from gocost.analyses.size.imports import (
    RUNTIME,
    ImportedPackage,
    chain,
    in_every_program,
    suggestions,
)
from gocost.analyses.size.packages import C_CODE, STD
from gocost.formats.buildinfo import BuildInfo
from gocost.measures.origin import check_origin
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Note, Table
from gocost.sources.go_command import go_in

_ENVIRONMENT: Final = ("GOOS", "GOARCH", "CGO_ENABLED")
_SWITCHES: Final = ("-race", "-cover", "-asan", "-msan")


def why(found: Account, wanted: str, directory: Path, binary: str) -> tuple[Table, list[Note]]:
    """The chain of imports to a module or package, a row a package, and what to know about it.

    Raises UsageError where `wanted` is no module or package of the binary, or `directory` is not
    in the module that it was built from, SourceError where there is no Go.
    """
    info = found.info
    wanted = wanted.partition("@")[0].rstrip("/").removeprefix(f"{STD}/")
    if wanted == "main" and info is not None and info.path:
        wanted = info.path
    names = found.packages.names
    matrix = found.ledger.by_package(len(names)).sum(axis=1).tolist()
    sizes = {name: size for name, size in zip(names, matrix[:-1], strict=True) if size}
    _check(wanted, sizes, binary)
    listed, roots = imported_packages(directory, info)
    rows = chain(listed, roots, wanted)
    modules = (found.packages.module_name(found.packages.number(name)) for name in sizes)
    known = {*sizes, *(module.path for module in modules)}
    if not rows:
        raise _not_found(wanted, sorted(known), roots, directory, binary)
    notes = []
    if in_every_program(listed, wanted):
        why_so = "" if wanted == RUNTIME else f", because {RUNTIME} needs it"
        notes.append(f"every Go program has {wanted}{why_so}: no import of its own brings it in")
    elif wanted not in known:
        notes.append(
            f"no byte of the binary is known to be {wanted}'s: what is used of it was inlined into "
            "others, or the linker dropped it"
        )
    return _table(wanted, rows, sizes), [Note("info", text) for text in notes]


def _table(wanted: str, rows: Sequence[ImportedPackage], sizes: Mapping[str, int]) -> Table:
    cells: list[Sequence[Cell]] = [
        (step, package.path, package.module or STD, sizes.get(package.path, 0))
        for step, package in enumerate(rows)
    ]
    return Table(
        f"Why {wanted} is in the binary: each imports the next",
        (
            Column("step", Unit.COUNT, "how many imports away from the main package"),
            Column("package", Unit.TEXT, "import path"),
            Column("module", Unit.TEXT, "module path"),
            Column("bytes", Unit.BYTES, "bytes of the package alone"),
        ),
        cells,
    )


def imported_packages(
    directory: Path, info: BuildInfo | None
) -> tuple[dict[str, ImportedPackage], list[str]]:
    """The packages of the module at `directory` that the binary's build would take in, by path,
    and the main packages to start from.

    Listed for the binary's platform and tags. Raises UsageError where the module is not the one
    that the binary was built from, or there is none.
    """
    env = {name: info.setting(name) or "" for name in _ENVIRONMENT} if info is not None else {}
    go = go_in(directory, {name: value for name, value in env.items() if value})
    check_origin(go, info)
    wanted = info.path if info is not None and info.path else "./..."
    flags = []
    if info is not None:
        tags = info.setting("-tags")
        flags = [f"-tags={tags}"] if tags else []
        flags += [name for name in _SWITCHES if info.setting(name) == "true"]
    found: dict[str, ImportedPackage] = {}
    roots: list[str] = []
    for entry in go.packages(*flags, wanted, fields="ImportPath,Imports,Module,DepOnly", deps=True):
        module = (entry.get("Module") or {}).get("Path", "")
        path = entry["ImportPath"]
        found[path] = ImportedPackage(path, tuple(entry.get("Imports") or ()), module)
        if not entry.get("DepOnly"):
            roots.append(path)
    return found, roots


def _check(wanted: str, sizes: Mapping[str, int], binary: str) -> None:
    """Raises UsageError for what is no question."""
    if not wanted:
        raise UsageError("--why names no module", hint="write --why MODULE, or a package")
    if wanted == STD:
        own = {name: size for name, size in sizes.items() if "." not in name.partition("/")[0]}
        largest = max((name for name in own if name[0].isalpha() and name != RUNTIME),
                      key=lambda name: own[name], default="fmt")  # fmt: skip
        raise UsageError(
            "std is the standard library, and every program has some of it",
            hint=f"ask for one of its packages: --why {largest}",
        )
    if wanted.startswith("("):
        raise UsageError(
            f"{wanted} is no module: it is the row of bytes that are no one module's",
            hint=f"`gocost size {binary} --by module` lists the modules",
        )


def _not_found(
    wanted: str, known: list[str], roots: list[str], directory: Path, binary: str
) -> UsageError:
    """Why no import leads there."""
    start = ", ".join(roots) or "the module"
    if wanted in known:
        return UsageError(
            f"nothing that {start} imports leads to {wanted}, which the binary has",
            hint="check out the commit that the binary was built from",
        )
    if _is_required(wanted, directory):
        return UsageError(
            f"{wanted} is in the module graph, and no package of it is in the binary",
            hint=f"`go mod why -m {wanted}` says what wants it",
        )
    near = suggestions(wanted, known)
    return UsageError(
        "the binary has no C code"
        if wanted == C_CODE
        else f"no module or package {wanted!r} is in the binary",
        hint=f"did you mean {near[0]}?"
        if near
        else f"`gocost size {binary} --by module` lists the modules",
    )


def _is_required(wanted: str, directory: Path) -> bool:
    if "." not in wanted.partition("/")[0]:
        return False
    done = go_in(directory).run("list", "-m", "-mod=readonly", "-f", "{{.Path}}", "all")
    return wanted in done.stdout.split()
