"""The kernels of profiles, each called with what a mutated profile makes of its arguments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fuzz.fast import Kernel
from fuzz.runner import corpus
from gocost.kernels import interning, pprof, pprof_merging, pprof_writing, stack_fold

Bytes = NDArray[np.uint8]
NODES = 16


def _read(data: Bytes) -> dict[str, NDArray[np.int64]]:
    return pprof.read_parts(data, pprof.count_parts(data))


def reading(_: int, data: Bytes) -> None:
    """Both passes over the bytes; what they say lies within them."""
    parts = _read(data)
    for row, name in enumerate(("references", "values")):
        ends = parts["ends"][row]
        assert not len(ends) or int(ends[-1]) == len(parts[name])
        assert (np.diff(ends, prepend=0) >= 0).all()
    starts, sizes = parts["strings"]
    assert (starts >= 0).all()
    assert (sizes >= 0).all()
    assert (starts + sizes <= len(data)).all()


def writing(_: int, data: Bytes) -> None:
    """Columns out of the bytes, written and read again."""
    numbers = data[: len(data) // 8 * 8].view(np.uint64)
    rows = len(numbers) // 5
    columns = numbers[: 5 * rows].reshape(5, rows)
    assert (_read(pprof_writing.write_rows(5, columns))["functions"] == columns).all()

    sizes = (data[:rows] & 7).astype(np.int64)
    ends, total = np.cumsum(sizes), int(sizes.sum())
    stack = np.resize(data[: len(data) // 4 * 4].view(np.int32) & 0x7FFFFFFE, total)
    label_ends = np.minimum(ends, 3)
    labels = np.resize(numbers, (4, int(label_ends[-1]) if rows else 0))
    values = np.ascontiguousarray(columns[:3].T)
    parts = _read(pprof_writing.write_samples(ends, stack, values, label_ends, labels))
    assert (parts["references"] == stack.astype(np.uint64) + 1).all()
    assert (parts["values"] == values.reshape(-1)).all()
    assert (parts["labels"] == labels).all()
    assert parts["ends"].tolist() == [
        ends.tolist(), list(range(3, 3 * rows + 1, 3)), label_ends.tolist()
    ]  # fmt: skip

    lines = np.resize(numbers, (3, total))
    places = columns.copy()
    places[3] = 0
    parts = _read(pprof_writing.write_locations(places, ends, lines))
    assert (parts["locations"] == places[[0, 1, 2, 4]]).all()
    assert (parts["lines"] == lines).all()
    assert (parts["line_ends"] == ends).all()


def folding(which: int, data: Bytes) -> None:
    """Sums over stacks that the bytes make, of which some frames are left out."""
    places = 1 + int(data[0]) % 24
    frame_ends = np.cumsum(1 + (np.resize(data, places) & 3), dtype=np.int64)
    frames = (np.resize(data[1:], int(frame_ends[-1])) % (NODES + 1)).astype(np.int32) - 1
    stack_ends = np.cumsum(data[: len(data) // 8] & 15, dtype=np.int64)
    stacks = (np.resize(data[::-1], int(stack_ends[-1])) % places).astype(np.int32)
    values = data[: len(data) // 8 * 8].view(np.int64) >> 12
    columns = (stack_ends, stacks, frame_ends, frames, values)
    flat, cumulative = stack_fold.fold(*columns, NODES)
    callers, callees, weights, _ = stack_fold.fold_calls(*columns)
    assert (callers != callees).all()
    assert len(weights) <= NODES * NODES
    sizes = np.diff(stack_ends, prepend=0)
    first = stacks[(stack_ends - sizes)[sizes > 0]]
    leaves = frames[np.concatenate([[0], frame_ends])[first]]
    assert int(flat.sum()) == int(values[sizes > 0][leaves >= 0].sum())
    assert (np.abs(cumulative) <= int(np.abs(values).sum())).all()


def interning_(which: int, data: Bytes) -> None:
    """Texts wherever the bytes say that they are, in two calls."""
    starts = data[: len(data) // 8].astype(np.int64) % len(data)
    sizes = np.minimum(data[-len(starts) :] & 31, len(data) - starts).astype(np.int64)
    interner = interning.Interner(which)
    half = len(starts) // 2
    numbers = [
        *interner.add(data, starts[:half], sizes[:half]).tolist(),
        *interner.add(data, starts[half:], sizes[half:]).tolist(),
    ]
    texts = [data[at : at + size].tobytes() for at, size in zip(starts, sizes, strict=True)]
    first: dict[bytes, int] = {}
    assert numbers == [first.setdefault(text, len(first)) for text in texts]
    assert interner.store.tobytes() == b"".join(first)


def merging(_: int, data: Bytes) -> None:
    """Locations of a profile that was read, with functions and mappings that are there or not."""
    parts = _read(data)
    ids, mapping, address, folded = parts["locations"]
    function, line, column = (row.view(np.int64) for row in parts["lines"])
    functions, mappings = len(parts["functions"][0]), len(parts["mappings"][0])
    called, mapped = np.arange(functions), np.arange(mappings)
    small = np.minimum(mapping, 1 << 30).astype(np.int32) - np.int32(1)
    try:
        words, ends = pprof_merging.location_words(
            address.view(np.int64),
            small,
            (folded != 0).view(np.uint8),
            parts["line_ends"],
            ((function & 0x7FFFFFFF).astype(np.int32), line, column),
            parts["mappings"][1].view(np.int64),
            mapped,
            called,
        )
    except IndexError:
        assert (small >= mappings).any() or (function & 0x7FFFFFFF >= functions).any()
        return
    assert not len(ids) or int(ends[-1]) == len(words)
    heads = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    assert (words[heads + 1] >> 1 == small).all()


PROFILES = [data for data in corpus("pprof") if data[:1] == b"\x0a"]
KERNELS = (
    Kernel("pprof", reading, PROFILES),
    Kernel("pprof_writing", writing, [bytes(range(256)), b"\xff" * 160, *PROFILES]),
    Kernel("stack_fold", folding, [bytes(range(256)), *PROFILES]),
    Kernel("interning", interning_, [bytes(range(256)), bytes(256), b"main.main" * 29]),
    Kernel("pprof_merging", merging, PROFILES),
)
