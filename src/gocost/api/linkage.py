"""How a binary is linked, where it runs, and what the other ways to link it would give."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gocost._version import VERSION
from gocost.analyses import distributions
from gocost.measures.executables import opened
from gocost.measures.linkage import examined, measured
from gocost.measures.linkage_matrix import build_ways, matrix_notes, matrix_tables
from gocost.model.errors import NotMeasurableError, UsageError
from gocost.model.report import Layout, Report
from gocost.model.subject import Subject
from gocost.sources.files import is_folder
from gocost.sources.go_command import go_in

Progress = Callable[[str], None]

NO_STAMP: Final = "-buildvcs=false"
"""A stamp says nothing of linkage, and git may refuse to make one."""
NAMED: Final = 5
"""How many main packages are named where one has to be chosen."""


def linkage(
    target: str | Path = ".",
    *,
    matrix: bool = False,
    machine: str | None = None,
    flags: Sequence[str] = (),
    progress: Progress = lambda _: None,
) -> Report:
    """How the executable `target` is linked, what it needs, and where it runs.

    Where `target` is a folder, its main package (or the only one below it) is built with `flags`:
    once, or with `matrix` in three ways that the report compares. `machine` (GOARCH) chooses the
    slice of a fat Mach-O file.

    Raises UsageError, SourceError, BuildError, FormatError (naming what the file is instead),
    NotMeasurableError where none of the ways can be built.
    """
    path = Path(target)
    if flags and not is_folder(path):
        raise UsageError("--build-flag is for builds", hint="name the folder of a main package")
    if matrix:
        return _matrix(path, flags, progress)
    with _program(path, flags, progress) as (file, name):
        with opened(file, machine) as image:
            found = examined(image)
        if machine and found.goarch != machine:
            raise UsageError(f"{path} is for {found.goarch} alone", hint="leave out --arch")
        result = measured(found, Subject(service=name))
    return Report(
        command="linkage",
        gocost=VERSION,
        subject=Subject(service=name),
        facts=result.facts,
        tables=result.tables,
        notes=result.notes,
        assumptions=result.assumptions,
        layout=Layout(
            title=f"{name}: {found.linkage.linked}, {found.program.goos}/{found.goarch}",
            tables=tuple(key for key, table in result.tables.items() if table.rows),
        ),
    )


@contextmanager
def _program(path: Path, flags: Sequence[str], progress: Progress) -> Iterator[tuple[Path, str]]:
    """The executable, and its name."""
    if not is_folder(path):
        yield path, path.name
        return
    folder = _main_package(path, "gocost linkage")
    with tempfile.TemporaryDirectory(prefix="gocost-linkage-") as place:
        output = Path(place) / "program"
        progress(f"building {_typed(folder)}")
        go_in(folder).build(".", output, flags=[NO_STAMP, *flags])
        yield output, folder.resolve().name


def _main_package(path: Path, command: str) -> Path:
    """The folder of the main package in a folder: itself, or the only one below.

    Raises UsageError, naming them, where there are several, and where there is none.
    """
    from gocost.gate.initial import main_packages

    found = [main.package for main in main_packages(path)]
    if "." in found:
        return path
    if len(found) > 1:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise UsageError(
            f"{path} has the main packages {', '.join(found[:NAMED])}{more}",
            hint=f"name one: {command} {_typed(path / found[0])}",
        )
    return path / found[0]


def _matrix(path: Path, flags: Sequence[str], progress: Progress) -> Report:
    if not is_folder(path):
        raise UsageError(f"{path} is no folder", hint="name the folder of a main package")
    folder = _main_package(path, "gocost linkage --matrix")
    outcomes = build_ways(folder, ".", flags=flags, progress=progress)
    if all(outcome.found is None for outcome in outcomes):
        raise NotMeasurableError(
            f"{folder} could not be built in any way: {outcomes[0].reason}",
            hint=f"run `go build {_typed(folder)}` to see all of it",
        )
    name = folder.resolve().name
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
