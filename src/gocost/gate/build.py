"""Building a service as its policy says, and once more in the form that two commits compare in.

Paths and VCS stamps change a file's size, so growth is measured on `-trimpath -buildvcs=false`
builds of both sides; absolute limits hold for the real build.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gocost.model.errors import BuildError, SourceError
from gocost.model.service import Build, Service
from gocost.sources import process
from gocost.sources.go_command import NO_STAMP, first_complaint, go_in, place_of

COMPARABLE: Final = ("-trimpath", NO_STAMP)
TIMEOUT: Final = 1800.0
ARCHIVE: Final = b"!<arch>\n"


@dataclass(frozen=True, slots=True)
class Artifact:
    """An executable, and what building it took (None for a file built elsewhere)."""

    path: Path
    seconds: float | None


def comparable_already(build: Build) -> bool:
    """Whether the real build is already in the form that growth is measured in."""
    environment = build.env.get("GOFLAGS", os.environ.get("GOFLAGS", ""))
    said = {*build.flags, *environment.split()}
    return not build.binary and set(COMPARABLE) <= said


def build_service(
    service: Service,
    directory: Path,
    output: Path,
    *,
    comparable: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    meanwhile: Callable[[], None] | None = None,
) -> Artifact:
    """The executable of `service`, whose paths are relative to `directory`, written into `output`.

    `meanwhile` is done here while `go build` runs, as far as that is what builds it.
    Raises BuildError with the compiler's own message, SourceError where something is not there.
    """
    build = service.build
    if build.binary:
        path = directory / build.binary
        if not path.is_file():
            raise SourceError(
                f"{service.name}: there is no file {build.binary}",
                hint="build it first, or correct `build.binary`",
            )
        return Artifact(path, None)
    prepare(service, directory, comparable=comparable, progress=progress)
    environment = _environment(build, comparable=comparable)
    suffix = ".exe" if build.platform.startswith("windows/") or _on_windows(build) else ""
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{service.name}{suffix}"
    progress(f"{service.name}: building{' for comparison' if comparable else ''}")
    if build.command:
        command = tuple(word.replace("{output}", str(path)) for word in build.command)
        seconds = _run(service, command, directory, environment, "command")
        if not path.is_file():
            raise BuildError(
                f"{service.name}: the command ended well and wrote no file",
                hint="make it write {output}",
            )
        return Artifact(path, seconds)
    return _go_build(
        service, directory, path, environment, comparable=comparable, meanwhile=meanwhile
    )


def prepare(
    service: Service,
    directory: Path,
    *,
    comparable: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Run the service's generators: its tests need what they write as its executable does.

    Raises BuildError with what a command said, SourceError where there is none of that name.
    """
    environment = _environment(service.build, comparable=comparable)
    for command in service.build.prepare:
        progress(f"{service.name}: {shlex.join(command)}")
        _run(service, command, directory, environment, "prepare")


def _go_build(
    service: Service,
    directory: Path,
    path: Path,
    environment: dict[str, str],
    *,
    comparable: bool,
    meanwhile: Callable[[], None] | None,
) -> Artifact:
    try:
        folder, package = place_of(directory, service.package)
    except SourceError as error:
        raise SourceError(f"{service.name}: {error.message}", hint=error.hint) from error
    flags: Sequence[str] = service.build.flags
    if comparable:
        flags = [*flags, *COMPARABLE]
    try:
        built = go_in(folder, environment).build(
            package, path, flags=flags, timeout=TIMEOUT, meanwhile=meanwhile
        )
    except BuildError as error:
        raise BuildError(
            f"{service.name}: {error.message}", output=error.output, hint=error.hint
        ) from error
    _check_executable(service, path)
    return Artifact(path, built.wall_seconds)


def _check_executable(service: Service, path: Path) -> None:
    """`go build -o` of a library writes an archive, of several packages a folder."""
    if path.is_dir():
        raise SourceError(
            f"{service.name}: {service.package} is more than one package",
            hint="name one main package",
        )
    try:
        with path.open("rb") as file:
            head = file.read(len(ARCHIVE))
    except FileNotFoundError:
        head = ARCHIVE
    if head == ARCHIVE:
        raise SourceError(
            f"{service.name}: {service.package} is not a main package",
            hint='name the folder whose files say "package main"',
        )


def _environment(build: Build, *, comparable: bool) -> dict[str, str]:
    environment = dict(build.env)
    if build.platform:
        environment["GOOS"], _, environment["GOARCH"] = build.platform.partition("/")
    if comparable and build.command:
        said = environment.get("GOFLAGS", os.environ.get("GOFLAGS", ""))
        environment["GOFLAGS"] = " ".join([*said.split(), *COMPARABLE])
    return environment


def _run(
    service: Service,
    command: Sequence[str],
    directory: Path,
    environment: dict[str, str],
    key: str,
) -> float:
    done = process.run(
        command,
        cwd=directory,
        env={**environment, "PWD": str(directory)},
        timeout=TIMEOUT,
        missing_hint=f"install it, or correct `build.{key}`",
    )
    if not done.ok:
        said = done.stderr or done.stdout
        raise BuildError(
            f"{service.name}: `{shlex.join(command)}` ended with status {done.returncode}: "
            f"{first_complaint(said)}",
            output=said,
            hint=f"run it in {directory}",
        )
    return done.wall_seconds


def _on_windows(build: Build) -> bool:
    return os.name == "nt" and not build.platform
