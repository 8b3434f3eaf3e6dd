"""Opening the Go executable at a path; every error names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gocost.formats.go_binary import GoBinary, open_go_binary
from gocost.model.errors import FormatError
from gocost.sources.files import mapped


@contextmanager
def opened(path: Path, machine: str | None = None) -> Iterator[GoBinary]:
    """The Go executable at `path`, as long as the context lasts.

    `machine` (GOARCH) chooses the slice of a fat Mach-O file. Raises SourceError, or FormatError
    that says what the file is instead.
    """
    with mapped(path) as data:
        try:
            yield open_go_binary(data, machine)
        except _DamagedError:
            raise  # of another file, which was opened while this one was
        except FormatError as error:
            hint = error.hint or "the file is damaged or of an unknown kind: copy or build it again"
            raise _DamagedError(f"{path}: {error.message}", hint=hint) from error


class _DamagedError(FormatError):
    """A FormatError that names its file."""
