"""The binary to compare with: a file, or one built again from another commit.

It is built the way that the build info of the head says that it was built.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gocost.formats.buildinfo import BuildInfo
from gocost.measures.origin import check_origin
from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.sources.files import exists, is_folder
from gocost.sources.git import Repository, checked_out, is_ref, repository_of
from gocost.sources.go_command import NO_STAMP, go_in
from gocost.sources.scratch import scratch

_ENVIRONMENT: Final = (
    "CGO_ENABLED", "GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64",
    "GOPPC64", "GORISCV64", "GOEXPERIMENT",
)  # fmt: skip
_FLAGS: Final = (
    "-asmflags", "-buildmode", "-gcflags", "-ldflags", "-tags", "-trimpath", "-race", "-cover",
)  # fmt: skip
_SWITCHES: Final = ("-trimpath", "-race", "-cover")


@contextmanager
def base_binary(
    base: str,
    directory: Path,
    info: BuildInfo | None,
    *,
    stripped: bool,
    build_flags: Sequence[str] | None = None,
    progress: Callable[[str], None],
) -> Iterator[tuple[Path, str]]:
    """The executable that `base` names, as long as the context lasts, and what to call it.

    A file, or a git ref: then it is built as by `built_at`. Where a name is both, the ref is meant,
    and `./NAME` is the file. Raises UsageError where it is neither.
    """
    path = Path(base)
    if not base:
        raise UsageError("--base names nothing", hint="write --base REF, or --base FILE")
    there = exists(path)
    known = is_ref(directory, base)
    if there and not known:
        if is_folder(path):
            raise SourceError(f"{base} is a folder", hint="name a file in it, or a git ref")
        yield path, base
        return
    repository = repository_of(directory)
    if not known and repository is not None:
        raise UsageError(
            f"{base} is neither a file nor a commit that git knows", hint=_to_find(base, repository)
        )
    with built_at(
        directory, base, info, stripped=stripped, build_flags=build_flags, progress=progress
    ) as (output, commit):
        name = f"{base} ({commit[:12]})"
        yield output, f"{name}, the git ref, not the file" if there else name


@contextmanager
def built_at(
    directory: Path,
    ref: str,
    info: BuildInfo | None,
    *,
    stripped: bool,
    build_flags: Sequence[str] | None = None,
    progress: Callable[[str], None],
) -> Iterator[tuple[Path, str]]:
    """The binary of build info `info`, built where HEAD of `directory` left `ref`, and that commit.

    `build_flags` are those to build with; without them, those that build info records. `stripped`
    says that it is to be stripped although build info does not (`-trimpath` hides the linker's
    flags). Raises UsageError where there is nothing to build it from.
    """
    if info is None or info.main is None:
        raise UsageError(
            "the file does not say what it was built from",
            hint="build the base yourself and name that file with --base",
        )
    repository = repository_of(directory)
    if repository is None:
        raise UsageError(
            f"{directory} is not in a git repository, and no file is named {ref}",
            hint="name another binary with --base, or run it in the repository",
        )
    check_origin(go_in(directory), info)
    commit = repository.merge_base(ref)
    told = flags(info, stripped=stripped) if build_flags is None else build_flags
    inside = _place(directory, repository, info.path, info.main.path)
    progress(f"checking out {commit[:12]}")
    with checked_out(repository, commit) as clone, scratch("build") as folder:
        if not (clone / inside).is_dir():
            raise UsageError(
                f"{ref} ({commit[:12]}) has no {inside}", hint="name a later base with --base"
            )
        output = folder / "base"
        progress(f"building {info.path} at {commit[:12]}")
        try:
            go_in(clone / inside, _environment(info)).build(".", output, flags=told)
        except BuildError as error:
            raise BuildError(
                f"at the base ({commit[:12]}) {info.path}{error.message.removeprefix('.')}",
                output=error.output,
                hint="name a base that builds with --base",
            ) from error
        yield output, commit


def _place(directory: Path, repository: Repository, package: str, module: str) -> Path:
    """The folder of a package, relative to the repository."""
    root = Path(go_in(directory).output("list", "-m", "-f", "{{.Dir}}", module).strip()).resolve()
    try:
        inside = root.relative_to(repository.root.resolve())
    except ValueError as error:
        raise UsageError(
            f"{root} is not in the repository {repository.root}",
            hint="build the base yourself and name that file with --base",
        ) from error
    return inside / package.removeprefix(module).strip("/")


def _to_find(base: str, repository: Repository) -> str:
    if base.startswith((".", os.sep)) or Path(base).suffix in (".json", ".exe"):
        return "check the path"
    try:
        repository.commit(base)
    except UsageError as error:
        return error.hint
    return "check its name"


def flags(info: BuildInfo, *, stripped: bool) -> list[str]:
    """The flags of `go build` that build info records, and no VCS stamp: it changes sizes."""
    found = [NO_STAMP]
    for name in _FLAGS:
        value = info.setting(name)
        if value and name in _SWITCHES:
            found += [name] if value == "true" else []
        elif value:
            found.append(f"{name}={value}")
    if stripped and not info.setting("-ldflags"):
        found.append("-ldflags=-s -w")
    return found


def hides_flags(info: BuildInfo) -> bool:
    """Whether build info may lack flags of the linker: with `-trimpath` it leaves them out."""
    return info.setting("-trimpath") == "true" and not info.setting("-ldflags")


def _environment(info: BuildInfo) -> dict[str, str]:
    pairs = ((name, info.setting(name)) for name in _ENVIRONMENT)
    return {name: value for name, value in pairs if value}
