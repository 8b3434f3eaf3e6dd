"""The program that is named: an executable, or a folder whose main package is built for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gocost.model.errors import UsageError
from gocost.sources.files import is_folder

NAMED: Final = 5
"""How many main packages are named where one has to be chosen."""


@dataclass(frozen=True, slots=True)
class Program:
    """An executable."""

    path: Path
    name: str
    folder: Path | None = None
    """Of the main package that it was built from for this, if it was."""
    flags: tuple[str, ...] | None = None
    """What it was built with then."""


@contextmanager
def program(
    path: Path, flags: Sequence[str], command: str, progress: Callable[[str], None]
) -> Iterator[Program]:
    """The executable at `path`, or, where that is a folder, its main package's, as long as the
    context lasts.

    `flags` are for the build, and `command` is what was typed, for errors. Raises UsageError,
    SourceError and BuildError.
    """
    if not is_folder(path):
        if flags:
            raise UsageError("--build-flag is for builds", hint="name the folder of a main package")
        yield Program(path, path.name)
        return
    # What those who name a file need not wait for.
    from gocost.sources.go_command import NO_STAMP, go_in
    from gocost.sources.scratch import scratch

    folder = main_package(path, command)
    used = (NO_STAMP, *flags)
    with scratch("program") as place:
        output = place / "program"
        progress(f"building {typed(folder)}")
        go_in(folder).build(".", output, flags=used)
        yield Program(output, folder.resolve().name, folder, used)


def main_package(path: Path, command: str) -> Path:
    """The folder of the main package in a folder: itself, or the only one below.

    Raises UsageError, naming them, where there are several, and where there is none.
    """
    from gocost.gate.initial import main_packages

    try:
        found = [main.package for main in main_packages(path)]
    except UsageError as error:
        hint = "name the folder of a main package, or an executable"
        raise UsageError(error.message, hint=hint) from error
    if "." in found:
        return path
    if len(found) > 1:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise UsageError(
            f"{path} has the main packages {', '.join(found[:NAMED])}{more}",
            hint=f"name one: {command} {typed(path / found[0])}",
        )
    return path / found[0]


def typed(path: Path) -> str:
    """The path as a package pattern: the go command wants a dot before a relative one."""
    text = os.fspath(path)
    return text if path.is_absolute() or text.startswith(".") else f"./{text}"
