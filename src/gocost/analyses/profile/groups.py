"""Whose a function is: its package and its module, by its name and by the file it is in.

A name tells the package, but for assembly (`memeqbody`) and C, whose package is that of the other
functions in the folder. Modules and their versions are in build info; without it the file tells
them where it is in the module cache, or was built with -trimpath:

    /go/pkg/mod/github.com/!burnt!sushi/toml@v1.6.0/decode.go
    github.com/BurntSushi/toml@v1.6.0/decode.go
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from gocost.analyses.size.packages import UNKNOWN_MODULE, Packages
from gocost.formats.buildinfo import BuildInfo
from gocost.kernels.symbol_names import NO_PACKAGE, intern_packages

NO_NAME = "(no package)"
"""Functions of C and assembly, of other languages, and addresses without a name."""


_CACHE: Final = "/pkg/mod/"
_CAPITAL: Final = re.compile("!([a-z])")
_TOOLCHAIN: Final = "golang.org/toolchain"
"""Go itself, as GOTOOLCHAIN downloads it into the module cache."""


class _Cached(NamedTuple):
    """A file of a module that was downloaded."""

    module: str
    version: str
    package: str


def packages_of(
    names: Sequence[str], info: BuildInfo | None = None, files: Sequence[str] = ()
) -> list[str]:
    """The import path of each function's package; `main` is the one that build info names.

    `files` are the functions' own, for those whose names do not tell.
    """
    packages = Packages(info)
    numbers = _numbers(names, packages, files)
    return [NO_NAME if number == NO_PACKAGE else packages.names[number] for number in numbers]


def modules_of(
    names: Sequence[str], info: BuildInfo | None = None, files: Sequence[str] = ()
) -> list[str]:
    """The module of each function's package, with its version where that is known."""
    packages = Packages(info)
    numbers = _numbers(names, packages, files)
    versions = {each.module: each.version for each in map(_cached, set(files)) if each}
    known: dict[int, str] = {NO_PACKAGE: NO_NAME}
    for number in set(numbers) - {NO_PACKAGE}:
        module = packages.module_name(number)
        path, version = module.path, module.version
        if path == UNKNOWN_MODULE and (cached := _prefix_in(packages.names[number], versions)):
            path, version = cached, versions[cached]
        known[number] = f"{path}@{version}" if version else path
    return [known[number] for number in numbers]


def _prefix_in(package: str, modules: Iterable[str]) -> str:
    """The longest module path that the package begins with; empty where none is."""
    path = package.removesuffix("_test")
    while path and path not in modules:
        path = path.rpartition("/")[0]
    return path


def _cached(file: str) -> _Cached | None:
    """What a file's path says of its module; None where it is in none that was downloaded."""
    head, at, rest = file.partition("@v")
    version, slash, inner = rest.partition("/")
    path = head.rpartition(_CACHE)[2]
    if not (at and slash and path) or path.startswith("/"):
        return None
    path, version, folder = (
        _CAPITAL.sub(lambda letter: letter[1].upper(), part)
        for part in (path, f"v{version}", inner.rpartition("/")[0])
    )
    if path == _TOOLCHAIN:
        return None
    return _Cached(path, version, f"{path}/{folder}" if folder else path)


def _numbers(names: Sequence[str], packages: Packages, files: Sequence[str]) -> list[int]:
    """The number of each function's package, NO_PACKAGE where neither name nor file tells it."""
    numbers = _by_name(names, packages)
    if not files or NO_PACKAGE not in numbers:
        return numbers
    folders = {
        file.rpartition("/")[0]: number
        for number, file in zip(numbers, files, strict=True)
        if number != NO_PACKAGE and "/" in file
    }
    for row, file in enumerate(files):
        if numbers[row] != NO_PACKAGE or not names[row]:
            continue
        found = folders.get(file.rpartition("/")[0])
        if found is None and (cached := _cached(file)):
            found = packages.number(cached.package)
        if found is not None:
            numbers[row] = found
    return numbers


def _by_name(names: Sequence[str], packages: Packages) -> list[int]:
    """The number of each name's package, NO_PACKAGE where it tells none."""
    encoded = [name.encode("utf-8", "surrogateescape") for name in names]
    ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
    data = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])[: len(names)]
    ids, _, at, size = intern_packages(data, starts, ends, seed=secrets.randbits(31), ended=True)
    paths = [
        data[first : first + length].tobytes().decode("utf-8", "replace")
        for first, length in zip(at.tolist(), size.tolist(), strict=True)
    ]
    numbers = packages.numbers(paths)
    return [NO_PACKAGE if which < 0 else numbers[which] for which in ids.tolist()]
