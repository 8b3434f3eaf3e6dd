"""Whether a folder is where a binary was built from, by what both say of their module."""

from __future__ import annotations

import os
from typing import Final

from gocost.formats.buildinfo import BuildInfo
from gocost.model.errors import UsageError
from gocost.sources.go_command import Go

SINGLE_FILES: Final = "command-line-arguments"
"""The package path of what `go build FILE.go` made."""


def check_origin(go: Go, info: BuildInfo | None) -> None:
    """Raises UsageError where the folder is in no module or in another than the binary was built
    from, and where that was built from single files. Without build info any module will do.
    """
    if info is not None and info.path == SINGLE_FILES:
        raise UsageError(
            "the binary was built from single files, which it does not name",
            hint="build it from its folder, then ask again",
        )
    theirs = info.main.path if info is not None and info.main is not None else ""
    wanted = f"the folder of {theirs}, which the binary was built from" if theirs else "a module"
    gomod = go.environment("GOMOD")["GOMOD"]
    if not gomod or gomod == os.devnull:
        raise UsageError(f"{go.directory} is not in a Go module", hint=f"run it in {wanted}")
    modules = go.output("list", "-m").split()
    if theirs and theirs not in modules:
        raise UsageError(
            f"{go.directory} is in the module {', '.join(modules)}", hint=f"run it in {wanted}"
        )
