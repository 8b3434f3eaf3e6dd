"""How a binary is linked, where it runs, what changed of that, and the other ways to link it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gocost._version import VERSION
from gocost.analyses import distributions
from gocost.api._programs import main_package, program, typed
from gocost.measures.executables import opened
from gocost.measures.linkage import Examined, examine, examined, measured
from gocost.measures.linkage_matrix import build_ways, matrix_notes, matrix_tables
from gocost.model.errors import FormatError, NotMeasurableError, UsageError
from gocost.model.report import Change, Layout, Note, Report, Table
from gocost.model.subject import Subject
from gocost.sources.files import is_folder
from gocost.sources.saved_reports import is_saved_report

if TYPE_CHECKING:
    from gocost.formats.buildinfo import BuildInfo

Progress = Callable[[str], None]


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
    with program(path, flags, "gocost linkage", progress) as asked:
        name = asked.name
        with opened(asked.path, machine) as image:
            found, info = examined(image), image.info
        if machine and found.goarch != machine:
            raise UsageError(f"{path} is for {found.goarch} alone", hint="leave out --arch")
        result = measured(found, Subject(service=name))
        changes: list[Change] = []
        tables, notes = result.tables, list(result.notes)
        if base is not None:
            place = asked.folder or Path(directory)
            changed, changes, told = _compared(
                str(base), found, info, name, place, asked.flags, machine, progress
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
    folder = main_package(path, "gocost linkage --matrix")
    outcomes = build_ways(folder, ".", flags=flags, progress=progress)
    if all(outcome.found is None for outcome in outcomes):
        raise NotMeasurableError(
            f"{folder} could not be built in any way: {outcomes[0].reason}",
            hint=f"run `go build {typed(folder)}` to see all of it",
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
