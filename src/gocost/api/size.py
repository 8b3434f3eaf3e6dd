"""Every byte of a binary: what it is, whose it is, and what changed since another one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gocost._version import VERSION
from gocost.analyses.size.account import Account
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.stripping import Savings, savings
from gocost.analyses.size.tables import DIMENSIONS, filtered, nested, tables
from gocost.measures.binary import account_of, facts, opened, strip_facts
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Table
from gocost.model.subject import Subject

SHOWN = ("kinds", "modules", "packages")
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
    by: Sequence[str] = (),
    filter: str | None = None,  # noqa: A002 - the option's name on the command line
) -> Report:
    """Accounts for every byte of the executable at `binary`.

    `by` names what to show first: module, package, function, section, kind, or several to nest.
    `filter` is a regular expression over names; what does not match is one row.

    Raises UsageError for what cannot be asked, SourceError where the file cannot be read and
    FormatError where it is no Go executable.
    """
    for name in by:
        if name not in DIMENSIONS:
            raise UsageError(
                f"there is nothing to sort bytes by named {name!r}",
                hint=f"choose of {', '.join(DIMENSIONS)}",
            )
    pattern = _pattern(filter)
    path = Path(binary)
    with opened(path) as image:
        found = account_of(image)
        saved = savings(image.image)
        made = tables(found)
        shown = [PLURALS[by[0]]] if len(by) == 1 else list(SHOWN)
        if len(by) > 1:
            name = "_".join(by)
            made[name] = nested(found, by)
            shown = [name]
        if pattern is not None:
            made = {
                name: filtered(table, pattern) if _has_names(table) else table
                for name, table in made.items()
            }
        return _report(path, found, saved, made, shown)


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


def _has_names(table: Table) -> bool:
    return any(name in DIMENSIONS for name in table.names())


def _report(
    path: Path, found: Account, saved: Savings, made: dict[str, Table], shown: list[str]
) -> Report:
    subject = Subject(service=path.name)
    return Report(
        command="size",
        gocost=VERSION,
        subject=subject,
        facts=[*facts(found, subject), *strip_facts(saved, subject)],
        tables=made,
        notes=_notes(found, saved),
        layout=Layout(
            title=f"{path.name}: {format_quantity(found.size, Unit.BYTES)}",
            tables=tuple(shown),
            facts=("binary.size", "binary.size.loaded", "binary.size.strippable"),
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
