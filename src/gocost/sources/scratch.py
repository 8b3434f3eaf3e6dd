"""Folders for what is needed meanwhile, in the folder of temporary files (TMPDIR)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gocost.model.errors import SourceError

ROOM: Final = "free some space there, or set TMPDIR to a folder that has it"


@contextmanager
def scratch(what: str) -> Iterator[Path]:
    """A new folder, `gocost-WHAT-...`, which is removed with all that is in it at the end, also
    where a signal ends the command. Raises SourceError where none can be made.
    """
    import tempfile  # takes longer to import than most that need no such folder take in all

    try:
        folder = tempfile.TemporaryDirectory(prefix=f"gocost-{what}-", ignore_cleanup_errors=True)
    except OSError as error:
        where = tempfile.tempdir or "the folder of temporary files"
        raise SourceError(
            f"nothing can be written to {where}: {error.strerror or error}", hint=ROOM
        ) from error
    with folder as name:
        yield Path(name)
