"""Packages and modules: whom bytes belong to, by the names that the binary itself carries.

A package belongs to the module with the longest path that is a prefix of its own (build info lists
the modules); without such a module it is the standard library's where its first element has no
dot. `main` is build info's `path`. Modules keep their own path where another stood in for them
(`=>`); the version then names what did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from gocost.formats.buildinfo import BuildInfo, Module

NONE: Final = -1
STD: Final = "std"
C_CODE: Final = "C code (cgo)"
UNKNOWN_MODULE: Final = "(unknown module)"
WITHOUT_PROGRAM: Final = f"{UNKNOWN_MODULE}: the program tells its modules: add --binary FILE"
ANONYMOUS: Final = "(anonymous types)"
PREDECLARED: Final = "(predeclared types)"
LINKER: Final = "(linker)"
SHAPES: Final = "go.shape"
"""Types that the compiler makes up for generic code, in a package that nobody wrote."""


class ModuleName(msgspec.Struct, frozen=True):
    """A module of the build as tables show it. `role`: main, std, dependency, c or unknown."""

    path: str
    version: str
    role: str


class Packages:
    """Numbers packages as they are met and knows the module of each."""

    def __init__(self, info: BuildInfo | None) -> None:
        self.names: list[str] = []
        self.modules: list[ModuleName] = []
        self.module_of: list[int] = []
        self._numbers: dict[str, int] = {}
        self._module_numbers: dict[str, int] = {}
        self._main = info.path if info is not None else ""
        self._known: dict[str, ModuleName] = {}
        toolchain = info.go_version if info is not None else ""
        self._std = ModuleName(STD, toolchain, "std")
        if info is None:
            return
        for module in info.deps:
            self._known[module.path] = ModuleName(module.path, _version(module), "dependency")
        if info.main is not None:
            self._known[info.main.path] = ModuleName(info.main.path, _version(info.main), "main")
        elif info.path:
            # `go run file.go` and GOPATH builds have a main package without a module.
            self._known[info.path] = ModuleName(info.path, "", "main")

    def number(self, name: str) -> int:
        """The number of the package of that import path, new or known."""
        if name == "main" and self._main:
            name = self._main
        found = self._numbers.get(name)
        if found is None:
            found = len(self.names)
            self._numbers[name] = found
            self.names.append(name)
            self.module_of.append(self._module(name))
        return found

    def numbers(self, names: Sequence[str]) -> list[int]:
        """The numbers of several, as they stand in symbol names (escaped)."""
        return [self.number(unescape(name)) for name in names]

    def module_name(self, package: int) -> ModuleName:
        """The module of the package of that number."""
        return self.modules[self.module_of[package]]

    def has(self, name: str) -> bool:
        """The package has been met."""
        return name in self._numbers

    def _module(self, package: str) -> int:
        module = self._find(package)
        found = self._module_numbers.get(module.path)
        if found is None:
            found = len(self.modules)
            self._module_numbers[module.path] = found
            self.modules.append(module)
        return found

    def _find(self, package: str) -> ModuleName:
        if package == C_CODE:
            return ModuleName(C_CODE, "", "c")
        if package in (PREDECLARED, LINKER, SHAPES):
            return self._std
        if package == ANONYMOUS:
            return ModuleName(ANONYMOUS, "", "unknown")
        path = package.removesuffix("_test")
        while path:
            known = self._known.get(path)
            if known is not None:
                return known
            path = path.rpartition("/")[0]
        if "." not in package.partition("/")[0] and package != "main":
            return self._std
        return ModuleName(UNKNOWN_MODULE, "", "unknown")


def unescape(path: str) -> str:
    """An import path out of a symbol's name, where dots and quotes are written `%2e`."""
    head, *rest = path.split("%")
    if not rest:
        return path
    raw = head.encode()
    for part in rest:
        try:
            raw += bytes.fromhex(part[:2]) + part[2:].encode()
        except ValueError:
            raw += b"%" + part.encode()
    return raw.decode("utf-8", "replace")


def _version(module: Module) -> str:
    if module.replace is None:
        return module.version
    other = module.replace
    if other.path == module.path:
        return other.version
    return f"{module.version} => {other.path} {other.version}".strip()
