"""Why a module is in the binary: the shortest chain of imports that leads to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec


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

    Empty where no root leads there. Of several chains of one length the first in the order of
    imports is taken, so that the answer is stable.
    """
    before: dict[str, str] = {}
    waiting = deque(root for root in roots if root in packages)
    for root in waiting:
        before[root] = ""
    while waiting:
        path = waiting.popleft()
        package = packages[path]
        if wanted in (package.module, path):
            return _back(packages, before, path)
        for other in package.imports:
            if other in packages and other not in before:
                before[other] = path
                waiting.append(other)
    return []


def _back(
    packages: Mapping[str, ImportedPackage], before: Mapping[str, str], path: str
) -> list[ImportedPackage]:
    found: list[ImportedPackage] = []
    while path:
        found.append(packages[path])
        path = before[path]
    return found[::-1]
