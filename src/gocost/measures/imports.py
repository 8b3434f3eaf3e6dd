"""Which packages a binary was built from and what they import, asked of the go command."""

from __future__ import annotations

from pathlib import Path

from gocost.analyses.size.imports import ImportedPackage
from gocost.formats.buildinfo import BuildInfo
from gocost.sources.go_command import go_in, module_root

_ENVIRONMENT = ("GOOS", "GOARCH", "CGO_ENABLED")


def imported_packages(
    directory: Path, info: BuildInfo | None
) -> tuple[dict[str, ImportedPackage], list[str]]:
    """The packages of the module at `directory` that the binary's build would take in, by path,
    and the main packages to start from.

    Listed for the binary's platform and tags. Raises SourceError where there is no module.
    """
    env = {name: info.setting(name) or "" for name in _ENVIRONMENT} if info is not None else {}
    go = go_in(directory, {name: value for name, value in env.items() if value})
    module_root(directory)
    wanted = info.path if info is not None and info.path else "./..."
    tags = info.setting("-tags") if info is not None else None
    flags = [f"-tags={tags}"] if tags else []
    found: dict[str, ImportedPackage] = {}
    roots: list[str] = []
    for entry in go.packages(*flags, wanted, fields="ImportPath,Imports,Module,DepOnly", deps=True):
        module = (entry.get("Module") or {}).get("Path", "")
        path = entry["ImportPath"]
        found[path] = ImportedPackage(path, tuple(entry.get("Imports") or ()), module)
        if not entry.get("DepOnly"):
            roots.append(path)
    return found, roots
