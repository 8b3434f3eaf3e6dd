"""Chained fixups of Mach-O: pointers packed as chains of words that the loader unpacks.

Layout (`mach-o/fixup-chains.h`): a header, per segment a page size, a pointer format and the
offset of the first chained word of each page; each word holds its target and the distance to the
next. All pages are walked at once, one link at a time, so that the work is numpy's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.fields import Fields
from gocost.formats.executable.interface import Extent, Relocations, Segment, no_relocations
from gocost.model.errors import FormatError

MAX_SEGMENTS = 1024
_NO_CHAIN = 0xFFFF
_POINTER_64, _POINTER_64_OFFSET = 2, 6  # targets are addresses, or offsets from the image base
_STRIDE = 4


def read_fixups(
    fields: Fields, segments: Sequence[Segment], base: int, table: Extent | None
) -> Relocations:
    """Every pointer of the image that is chained and stays inside it (binds are left out)."""
    if table is None:
        return no_relocations()
    _, starts = fields.unpack("II", table.offset, "the chained fixups")
    at = table.offset + starts
    count = fields.integer(at, 4, "the chained fixups")
    if count > MAX_SEGMENTS:
        raise FormatError(f"fixups of {count} segments, over the cap of {MAX_SEGMENTS}", offset=at)
    found = []
    for number, offset in enumerate(fields.unpack(f"{count}I", at + 4, "the chained fixups")):
        if offset and number < len(segments):
            found.append(_segment_fixups(fields, segments[number], base, at + offset))
    if not found:
        return no_relocations()
    address = np.concatenate([part.address for part in found])
    target = np.concatenate([part.target for part in found])
    order = np.argsort(address, kind="stable")
    return Relocations(address[order], target[order])


def _segment_fixups(fields: Fields, segment: Segment, base: int, at: int) -> Relocations:
    _, page_size, kind, _, _, pages = fields.unpack("IHHQIH", at, "a segment's fixups")
    if kind not in (_POINTER_64, _POINTER_64_OFFSET):
        raise FormatError(f"chained fixups of pointer format {kind}, which is not known", offset=at)
    if not page_size:
        raise FormatError("chained fixups with pages of 0 bytes", offset=at)
    dtype = np.dtype(f"{fields.prefix}u2")
    starts = fields.records(dtype, at + 22, pages, "a segment's fixups").astype(np.int64)
    page = np.arange(pages, dtype=np.int64) * page_size
    used = starts != _NO_CHAIN
    cursor = (page + starts)[used]
    stop = np.minimum(page + page_size, segment.size_in_file)[used]
    words = fields.array[segment.offset : segment.offset + segment.size_in_file]
    return _walk(words, cursor, stop, segment.address, base if kind == _POINTER_64_OFFSET else 0)


def _walk(
    words: NDArray[np.uint8],
    cursor: NDArray[np.int64],
    stop: NDArray[np.int64],
    address: int,
    base: int,
) -> Relocations:
    places, targets = [], []
    byte = np.arange(8, dtype=np.int64)
    while True:
        # A chain only moves forward and ends with its page: a hostile one ends there too.
        inside = cursor + 8 <= stop
        cursor, stop = cursor[inside], stop[inside]
        if not len(cursor):
            break
        word = np.ascontiguousarray(words[cursor[:, None] + byte]).view("<u8")[:, 0]
        bind = word >> np.uint64(63) != 0
        target = (word & np.uint64((1 << 36) - 1)) + np.uint64(base)
        target |= (word >> np.uint64(36) & np.uint64(0xFF)) << np.uint64(56)
        places.append(cursor[~bind])
        targets.append(target[~bind])
        step = (word >> np.uint64(51) & np.uint64(0xFFF)).astype(np.int64) * _STRIDE
        cursor, stop = (cursor + step)[step > 0], stop[step > 0]
    if not places:
        return no_relocations()
    found = np.concatenate(places).astype(np.uint64) + np.uint64(address)
    return Relocations(found, np.concatenate(targets))
