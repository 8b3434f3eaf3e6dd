"""Source files by the paths that a compiler saw: on this machine they are often elsewhere.

As `openSourceFile` in pprof's `internal/report/source.go`: an absolute path is opened as it is, a
relative one is looked for in the folders of the search path and in all above them. What is then
still missing is looked for where Go keeps it: the standard library under GOROOT, modules in the
module cache, the module of the current folder in its own folder; builds with -trimpath name files
by import path, and other machines' builds by folders that are not here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from gocost.formats import gomod
from gocost.model.errors import FormatError, GocostError
from gocost.sources.files import read_bounded
from gocost.sources.go_command import go_in

MAX_BYTES: Final = 16 << 20
"""Of a source file; no compiler is given larger ones."""
_UPPER: Final = re.compile("[A-Z]")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's lines, or where it was looked for."""

    path: str
    """Where it was found; empty where it was not."""
    lines: tuple[str, ...]
    looked: tuple[str, ...]

    def line(self, number: int) -> str | None:
        """The line of that number, counted from 1; None where the file has no such line."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else None


class SourceFiles:
    """Finds files, each once."""

    def __init__(self, search: str = "", here: Path | None = None) -> None:
        """`search` is a list of folders as PATH is, by default the current one."""
        self._here = here or Path.cwd()
        self._search = [Path(each) for each in search.split(os.pathsep) if each] or [self._here]
        self._known: dict[str, Source] = {}

    def read(self, path: str) -> Source:
        """The file of a path as a profile has it."""
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._read(path)
        return found

    def _read(self, path: str) -> Source:
        looked: list[str] = []
        for candidate in (*self._as_pprof(path), *self._as_go(path)):
            try:
                text = read_bounded(candidate, MAX_BYTES).decode("utf-8", "replace")
            except GocostError:
                looked.append(str(candidate))
                continue
            return Source(str(candidate), tuple(text.splitlines()), tuple(looked))
        return Source("", (), tuple(dict.fromkeys(looked)))

    def _as_pprof(self, path: str) -> list[Path]:
        if Path(path).is_absolute():
            return [Path(path)]
        return [
            folder / path
            for start in self._search
            for folder in (start.absolute(), *start.absolute().parents)
        ]

    def _as_go(self, path: str) -> list[Path]:
        found = []
        relative = "" if Path(path).is_absolute() else path
        for mark, folder in (("/pkg/mod/", self._module_cache), ("/src/", self._standard)):
            inside = path.rpartition(mark)[2] if mark in path else relative
            if inside and folder is not None:
                found.append(folder / _escaped(inside) if mark == "/pkg/mod/" else folder / inside)
        module, root = self._module
        if module and path.startswith(f"{module}/"):
            found.append(root / path[len(module) + 1 :])
        return found

    @cached_property
    def _go(self) -> dict[str, str]:
        try:
            return go_in(self._here).environment("GOROOT", "GOMODCACHE")
        except GocostError:
            return {}

    @property
    def _standard(self) -> Path | None:
        root = self._go.get("GOROOT")
        return Path(root) / "src" if root else None

    @property
    def _module_cache(self) -> Path | None:
        folder = self._go.get("GOMODCACHE")
        return Path(folder) if folder else None

    @cached_property
    def _module(self) -> tuple[str, Path]:
        for folder in (self._here.absolute(), *self._here.absolute().parents):
            try:
                return gomod.decode(read_bounded(folder / "go.mod", MAX_BYTES)).module, folder
            except FormatError:
                return "", folder
            except GocostError:
                continue
        return "", self._here


def _escaped(path: str) -> str:
    """A module's path as the cache's folders have it: capitals as `!` and the small letter."""
    module, at, rest = path.partition("@")
    return _UPPER.sub(lambda found: f"!{found[0].lower()}", module) + at + rest if at else path
