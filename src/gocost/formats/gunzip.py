"""gzip undone in pieces, all members of it: dumps, traces, and answers that a proxy compressed.

What is cut off or damaged gives what stands before that. Profiles, which are read whole and refused
then, have `pprof/deflate`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gocost.model.errors import FormatError

_PIECE: Final = 1 << 20
"""Bytes that are made at once, however well they were compressed."""


class Gunzip:
    """What some bytes of gzip hold, as they come."""

    def __init__(self, library: Any = zlib) -> None:
        """`library` is zlib, or has its functions."""
        self._library = library
        self._inflater = library.decompressobj(wbits=31)
        self._begun = False

    @property
    def whole(self) -> bool:
        """Whether it ended as gzip does; after `end`."""
        return bool(self._inflater.eof) or not self._begun

    def add(self, data: bytes | memoryview) -> Iterator[bytes]:
        """What these bytes add. Raises FormatError where they are no gzip."""
        rest = bytes(data)
        while rest:
            if self._inflater.eof:
                if not rest.strip(b"\0"):
                    return  # tapes and disks pad with zeros
                self._inflater = self._library.decompressobj(wbits=31)
            self._begun = True
            try:
                made = self._inflater.decompress(rest, _PIECE)
            except self._library.error as error:
                raise FormatError(f"the gzip stream is damaged: {error}") from error
            if made:
                yield made
            rest = self._inflater.unconsumed_tail or self._inflater.unused_data

    def end(self) -> bytes:
        """What was held back of a stream that is cut off."""
        held: bytes = b"" if self.whole else self._inflater.flush()
        return held


def gunzipped(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """The bytes without gzip; of what is cut off those before. Raises FormatError where damaged."""
    stream = Gunzip()
    for piece in pieces:
        yield from stream.add(piece)
    if held := stream.end():
        yield held
