"""Standard input, which is named `-`: read once, by one of the files that a command is given."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gocost.model.errors import SourceError
from gocost.sources.files import translated
from gocost.sources.naming import SHOWN

if TYPE_CHECKING:
    from io import BufferedReader

_PIECE: Final = 1 << 20


class StandardInput:
    """Its bytes; the beginning may be looked at before they are taken."""

    def __init__(self) -> None:
        """Raises SourceError where it is closed."""
        if sys.stdin is None:
            raise SourceError(f"{SHOWN} is closed", hint="name a file")
        self._file: BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
        self._held = b""

    def at_any_place(self) -> tuple[int, int] | None:
        """A descriptor of its own and the size, where it is a plain file (`< FILE`) that nobody
        read of before; None where it can be read once.
        """
        try:
            about = os.fstat(self._file.fileno())
            fresh = stat.S_ISREG(about.st_mode) and self._file.tell() == len(self._held)
            return (os.dup(self._file.fileno()), about.st_size) if fresh else None
        except (OSError, ValueError):
            return None

    @property
    def is_terminal(self) -> bool:
        """Whether somebody would have to type it."""
        return self._file.isatty()

    def head(self, size: int) -> bytes:
        """The first bytes, fewer where there are no more. Raises SourceError."""
        if len(self._held) < size:
            self._held += self._read(size - len(self._held))
        return self._held[:size]

    def pieces(self) -> Iterator[bytes]:
        """All of it, in pieces. Raises SourceError."""
        if self._held:
            yield self._held
            self._held = b""
        while piece := self._read(_PIECE):
            yield piece

    def bounded(self, limit: int, hint: str) -> bytes:
        """All of it. Raises SourceError where that is more than `limit` bytes."""
        held = bytearray()
        for piece in self.pieces():
            held += piece
            if len(held) > limit:
                raise SourceError(f"{SHOWN} is larger than {limit:,} bytes", hint=hint)
        return bytes(held)

    def _read(self, size: int) -> bytes:
        """So many bytes, fewer at the end. One call of the system at a time: a Ctrl-C between two
        within `read` would be seen when more comes in, and not before.
        """
        got = bytearray()
        try:
            while len(got) < size and (piece := self._file.read1(size - len(got))):
                got += piece
        except OSError as error:
            raise translated(error, Path(SHOWN)) from error
        return bytes(got)
