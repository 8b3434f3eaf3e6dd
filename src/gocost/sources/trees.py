"""Trees of folders: copied whole, to build somewhere else; searched for modules."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gocost.model.errors import SourceError, UsageError
from gocost.sources.files import translated
from gocost.sources.scratch import scratch

MAX_BYTES = 4 << 30
MAX_FOLDERS = 200_000
LEFT_OUT = (".git", ".hg", ".svn", "node_modules")


@contextmanager
def copied(tree: Path, *, limit: int = MAX_BYTES) -> Iterator[Path]:
    """A copy of a folder in a folder of its own, removed afterwards.

    Version control's own folders are left out. Raises SourceError over `limit` bytes, and where a
    file cannot be read.
    """
    _check_size(tree, limit)
    with scratch("copy") as folder:
        copy = folder / "elsewhere" / tree.name
        try:
            shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
        except shutil.Error as error:
            source, _, why = error.args[0][0]
            raise SourceError(
                f"{source} could not be copied: {why}", hint="check who may read it"
            ) from error
        except OSError as error:
            raise translated(error, tree) from error
        yield copy


def _check_size(tree: Path, limit: int) -> None:
    total = 0
    for folder, folders, files in os.walk(tree):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        for name in files:
            path = Path(folder) / name
            total += path.lstat().st_size
            if total > limit:
                raise SourceError(
                    f"{tree} holds more than the cap of {limit >> 20} MiB to copy",
                    hint="keep large files outside the module",
                )


def module_folders(root: Path) -> Iterator[str]:
    """Folders with a go.mod, relative, from the root down, without those that Go passes over.

    Raises UsageError in a tree that is larger than a repository.
    """
    for seen, (folder, names, files) in enumerate(os.walk(root)):
        if seen > MAX_FOLDERS:
            raise UsageError(
                f"{root} holds more than {MAX_FOLDERS:,} folders",
                hint="name the CODEOWNERS of the service's repository with --codeowners",
            )
        names[:] = sorted(
            name
            for name in names
            if not name.startswith((".", "_"))
            and name not in ("vendor", "testdata", "node_modules")
        )
        if "go.mod" in files:
            inside = Path(folder).relative_to(root).as_posix()
            yield "" if inside == "." else inside
