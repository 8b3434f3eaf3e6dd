"""Equal texts among many: a number for each different one, without Python strings of them."""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _group(
    data: cython.const[cython.uchar][::1],
    starts: cython.const[cython.longlong][::1],
    sizes: cython.const[cython.longlong][::1],
    seed: cython.longlong,
    hashes: cython.longlong[::1],
    table: cython.int[::1],
    leaders: cython.int[::1],
    groups: cython.int[::1],
) -> cython.Py_ssize_t:
    """groups[i] is the number of text i among the different ones; returns how many."""
    mask: cython.Py_ssize_t = table.shape[0] - 1
    used: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    first: cython.Py_ssize_t
    other: cython.Py_ssize_t
    size: cython.Py_ssize_t
    slot: cython.Py_ssize_t
    leader: cython.Py_ssize_t
    mixed: cython.longlong
    same: cython.bint
    for i in range(starts.shape[0]):
        first = cython.cast(cython.Py_ssize_t, starts[i])
        size = cython.cast(cython.Py_ssize_t, sizes[i])
        mixed = seed
        for k in range(first, first + size):
            mixed = (mixed ^ data[k]) * 0x1000193 & 0x7FFFFFFF
        mixed ^= mixed >> 15
        hashes[i] = mixed
        slot = cython.cast(cython.Py_ssize_t, mixed) & mask
        while table[slot] >= 0:
            leader = leaders[table[slot]]
            same = hashes[leader] == mixed and sizes[leader] == size
            if same:
                other = cython.cast(cython.Py_ssize_t, starts[leader])
                k = 0
                while same and k < size:
                    same = data[first + k] == data[other + k]
                    k += 1
            if same:
                break
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = cython.cast(cython.int, used)
            leaders[used] = cython.cast(cython.int, i)
            used += 1
        groups[i] = table[slot]
    return used


def group_texts(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    seed: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Which of the texts `data[start : start + size]` are equal: a group's number for each, and
    each group's first. Groups are numbered as they are first met. The caller has seen that all
    texts lie in the data; `seed` should be random where they are a stranger's, who could make them
    collide.
    """
    count = len(starts)
    room = 1 << max(4, (2 * count).bit_length())
    leaders = np.empty(count, np.int32)
    groups = np.empty(count, np.int32)
    used: int = _run(
        _view(data),
        _view(starts),
        _view(sizes),
        seed & 0x7FFFFFFF,
        _view(np.empty(count, np.int64)),
        _view(np.full(room, -1, np.int32)),
        _view(leaders),
        _view(groups),
    )
    return groups, leaders[:used]


def _run(
    data: cython.const[cython.uchar][::1],
    starts: cython.const[cython.longlong][::1],
    sizes: cython.const[cython.longlong][::1],
    seed: cython.longlong,
    hashes: cython.longlong[::1],
    table: cython.int[::1],
    leaders: cython.int[::1],
    groups: cython.int[::1],
) -> int:
    used: cython.Py_ssize_t
    with cython.nogil:
        used = _group(data, starts, sizes, seed, hashes, table, leaders, groups)
    return used


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
