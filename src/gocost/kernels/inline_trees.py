"""The inner loop over InlTrees: which calls were inlined into which function, and their bytes.

Layout: an InlTree is an array of records, one for each inlined call of a function, that begins at
the function's funcdata; the function's value table PCDATA_InlTreeIndex in pctab (pairs of varints:
zigzag value delta, pc delta in units of the instruction quantum, ended by a zero value delta that
is not the first) says which of the records a pc belongs to, -1 for none.
(`runtime/symtab.go`, `cmd/internal/obj/pcln.go` in the Go source.)

Nothing is trusted: a record out of the tree, an index beyond a function's records or a value table
that never ends is left out and counted as a fault.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels._binary_words import _u32
from gocost.model.errors import FormatError

MAX_SHARE = 4  # times that the InlTrees of a file may be shared before it is called hostile


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _inlined(
    pctab: cython.const[cython.uchar][::1],
    tree: cython.const[cython.uchar][::1],
    tables: cython.int[::1],
    trees: cython.longlong[::1],
    sizes: cython.int[::1],
    entries: cython.int[::1],
    start: cython.Py_ssize_t,
    shape: cython.longlong[::1],
    outer: cython.int[::1],
    names: cython.uint[::1],
    amounts: cython.int[::1],
    state: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Fill rows (outer function, inlined name, bytes) until they are full.

    Returns the function to go on with; state[0] is the rows filled, state[1] the faults.
    """
    record: cython.longlong = shape[0]
    name_at: cython.longlong = shape[1]
    quantum: cython.longlong = shape[2]
    big: cython.bint = shape[3] != 0
    size: cython.Py_ssize_t = pctab.shape[0]
    capacity: cython.longlong = outer.shape[0]
    used: cython.longlong = 0
    begin: cython.longlong
    known: cython.longlong
    count: cython.longlong
    k: cython.longlong
    at: cython.Py_ssize_t
    i: cython.Py_ssize_t
    pc: cython.longlong
    value: cython.longlong
    raw: cython.longlong
    delta: cython.longlong
    shift: cython.int
    byte: cython.uchar
    opening: cython.bint
    for i in range(start, tables.shape[0]):
        at = cython.cast(cython.Py_ssize_t, tables[i])
        if at <= 0 or trees[i] < 0 or sizes[i] <= 0 or entries[i] <= 0:
            continue
        begin = used
        known = 0
        count = entries[i]
        if used + count > capacity:
            if used:
                state[0] = used
                return i
            count = capacity
        pc = 0
        value = -1
        opening = True
        while pc < sizes[i]:
            raw = 0
            shift = 0
            while True:
                if at >= size or shift > 28:
                    state[1] += 1
                    pc = sizes[i]
                    break
                byte = pctab[at]
                at += 1
                raw |= cython.cast(cython.longlong, byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
            if pc >= sizes[i] or (raw == 0 and not opening):
                break
            opening = False
            value += -((raw + 1) >> 1) if raw & 1 else raw >> 1
            delta = 0
            shift = 0
            while True:
                if at >= size or shift > 28:
                    state[1] += 1
                    delta = 0
                    break
                byte = pctab[at]
                at += 1
                delta |= cython.cast(cython.longlong, byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
            delta *= quantum
            if delta <= 0:
                break
            if delta > sizes[i] - pc:
                delta = sizes[i] - pc
            pc += delta
            if value < 0:
                continue
            if value >= count:
                state[1] += 1
                continue
            while known <= value:
                outer[used] = cython.cast(cython.int, i)
                names[used] = cython.cast(
                    cython.uint,
                    _u32(
                        tree,
                        cython.cast(cython.Py_ssize_t, trees[i] + known * record + name_at),
                        big,
                    ),
                )
                amounts[used] = 0
                known += 1
                used += 1
            amounts[begin + value] += cython.cast(cython.int, delta)
        k = known
        while k < count:
            # Calls that own no byte themselves but whose callees do.
            outer[used] = cython.cast(cython.int, i)
            names[used] = cython.cast(
                cython.uint,
                _u32(tree, cython.cast(cython.Py_ssize_t, trees[i] + k * record + name_at), big),
            )
            amounts[used] = 0
            used += 1
            k += 1
    state[0] = used
    return tables.shape[0]


def read_inlined(
    pctab: npt.NDArray[np.uint8],
    tree: npt.NDArray[np.uint8],
    tables: npt.NDArray[np.int32],
    trees: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int32],
    entries: npt.NDArray[np.int32],
    *,
    record: int,
    name_at: int,
    quantum: int,
    big: bool,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint32], npt.NDArray[np.int32], int]:
    """What was inlined where: (outer function, offset of the inlined name, bytes), and the faults.

    `tree` is the bytes of all InlTrees; `tables` and `trees` say for each function where in pctab
    its index table is and where in `tree` its InlTree starts (-1: none), `entries` how many
    records that has; `record` is the size of one and `name_at` where in it the name's offset is.
    Bytes are those of the innermost call. Raises FormatError over the cap.
    """
    room = np.where(trees >= 0, (len(tree) - trees) // record, 0)
    entries = np.clip(np.minimum(entries, room), 0, None).astype(np.int32)
    total = int(entries[(tables > 0) & (sizes > 0)].sum(dtype=np.int64))
    cap = MAX_SHARE * (len(tree) // record) + 1024
    if total > cap:
        raise FormatError(f"the InlTrees hold {total} calls, over the cap of {cap}")
    outer = np.empty(total, np.int32)
    names = np.empty(total, np.uint32)
    amounts = np.empty(total, np.int32)
    if not total:
        return outer, names, amounts, 0
    shape = np.array([record, name_at, quantum, int(big)], np.int64)
    state = np.zeros(2, np.int64)
    _run_inlined(
        _view(pctab),
        _view(tree),
        _view(np.ascontiguousarray(tables)),
        _view(np.ascontiguousarray(trees)),
        _view(np.ascontiguousarray(sizes)),
        _view(entries),
        _view(shape),
        _view(outer),
        _view(names),
        _view(amounts),
        _view(state),
    )
    used = int(state[0])
    return outer[:used], names[:used], amounts[:used], int(state[1])


def _run_inlined(
    pctab: cython.const[cython.uchar][::1],
    tree: cython.const[cython.uchar][::1],
    tables: cython.int[::1],
    trees: cython.longlong[::1],
    sizes: cython.int[::1],
    entries: cython.int[::1],
    shape: cython.longlong[::1],
    outer: cython.int[::1],
    names: cython.uint[::1],
    amounts: cython.int[::1],
    state: cython.longlong[::1],
) -> None:
    with cython.nogil:
        _inlined(pctab, tree, tables, trees, sizes, entries, 0, shape, outer, names, amounts, state)


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled else array.data
