"""Bounds-checked reading of header fields from the bytes of an executable.

Every count and offset in a header is hostile until proven otherwise: each read names what it
wanted, so that a cut-off file is reported as that and not as a crash.
"""

from __future__ import annotations

import struct
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gocost.model.errors import FormatError

ByteOrder = Literal["little", "big"]
Bytes = NDArray[np.uint8]

MAX_TEXT = 4096  # bytes of one name, path or version in a header


class Fields:
    """Reads integers, records and strings of one byte order out of a buffer."""

    __slots__ = ("array", "order", "prefix", "size", "view")

    def __init__(self, array: Bytes, order: ByteOrder) -> None:
        self.array = array
        self.view = array.data
        self.order: ByteOrder = order
        self.prefix = "<" if order == "little" else ">"
        self.size = len(array)

    def unpack(self, layout: str, offset: int, what: str) -> tuple[Any, ...]:
        """The fields of `layout` (struct notation without a byte order) at `offset`."""
        layout = self.prefix + layout
        self.check(offset, struct.calcsize(layout), what)
        return struct.unpack_from(layout, self.view, offset)

    def integer(self, offset: int, width: int, what: str) -> int:
        """An unsigned integer of `width` bytes."""
        self.check(offset, width, what)
        return int.from_bytes(self.view[offset : offset + width], self.order)

    def records(self, dtype: np.dtype[Any], offset: int, count: int, what: str) -> NDArray[Any]:
        """`count` records of `dtype` as a view into the file: nothing is copied."""
        self.check(offset, dtype.itemsize * count, what)
        return np.frombuffer(self.view, dtype=dtype, count=count, offset=offset)

    def check(self, offset: int, size: int, what: str) -> None:
        """Raises when `size` bytes at `offset` are not all in the file."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise FormatError(
                f"{what} needs bytes {offset} to {offset + size} of a file of {self.size} bytes",
                offset=min(max(offset, 0), self.size),
                hint="the file is cut off or damaged: copy or build it again",
            )

    def text(self, offset: int, what: str, limit: int = MAX_TEXT) -> str:
        """The NUL-terminated string at `offset`, at most `limit` bytes long."""
        self.check(offset, 0, what)
        raw = bytes(self.view[offset : min(offset + limit, self.size)])
        end = raw.find(b"\0")
        if end < 0 and offset + limit < self.size:
            raise FormatError(f"{what} is longer than the cap of {limit} bytes", offset=offset)
        return (raw if end < 0 else raw[:end]).decode("utf-8", "replace")

    def fixed_text(self, offset: int, size: int, what: str) -> str:
        """A string in a field of fixed size, padded with NUL."""
        self.check(offset, size, what)
        return (
            bytes(self.view[offset : offset + size]).split(b"\0", 1)[0].decode("utf-8", "replace")
        )
