"""Why a module is in the binary: the shortest chain of imports that leads to it.

Some packages are there without an import: the linker adds runtime to every program, runtime/cgo to
one with C code, and others with -race, -cover and -asan. They count as imported by the main
package, or by the package that has the C code.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import msgspec

from gocost.analyses.size.packages import C_CODE

RUNTIME: Final = "runtime"
CGO: Final = "runtime/cgo"
C: Final = "C"
"""What a package with C code imports."""


class ImportedPackage(msgspec.Struct, frozen=True):
    """A package of the build as the go command lists it."""

    path: str
    imports: tuple[str, ...] = ()
    module: str = ""
    """Empty for the standard library."""


def chain(
    packages: Mapping[str, ImportedPackage], roots: Sequence[str], wanted: str
) -> list[ImportedPackage]:
    """The shortest chain from a root to a package of the module (or the package) `wanted`.

    `wanted` may be C_CODE: the chain then ends at a package that has some. Empty where no root
    leads there. Of several chains of one length the one over runtime is taken, then the first in
    the order of imports, so that the answer is stable.
    """
    return _shortest(packages, roots, wanted, _added_by_the_linker(packages, roots))


def in_every_program(packages: Mapping[str, ImportedPackage], wanted: str) -> bool:
    """Whether it is runtime, or something that runtime needs: no import brings it in."""
    return bool(_shortest(packages, [RUNTIME], wanted, ()))


def _shortest(
    packages: Mapping[str, ImportedPackage],
    roots: Sequence[str],
    wanted: str,
    added: Sequence[str],
) -> list[ImportedPackage]:
    before: dict[str, str] = {}
    waiting = deque(root for root in roots if root in packages)
    for root in waiting:
        before[root] = ""
    while waiting:
        path = waiting.popleft()
        package = packages[path]
        if wanted in (package.module, path) or (wanted == C_CODE and C in package.imports):
            return _back(packages, before, path)
        for other in (*(added if path in roots else ()), *_imports(package)):
            if other in packages and other not in before:
                before[other] = path
                waiting.append(other)
    return []


def suggestions(wanted: str, known: Sequence[str], limit: int = 1) -> list[str]:
    """What may have been meant by a name that is none of `known` (the most likely stand first)."""
    parts = [name for name in known if name.endswith(f"/{wanted}")]
    parts += [name for name in known if name.startswith((f"{wanted}/", f"vendor/{wanted}/"))]
    near = get_close_matches(wanted, known, n=limit, cutoff=0.8)
    return list(dict.fromkeys([*parts, *near]))[:limit]


def _imports(package: ImportedPackage) -> Iterable[str]:
    return (CGO if other == C and package.path != CGO else other for other in package.imports)


def _added_by_the_linker(
    packages: Mapping[str, ImportedPackage], roots: Sequence[str]
) -> list[str]:
    imported = {other for package in packages.values() for other in _imports(package)}
    return [RUNTIME, *(path for path in packages if path not in imported and path not in roots)]


def _back(
    packages: Mapping[str, ImportedPackage], before: Mapping[str, str], path: str
) -> list[ImportedPackage]:
    found: list[ImportedPackage] = []
    while path:
        found.append(packages[path])
        path = before[path]
    return found[::-1]
