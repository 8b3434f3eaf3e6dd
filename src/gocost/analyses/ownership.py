"""Who owns the code that a cost is in: a team of CODEOWNERS, another module, Go itself.

CODEOWNERS speaks of paths in a repository; profiles, traces and dumps speak of functions with the
paths that the compiler saw. The way from one to the other is the package: its import path less the
module's path is its folder in the module, and the last element of the file's path is the file. A
package `main` does not say its import path, so there the file's path leads: builds with -trimpath
begin it with the module's path, others with the folder of the machine that built, which is found
from the files of the module's other packages.

A row is one of
    @org/team, alice@x.org    who CODEOWNERS names (several, joined by spaces, own together)
    unowned                   in the repository's modules, and nobody's
    (module) PATH             another module's, which no CODEOWNERS here is about
    (runtime), (standard library), (C code), (no package)
so that costs by owner add up to the whole.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gocost.analyses.profile.groups import NO_NAME
from gocost.formats.codeowners import Codeowners

UNOWNED: Final = "unowned"
RUNTIME: Final = "(runtime)"
STANDARD: Final = "(standard library)"
C_CODE: Final = "(C code)"
UNKNOWN: Final = "(module) unknown"
_ESCAPED: Final = re.compile("!([a-z])")
_C_FILES: Final = (".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".rs", ".S")


@dataclass(frozen=True, slots=True)
class Repository:
    """What is known of the code's own repository, and of what it depends on."""

    rules: Codeowners
    modules: Mapping[str, str]
    """Its modules: path to folder from the repository's root, `` for the root itself."""
    root: str = ""
    """Where it lies on this machine; files that were built from there are found by it."""
    dependencies: Sequence[str] = field(default=())
    """Paths of other modules, as build info lists them; without it files' paths tell them."""
    main: str = ""
    """The import path of package main, where build info is known."""


def owners_of(packages: Sequence[str], files: Sequence[str], repository: Repository) -> list[str]:
    """The owner of each function, by its package's import path and its file as the build had it.

    `packages` are as `packages_of` gives them: import paths, `main` where nothing is known, NO_NAME
    for what has none; `files` may be empty texts.
    """
    paths = Paths(packages, files, repository)
    found: dict[tuple[str, str], str] = {}
    owners = []
    for key in zip(packages, files, strict=True):
        owner = found.get(key)
        if owner is None:
            owner = found[key] = _owner(*key, paths, repository)
        owners.append(owner)
    return owners


class Paths:
    """Where packages and files are in a repository, as far as the files of a profile tell."""

    def __init__(
        self, packages: Sequence[str], files: Sequence[str], repository: Repository
    ) -> None:
        self._modules = sorted(repository.modules, key=len, reverse=True)
        self._folders = repository.modules
        self._pairs = set(zip(packages, files, strict=True))
        self._main = repository.main
        self._local = [
            (posixpath.join(repository.root, folder) if folder else repository.root, path)
            for path, folder in repository.modules.items()
            if repository.root
        ]
        self._roots = self._built_from()
        self._packages = self._by_folder()
        self._standard = self._standard_library()

    def module(self, package: str) -> str | None:
        """The repository's own module that a package is of."""
        package = package.removesuffix("_test")
        return next((path for path in self._modules if _within(package, path)), None)

    def package(self, package: str, file: str) -> str:
        """The import path of a function's package, where its name does not tell but its file does:
        of main, of assembly.
        """
        if package not in ("main", NO_NAME):
            return package
        folder = posixpath.dirname(file)
        if folder in self._packages:
            # Also of main: a closure that was inlined into main has its name, but not its file.
            return self._packages[folder]
        if package == "main" and self._main:
            return self._main
        if package == "main":
            trimmed = ((path, path) for path in self._modules)
            for root, path in (*self._roots, *self._local, *trimmed):
                if root and _within(folder, root):
                    return posixpath.join(path, folder[len(root) :].strip("/"))
        elif self._standard and folder.startswith(self._standard):
            return folder[len(self._standard) :]
        return package

    def path(self, module: str, package: str, file: str) -> str:
        """A file's path from the repository's root; a folder's with `/.` where none is known."""
        inside = package.removesuffix("_test")[len(module) :].strip("/")
        return posixpath.join(self._folders[module], inside, posixpath.basename(file) or ".")

    def _built_from(self) -> list[tuple[str, str]]:
        """Folders that the build had modules in, with the module: what most files agree on."""
        votes: dict[str, Counter[str]] = {}
        for package, file in self._pairs:
            module = self.module(package)
            folder = posixpath.dirname(file)
            if module is None or not folder:
                continue
            inside = package.removesuffix("_test")[len(module) :]
            if folder.endswith(inside):
                votes.setdefault(module, Counter())[folder[: len(folder) - len(inside)]] += 1
        found = [(max(sorted(roots), key=roots.__getitem__), path) for path, roots in votes.items()]
        return sorted(found, key=lambda item: -len(item[0]))

    def _standard_library(self) -> str:
        """The folder of Go's own packages, with its slash: `/usr/local/go/src/`, or nothing."""
        votes: Counter[str] = Counter()
        for package, file in self._pairs:
            folder = posixpath.dirname(file)
            if "." not in package.partition("/")[0] and folder.endswith(f"/{package}"):
                votes[folder.removesuffix(package)] += self.module(package) is None
        return max(sorted(votes), key=votes.__getitem__) if votes else ""

    def _by_folder(self) -> dict[str, str]:
        """The packages of folders that functions with a package have their files in."""
        return {
            posixpath.dirname(file): package
            for package, file in sorted(self._pairs)
            if package not in ("main", NO_NAME) and file
        }


def _owner(package: str, file: str, paths: Paths, repository: Repository) -> str:
    named = paths.package(package, file)
    module = paths.module(named)
    if module is not None:
        names = repository.rules.owners(paths.path(module, named, file))
        return " ".join(names) or UNOWNED
    if named == NO_NAME:
        return C_CODE if file.endswith(_C_FILES) else NO_NAME
    return outside(named, file, repository.dependencies)


def outside(package: str, file: str, dependencies: Iterable[str] = ()) -> str:
    """The row of a package that is not of the repository: its module's, or a part of Go."""
    known = [path for path in dependencies if _within(package, path)]
    if known:
        return f"(module) {max(known, key=len)}"
    if (module := module_of_file(file)) is not None:
        return f"(module) {module}"
    if package == "main":
        return UNKNOWN
    if package == "runtime" or package.startswith(("runtime/", "internal/runtime/")):
        return RUNTIME
    if "." not in package.partition("/")[0]:
        return STANDARD
    return UNKNOWN


def module_of_file(file: str) -> str | None:
    """The module that a path of the module cache, or of a -trimpath build, names by its version."""
    before, at, _ = file.partition("@v")
    if not at:
        return None
    _, cached, path = before.rpartition("/pkg/mod/")
    path = path if cached else before
    return _ESCAPED.sub(lambda found: found[1].upper(), path.lstrip("/"))


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
