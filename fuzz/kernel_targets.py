"""The kernels, each called with what a mutated table makes of its arguments."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fuzz import profile_targets, trace_targets
from fuzz.fast import Kernel
from fuzz.runner import corpus
from fuzz.small_pclntab import LAYOUTS, Small, small_pclntab
from fuzz.small_types import MAPS, small_types
from gocost.kernels import (
    inline_trees,
    json_rows,
    pclntab,
    stacktext,
    symbol_names,
    type_data,
    varint,
)

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


class _Reader:
    """One table's layout with buffers that are used again for every mutant of it."""

    def __init__(self, small: Small) -> None:
        count = len(small.functions)
        self.small = small
        self.wide = small.version == "1.16"
        self.width = small.width if self.wide else 4
        self.base = small.text - 0x1000 + small.funcdata if self.wide else 0
        self.big = small.order == "big"
        self.shape = np.array(
            [0, small.word, small.word, small.record, small.word + 28, small.quantum,
             int(self.big), 3, self.width, 0],
            np.int64,
        )  # fmt: skip
        self.record, self.name_at = (16, 4) if small.version == "1.20" else (20, 12)
        self.tree_shape = np.array(
            [self.record, self.name_at, small.quantum, int(self.big)], np.int64
        )
        self.entries, self.trees = np.empty(count, np.int64), np.empty(count, np.int64)
        self.columns = np.empty((pclntab.ROWS, count), np.int32)
        self.calls = np.empty(count, np.int32)
        self.outer, self.amounts = np.empty(4 * count, np.int32), np.empty(4 * count, np.int32)
        self.names = np.empty(4 * count, np.uint32)
        self.state, self.span = np.zeros(2, np.int64), np.zeros(2, np.int64)
        self.seen = np.zeros(1 << 11, np.uint8)
        self.starts, self.owners = np.empty(64, np.int64), np.empty(64, np.int32)


READERS = [_Reader(small) for small in TABLES]


def functions(which: int, data: Bytes) -> None:
    """The loops of the pclntab kernel, with its arguments checked as its wrappers check them."""
    at = READERS[which]
    small = at.small
    pctab = data[small.pctab : small.functab]
    funcs = data[small.functab : small.functab + small.functab_size]
    count = len(at.entries)
    if (2 * count + 1) * small.word > len(funcs) or len(funcs) < small.record:
        return
    pclntab._run_functions(funcs, pctab, at.shape, at.entries, at.trees, at.columns)
    at.seen[:] = 0
    used = pclntab._run_funcdata(
        funcs, at.columns, at.width, at.big, at.base, 8 * len(at.seen), at.seen, at.starts,
        at.owners, at.span,
    )  # fmt: skip
    assert used >= 0
    tree = data[small.funcdata :]
    sizes = at.columns[pclntab.SIZE]
    for k, reference in enumerate(at.trees.tolist()):
        offset = reference - at.base
        inside = reference >= 0 and 0 <= offset < len(tree)
        at.trees[k] = offset if inside else -1
        at.calls[k] = min(4, (len(tree) - offset) // at.record) if inside else 0
    inline_trees._run_inlined(
        pctab, tree, at.columns[pclntab.INLINE_INDEX], at.trees, sizes, at.calls, at.tree_shape,
        at.outer, at.names, at.amounts, at.state,
    )  # fmt: skip
    for size, gap in zip(sizes.tolist(), at.columns[pclntab.GAP].tolist(), strict=True):
        assert 0 <= size <= gap
    for amount in at.amounts[: int(at.state[0])].tolist():
        assert amount >= 0


def names(which: int, data: Bytes) -> None:
    """intern_packages over whatever offsets the bytes make."""
    starts = data[: len(data) // 8 * 8].view(np.int64) % (len(data) + 16) - 8
    limits = np.full(len(starts), len(data), np.int64)
    ids, _, at, size = symbol_names.intern_packages(data, starts, limits, seed=which)
    assert len(at) == len(size)
    assert (ids < len(at)).all()
    assert (at + size <= len(data)).all()
    symbol_names.intern_packages(data, starts, starts + 20, seed=which, ended=True)


class _Walker:
    """Buffers for the walks over mutants of one piece of type data."""

    def __init__(self, size: int, roots: list[int], itabs: list[int]) -> None:
        room = size // 16 + 16
        self.stack = np.empty(room + len(roots), np.int32)
        self.roots = np.array(roots, np.int32)
        self.itabs = np.array(itabs, np.int64)
        self.seen = np.zeros((size >> 3) + 1, np.uint8)
        self.rows = [np.empty(room, np.int32) for _ in range(3)]
        self.what = np.empty(room, np.uint8)
        self.found = np.empty(room, np.int64)
        self.low, self.high = np.zeros(1, np.int64), np.zeros(1, np.int64)


WALKERS = [_Walker(len(entry[3].data), entry[4], entry[5]) for entry in TYPES]


def types(which: int, data: Bytes) -> None:
    """The loops of the type_data kernel: the walk, and the searches for what it has not reached."""
    width, order, _, image, _, _ = TYPES[which]
    at, big = WALKERS[which], order == "big"
    roots = at.roots[at.roots < len(data)]
    at.stack[: len(roots)] = roots
    at.seen[:] = 0
    starts, ends, packages = at.rows
    used = type_data._run_walk(
        data, image.base, width, big, False, at.stack, len(roots), at.itabs, at.seen, starts, ends,
        packages, at.what,
    )  # fmt: skip
    for start, end in zip(at.rows[0][:used].tolist(), at.rows[1][:used].tolist(), strict=True):
        assert 0 <= start < end <= len(data)
    at.high[0] = len(data)
    type_data._run_find(data, at.low, at.high, width, big, False, at.found)
    type_data._run_follow(data, width, len(data), width, big, at.found)


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


def stacks(which: int, data: Bytes) -> None:
    """The scanner of goroutine stacks, in two pieces."""
    scanner = stacktext.Scanner(which)
    half = len(data) // 2
    used = scanner.feed(data[:half])
    assert 0 <= used <= half
    scanner.feed(data[used:], last=True)
    scanner.end(whole=False)
    texts = len(scanner.texts())
    rows = scanner.columns()
    assert (rows[stacktext.STATUS :] < texts).all()
    assert (rows[stacktext.STATUS :] >= -1).all()


def _names_seed() -> bytes:
    small = TABLES[5]
    return small.data[small.names : small.names + 512]


KERNELS = (
    Kernel("pclntab", functions, [small.data for small in TABLES]),
    Kernel("symbol_names", names, [_names_seed(), TABLES[0].data]),
    Kernel("type_data", types, [bytes(entry[3].data) for entry in TYPES]),
    Kernel("json_rows", rows, [TABLES[5].data[:512], bytes(range(256)) * 2]),
    Kernel("stacktext", stacks, corpus("goroutine_dump")),
    Kernel("varint", varints, [bytes(range(256)), b"\xff" * 64, bytes(64)]),
    *profile_targets.KERNELS,
    *trace_targets.KERNELS,
)
