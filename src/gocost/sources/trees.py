"""Folders copied whole, to build somewhere else what was built here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gocost.model.errors import SourceError
from gocost.sources.files import translated

MAX_BYTES = 4 << 30
LEFT_OUT = (".git", ".hg", ".svn", "node_modules")


@contextmanager
def copied(tree: Path, *, limit: int = MAX_BYTES) -> Iterator[Path]:
    """A copy of a folder in a folder of its own, removed afterwards.

    Version control's own folders are left out. Raises SourceError over `limit` bytes, and where a
    file cannot be read.
    """
    _check_size(tree, limit)
    with tempfile.TemporaryDirectory(prefix="gocost-copy-") as folder:
        copy = Path(folder) / "elsewhere" / tree.name
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
