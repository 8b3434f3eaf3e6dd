"""Files on disk, opened without holding them in memory."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gocost.model.errors import SourceError
from gocost.sources.naming import short_name


def is_file(path: Path) -> bool:
    """Whether a file is there. Raises SourceError where that may not be known.

    `Path.is_file` raises what the system raises where a folder on the way may not be searched.
    """
    with _translated(path):
        return path.is_file()


def exists(path: Path) -> bool:
    """Whether anything is there. Raises SourceError where that may not be known."""
    with _translated(path):
        try:
            return path.exists()
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return False  # nothing can be
            raise


def is_folder(path: Path) -> bool:
    """Whether a folder is there. Raises SourceError where that may not be known."""
    with _translated(path):
        return path.is_dir()


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap | bytes]:
    """The file's bytes as a read-only buffer; an empty file is empty bytes.

    A decoder may keep views into the buffer while the context lasts, and no longer. Pages are read
    in when touched and count as resident then, so decoders touch only what they need.
    Raises SourceError where the file is absent, a folder or a pipe, or may not be read.
    """
    try:
        _refuse_endless(path, "name a file, which can be read twice")
        with path.open("rb") as file:
            buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if _size(path) else b""
    except OSError as error:
        raise translated(error, path) from error
    yield buffer
    if isinstance(buffer, mmap.mmap):
        # numpy views that outlive the context keep the mapping; it goes when they do.
        with contextlib.suppress(BufferError):
            buffer.close()


class Positioned:
    """An open file that is read at any place, by several threads at once, and never mapped:
    pages of a mapped file count as resident.
    """

    def __init__(self, descriptor: int, size: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        self.size = size

    def head(self, size: int) -> bytes:
        """The first bytes. Raises SourceError."""
        buffer = bytearray(min(size, self.size))
        self.read_into(memoryview(buffer), 0)
        return bytes(buffer)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer from `offset` on; returns the bytes read, fewer where the file ends.

        Raises SourceError.
        """
        done = 0
        try:
            while done < len(buffer):
                got = os.preadv(self._descriptor, [buffer[done:]], offset + done)
                if got <= 0:
                    break
                done += got
        except OSError as error:
            raise translated(error, self._path) from error
        return done


class Spooled(Positioned):
    """What could be read only once, in a file without a name that is gone when nobody holds it, or
    when the process ends in whatever way.
    """

    def __init__(self, descriptor: int, size: int, name: str, lost: str = "") -> None:
        """Takes the descriptor over. `name` is where it came from, `lost` why it is not whole."""
        super().__init__(descriptor, size, Path(name))
        self._called = name
        self.lost = lost
        weakref.finalize(self, os.close, descriptor)

    @property
    def name(self) -> str:
        """What it is called in a report."""
        return short_name(self._called)

    def __str__(self) -> str:
        """Where it came from, as it was named."""
        return self._called


@contextmanager
def positioned(path: Path | Spooled) -> Iterator[Positioned]:
    """The file, open for reading at any place. Raises SourceError; a pipe is none."""
    if isinstance(path, Spooled):
        yield path
        return
    try:
        _refuse_endless(path, "write it to a file first")
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise translated(error, path) from error
    try:
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            raise translated(IsADirectoryError(), path)
        yield Positioned(descriptor, about.st_size, path)
    finally:
        os.close(descriptor)


def read_text(path: Path) -> str:
    """The file as UTF-8 text, wrong bytes replaced. Raises SourceError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise translated(error, path) from error


def read_bounded(
    path: Path, limit: int, *, hint: str = "it is not a file of this kind; check the path"
) -> bytes:
    """The bytes of a file of at most `limit` bytes. Raises SourceError, naming the limit; `hint`
    says what to do about it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise translated(error, path) from error
    if len(data) > limit:
        raise SourceError(f"{path} is larger than {limit:,} bytes", hint=hint)
    return data


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise translated(error, path) from error


def translated(error: OSError, path: Path) -> SourceError:
    """An operating system's refusal of a path in one line with the next step."""
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{path} does not exist", hint="check the path")
    if isinstance(error, IsADirectoryError):
        return SourceError(f"{path} is a folder", hint="name a file in it")
    if isinstance(error, PermissionError):
        return SourceError(
            f"{path} may not be read by this user", hint=f"try `ls -l {path}` and change its mode"
        )
    return SourceError(f"{path}: {error.strerror or error}", hint="check the path and try again")


def _refuse_endless(path: Path, hint: str) -> None:
    """Raise SourceError for what opens like a file and is none: opening a pipe would wait."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
        raise SourceError(f"{path} is {kind}", hint=hint)


def _size(path: Path) -> int:
    return path.stat().st_size
