"""gzip undone in pieces: what zlib makes of it at once, whatever the pieces and the library."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.formats.gunzip import Gunzip
from gocost.formats.pprof.deflate import LARGE, library
from gocost.model.errors import FormatError

_MOST = 4 << 20
"""Bytes that are made of one input: its bombs are small ones."""


def decode(data: bytes) -> None:
    """In pieces of some sizes, by both libraries: one prefix of one content."""
    found = [_undone(data, step, module) for step in (7, 4096) for module in (zlib, library(LARGE))]
    longest = max(found, key=len)
    assert all(longest.startswith(each) for each in found)
    stream = Gunzip()
    size = 0
    for made in stream.add(data):
        assert 0 < len(made) <= 1 << 20
        size += len(made)
        if size > _MOST:
            return
    stream.end()


def _undone(data: bytes, step: int, module: object) -> bytes:
    stream, made = Gunzip(module), bytearray()
    try:
        for start in range(0, len(data), step):
            for piece in stream.add(data[start : start + step]):
                made += piece
                if len(made) > _MOST:
                    return bytes(made[:_MOST])
        made += stream.end()
    except FormatError:
        pass  # how much comes before a fault depends on the pieces
    return bytes(made[:_MOST])


HARNESS = Harness("gunzip", decode, corpus("gunzip"))

if __name__ == "__main__":
    main(HARNESS)
