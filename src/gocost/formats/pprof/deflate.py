"""Which library inflates and deflates profiles: ISA-L's where it is installed, else zlib.

ISA-L takes less than half of zlib's time for either (2.5 times as fast to inflate large.cpu.pb.gz
and 16 like it, 4 times to deflate it as well as zlib's level 1 does), but some milliseconds to
import: it is for large profiles.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

LARGE: Final = 1 << 20
"""Bytes from which on the import is worth it."""
_ZLIB: Final = 1
"""Level 6 takes three times as long for a twentieth less."""
_ISAL: Final = 3
"""Its highest, as small as zlib's 1."""


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
