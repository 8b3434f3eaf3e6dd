"""How a binary is linked, where it runs, what changed of that, and the other ways to link it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gocost._version import VERSION
from gocost.analyses import distributions
from gocost.measures.executables import opened
from gocost.measures.linkage import Examined, examine, examined, measured
from gocost.measures.linkage_matrix import build_ways, matrix_notes, matrix_tables
from gocost.model.errors import FormatError, NotMeasurableError, UsageError
from gocost.model.report import Change, Layout, Note, Report, Table
from gocost.model.subject import Subject
from gocost.sources.files import is_folder
from gocost.sources.go_command import go_in
from gocost.sources.saved_reports import is_saved_report

if TYPE_CHECKING:
    from gocost.formats.buildinfo import BuildInfo

Progress = Callable[[str], None]

NO_STAMP: Final = "-buildvcs=false"
"""A stamp says nothing of linkage, and git may refuse to make one."""
NAMED: Final = 5
"""How many main packages are named where one has to be chosen."""


def linkage(
    target: str | Path = ".",
    *,
    matrix: bool = False,
    base: str | Path | None = None,
    machine: str | None = None,
    flags: Sequence[str] = (),
    directory: str | Path = ".",
    progress: Progress = lambda _: None,
) -> Report:
    """How the executable `target` is linked, what it needs, and where it runs.

    Where `target` is a folder, its main package (or the only one below it) is built with `flags`:
    once, or with `matrix` in three ways that the report compares. `base` is what to compare with:
    another binary, a report that `gocost linkage` or `gocost check` saved, or a git ref, to be
    built where HEAD left it in the repository of the folder, or of `directory` where `target` is a
    file. `machine` (GOARCH) chooses the slice of a fat Mach-O file.

    Raises UsageError, SourceError, BuildError, FormatError (naming what the file is instead),
    NotMeasurableError where none of the ways can be built.
    """
    path = Path(target)
    if flags and not is_folder(path):
        raise UsageError("--build-flag is for builds", hint="name the folder of a main package")
    if matrix:
        if base is not None:
            raise UsageError(
                "--matrix compares three ways to build one commit, and no base",
                hint="leave out --matrix, or --base",
            )
        return _matrix(path, flags, progress)
    with _program(path, flags, progress) as (file, name, folder):
        with opened(file, machine) as image:
            found, info = examined(image), image.info
        if machine and found.goarch != machine:
            raise UsageError(f"{path} is for {found.goarch} alone", hint="leave out --arch")
        result = measured(found, Subject(service=name))
        changes: list[Change] = []
        tables, notes = result.tables, list(result.notes)
        if base is not None:
            built = [NO_STAMP, *flags] if folder is not None else None
            place = folder if folder is not None else Path(directory)
            changed, changes, told = _compared(
                str(base), found, info, name, place, built, machine, progress
            )
            tables, notes = {**changed, **tables}, [*told, *notes]
    return Report(
        command="linkage",
        gocost=VERSION,
        subject=Subject(service=name),
        facts=result.facts,
        tables=tables,
        changes=changes,
        notes=notes,
        assumptions=result.assumptions,
        layout=Layout(
            title=f"{name}: {found.linkage.linked}, {found.program.goos}/{found.goarch}",
            tables=tuple(key for key, table in tables.items() if table.rows),
        ),
    )


@contextmanager
def _program(
    path: Path, flags: Sequence[str], progress: Progress
) -> Iterator[tuple[Path, str, Path | None]]:
    """The executable, its name, and the folder that it was built from, if it was."""
    if not is_folder(path):
        yield path, path.name, None
        return
    folder = _main_package(path, "gocost linkage")
    with tempfile.TemporaryDirectory(prefix="gocost-linkage-") as place:
        output = Path(place) / "program"
        progress(f"building {_typed(folder)}")
        go_in(folder).build(".", output, flags=[NO_STAMP, *flags])
        yield output, folder.resolve().name, folder


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


def _compared(
    base: str,
    found: Examined,
    info: BuildInfo | None,
    name: str,
    place: Path,
    flags: Sequence[str] | None,
    machine: str | None,
    progress: Progress,
) -> tuple[dict[str, Table], list[Change], list[Note]]:
    """What changed since the base: a saved report, another binary, or one built at a git ref."""
    from gocost.measures import linkage_changes
    from gocost.measures.rebuilt import base_binary, hides_flags
    from gocost.measures.saved_base import saved_base

    head, title = linkage_changes.of_binary(found), base
    if is_saved_report(Path(base)):
        saved = saved_base(Path(base), "linkage", "binary.linkage", name)
        try:
            before, told = linkage_changes.of_report(saved), list(saved.notes)
        except FormatError as error:
            raise saved.edited(error) from error
    else:
        with base_binary(
            base, place, info, stripped=False, build_flags=flags, progress=progress
        ) as (file, title):
            before, told = linkage_changes.of_binary(examine(file, machine)), []
        relinked = before.facts["binary.linkage"].value != str(found.linkage.linked)
        if title != base and flags is None and relinked and info and hides_flags(info):
            told = [
                "-trimpath hides the -ldflags that the file was built with: where those chose how "
                "to link, the base is linked otherwise; name a folder and --build-flag instead"
            ]
    tables = linkage_changes.change_tables(before, head, found)
    changes = linkage_changes.changes(before, head, Subject(service=name))
    differs = any(change.base != change.head for change in changes)
    differs = differs or any(table.rows for table in tables.values())
    told = [*linkage_changes.untold(before, head), *told]
    against = f"compared with {title}" if differs else f"nothing differs from {title}"
    return tables, changes, [Note("info", text) for text in (against, *told)]


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
