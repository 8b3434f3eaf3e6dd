"""The vegeta program, built once into the user's cache from a pinned module of its own.

The module lies beside this file as package data: version and checksums of everything in it are
fixed, and neither a workspace nor the flags of the user's own module reach the build. The name of
the built file holds a digest of the module, so that another pin is another file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from gocost.model.errors import BuildError, SourceError
from gocost.sources import go_command
from gocost.sources.cache import cache_directory, locked

MODULE: Final = Path(__file__).with_name("vegeta_module")
PACKAGE: Final = "github.com/tsenart/vegeta/v12"
BUILD_SECONDS: Final = 900.0
_ENVIRONMENT: Final = {
    "GOWORK": "off",
    "GOFLAGS": "-mod=readonly",
    # The program runs here, whatever the user's module is cross-compiled for.
    "GOOS": "",
    "GOARCH": "",
    "GOAMD64": "",
    "GOEXPERIMENT": "",
    "CGO_ENABLED": "0",
}


def vegeta_program() -> Path:
    """The program, built if it is not in the cache yet (about half a minute, with network).

    Safe to call from many processes at once: one builds, the others wait. Raises SourceError where
    there is no Go, or the modules cannot be fetched.
    """
    program = cache_directory() / "tools" / _name()
    if program.exists():
        return program
    with locked(program.with_name(f"{program.name}.lock")):
        if not program.exists():
            _build(program)
    return program


def _name() -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    suffix = ".exe" if os.name == "nt" else ""
    return f"vegeta-{digest.hexdigest()[:16]}{suffix}"


def _build(program: Path) -> None:
    # In a copy: the installed package may be read-only, and beside a go.work of somebody's.
    with tempfile.TemporaryDirectory(dir=program.parent, prefix=".vegeta-") as scratch:
        module = Path(scratch) / "module"
        shutil.copytree(MODULE, module)
        built = Path(scratch) / program.name
        try:
            go_command.go_in(module, _ENVIRONMENT).build(
                PACKAGE,
                built,
                flags=("-trimpath", go_command.NO_STAMP, "-ldflags=-s -w"),
                timeout=BUILD_SECONDS,
            )
        except BuildError as error:
            raise SourceError(
                f"the load generator vegeta could not be built: "
                f"{go_command.first_complaint(error.output)}",
                hint="its modules are fetched once: check the network and GOPROXY, or put the "
                "load on with a `load: {command: [...]}` of your own",
            ) from error
        built.replace(program)
