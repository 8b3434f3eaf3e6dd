"""The walk over Go's type descriptors: whom the bytes of type data belong to.

Layout (`internal/abi/type.go`): a descriptor is Size, PtrBytes (words), Hash (32 bits), TFlag,
Align, FieldAlign, Kind (bytes), Equal, GCData (words), Str, PtrToThis (32-bit offsets from the
start of the types); then what its kind adds; then, with TFlag's lowest bit, an uncommon record
(PkgPath, Mcount, Xcount, Moff, unused: 16 bytes); then parameters, fields or interface methods;
then Mcount methods of 16 bytes. A name is a byte of flags, its length (a varint; two bytes before
Go 1.17), its text, a tag of the same form and a 32-bit offset of a package's path.

What a map adds has changed twice, so it is read by what its fields must be to each other.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels._binary_words import _u32, _word
from gocost.kernels._type_parts import _fixed_size, _name_end, _package, _whole_size

ANONYMOUS = -1  # package: a type without a name, such as []int or func()
PREDECLARED = -2  # package: int, string, error
UNKNOWN = -3  # package: a part of which it is not known whose it is

DESCRIPTOR = 0
NAME = 1
ITAB = 2

MAX_NAME = 1 << 16
MAX_HOPS = 8  # pointers to pointers that are followed to find a name


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _walk(
    image: cython.const[cython.uchar][::1],
    base: cython.longlong,
    width: cython.int,
    big: cython.bint,
    short: cython.bint,
    stack: cython.int[::1],
    waiting: cython.longlong,
    itabs: cython.longlong[::1],
    seen: cython.uchar[::1],
    start: cython.int[::1],
    end: cython.int[::1],
    package: cython.int[::1],
    what: cython.uchar[::1],
) -> cython.longlong:
    """Follow every reference from the `waiting` descriptors on the stack and from the itabs.

    Fills rows for what was found; returns how many, at most what `start` has room for.
    """
    capacity: cython.longlong = start.shape[0]
    size: cython.longlong = image.shape[0]
    used: cython.longlong = 0
    room: cython.longlong = stack.shape[0]
    common: cython.longlong = 4 * width + 16
    at: cython.Py_ssize_t
    fixed: cython.longlong
    whole: cython.longlong
    owner: cython.longlong
    pays: cython.longlong
    count: cython.longlong
    first: cython.longlong
    offset: cython.longlong
    k: cython.longlong
    i: cython.longlong
    kind: cython.int
    step: cython.longlong
    stop: cython.Py_ssize_t
    names: cython.longlong
    next_type: cython.longlong
    next_name: cython.longlong
    references: cython.longlong
    i = 0
    while i < itabs.shape[0] or waiting > 0:
        if waiting == 0:
            # An itab: interface, type, hash, padding, one word for each method of the interface.
            offset = itabs[i]
            i += 1
            if offset < 0 or offset + 2 * width + 8 + width > size:
                continue
            at = cython.cast(cython.Py_ssize_t, offset)
            first = _word(image, at, width, big) - base
            next_type = _word(image, at + width, width, big) - base
            if first < 0 or next_type < 0 or first + common + 4 * width > size:
                continue
            if next_type + common > size or image[first + 2 * width + 7] & 31 != 20:
                continue
            count = _word(
                image, cython.cast(cython.Py_ssize_t, first + common + 2 * width), width, big
            )
            if count < 1:
                count = 1
            if seen[at >> 3] >> (at & 7) & 1 or count > (size - at) // width:
                continue
            stop = cython.cast(cython.Py_ssize_t, at + 2 * width + 8 + count * width)
            if stop > size or used >= capacity:
                continue
            seen[at >> 3] |= cython.cast(cython.uchar, 1 << (at & 7))
            start[used] = cython.cast(cython.int, at)
            end[used] = cython.cast(cython.int, stop)
            package[used] = cython.cast(
                cython.int,
                _package(image, base, cython.cast(cython.Py_ssize_t, next_type), width, big),
            )
            what[used] = 2
            used += 1
            for k in range(2):
                offset = first if k == 0 else next_type
                at = cython.cast(cython.Py_ssize_t, offset)
                if at % 4 == 0 and not seen[at >> 3] >> (at & 7) & 1 and waiting < room:
                    seen[at >> 3] |= cython.cast(cython.uchar, 1 << (at & 7))
                    stack[waiting] = cython.cast(cython.int, at)
                    waiting += 1
            continue
        waiting -= 1
        at = stack[waiting]
        whole = _whole_size(image, at, width, big)
        if whole < 0 or used >= capacity:
            continue
        fixed = _fixed_size(image, at, width, big)
        owner = _package(image, base, at, width, big)
        kind = image[at + 2 * width + 7] & 31
        start[used] = cython.cast(cython.int, at)
        end[used] = cython.cast(cython.int, at + whole)
        package[used] = cython.cast(cython.int, owner)
        what[used] = 0
        used += 1
        # What it refers to, in runs of (count) references that stand `step` bytes apart: first
        # its own name and pointer type and package paths, then what its kind adds, then methods.
        for references in range(7):
            count = 0
            step = 0
            first = 0
            names = -1  # where in a record a name's offset or address is, -1: nowhere
            next_name = 0  # 0: an offset, 1: an address
            next_type = -1  # where in a record a type's offset or address is
            k = 0  # 0: an offset, 1: an address
            pays = owner
            if references == 0:
                count, first, names, next_type = 1, at + 4 * width + 8, 0, 4
            elif references == 1 and image[at + 2 * width + 4] & 1:
                count, first, names = 1, at + fixed, 0
                pays = -4
            elif references == 2:
                if kind == 17:
                    count, first, step, next_type, k = 2, at + common, width, 0, 1
                elif kind == 18 or kind == 22 or kind == 23:
                    count, first, next_type, k = 1, at + common, 0, 1
                elif kind == 21:
                    count, first, step, next_type, k = 3, at + common, width, 0, 1
                elif kind == 19:
                    first = at + fixed + (16 if image[at + 2 * width + 4] & 1 else 0)
                    count, step, next_type, k = (at + whole - first) // width, width, 0, 1
                    offset = _u32(image, cython.cast(cython.Py_ssize_t, at + common), big)
                    if big:
                        offset = (offset >> 16) + (offset & 0x7FFF)
                    else:
                        offset = (offset & 0xFFFF) + (offset >> 16 & 0x7FFF)
                    if offset < count:
                        count = offset
                elif kind == 20 or kind == 25:
                    count, first, names, next_name = 1, at + common, 0, 1
                    pays = -4
            elif references == 3 and (kind == 20 or kind == 25):
                first = _word(
                    image, cython.cast(cython.Py_ssize_t, at + common + width), width, big
                )
                first -= base
                count = _word(
                    image, cython.cast(cython.Py_ssize_t, at + common + 2 * width), width, big
                )
                if kind == 20:
                    step, names, next_type = 8, 0, 4
                else:
                    step, names, next_name, next_type, k = 3 * width, 0, 1, width, 1
                if first < 0 or count > (size - first) // step:
                    count = 0
            elif references == 4 and image[at + 2 * width + 4] & 1:
                count = _u32(image, cython.cast(cython.Py_ssize_t, at + fixed + 4), big)
                count = count >> 16 if big else count & 0xFFFF
                first = at + whole - 16 * count
                step, names, next_type = 16, 0, 4
            while count > 0:
                count -= 1
                if first < 0 or first + (2 * width if k or next_name else 8) > size + 4:
                    break
                if names >= 0 and first + names + 4 <= size:
                    if next_name == 0:
                        offset = _u32(image, cython.cast(cython.Py_ssize_t, first + names), big)
                    elif first + names + width <= size:
                        offset = (
                            _word(image, cython.cast(cython.Py_ssize_t, first + names), width, big)
                            - base
                        )
                    else:
                        offset = 0
                    if 0 < offset < size and not seen[offset >> 3] >> (offset & 7) & 1:
                        stop = _name_end(image, cython.cast(cython.Py_ssize_t, offset), short)
                        if stop > 0 and used < capacity:
                            seen[offset >> 3] |= cython.cast(cython.uchar, 1 << (offset & 7))
                            start[used] = cython.cast(cython.int, offset)
                            end[used] = cython.cast(cython.int, stop)
                            package[used] = cython.cast(cython.int, offset if pays == -4 else pays)
                            what[used] = 1
                            used += 1
                if next_type >= 0:
                    offset = -1
                    if k == 0 and first + next_type + 4 <= size:
                        offset = _u32(image, cython.cast(cython.Py_ssize_t, first + next_type), big)
                    elif k and first + next_type + width <= size:
                        offset = (
                            _word(
                                image,
                                cython.cast(cython.Py_ssize_t, first + next_type),
                                width,
                                big,
                            )
                            - base
                        )
                    if offset <= 0 or offset >= size or offset % 4 or waiting >= room:
                        pass
                    elif not seen[offset >> 3] >> (offset & 7) & 1:
                        seen[offset >> 3] |= cython.cast(cython.uchar, 1 << (offset & 7))
                        stack[waiting] = cython.cast(cython.int, offset)
                        waiting += 1
                first += step
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _find(
    image: cython.const[cython.uchar][::1],
    low: cython.longlong[::1],
    high: cython.longlong[::1],
    width: cython.int,
    big: cython.bint,
    short: cython.bint,
    found: cython.longlong[::1],
) -> cython.longlong:
    """Descriptors that lie in the gaps low[i] to high[i]; returns how many."""
    used: cython.longlong = 0
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    whole: cython.longlong
    offset: cython.longlong
    kind: cython.int
    size: cython.longlong
    good: cython.bint
    for i in range(low.shape[0]):
        at = cython.cast(cython.Py_ssize_t, (low[i] + width - 1) // width * width)
        stop = cython.cast(cython.Py_ssize_t, high[i])
        while at + 4 * width + 16 <= stop:
            good = False
            whole = -1
            # Cheap and telling first: alignments are small powers of two, flags are few.
            if (
                image[at + 2 * width + 4] < 64
                and (image[at + 2 * width + 5] in (1, 2, 4, 8))
                and (image[at + 2 * width + 6] in (1, 2, 4, 8))
            ):
                whole = _whole_size(image, at, width, big)
            if whole > 0 and at + whole <= stop:
                kind = image[at + 2 * width + 7] & 31
                size = _word(image, at, width, big)
                offset = _u32(image, at + 4 * width + 8, big)
                good = size >= 0 and _word(image, at + width, width, big) <= size
                good = good and 0 < offset < image.shape[0]
                if good:
                    good = _name_end(image, cython.cast(cython.Py_ssize_t, offset), short) > 0
                if kind == 18 or kind == 19 or kind == 21 or kind == 22 or kind == 26:
                    good = good and size == width
                elif kind == 20 or kind == 24:
                    good = good and size == 2 * width
                elif kind == 23:
                    good = good and size == 3 * width
                elif kind < 17:
                    good = good and 0 < size <= 16
            if good:
                if used >= found.shape[0]:
                    return used
                found[used] = at
                used += 1
                at += cython.cast(cython.Py_ssize_t, (whole + width - 1) // width * width)
            else:
                at += width
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _follow(
    image: cython.const[cython.uchar][::1],
    low: cython.longlong,
    high: cython.longlong,
    width: cython.int,
    big: cython.bint,
    found: cython.longlong[::1],
) -> cython.longlong:
    """Descriptors that stand one behind the other from `low` to `high`; returns how many."""
    used: cython.longlong = 0
    whole: cython.longlong
    while low < high and used < found.shape[0]:
        low = (low + width - 1) // width * width
        whole = _whole_size(image, cython.cast(cython.Py_ssize_t, low), width, big)
        if whole <= 0:
            break
        found[used] = low
        used += 1
        low += whole
    return used


def walk_types(
    image: npt.NDArray[np.uint8],
    *,
    base: int,
    width: int,
    big: bool,
    short_names: bool,
    types: npt.NDArray[np.int64],
    itabs: npt.NDArray[np.int64],
    seen: npt.NDArray[np.uint8],
) -> tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]
]:
    """Everything that the descriptors at `types` and the itabs at `itabs` lead to.

    `image` is the type data from address `base` on, pointers filled in; offsets count from it.
    `seen` has a bit for each byte of the image and keeps what was met between calls. Returns
    start, end, package (the offset of its path's name, or ANONYMOUS, PREDECLARED, UNKNOWN) and
    what it is (DESCRIPTOR, NAME, ITAB), in the order met.
    """
    room = len(image) // 16 + 16
    stack = np.empty(room + len(types), np.int32)
    ready = types[(types >= 0) & (types < len(image)) & (types % 4 == 0)]
    stack[: len(ready)] = ready
    start = np.empty(room, np.int32)
    end = np.empty(room, np.int32)
    package = np.empty(room, np.int32)
    what = np.empty(room, np.uint8)
    np.bitwise_or.at(seen, ready >> 3, (1 << (ready & 7)).astype(np.uint8))
    used: int = _run_walk(
        _view(image),
        base,
        width,
        big,
        short_names,
        _view(stack),
        len(ready),
        _view(np.ascontiguousarray(itabs, np.int64)),
        _view(seen),
        _view(start),
        _view(end),
        _view(package),
        _view(what),
    )
    return start[:used], end[:used], package[:used], what[:used]


def _run_walk(
    image: cython.const[cython.uchar][::1],
    base: cython.longlong,
    width: cython.int,
    big: cython.bint,
    short: cython.bint,
    stack: cython.int[::1],
    waiting: cython.longlong,
    itabs: cython.longlong[::1],
    seen: cython.uchar[::1],
    start: cython.int[::1],
    end: cython.int[::1],
    package: cython.int[::1],
    what: cython.uchar[::1],
) -> int:
    used: cython.longlong
    with cython.nogil:
        used = _walk(
            image,
            base,
            width,
            big,
            short,
            stack,
            waiting,
            itabs,
            seen,
            start,
            end,
            package,
            what,
        )
    return used


def find_types(
    image: npt.NDArray[np.uint8],
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    *,
    width: int,
    big: bool,
    short_names: bool,
) -> npt.NDArray[np.int64]:
    """Where descriptors lie in the gaps from low[i] to high[i] that no walk has reached."""
    low = np.clip(low, 0, len(image))
    high = np.clip(high, 0, len(image))
    found = np.empty(int(np.maximum(high - low, 0).sum()) // (4 * width + 16) + 1, np.int64)
    used: int = _run_find(
        _view(image),
        _view(np.ascontiguousarray(low, np.int64)),
        _view(np.ascontiguousarray(high, np.int64)),
        width,
        big,
        short_names,
        _view(found),
    )
    return found[:used]


def _run_find(
    image: cython.const[cython.uchar][::1],
    low: cython.longlong[::1],
    high: cython.longlong[::1],
    width: cython.int,
    big: cython.bint,
    short: cython.bint,
    found: cython.longlong[::1],
) -> int:
    used: cython.longlong
    with cython.nogil:
        used = _find(image, low, high, width, big, short, found)
    return used


def follow_types(
    image: npt.NDArray[np.uint8], low: int, high: int, *, width: int, big: bool
) -> npt.NDArray[np.int64]:
    """Where the descriptors are that stand one behind the other from `low` to `high`."""
    low, high = max(low, 0), min(high, len(image))
    found = np.empty(max(high - low, 0) // (4 * width + 16) + 1, np.int64)
    used: int = _run_follow(_view(image), low, high, width, big, _view(found))
    return found[:used]


def _run_follow(
    image: cython.const[cython.uchar][::1],
    low: cython.longlong,
    high: cython.longlong,
    width: cython.int,
    big: cython.bint,
    found: cython.longlong[::1],
) -> int:
    used: cython.longlong
    with cython.nogil:
        used = _follow(image, low, high, width, big, found)
    return used


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled else array.data
