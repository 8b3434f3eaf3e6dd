"""The inner loops of adding profiles up: rows of one, in terms of the merged tables.

A table that says where a row went has the number of the merged row in each place; the caller has
seen that they cover all rows, or an index shows it.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

HEAD = 2  # words of a location before those of its lines
LINE = 3  # words of a line


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _translated(
    rows: cython.const[cython.int][::1],
    table: cython.const[cython.int][::1],
    out: cython.int[::1],
) -> cython.Py_ssize_t:
    i: cython.Py_ssize_t
    for i in range(rows.shape[0]):
        out[i] = table[rows[i]]
    return 0


def translated(rows: npt.NDArray[np.int32], table: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """`table[rows]`. Raises IndexError for a row that the table does not have."""
    out = np.empty(len(rows), np.int32)
    _run_translated(_view(rows), _view(table), _view(out))
    return out


def _run_translated(
    rows: cython.const[cython.int][::1],
    table: cython.const[cython.int][::1],
    out: cython.int[::1],
) -> None:
    with cython.nogil:
        _translated(rows, table, out)


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _locations(
    address: cython.const[cython.longlong][::1],
    mapping: cython.const[cython.int][::1],
    folded: cython.const[cython.uchar][::1],
    line_ends: cython.const[cython.longlong][::1],
    function: cython.const[cython.int][::1],
    line: cython.const[cython.longlong][::1],
    column: cython.const[cython.longlong][::1],
    begins: cython.const[cython.longlong][::1],
    mapped: cython.const[cython.longlong][::1],
    called: cython.const[cython.longlong][::1],
    words: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Fills `words`; returns how many."""
    at: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t = 0
    mine: cython.Py_ssize_t
    where: cython.longlong
    for i in range(address.shape[0]):
        mine = mapping[i]
        where = -1
        words[at] = address[i]
        if mine >= 0:
            where = mapped[mine]
            words[at] = _less(address[i], begins[mine])
        words[at + 1] = where * 2 + (1 if folded[i] != 0 else 0)
        at += 2
        while k < line_ends[i]:
            words[at] = called[function[k]]
            words[at + 1] = line[k]
            words[at + 2] = column[k]
            at += 3
            k += 1
    return at


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _less(address: cython.longlong, begin: cython.longlong) -> cython.longlong:
    """The difference in 64 bits, interpreted too."""
    # Compiled with checks it is compiled, too: not the form that `with_checks` looks for.
    if not cython.compiled:
        return (address - begin + (1 << 63)) % (1 << 64) - (1 << 63)
    return cython.cast(
        cython.longlong,
        cython.cast(cython.ulonglong, address) - cython.cast(cython.ulonglong, begin),
    )


def location_words(
    address: npt.NDArray[np.int64],
    mapping: npt.NDArray[np.int32],
    folded: npt.NDArray[np.uint8],
    line_ends: npt.NDArray[np.int64],
    lines: tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    begins: npt.NDArray[np.int64],
    mapped: npt.NDArray[np.int64],
    called: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """What makes locations equal, as words, and where in these each location's end.

    HEAD words: the address less where its mapping begins (`begins`), and twice the merged mapping
    (`mapped`, -1 for none) plus whether it is folded. Then LINE words a line: merged function
    (`called`), line and column. Raises IndexError for a row that is not there.
    """
    sizes = np.diff(line_ends, prepend=0)
    ends: npt.NDArray[np.int64] = np.cumsum(HEAD + LINE * sizes)
    words = np.empty(HEAD * len(address) + LINE * len(lines[0]), np.int64)
    function, line, column = lines
    _run_locations(
        _view(address),
        _view(mapping),
        _view(folded),
        _view(line_ends),
        _view(np.ascontiguousarray(function)),
        _view(np.ascontiguousarray(line)),
        _view(np.ascontiguousarray(column)),
        _view(begins),
        _view(mapped),
        _view(called),
        _view(words),
    )
    return words, ends


def _run_locations(
    address: cython.const[cython.longlong][::1],
    mapping: cython.const[cython.int][::1],
    folded: cython.const[cython.uchar][::1],
    line_ends: cython.const[cython.longlong][::1],
    function: cython.const[cython.int][::1],
    line: cython.const[cython.longlong][::1],
    column: cython.const[cython.longlong][::1],
    begins: cython.const[cython.longlong][::1],
    mapped: cython.const[cython.longlong][::1],
    called: cython.const[cython.longlong][::1],
    words: cython.longlong[::1],
) -> None:
    with cython.nogil:
        _locations(
            address, mapping, folded, line_ends, function, line, column, begins, mapped, called,
            words,
        )  # fmt: skip


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
