"""What can be read only once, or is compressed, and is to be read at any place.

A trace has no bounded size and is decoded from several places at once: what is no plain file is put
into one without a name, in the folder of temporary files (TMPDIR), of at most `--max-bytes`. The
system frees it when it is closed, and so after Ctrl-C and `kill -9` too.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from gocost.formats.recognition import GZIP, HEAD, is_trace
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.sources.files import Spooled, translated
from gocost.sources.naming import NAME, SHOWN
from gocost.sources.scratch import ROOM
from gocost.sources.standard_input import StandardInput

MAX_BYTES: Final = 1 << 30
"""What is put on disk at most; `--max-bytes` raises it."""
_PIECE: Final = 1 << 20
_TOLD: Final = 16
"""Bytes that tell what something is, which may come in several pieces."""

Check = Callable[[bytes], object]
"""Raises FormatError for what begins with such bytes and is of no use."""


def on_disk(where: str | Path, *, max_bytes: int, check: Check) -> Path | Spooled:
    """A file to be read at any place: as it is, or what of it comes in, without gzip.

    `where` is a path, also of a pipe, or `-`. A plain file may be of any size. What is cut off or
    damaged counts up to there. Raises SourceError where it cannot be read, is too large or has no
    room, and FormatError as `check` does.
    """
    if str(where) == NAME:
        return standard_input_on_disk(StandardInput(), max_bytes=max_bytes, check=check)
    path = Path(where)
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise IsADirectoryError
        if stat.S_ISREG(about.st_mode) and not _is_compressed(path):
            return path
        if stat.S_ISREG(about.st_mode) or stat.S_ISFIFO(about.st_mode):
            return spooled(_pieces(path), str(path), max_bytes=max_bytes, check=check)
    except OSError as error:
        raise translated(error, path) from error
    return path  # a device or a socket: whoever opens it says so


def standard_input_on_disk(given: StandardInput, *, max_bytes: int, check: Check) -> Spooled:
    """What comes in there; a plain file (`< FILE`) stays where it is. Raises as `on_disk`."""
    if given.is_terminal:
        raise UsageError(
            f"{SHOWN} is this terminal", hint=f"put `COMMAND |` or `< FILE` to `{NAME}`"
        )
    head = given.head(HEAD)
    if not head.startswith(GZIP) and (plain := given.at_any_place()) is not None:
        found = Spooled(*plain, SHOWN)
        check(head)
        return found
    return spooled(given.pieces(), SHOWN, max_bytes=max_bytes, check=check)


def spooled(pieces: Iterable[bytes], name: str, *, max_bytes: int, check: Check) -> Spooled:
    """The bytes in a file without a name, and without gzip. Raises as `on_disk`."""
    import tempfile  # which takes longer to import than a plain file to open

    try:
        with tempfile.TemporaryFile(buffering=0) as file:
            size = 0
            coming = _Unpacked(pieces)
            for piece in _begun(iter(coming)):
                if not size:
                    _check(piece, coming, check)
                size += len(piece)
                if size > max_bytes:
                    raise _too_large(name, max_bytes, compressed=coming.compressed)
                _write(file.fileno(), piece)
            if not size and coming.lost:
                raise FormatError(coming.lost, hint="record or copy it again")
            if not size:
                check(b"")
            return Spooled(os.dup(file.fileno()), size, name, coming.lost)
    except OSError as error:
        folder = tempfile.tempdir  # None where there is no folder that could be written to
        raise SourceError(
            f"{name} cannot be put into {folder or 'a temporary file'}: {error.strerror or error}",
            hint=ROOM,
        ) from error


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same, of which the first is large enough to be checked, where there is so much."""
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= _TOLD:
            break
    if first:
        yield first
    yield from pieces


def _check(piece: bytes, coming: _Unpacked, check: Check) -> None:
    """Checks the first piece; of what is compressed and no trace it is told as a whole what it is:
    that it is compressed is a part of that.
    """
    try:
        check(piece)
    except FormatError:
        if coming.compressed and not is_trace(piece):
            check(coming.first)
        raise


class _Unpacked:
    """Pieces without gzip, where they have any."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.first = b""
        """What it begins with, as it came."""
        self.lost = ""
        """Why not all of it came; at the end."""

    @property
    def compressed(self) -> bool:
        return self.first.startswith(GZIP)

    def __iter__(self) -> Iterator[bytes]:
        self.first = next(self._pieces, b"")
        pieces = itertools.chain([self.first], self._pieces)
        yield from self._inflated(pieces) if self.compressed else filter(None, pieces)

    def _inflated(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        from gocost.formats.gunzip import CUT, Gunzip  # which a plain file does without
        from gocost.formats.pprof.deflate import LARGE, library

        stream = Gunzip(library(LARGE))
        try:
            for piece in pieces:
                yield from stream.add(piece)
        except FormatError as error:
            self.lost = error.message
            return
        if held := stream.end():
            yield held
        if not stream.whole:
            self.lost = CUT


def _too_large(name: str, max_bytes: int, *, compressed: bool) -> SourceError:
    if compressed:
        return SourceError(
            f"{name} is larger than {max_bytes:,} bytes when decompressed",
            hint="raise the cap with --max-bytes if you trust it",
        )
    return SourceError(
        f"{name} is larger than {max_bytes:,} bytes",
        hint="raise --max-bytes, or write it to a file first, which may be of any size",
    )


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise translated(error, path) from error


def _is_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(GZIP)) == GZIP


def _write(descriptor: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
