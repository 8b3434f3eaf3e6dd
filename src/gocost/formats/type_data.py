"""Type data: the descriptors by which reflection and interfaces know types, and whose they are.

Nothing in an executable lists them all, stripped or not (the linker keeps them out of the symbol
table). Up to Go 1.26 moduledata names the unnamed ones (typelinks) and the itabs; from 1.27 it
gives a range in which descriptors stand one behind the other. From there every reference is
followed, and what is then still unexplained between the first and the last is searched for
descriptors that nothing refers to but code.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.interface import Executable
from gocost.formats.moduledata import Moduledata, resolved
from gocost.kernels import type_data as kernel
from gocost.kernels.type_data import ANONYMOUS, PREDECLARED, UNKNOWN
from gocost.model.errors import FormatError

ROUNDS: Final = 3  # a descriptor found between others may lead to more
MAX_PATH: Final = 4096
ALIGNMENT: Final = 32

Bytes = NDArray[np.uint8]


class TypeData(msgspec.Struct, frozen=True, eq=False):
    """Parts of type data, not overlapping, by rising offset from `address`."""

    address: int
    area_end: int
    """Address behind the last descriptor or name. The linker puts all of them side by side, so
    what lies between is type data too; itabs are elsewhere up to Go 1.26."""
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    package: NDArray[np.int32]
    """Index into `paths`, or ANONYMOUS, PREDECLARED or UNKNOWN."""
    paths: tuple[str, ...]
    """Import paths of packages as the types name them."""
    types: int
    """How many descriptors were found."""

    @property
    def explained_in_area(self) -> int:
        """Bytes of the parts that lie in the area."""
        limit = self.area_end - self.address
        return int(np.clip(np.minimum(self.stop, limit) - self.start, 0, None).sum())


def decode(executable: Executable, moduledata: Moduledata) -> TypeData | None:
    """The type data of an executable; None where moduledata does not say where it is."""
    if moduledata.types is None or moduledata.etypes is None:
        return None
    base, size = moduledata.types, moduledata.etypes - moduledata.types
    try:
        image = resolved(executable, base, size)
    except FormatError:
        return None
    width, big = executable.pointer_size, executable.byte_order == "big"
    types, itabs = _roots(executable, moduledata, image)
    short = _has_short_names(image, types, width, big)
    seen = np.zeros((len(image) >> 3) + 1, np.uint8)
    found = _Found()
    for turn in range(ROUNDS):
        found.add(
            *kernel.walk_types(
                image,
                base=base,
                width=width,
                big=big,
                short_names=short,
                types=types,
                itabs=itabs,
                seen=seen,
            )
        )
        if not found.parts or turn == ROUNDS - 1:
            break
        start, stop, _ = found.sorted()
        itabs = np.zeros(0, np.int64)
        # Before the first part as well: the types start with the smallest.
        low = np.append(np.int64(0), stop[:-1])
        high = np.minimum(start, found.area_end)
        wide = high - low >= 4 * width + 16
        types = kernel.find_types(
            image, low[wide], high[wide], width=width, big=big, short_names=short
        )
        if not len(types):
            break
    return found.result(image, base, short) if found.parts else None


class _Found:
    """What the rounds of the walk have come upon."""

    def __init__(self) -> None:
        self.parts: list[tuple[NDArray[np.int32], ...]] = []
        self.types = 0
        self.area_end = 0

    def add(
        self,
        start: NDArray[np.int32],
        end: NDArray[np.int32],
        package: NDArray[np.int32],
        what: NDArray[np.uint8],
    ) -> None:
        if len(start):
            self.parts.append((start, end, package))
            self.types += int((what == kernel.DESCRIPTOR).sum())
            side_by_side = end[what != kernel.ITAB]
            self.area_end = max(self.area_end, int(side_by_side.max(initial=0)))

    def sorted(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Parts by rising start, clipped so that none overlaps the ones before it."""
        start = np.concatenate([part[0] for part in self.parts]).astype(np.int64)
        end = np.concatenate([part[1] for part in self.parts]).astype(np.int64)
        package = np.concatenate([part[2] for part in self.parts])
        # One sort of plain integers is several times faster than an indirect one.
        key = np.sort(start << 24 | np.arange(len(start))) if len(start) < 1 << 24 else None
        order = key & 0xFFFFFF if key is not None else np.argsort(start, kind="stable")
        start, end, package = start[order], end[order], package[order]
        before = np.maximum.accumulate(np.append(np.int64(0), end[:-1]))
        start = np.maximum(start, before)
        kept = np.flatnonzero(end > start)
        return start[kept], end[kept], package[kept]

    def result(self, image: Bytes, base: int, short: bool) -> TypeData:
        start, stop, package = self.sorted()
        stop = _with_filling(start, stop)
        named = package >= 0
        # As numpy.unique, which would import numpy.ma, and that takes longer than all of this.
        offsets = np.sort(package[named])
        offsets = offsets[np.flatnonzero(np.diff(offsets, prepend=np.int32(-1)))]
        index = np.searchsorted(offsets, package[named])
        paths = [_path(image, int(offset), short) for offset in offsets]
        distinct = {path: k for k, path in enumerate(dict.fromkeys(filter(None, paths)))}
        number = np.array([distinct.get(path or "", UNKNOWN) for path in paths], np.int32)
        package[named] = number[index] if len(paths) else UNKNOWN
        return TypeData(
            address=base,
            area_end=base + self.area_end,
            start=start,
            stop=stop,
            package=package,
            paths=tuple(distinct),
            types=self.types,
        )


def _with_filling(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ends that take in what aligns the next descriptor: symbols of this size are 32-aligned."""
    follows = np.append(start[1:], stop[-1:])
    filling = follows - stop
    aligns = (filling < ALIGNMENT) & (follows % ALIGNMENT == 0)
    return np.where(aligns, follows, stop)


def _roots(
    executable: Executable, moduledata: Moduledata, image: Bytes
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offsets of descriptors and of itabs that moduledata leads to."""
    none = np.zeros(0, np.int64)
    width, big = executable.pointer_size, executable.byte_order == "big"
    base = moduledata.types or 0
    types, itabs = none, none
    if moduledata.descriptors_end is not None:
        end = moduledata.descriptors_end - base
        types = kernel.follow_types(image, width, end, width=width, big=big)
        if moduledata.itabs is not None:
            itabs = _consecutive_itabs(image, moduledata, base, width, big)
    if moduledata.typelinks is not None:
        try:
            raw = executable.read(moduledata.typelinks.address, 4 * moduledata.typelinks.count)
            types = np.frombuffer(raw.tobytes(), ">i4" if big else "<i4").astype(np.int64)
        except FormatError:
            types = none
    if moduledata.itablinks is not None:
        try:
            links = executable.pointers(moduledata.itablinks.address, moduledata.itablinks.count)
            itabs = links.astype(np.int64) - base
        except FormatError:
            itabs = none
    return types, itabs


def _consecutive_itabs(
    image: Bytes, moduledata: Moduledata, base: int, width: int, big: bool
) -> NDArray[np.int64]:
    """Where itabs stand one behind the other: each is as long as its interface has methods."""
    low, high = moduledata.itabs or (base, base)
    order = ">" if big else "<"
    words = image[: len(image) // width * width].view(f"{order}u{width}")
    at, end = (low - base) // width, min((high - base) // width, len(words))
    methods_at = (4 * width + 16) // width + 2
    head = 2 + 8 // width
    found: list[int] = []
    while at >= 0 and at + head < end:
        interface = (int(words[at]) - base) // width
        if not 0 <= interface < len(words) - methods_at:
            break
        methods = int(words[interface + methods_at])
        if methods > end - at:
            break
        found.append(at * width)
        at += head + max(1, methods)
    return np.array(found, np.int64)


def _has_short_names(image: Bytes, types: NDArray[np.int64], width: int, big: bool) -> bool:
    """Lengths of names take two bytes (before Go 1.17), not a varint: their first byte is 0."""
    at = types[(types >= 0) & (types + 4 * width + 16 <= len(image))][:256] + 4 * width + 8
    if not len(at):
        return False
    words = np.stack([image[at + k] for k in range(4)], axis=1)
    names = words.view(">u4" if big else "<u4").ravel().astype(np.int64)
    names = names[(names > 0) & (names + 2 < len(image))]
    return bool(len(names)) and int((image[names + 1] == 0).sum()) * 2 > len(names)


def _path(image: Bytes, offset: int, short: bool) -> str | None:
    """The text of the name at `offset`, which is an import path."""
    if offset + 3 > len(image):
        return None
    raw = image[offset + 1 : offset + 4 + MAX_PATH].tobytes()
    if short:
        length, at = raw[0] << 8 | raw[1], 2
    else:
        length, at = raw[0] & 0x7F, 1
        if raw[0] & 0x80:
            length, at = length | (raw[1] & 0x7F) << 7, 2
    text = raw[at : at + length]
    if not text or len(text) < length or length > MAX_PATH:
        return None
    return text.decode("utf-8", "replace")


__all__ = ["ANONYMOUS", "PREDECLARED", "UNKNOWN", "TypeData", "decode"]
