"""Reports that an earlier run saved (`--save`, `--format json`): told from others, and read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from gocost.model.errors import UsageError
from gocost.model.report import Report
from gocost.sources.files import is_file, read_bounded, translated

MAX_BYTES: Final = 256 << 20
_HEAD: Final = 64  # bytes that are looked at for the brace that a report starts with


def is_saved_report(path: Path) -> bool:
    """Whether a file means to be a report: it is named so, or starts as one. No executable does."""
    if not is_file(path):
        return False
    if path.suffix == ".json":
        return True
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).lstrip()[:1] == b"{"
    except OSError as error:
        raise translated(error, path) from error


def read_report(path: Path, *, hint: str) -> Report:
    """The report in a file. `hint` says what makes one.

    Raises SourceError where the file cannot be read and UsageError where it is no report.
    """
    return decoded_report(read_bounded(path, MAX_BYTES), str(path), hint=hint)


def decoded_report(data: bytes, name: str, *, hint: str) -> Report:
    """The report of these bytes, which come from `name`. Raises UsageError where it is none."""
    if not data.strip():
        raise UsageError(f"{name} is an empty file, and no report", hint=hint)
    try:
        return msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} is not a report of this gocost: {error}", hint=hint) from error
