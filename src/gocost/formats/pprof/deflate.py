"""Profiles inflated and deflated, by ISA-L where it is installed, else by zlib.

ISA-L takes less than half of zlib's time for either (2.5 times as fast to inflate large.cpu.pb.gz
and 16 like it, 4 times to deflate it as well as zlib's level 1 does), but some milliseconds to
import: it is for large profiles. Nothing here needs numpy, so that profiles are inflated while that
is imported.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

from gocost.formats.gunzip import GZIP, cut_off, damaged, followed
from gocost.model.errors import FormatError

MAX_BYTES: Final = 1 << 28
"""Bytes of a profile after decompression; `--max-bytes` raises it."""
LARGE: Final = 1 << 20
"""Bytes from which on the import is worth it."""
_FIRST_PIECE: Final = 512
_LARGEST_PIECE: Final = 1 << 20
"""Bytes that are decompressed at once; what of them follows a member is copied."""
_ZLIB: Final = 1
"""Level 6 takes three times as long for a twentieth less."""
_ISAL: Final = 3
"""Its highest, as small as zlib's 1."""


def decompress(data: bytes | memoryview, max_bytes: int = MAX_BYTES) -> bytes | memoryview:
    """The bytes without gzip, all members of it. Raises FormatError over the cap or when cut."""
    if bytes(data[:2]) != GZIP:
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
        return data
    module = library(len(data))
    view, pieces, at, size = memoryview(data), list[bytes](), 0, 0
    while at < len(view):
        if bytes(view[at : at + 2]) != GZIP:
            raise followed(at)
        inflater, step = module.decompressobj(wbits=31), _FIRST_PIECE
        while not inflater.eof:
            if at >= len(view):
                raise cut_off()
            try:
                piece = inflater.decompress(view[at : at + step], max_bytes + 1 - size)
            except module.error as error:
                raise damaged() from error
            size += len(piece)
            if size > max_bytes:
                raise _too_large(max_bytes)
            pieces.append(piece)
            at += min(step, len(view) - at)
            step = min(2 * step, _LARGEST_PIECE)
        at -= len(inflater.unused_data)
    return b"".join(pieces)


def _too_large(max_bytes: int) -> FormatError:
    return FormatError(
        f"the profile is larger than {max_bytes:,} bytes when decompressed",
        hint="raise the cap with --max-bytes if you trust the file",
    )


def compressed(pieces: Sequence[bytes]) -> bytes:
    """The pieces one behind the other as one gzip stream."""
    module = library(sum(map(len, pieces)))
    level = _ZLIB if module is zlib else _ISAL
    deflater = module.compressobj(level, zlib.DEFLATED, wbits=31)
    return b"".join([*(deflater.compress(piece) for piece in pieces), deflater.flush()])


def library(size: int) -> Any:
    """The module that has zlib's functions for data of that size."""
    if size < LARGE:
        return zlib
    try:
        from isal import isal_zlib
    except ImportError:  # there are no wheels of it for some machines
        return zlib
    return isal_zlib
