"""Equal parts of bytes among many: a number for each different one, as they come.

A part is a text, or a row of integers seen as bytes. The table is a plain open one (linear probing,
at most half full); beside it stand the parts themselves, one behind the other, each once, so that
the caller reads the different ones from there and need not keep what it gave. What is met again is
mostly met in the order in which it was met before (two profiles of one program have the same runs
of functions): the part behind the one that was found last is looked at first, which needs no hash.
"""

import os
from typing import Any

import cython
import numpy as np
import numpy.typing as npt

_FEWEST = 16  # slots of a table


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _word(data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t) -> cython.longlong:
    """Four bytes, the least first; one load where the machine can. The caller saw them inside."""
    word: cython.uint = (
        data[at]
        | cython.cast(cython.uint, data[at + 1]) << 8
        | cython.cast(cython.uint, data[at + 2]) << 16
        | cython.cast(cython.uint, data[at + 3]) << 24
    )
    return word


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _upto4(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.longlong:
    """Those of four bytes that stand before `end`."""
    word: cython.longlong = 0
    shift: cython.int = 0
    while at < end and shift < 32:
        word |= cython.cast(cython.longlong, data[at]) << shift
        shift += 8
        at += 1
    return word


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _mixed(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
    seed: cython.longlong,
) -> cython.longlong:
    """A number below 2^62 of a part; products stay under 63 bits, interpreted or not.

    Both factors are secret, and both halves of a product count: what a bit of the part changes
    depends on them. In the lower half alone the highest bit changes the highest bit and nothing
    else, whatever the factor, so that another one could be chosen that undoes it.
    """
    end: cython.Py_ssize_t = at + size
    mask: cython.longlong = (1 << 32) - 1
    low: cython.longlong = seed & mask
    high: cython.longlong = (seed >> 32 ^ size) & mask
    left: cython.longlong = seed >> 31 | 0x40000001
    right: cython.longlong = seed & 0x7FFFFFFF | 0x40000001
    word: cython.longlong
    other: cython.longlong
    while at < end:
        if at + 8 <= end:
            word = _word(data, at)
            other = _word(data, at + 4)
        else:
            word = _upto4(data, at, end)
            other = _upto4(data, at + 4, end)
        at += 8
        low = (low ^ word) * left
        low = (low ^ low >> 31) & mask
        high = (high ^ other) * right
        high = (high ^ high >> 31) & mask
        word = high ^ low >> 13
        low ^= high >> 13
        high = word
    return (high & 0x3FFFFFFF) << 32 | low


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _same(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
    store: cython.const[cython.uchar][::1],
    other: cython.Py_ssize_t,
) -> cython.bint:
    k: cython.Py_ssize_t = 0
    while k + 4 <= size:
        if _word(data, at + k) != _word(store, other + k):
            return False
        k += 4
    while k < size:
        if data[at + k] != store[other + k]:
            return False
        k += 1
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _intern(
    data: cython.const[cython.uchar][::1],
    starts: cython.const[cython.longlong][::1],
    sizes: cython.const[cython.longlong][::1],
    seed: cython.longlong,
    table: cython.int[::1],
    hashes: cython.longlong[::1],
    store: cython.uchar[::1],
    ends: cython.longlong[::1],
    used: cython.Py_ssize_t,
    numbers: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """numbers[i] is that of part i; returns how many there are then, -1 for a part not in data."""
    mask: cython.Py_ssize_t = table.shape[0] - 1
    total: cython.longlong = data.shape[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    first: cython.Py_ssize_t
    size: cython.Py_ssize_t
    other: cython.Py_ssize_t
    slot: cython.Py_ssize_t
    number: cython.Py_ssize_t = -1
    mixed: cython.longlong
    for i in range(starts.shape[0]):
        if sizes[i] < 0 or starts[i] < 0 or sizes[i] > total or starts[i] > total - sizes[i]:
            return -1
        first = cython.cast(cython.Py_ssize_t, starts[i])
        size = cython.cast(cython.Py_ssize_t, sizes[i])
        number += 1
        if number < used:
            other = cython.cast(cython.Py_ssize_t, ends[number - 1]) if number > 0 else 0
            if ends[number] - other == size and _same(data, first, size, store, other):
                numbers[i] = number
                continue
        mixed = _mixed(data, first, size, seed)
        slot = cython.cast(cython.Py_ssize_t, mixed) & mask
        number = table[slot]
        while number >= 0:
            if hashes[number] == mixed:
                other = cython.cast(cython.Py_ssize_t, ends[number - 1]) if number > 0 else 0
                if ends[number] - other == size and _same(data, first, size, store, other):
                    break
            slot = (slot + 1) & mask
            number = table[slot]
        if number < 0:
            number = used
            other = cython.cast(cython.Py_ssize_t, ends[used - 1]) if used > 0 else 0
            for k in range(size):
                store[other + k] = data[first + k]
            ends[used] = other + size
            hashes[used] = mixed
            table[slot] = cython.cast(cython.int, used)
            used += 1
        numbers[i] = number
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _refill(
    table: cython.int[::1], hashes: cython.const[cython.longlong][::1], used: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Puts the parts that there are into a table that has none yet; returns 0."""
    mask: cython.Py_ssize_t = table.shape[0] - 1
    number: cython.Py_ssize_t
    slot: cython.Py_ssize_t
    for number in range(used):
        slot = cython.cast(cython.Py_ssize_t, hashes[number]) & mask
        while table[slot] >= 0:
            slot = (slot + 1) & mask
        table[slot] = cython.cast(cython.int, number)
    return 0


class Interner:
    """Different parts of bytes, numbered as they are first met.

    `seed`, by default a random one, is what a stranger who makes the parts must not know, who else
    could make them collide.
    """

    def __init__(self, seed: int | None = None) -> None:
        if seed is None:
            seed = int.from_bytes(os.urandom(8))  # `secrets` takes milliseconds to import
        self._seed = seed & ((1 << 62) - 1)
        self._table = np.full(_FEWEST, -1, np.int32)
        self._hashes = np.empty(0, np.int64)
        self._store = np.empty(0, np.uint8)
        self._ends = np.empty(0, np.int64)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        """Where in `store` each part ends; it starts where the one before ends."""
        return self._ends[: self._used]

    @property
    def store(self) -> npt.NDArray[np.uint8]:
        """The parts, one behind the other."""
        return self._store[: int(self._ends[self._used - 1]) if self._used else 0]

    def add(
        self,
        data: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        sizes: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.int64]:
        """The number of each part `data[start : start + size]`. Raises IndexError for one that
        does not lie in the data.
        """
        count = len(starts)
        self._make_room(count, len(self.store) + int(sizes.sum()))
        numbers = np.empty(count, np.int64)
        used: int = _run_intern(
            _view(data),
            _view(starts),
            _view(sizes),
            self._seed,
            _view(self._table),
            _view(self._hashes),
            _view(self._store),
            _view(self._ends),
            self._used,
            _view(numbers),
        )
        if used < 0:
            raise IndexError("a part does not lie in the data")
        self._used = used
        return numbers

    def add_rows(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The number of each row of an array of integers of two dimensions."""
        width = rows.shape[1] * rows.itemsize
        data = np.ascontiguousarray(rows).reshape(-1).view(np.uint8)
        starts = np.arange(len(rows), dtype=np.int64) * width
        return self.add(data, starts, np.full(len(rows), width, np.int64))

    def _make_room(self, more: int, size: int) -> None:
        """For as many parts more, and for parts of `size` bytes together. What is never used is
        never touched, so that it is no memory yet.
        """
        parts = self._used + more
        if parts > len(self._ends):
            self._hashes = _longer(self._hashes, parts, self._used)
            self._ends = _longer(self._ends, parts, self._used)
        if size > len(self._store):
            self._store = _longer(self._store, size, len(self.store))
        if 2 * parts > len(self._table):
            self._table = np.full(1 << (2 * parts).bit_length(), -1, np.int32)
            _run_refill(_view(self._table), _view(self._hashes), self._used)


def _longer(array: npt.NDArray[Any], wanted: int, used: int) -> npt.NDArray[Any]:
    made = np.empty(max(wanted, 2 * len(array)), array.dtype)
    made[:used] = array[:used]
    return made


def _run_intern(
    data: cython.const[cython.uchar][::1],
    starts: cython.const[cython.longlong][::1],
    sizes: cython.const[cython.longlong][::1],
    seed: cython.longlong,
    table: cython.int[::1],
    hashes: cython.longlong[::1],
    store: cython.uchar[::1],
    ends: cython.longlong[::1],
    used: cython.Py_ssize_t,
    numbers: cython.longlong[::1],
) -> int:
    status: cython.Py_ssize_t
    with cython.nogil:
        status = _intern(data, starts, sizes, seed, table, hashes, store, ends, used, numbers)
    return status


def _run_refill(
    table: cython.int[::1], hashes: cython.const[cython.longlong][::1], used: cython.Py_ssize_t
) -> None:
    with cython.nogil:
        _refill(table, hashes, used)


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
