"""Files as people name them on a command line: a path, `-` for standard input, a URL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gocost.model.errors import UsageError

NAME: Final = "-"
SHOWN: Final = "standard input"
Named = str | Path
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def names_of(files: Named | Iterable[Named]) -> tuple[str, ...]:
    """One file or several, by their names."""
    return tuple(map(str, [files] if isinstance(files, str | Path) else files))


def is_url(where: str) -> bool:
    """Whether a recording is fetched rather than read from a file.

    Raises UsageError for a URL of another kind, of which nothing but the kind is shown: it may hold
    a password.
    """
    scheme = _SCHEME.match(where)
    if scheme is not None and scheme[1].lower() not in ("http", "https"):
        raise UsageError(
            f"a URL that begins with {scheme[0]} cannot be read, only http:// and https://",
            hint="fetch what it names and give the file",
        )
    return scheme is not None


def shown(where: str) -> str:
    """What a file is called in a sentence about it: as it was named."""
    return SHOWN if where == NAME else where


def listed(files: Iterable[str]) -> str:
    """Several of them, as sentences name them."""
    return ", ".join(map(shown, files))


def short_name(where: str) -> str:
    """What a file is called as the title of a report: without folders, but of a URL as a whole, and
    of a pipe (`<(COMMAND)`), whose name is a number.
    """
    if is_url(where) or Path(where).is_relative_to("/dev/fd"):
        return where
    return shown(Path(where).name)


def check_named_once(names: Iterable[object]) -> None:
    """Raises UsageError where more than one file is to be standard input."""
    if [*map(str, names)].count(NAME) > 1:
        raise UsageError(
            f"{SHOWN} is one file, and `{NAME}` is named more than once",
            hint="write one of them to a file first",
        )
