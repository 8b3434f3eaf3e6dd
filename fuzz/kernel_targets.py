"""The kernels of `gocost size`, each called with what a mutated table makes of its arguments."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fuzz.fast import Kernel
from fuzz.small_pclntab import LAYOUTS, Small, small_pclntab
from fuzz.small_types import MAPS, small_types
from gocost.kernels import json_rows, pclntab, symbol_names, type_data, varint

Bytes = NDArray[np.uint8]

TABLES = [small_pclntab(*layout) for layout in LAYOUTS]
SHAPES: tuple[tuple[int, Literal["little", "big"]], ...] = (
    (8, "little"), (4, "little"), (8, "big")
)  # fmt: skip
TYPES = [
    (width, order, maps, *small_types(width, order, maps))
    for width, order in SHAPES
    for maps in MAPS
]


def functions(which: int, data: Bytes) -> None:
    """read_functions, then what its columns lead to."""
    small = TABLES[which]
    pctab = data[small.pctab : small.functab]
    funcs = data[small.functab : small.functab + small.functab_size]
    entries, trees, columns, _ = _read(small, funcs, pctab)
    width = small.width if small.version == "1.16" else 4
    starts, owners = pclntab.funcdata_owners(
        funcs,
        columns,
        width=width,
        big=small.order == "big",
        base=small.text - 0x1000 + small.funcdata if small.version == "1.16" else 0,
        size=len(data),
    )
    assert len(starts) == len(owners)
    record, name_at = (16, 4) if small.version == "1.20" else (20, 12)
    if small.version == "1.16":
        trees = np.where(trees > 0, trees - (small.text - 0x1000 + small.funcdata), -1)
    tree = data[small.funcdata :]
    trees = np.where((trees >= 0) & (trees < len(tree)), trees, -1)
    outer, names, amounts, _ = pclntab.read_inlined(
        pctab,
        tree,
        columns[pclntab.INLINE_INDEX],
        trees,
        columns[pclntab.SIZE],
        np.full(len(entries), 4, np.int32),
        record=record,
        name_at=name_at,
        quantum=small.quantum,
        big=small.order == "big",
    )
    assert len(outer) == len(names) == len(amounts)
    assert (amounts >= 0).all()
    assert (columns[pclntab.SIZE] <= columns[pclntab.GAP]).all()


def _read(
    small: Small, funcs: Bytes, pctab: Bytes
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], int]:
    return pclntab.read_functions(
        funcs,
        pctab,
        first=0,
        count=len(small.functions),
        width=small.word,
        entry_width=small.word,
        header=small.record,
        cu_at=small.word + 28,
        quantum=small.quantum,
        big=small.order == "big",
        inline_data=3,
        data_width=small.width if small.version == "1.16" else 4,
        region=0,
    )


def names(which: int, data: Bytes) -> None:
    """intern_packages over whatever offsets the bytes make."""
    starts = data[: len(data) // 8 * 8].view(np.int64) % (len(data) + 16) - 8
    limits = np.full(len(starts), len(data), np.int64)
    ids, _, at, size = symbol_names.intern_packages(data, starts, limits, seed=which)
    assert len(at) == len(size)
    assert (ids < len(at)).all()
    assert (at + size <= len(data)).all()
    symbol_names.intern_packages(data, starts, starts + 20, seed=which, ended=True)


def types(which: int, data: Bytes) -> None:
    """walk_types, and the searches for what the walk has not reached."""
    width, order, _, image, roots, itabs = TYPES[which]
    big = order == "big"
    seen = np.zeros((len(data) >> 3) + 1, np.uint8)
    start, end, package, what = type_data.walk_types(
        data,
        base=image.base,
        width=width,
        big=big,
        short_names=False,
        types=np.array(roots, np.int64),
        itabs=np.array(itabs, np.int64),
        seen=seen,
    )
    assert (end > start).all()
    assert (end <= len(data)).all()
    assert len(package) == len(what) == len(start)
    edges = np.array([0, len(data)], np.int64)
    type_data.find_types(
        data, edges[:1], edges[1:], width=width, big=big, short_names=bool(which & 1)
    )
    type_data.follow_types(data, width, len(data), width=width, big=big)


def rows(which: int, data: Bytes) -> None:
    """encode_rows with names, owners and numbers out of the bytes."""
    count = max(1, len(data) // 64)
    whole = np.resize(data, 24 * count).view(np.int64)
    numbers = whole.reshape(3, count) & ((1 << 62) - 1)
    prefixes = np.frombuffer(b'"std","fmt","a","b",', np.uint8)
    owner = (data[:count] & 1).astype(np.int32)
    start = data[:count].astype(np.int64) % max(1, len(data) - 64)
    length = np.minimum(data[-count:] & 63, len(data) - start).astype(np.int32)
    at = np.array([0, 12, 20], np.int64)
    text = json_rows.encode_rows(data, data, prefixes, at, owner, start, length, numbers)
    assert text is None or text[0] == ord("[")


def varints(which: int, data: Bytes) -> None:
    """decode_uvarints of as many as may be there."""
    values, used = varint.decode_uvarints(data, min(len(data), 64))
    assert len(values)
    assert used <= len(data)


def _names_seed() -> bytes:
    small = TABLES[5]
    return small.data[small.names : small.names + 512]


KERNELS = (
    Kernel("pclntab", functions, [small.data for small in TABLES]),
    Kernel("symbol_names", names, [_names_seed(), TABLES[0].data]),
    Kernel("type_data", types, [bytes(entry[3].data) for entry in TYPES]),
    Kernel("json_rows", rows, [TABLES[5].data[:512], bytes(range(256)) * 2]),
    Kernel("varint", varints, [bytes(range(256)), b"\xff" * 64, bytes(64)]),
)
