"""Names and sizes of Go's type descriptors. Piece of `type_data.py`, which has their layout."""

import cython

from gocost.kernels._binary_words import _u32, _word


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _text_end(
    image: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, short: cython.bint
) -> cython.Py_ssize_t:
    """The end of the length and text at `at`; -1 where they do not fit."""
    size: cython.Py_ssize_t = image.shape[0]
    length: cython.longlong = 0
    shift: cython.int = 0
    byte: cython.uchar
    if short:
        if at + 2 > size:
            return -1
        length = cython.cast(cython.longlong, image[at]) << 8 | image[at + 1]
        at += 2
    else:
        while True:
            if at >= size or shift > 14:
                return -1
            byte = image[at]
            at += 1
            length |= cython.cast(cython.longlong, byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
    if length > 65536 or at + length > size:
        return -1
    return at + length


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _name_end(
    image: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, short: cython.bint
) -> cython.Py_ssize_t:
    """The end of the name at `at`; -1 where there is none."""
    flags: cython.uchar
    if at < 0 or at >= image.shape[0]:
        return -1
    flags = image[at]
    if flags > 15:
        return -1
    at = _text_end(image, at + 1, short)
    if at >= 0 and flags & 2:
        at = _text_end(image, at, short)
    if at >= 0 and flags & 4:
        at += 4
        if at > image.shape[0]:
            return -1
    return at


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fixed_size(
    image: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    width: cython.int,
    big: cython.bint,
) -> cython.longlong:
    """Bytes of the descriptor at `at` up to its uncommon record; -1 where it is none."""
    size: cython.longlong = image.shape[0]
    kind: cython.int
    common: cython.longlong = 4 * width + 16
    extra: cython.longlong = 0
    map_at: cython.Py_ssize_t
    group: cython.longlong
    one: cython.longlong
    two: cython.longlong
    three: cython.longlong
    four: cython.longlong
    if at < 0 or at + common > size:
        return -1
    kind = image[at + 2 * width + 7] & 31
    if kind == 0 or kind > 26:
        return -1
    if kind == 17:
        extra = 3 * width
    elif kind == 18:
        extra = 2 * width
    elif kind == 19 or kind == 22 or kind == 23:
        extra = width
    elif kind == 20 or kind == 25:
        extra = 4 * width
    elif kind == 21:
        map_at = at + common + 4 * width
        if map_at + 8 > size:
            return -1
        extra = 4 * width + 8  # buckets, before Go 1.24
        if map_at + 5 * width <= size:
            group = _word(image, map_at, width, big)
            one = _word(image, map_at + width, width, big)
            two = _word(image, map_at + 2 * width, width, big)
            three = _word(image, map_at + 3 * width, width, big)
            four = _word(image, map_at + 4 * width, width, big)
            # From 1.27: KeysOff behind the control word, strides that fill the group.
            if one == 8 and (
                (group == 8 + 8 * two and four == two) or (three == 8 + 8 * two and group >= three)
            ):
                extra = 11 * width
            elif one > 0 and group == 8 + 8 * one and two <= one:
                extra = 8 * width  # 1.24 to 1.26: eight slots behind the control word
    if at + common + extra > size:
        return -1
    return common + extra


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _whole_size(
    image: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    width: cython.int,
    big: cython.bint,
) -> cython.longlong:
    """Bytes of the descriptor at `at` with all that follows it; -1 where it is none."""
    size: cython.longlong = _fixed_size(image, at, width, big)
    kind: cython.int
    fixed: cython.Py_ssize_t = at + 4 * width + 16
    extra: cython.longlong = 0
    count: cython.longlong
    methods: cython.longlong = 0
    moff: cython.longlong
    uncommon: cython.Py_ssize_t
    if size < 0:
        return -1
    kind = image[at + 2 * width + 7] & 31
    if kind == 19:
        count = _u32(image, fixed, big)
        # The top bit of the second half says that the function is variadic.
        count = (count >> (16 if big else 0) & 0xFFFF) + (count >> (0 if big else 16) & 0x7FFF)
        extra = count * width
    elif kind == 20 or kind == 25:
        count = _word(image, fixed + 2 * width, width, big)
        if count < 0 or count > image.shape[0] // 8:
            return -1
        extra = count * (8 if kind == 20 else 3 * width)
    if image[at + 2 * width + 4] & 1:
        uncommon = cython.cast(cython.Py_ssize_t, at + size)
        if uncommon + 16 > image.shape[0]:
            return -1
        methods = _u32(image, uncommon + 4, big)
        methods = methods >> 16 if big else methods & 0xFFFF
        moff = _u32(image, uncommon + 8, big)
        size += 16
        if methods and moff != 16 + extra:
            return -1
    size += extra + 16 * methods
    if at + size > image.shape[0]:
        return -1
    return size


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _package(
    image: cython.const[cython.uchar][::1],
    base: cython.longlong,
    at: cython.Py_ssize_t,
    width: cython.int,
    big: cython.bint,
) -> cython.longlong:
    """The offset of the path of the package that the type at `at` is of, or why there is none."""
    fixed: cython.longlong
    path: cython.longlong
    element: cython.longlong
    flags: cython.uchar
    for _hops in range(8):
        fixed = _fixed_size(image, at, width, big)
        if fixed < 0 or at + fixed + 16 > image.shape[0]:
            return -3
        flags = image[at + 2 * width + 4]
        if flags & 1:
            path = _u32(image, cython.cast(cython.Py_ssize_t, at + fixed), big)
            if path > 0:
                return path if path < image.shape[0] else -3
        if flags & 4:
            return -2
        if image[at + 2 * width + 7] & 31 != 22:
            return -1
        element = _word(image, at + 4 * width + 16, width, big) - base
        if element < 0 or element >= image.shape[0]:
            return -3
        at = cython.cast(cython.Py_ssize_t, element)
    return -1
