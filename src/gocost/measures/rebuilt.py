"""A binary built again from another commit, the way that build info says it was built."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gocost.formats.buildinfo import BuildInfo
from gocost.model.errors import BuildError, UsageError
from gocost.sources import git
from gocost.sources.go_command import go_in, module_root

_ENVIRONMENT: Final = (
    "CGO_ENABLED", "GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64",
    "GOPPC64", "GORISCV64", "GOEXPERIMENT",
)  # fmt: skip
_FLAGS: Final = (
    "-asmflags", "-buildmode", "-gcflags", "-ldflags", "-tags", "-trimpath", "-race", "-cover",
)  # fmt: skip
_SWITCHES: Final = ("-trimpath", "-race", "-cover")


@contextmanager
def built_at(
    directory: Path,
    ref: str,
    info: BuildInfo | None,
    *,
    stripped: bool,
    progress: Callable[[str], None],
) -> Iterator[tuple[Path, str]]:
    """The binary of build info `info`, built where HEAD of `directory` left `ref`, and that commit.

    `stripped` says that it is to be stripped although build info does not (`-trimpath` hides
    the linker's flags). Raises UsageError where there is nothing to build it from.
    """
    if info is None or info.main is None:
        raise UsageError(
            "the file does not say what it was built from",
            hint="build the base yourself and name that file with --base",
        )
    repository = git.repository_of(directory)
    if repository is None:
        raise UsageError(
            f"{directory} is not in a git repository, and no file is named {ref}",
            hint="name another binary with --base, or run it in the repository",
        )
    commit = repository.merge_base(ref)
    root = module_root(directory).resolve()
    progress(f"checking out {commit[:12]}")
    with git.checked_out(repository, commit) as clone, tempfile.TemporaryDirectory() as folder:
        inside = root.relative_to(repository.root.resolve())
        go = go_in(clone / inside, _environment(info))
        output = Path(folder) / "base"
        progress(f"building {info.path} at {commit[:12]}")
        try:
            go.build(info.path, output, flags=flags(info, stripped=stripped))
        except BuildError as error:
            raise BuildError(
                f"at the base ({commit[:12]}) {error.message}",
                output=error.output,
                hint="name a base that builds with --base",
            ) from error
        yield output, commit


def flags(info: BuildInfo, *, stripped: bool) -> list[str]:
    """The flags of `go build` that build info records, and no VCS stamp: it changes sizes."""
    found = ["-buildvcs=false"]
    for name in _FLAGS:
        value = info.setting(name)
        if value and name in _SWITCHES:
            found += [name] if value == "true" else []
        elif value:
            found.append(f"{name}={value}")
    if stripped and not info.setting("-ldflags"):
        found.append("-ldflags=-s -w")
    return found


def _environment(info: BuildInfo) -> dict[str, str]:
    pairs = ((name, info.setting(name)) for name in _ENVIRONMENT)
    return {name: value for name, value in pairs if value}
