"""How a binary is linked, where it runs, and what the other ways to link it would give."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from gocost._version import VERSION
from gocost.analyses import distributions
from gocost.measures.linkage import examine, measured
from gocost.measures.linkage_matrix import build_ways, matrix_notes, matrix_tables
from gocost.model.errors import NotMeasurableError, UsageError
from gocost.model.report import Layout, Report
from gocost.model.subject import Subject
from gocost.sources.files import is_folder
from gocost.sources.go_command import module_root


def linkage(
    target: str | Path = ".",
    *,
    matrix: bool = False,
    machine: str | None = None,
    flags: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """How the executable `target` is linked, what it needs, and where it runs.

    With `matrix`, `target` is a main package's folder, which is built in three ways (with `flags`)
    that the report compares. `machine` (GOARCH) chooses the slice of a fat Mach-O file.

    Raises UsageError, SourceError, FormatError (naming what the file is instead),
    NotMeasurableError where none of the ways can be built.
    """
    path = Path(target)
    if matrix:
        return _matrix(path, flags, progress)
    if is_folder(path):
        raise UsageError(
            f"{path} is a folder",
            hint="name an executable, or build it in three ways: "
            f"gocost linkage --matrix {_typed(path)}",
        )
    found = examine(path, machine)
    result = measured(found, Subject(service=path.name))
    shown = [name for name, table in result.tables.items() if table.rows]
    return Report(
        command="linkage",
        gocost=VERSION,
        subject=Subject(service=path.name),
        facts=result.facts,
        tables=result.tables,
        notes=result.notes,
        assumptions=result.assumptions,
        layout=Layout(
            title=f"{path.name}: {found.linkage.linked}, {found.program.goos}/{found.goarch}",
            tables=tuple(shown),
        ),
    )


def _matrix(path: Path, flags: Sequence[str], progress: Callable[[str], None]) -> Report:
    if not is_folder(path):
        raise UsageError(f"{path} is no folder", hint="name the folder of a main package")
    module_root(path)
    outcomes = build_ways(path, ".", flags=flags, progress=progress)
    if all(outcome.found is None for outcome in outcomes):
        raise NotMeasurableError(
            f"{path} could not be built in any way: {outcomes[0].reason}",
            hint=f"run `go build {_typed(path)}` to see all of it",
        )
    name = path.resolve().name
    return Report(
        command="linkage",
        gocost=VERSION,
        subject=Subject(service=name),
        tables=matrix_tables(outcomes),
        notes=list(matrix_notes(outcomes)),
        assumptions=[f"distributions as of {distributions.AS_OF}, from {distributions.SOURCE}"],
        layout=Layout(title=f"{name}: ways to link it"),
    )


def _typed(path: Path) -> str:
    """The path as a package pattern: the go command wants a dot before a relative one."""
    text = os.fspath(path)
    return text if path.is_absolute() or text.startswith(".") else f"./{text}"
