"""Packages of Go symbol names: many names in, one number a package out.

A name is `path/to/pkg.Func`, `path/to/pkg.(*Type).Method`, `path/to/pkg.Func[type/args]`, or one
that the toolchain made (`type:.eq.path/to/pkg.Type`, `go:itab.…`). The package's path ends at the
first dot after its last slash, where slashes in type arguments and receivers do not count.
(`debug/gosym` and `cmd/internal/objabi/path.go` in the Go source.) Dots in the last element of a
path may be written `%2e`; the few distinct packages are unescaped by the caller.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

NO_PACKAGE = -1  # a name that tells no package: assembly's, C's, an unnamed type's


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled else array.data


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _is_made_up(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the real name starts in a name the toolchain made; -1 where none is in it."""
    k: cython.Py_ssize_t = at + 5
    if end - at < 9:
        return at
    # type:.eq.NAME and, before Go 1.20, type..eq.NAME; type:NAME is a descriptor. A path may well
    # start with `type.` or `go.` (go.uber.org), so a single dot is not enough.
    if data[at] == 116 and data[at + 1] == 121 and data[at + 2] == 112 and data[at + 3] == 101:
        if data[at + 4] != 58 and not (data[at + 4] == 46 and data[k] == 46):
            return at
        if data[k] == 46:
            k += 1
            while k < end and data[k] != 46:
                k += 1
            k += 1
        return k if k < end else -1
    # go:itab.*NAME,… and go.itab.*NAME,…; other go: names belong to nobody
    if data[at] == 103 and data[at + 1] == 111 and (data[at + 2] == 58 or data[at + 2] == 46):
        if (
            data[at + 3] == 105
            and data[at + 4] == 116
            and data[at + 5] == 97
            and data[at + 6] == 98
            and data[at + 7] == 46
        ):
            return at + 8
        if data[at + 2] == 58:
            return -1
    return at


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _skip_shape(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Past the `*` and `[N]` that come before the name of a type."""
    while at < end:
        if data[at] == 42:  # *
            at += 1
        elif data[at] == 91:  # [
            while at < end and data[at] != 93:
                at += 1
            at += 1
        else:
            break
    return at if at < end else end


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _intern(
    data: cython.const[cython.uchar][::1],
    starts: cython.longlong[::1],
    limits: cython.longlong[::1],
    ended: cython.bint,
    seed: cython.ulonglong,
    slots: cython.int[::1],
    ids: cython.int[::1],
    lengths: cython.uint[::1],
    package_at: cython.longlong[::1],
    package_length: cython.uint[::1],
) -> cython.Py_ssize_t:
    """Number the package of each name; returns how many packages there are."""
    known: cython.Py_ssize_t = 0
    mask: cython.ulonglong = slots.shape[0] - 1
    size: cython.Py_ssize_t = data.shape[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    at: cython.Py_ssize_t
    name: cython.Py_ssize_t
    end: cython.Py_ssize_t
    dot: cython.Py_ssize_t
    length: cython.Py_ssize_t
    slot: cython.ulonglong
    mixed: cython.ulonglong
    other: cython.Py_ssize_t
    candidate: cython.int
    previous: cython.int = -1
    byte: cython.uchar
    open_name: cython.bint
    same: cython.bint
    for i in range(starts.shape[0]):
        at = starts[i]
        ids[i] = -1
        lengths[i] = 0
        end = limits[i] if limits[i] < size else size
        if at < 0 or at >= end:
            continue
        if not ended:
            k = at
            while k < end and data[k] != 0:
                k += 1
            end = k
        lengths[i] = cython.cast(cython.uint, end - at)
        name = _is_made_up(data, at, end)
        if name < 0:
            continue
        if name != at:
            name = _skip_shape(data, name, end)
        # The first dot after the last slash of the part before any bracket, brace or space.
        dot = -1
        k = name
        open_name = True
        while k < end and open_name:
            byte = data[k]
            if byte == 47:  # /
                dot = -1
            elif byte == 46:  # .
                if dot < 0:
                    dot = k
            elif byte == 91 or byte == 40 or byte == 123 or byte == 32 or byte == 44:
                open_name = False
            k += 1
        if dot <= name:
            continue
        length = dot - name
        if length == 2 and data[name] == 103 and data[name + 1] == 111:
            continue  # go.(*struct {…}).Method: an unnamed type
        # Neighbours mostly share a package: compare before hashing.
        if previous >= 0 and package_length[previous] == length:
            other = package_at[previous]
            same = True
            for k in range(length):
                if data[other + k] != data[name + k]:
                    same = False
                    break
            if same:
                ids[i] = previous
                continue
        mixed = seed
        for k in range(length):
            mixed = (mixed ^ data[name + k]) * 0x1000193 & 0x7FFFFFFF
        slot = (mixed ^ mixed >> 15) & mask
        while True:
            candidate = slots[slot]
            if candidate < 0:
                slots[slot] = cython.cast(cython.int, known)
                package_at[known] = name
                package_length[known] = cython.cast(cython.uint, length)
                candidate = cython.cast(cython.int, known)
                known += 1
                break
            if package_length[candidate] == length:
                other = package_at[candidate]
                same = True
                for k in range(length):
                    if data[other + k] != data[name + k]:
                        same = False
                        break
                if same:
                    break
            slot = (slot + 1) & mask
        ids[i] = candidate
        previous = candidate
    return known


def intern_packages(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    limits: npt.NDArray[np.int64],
    *,
    seed: int,
    ended: bool = False,
) -> tuple[
    npt.NDArray[np.int32],
    npt.NDArray[np.uint32],
    npt.NDArray[np.int64],
    npt.NDArray[np.uint32],
]:
    """Number the package of each name from `starts` to the next NUL, at most to `limits`.

    With `ended` the limits are where the names end, and no NUL is looked for. `seed` makes
    collisions unpredictable to whoever wrote the names; it does not change the result. Returns
    the package of each name (NO_PACKAGE where there is none), the length of each name, and where
    in `data` each package's path starts and how long it is. Packages are numbered by first
    appearance.
    """
    count = len(starts)
    bits = max(4, (2 * count).bit_length())
    slots = np.full(1 << bits, -1, np.int32)
    ids = np.empty(count, np.int32)
    lengths = np.empty(count, np.uint32)
    package_at = np.empty(count, np.int64)
    package_length = np.empty(count, np.uint32)
    known: int = 0
    if count:
        known = _run_intern(
            _view(data),
            _view(np.ascontiguousarray(starts, np.int64)),
            _view(np.ascontiguousarray(limits, np.int64)),
            ended,
            seed & 0x7FFFFFFF,
            _view(slots),
            _view(ids),
            _view(lengths),
            _view(package_at),
            _view(package_length),
        )
    return ids, lengths, package_at[:known].copy(), package_length[:known].copy()


def _run_intern(
    data: cython.const[cython.uchar][::1],
    starts: cython.longlong[::1],
    limits: cython.longlong[::1],
    ended: cython.bint,
    seed: cython.ulonglong,
    slots: cython.int[::1],
    ids: cython.int[::1],
    lengths: cython.uint[::1],
    package_at: cython.longlong[::1],
    package_length: cython.uint[::1],
) -> int:
    known: cython.Py_ssize_t
    with cython.nogil:
        known = _intern(
            data, starts, limits, ended, seed, slots, ids, lengths, package_at, package_length
        )
    return known
