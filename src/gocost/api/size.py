"""Every byte of a binary: what it is, whose it is, and what changed since another one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gocost._version import VERSION
from gocost.analyses.size.account import Account
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.stripping import Savings, savings
from gocost.analyses.size.tables import DIMENSIONS, filtered, nested, tables
from gocost.api._programs import program
from gocost.measures.binary import account_of, facts, opened, strip_facts
from gocost.model.errors import FormatError, UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Change, Layout, Note, Report, Table, Verdict
from gocost.model.subject import Subject
from gocost.sources.files import exists, is_folder
from gocost.sources.saved_reports import is_saved_report

if TYPE_CHECKING:
    from gocost.analyses.size.sides import Side
    from gocost.formats.go_binary import GoBinary

SHOWN = ("kinds", "modules", "packages")
GROWTH = ("causes", "growth", "growth_packages", "growth_functions")
PLURALS = {
    "kind": "kinds",
    "section": "sections",
    "module": "modules",
    "package": "packages",
    "function": "functions",
}


def size(
    binary: str | Path,
    *,
    by: str | Sequence[str] = (),
    filter: str | None = None,  # noqa: A002 - the option's name on the command line
    why: str | None = None,
    base: str | Path | None = None,
    flags: Sequence[str] = (),
    directory: str | Path = ".",
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Accounts for every byte of the executable at `binary`.

    Where that is a folder, its main package (or the only one below it) is built first, with `flags`
    of `go build`.

    `by` names what to show first: module, package, function, section, kind, or several to nest
    (a list of them, or one text: `module,package`).
    `filter` is a regular expression over names; what does not match is one row. `why` is a module
    (or package): the shortest import path that pulls it in, asked of the module in `directory`.
    `base` is another binary, a report that `gocost size` or `gocost check` saved, or a git ref:
    what grew since where HEAD of `directory` left it.

    Raises UsageError for what cannot be asked, SourceError where a file cannot be read,
    BuildError where the folder or the base does not build and FormatError where a file is no Go
    executable.
    """
    by = by.split(",") if isinstance(by, str) else by
    _check(by)
    pattern = _pattern(filter)
    path, directory = Path(binary), Path(directory)
    if is_folder(path) and base is not None and not exists(Path(base)):
        flags = [*flags, "-trimpath"]  # the base is built elsewhere, and paths are bytes too
    with (
        program(path, flags, "gocost size", progress) as asked,
        opened(asked.path) as image,
    ):
        directory = asked.folder or directory
        found = account_of(image)
        made = tables(found)
        shown = [PLURALS[by[0]]] if len(by) == 1 else list(SHOWN)
        if len(by) > 1:
            shown = ["_".join(by)]
            made[shown[0]] = nested(found, by)
        if pattern is not None:
            made = {
                key: filtered(table, pattern) if _has_names(table) else table
                for key, table in made.items()
            }
        saved = savings(image.image, image.info)
        notes = [*_unmatched(made, shown, filter), *_notes(found, saved)]
        if asked.flags is not None:
            notes.append(_built_by(asked.flags))
        changes: list[Change] = []
        if why is not None:
            from gocost.measures.imports import why as chain_of_imports

            table, more = chain_of_imports(found, why, directory, str(binary))
            made = {"why": table, **made}
            notes = [*more, *notes]
            shown = ["why"]
        if base is not None:
            grown, changes, more = _compared(
                str(base), image, found, asked.name, directory, asked.flags, progress
            )
            made = {**grown, **made}
            notes = [*more, *notes]
            wanted = shown if by or why or not grown else GROWTH[2:3]
            shown = [key for key in (*GROWTH[:2], *wanted) if key in made]
        return _report(asked.name, found, saved, made, shown, notes, changes)


def _built_by(flags: Sequence[str]) -> Note:
    """What was built: flags of the linker make a large difference."""
    more = "" if len(flags) > 1 else "; --build-flag='-ldflags=-s -w' builds it stripped"
    return Note("info", f"the file was built by `{shlex.join(['go', 'build', *flags])}`{more}")


def _check(by: Sequence[str]) -> None:
    for number, name in enumerate(by):
        if name not in DIMENSIONS:
            singular = name.removesuffix("s")
            raise UsageError(
                f"there is nothing to sort bytes by named {name!r}",
                hint=f"did you mean {singular}?"
                if singular in DIMENSIONS
                else f"choose of {', '.join(DIMENSIONS)}",
            )
        if name in by[:number]:
            raise UsageError(f"--by names {name} twice", hint="name it once")


def _pattern(text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"--filter {text!r} is no regular expression: {error}",
            hint="quote it, and escape what should stand for itself with \\",
        ) from error


def _unmatched(made: Mapping[str, Table], shown: Sequence[str], text: str | None) -> list[Note]:
    """That a filter leaves nothing of what is shown."""
    empty = [name for name in shown if len(made[name].rows) == 1 and not made[name].complete]
    if text is None or empty != list(shown):
        return []
    named = ", ".join(empty)
    return [
        Note(
            "warning",
            f"--filter {text!r} matches no row of {named}; it is a regular expression over names",
        )
    ]


def _has_names(table: Table) -> bool:
    return any(name in DIMENSIONS for name in table.names())


def _compared(
    base: str,
    head: GoBinary,
    found: Account,
    name: str,
    directory: Path,
    flags: Sequence[str] | None,
    progress: Callable[[str], None],
) -> tuple[dict[str, Table], list[Change], list[Note]]:
    """What grew since the base: a saved report, another binary, or one built at a git ref."""
    from gocost.analyses.size.growth import growth
    from gocost.analyses.size.sides import side_of
    from gocost.measures.rebuilt import base_binary

    after = side_of(found)
    if is_saved_report(Path(base)):
        before, notes = _saved(base, found, name)
        title = base
    else:
        notes = []
        with (
            base_binary(
                base,
                directory,
                head.info,
                stripped=found.stripped,
                build_flags=flags,
                progress=progress,
            ) as (path, title),
            opened(path) as image,
        ):
            before = side_of(account_of(image))
    tables: dict[str, Table] = {}
    if before.modules:
        split = growth(before, after)
        grown = (split.causes, split.growth, split.packages, split.functions)
        tables = {key: table for key, table in zip(GROWTH, grown, strict=True) if table is not None}
        notes = [*split.notes, *notes]
    delta = after.size - before.size
    worse = {True: Verdict.WORSE, False: Verdict.BETTER}[delta > 0] if delta else Verdict.SAME
    change = Change(
        metric="binary.size",
        unit=Unit.BYTES,
        base=before.size,
        head=after.size,
        delta=delta,
        verdict=worse,
        subject=Subject(service=name),
    )
    more = format_quantity(delta, Unit.BYTES, signed=True)
    told = f"{more} against {title}" if delta else f"the size has not changed against {title}"
    return tables, [change], [Note("info", text) for text in (told, *notes)]


def _saved(base: str, head: Account, binary: str) -> tuple[Side, list[str]]:
    """The side that a saved report tells of, and what it does not tell. Raises UsageError."""
    from gocost.analyses.size.saved import saved_side
    from gocost.measures.saved_base import saved_base

    report = saved_base(Path(base), "size", "binary.size", binary)
    own = [module.path for module in head.packages.modules if module.role == "main"]
    try:
        side, notes = saved_side(report.facts, report.tables, own)
    except FormatError as error:
        raise report.edited(error) from error
    return side, [*notes, *report.notes]


def _report(
    name: str,
    found: Account,
    saved: Savings,
    made: dict[str, Table],
    shown: list[str],
    notes: list[Note],
    changes: list[Change],
) -> Report:
    subject = Subject(service=name)
    names = made["functions"].names() if "functions" in made else ()
    return Report(
        command="size",
        gocost=VERSION,
        subject=subject,
        facts=[*facts(found, subject), *strip_facts(saved, subject)],
        tables=made,
        changes=changes,
        notes=notes,
        layout=Layout(
            title=f"{name}: {format_quantity(found.size, Unit.BYTES)}",
            tables=tuple(shown),
            facts=("binary.size", "binary.size.loaded", "binary.size.strippable"),
            # A function's name begins with its package's.
            columns={"functions": tuple(c for c in names if c != "package")},
            changed=dict.fromkeys(("growth", "growth_packages"), "delta"),
            treemap="functions",
        ),
    )


def _notes(found: Account, saved: Savings) -> list[Note]:
    notes = [Note("warning", fault) for fault in found.faults]
    matrix = found.ledger.by_package(len(found.packages.names))
    code = matrix[:, Kind.CODE]
    owned = int(matrix[:-1].sum())
    told = f"{owned / max(found.size, 1):.1%} of the file is attributed to packages"
    if code.sum():
        told += f", {code[:-1].sum() / code.sum():.2%} of the code"
    explained, area = found.type_bytes
    if area:
        told += f", {explained / area:.1%} of the type descriptors"
    notes.append(Note("info", told))
    if saved.both:
        saving = format_quantity(saved.both, Unit.BYTES)
        text = f"stripping would save {saving} ({saved.both / found.size:.1%})"
        if saved.dwarf:
            text += f": {format_quantity(saved.dwarf, Unit.BYTES)} with -w, the rest with -s"
        notes.append(Note("info", f'{text}: build with -ldflags="-s -w"'))
    return notes
