"""A trace that is recorded already, on disk and to be read at any place, whatever it comes from."""

from __future__ import annotations

from pathlib import Path

from gocost.formats.exectrace.index import read_format
from gocost.measures.trace import named
from gocost.sources.files import Spooled
from gocost.sources.incoming import MAX_BYTES, on_disk, spooled, standard_input_on_disk
from gocost.sources.naming import SHOWN, shown
from gocost.sources.standard_input import StandardInput


def trace_on_disk(where: str | Path, *, max_bytes: int = MAX_BYTES) -> Path | Spooled:
    """A trace that is recorded already, to be read at any place.

    `where` is a path, or `-`; what is no plain file, or compressed, may have `max_bytes`. Raises
    SourceError, and FormatError where it is no trace.
    """
    with named(shown(str(where))):
        return on_disk(where, max_bytes=max_bytes, check=read_format)


def trace_of_standard_input(given: StandardInput, *, max_bytes: int = MAX_BYTES) -> Spooled:
    """The same of standard input whose beginning was looked at."""
    with named(SHOWN):
        return standard_input_on_disk(given, max_bytes=max_bytes, check=read_format)


def trace_of_bytes(data: bytes, name: str, *, max_bytes: int = MAX_BYTES) -> Spooled:
    """The same of what was read already, of a page by its URL."""
    with named(name):
        return spooled([data], name, max_bytes=max_bytes, check=read_format)
