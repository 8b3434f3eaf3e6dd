"""Bytes of text: lines, words, numbers, and what a log writes before each. Piece of stacktext."""

import cython


@cython.cfunc
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _line_end(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the line ends, or -1; the caller has seen that `end` is inside."""
    while at < end:
        if data[at] == 10:
            return at
        at += 1
    return -1


@cython.cfunc
@cython.exceptval(-2, check=True)
def _starts(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    word: cython.const[cython.uchar][::1],
) -> cython.Py_ssize_t:
    """1 where the text begins with the word, else 0."""
    k: cython.Py_ssize_t
    if end - at < word.shape[0]:
        return 0
    for k in range(word.shape[0]):
        if data[at + k] != word[k]:
            return 0
    return 1


@cython.cfunc
@cython.exceptval(-2, check=True)
def _find(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    word: cython.const[cython.uchar][::1],
) -> cython.Py_ssize_t:
    """Where the word stands first, or -1."""
    while end - at >= word.shape[0]:
        if data[at] == word[0] and _starts(data, at, end, word):
            return at
        at += 1
    return -1


@cython.cfunc
@cython.exceptval(-2, check=True)
def _digits_end(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the digits that stand at `at` end."""
    while at < end and 48 <= data[at] <= 57:
        at += 1
    return at


@cython.cfunc
@cython.exceptval(-2, check=True)
def _number(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.longlong:
    """The number that the digits say; -1 where there are none, or it is no int64."""
    value: cython.longlong = 0
    if end <= at or end - at > 18:
        return -1
    while at < end:
        value = value * 10 + (data[at] - 48)
        at += 1
    return value


@cython.cfunc
@cython.exceptval(check=False)
@cython.boundscheck(False)
def _hash(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    seed: cython.ulonglong,
) -> cython.ulonglong:
    """A number of 31 bits; the caller has seen that the bytes are there."""
    mixed: cython.ulonglong = seed
    while at < end:
        mixed = (mixed ^ data[at]) * 0x1000193 & 0x7FFFFFFF
        at += 1
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0x7FFFFFFF
    return mixed ^ mixed >> 13


@cython.cfunc
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _copy(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    out: cython.uchar[::1],
    to: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Copy bytes; returns where they end. The caller has seen that both sides have them."""
    k: cython.Py_ssize_t
    for k in range(end - at):
        out[to + k] = data[at + k]
    return to + end - at


@cython.cfunc
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _same(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    other: cython.const[cython.uchar][::1],
    first: cython.Py_ssize_t,
) -> cython.bint:
    """Whether the bytes are the same; the caller has seen that both sides have them."""
    k: cython.Py_ssize_t
    differ: cython.uchar = 0
    for k in range(end - at):
        differ |= data[at + k] ^ other[first + k]
    return differ == 0


@cython.cfunc
@cython.exceptval(-2, check=True)
def _prefix_end(
    prefix: cython.const[cython.uchar][::1],
    size: cython.Py_ssize_t,
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Where what a log writes before each line ends, or -1 where this line has something else.

    It is as `prefix` but for its numbers, which have other digits and more or fewer of them, and
    with a fraction or without: times as Go writes them leave out zeros at the end. Blanks at the
    end of a line that says nothing may be missing.
    """
    i: cython.Py_ssize_t = 0
    more: cython.Py_ssize_t
    while i < size:
        if 48 <= prefix[i] <= 57:
            more = _digits_end(data, at, end)
            if more == at:
                return -1
            at = more
            i = _digits_end(prefix, i, size)
            if at < end and data[at] == 46 and (i >= size or prefix[i] != 46):  # a fraction
                more = _digits_end(data, at + 1, end)
                at = more if more > at + 1 else at
            elif i < size and prefix[i] == 46 and (at >= end or data[at] != 46):
                more = _digits_end(prefix, i + 1, size)
                i = more if more > i + 1 else i
            continue
        if at >= end:
            while i < size:
                if prefix[i] != 32:
                    return -1
                i += 1
            return end
        if data[at] != prefix[i]:
            return -1
        at += 1
        i += 1
    return at
