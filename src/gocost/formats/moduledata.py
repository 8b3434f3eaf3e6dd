"""moduledata: the record by which the Go runtime finds everything else in an executable.

It is found by structure, so that a stripped file reads as well as any: its first word is the
address of pclntab's header and its second that of the function names, which the header places.
Layout (`runtime/symtab.go`, `type moduledata`): pcHeader; the slices funcnametab, cutab, filetab,
pctab, pclntable, ftab; findfunctab, minpc, maxpc, text, etext; pairs of data and bss bounds that
end with the highest address, `end`; gcdata, gcbss; then types, etypes and what the version added
behind them, up to the slice textsectmap. How many words those are says how to read them:

    2  types etypes                                                     (Go 1.16)
    4  types etypes rodata gofunc                                       (Go 1.18)
    5  types etypes rodata gofunc epclntab                              (Go 1.26)
    8  types typedesclen etypes itaboffset itabsize rodata gofunc epclntab (Go 1.27)

Up to Go 1.26 the slices typelinks and itablinks follow textsectmap. Another number of words is an
unknown layout: what is before them is still used, the rest is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.formats.executable.interface import Executable, Section
from gocost.model.errors import FormatError

WORDS = 96  # more than any moduledata up to its link slices
HEAD = 24  # words before the bounds of data
MAX_CANDIDATES = 64
MAX_TEXT_SECTIONS = 1 << 12
MAX_ADDRESS = 1 << 62  # so that addresses and differences of them fit 64-bit columns

Bytes = NDArray[np.uint8]


class Slice(msgspec.Struct, frozen=True):
    """A Go slice in the file: `count` elements from `address` on."""

    address: int
    count: int


class TextSection(msgspec.Struct, frozen=True):
    """Offsets `start` to `end` from the start of text are at `address` and on."""

    start: int
    end: int
    address: int


class Moduledata(msgspec.Struct, frozen=True):
    """What the runtime knows about the layout; addresses as linked, None where unknown."""

    address: int
    text: int
    etext: int
    minpc: int
    maxpc: int
    findfunctab: int
    names: Slice
    cutab: Slice
    files: Slice
    pctab: Slice
    functab: Slice
    """The bytes of runtime.functab: pairs, then _func records."""
    data: tuple[tuple[int, int], ...] = ()
    """noptrdata, data, bss, noptrbss and, from 1.20, covctrs: start and end of each."""
    end: int = 0
    types: int | None = None
    etypes: int | None = None
    descriptors_end: int | None = None
    """Go 1.27: where the descriptors that reflection can meet end; they start at `types`."""
    itabs: tuple[int, int] | None = None
    """Go 1.27: start and end of the itabs."""
    gofunc: int | None = None
    epclntab: int | None = None
    typelinks: Slice | None = None
    """Up to Go 1.26: 32-bit offsets from `types`."""
    itablinks: Slice | None = None
    """Up to Go 1.26: addresses of itabs."""
    text_sections: tuple[TextSection, ...] = ()
    words: int = 0
    """How many words of it were understood."""


def resolved(executable: Executable, address: int, size: int) -> Bytes:
    """`size` bytes at `address` with the loader's pointers filled in; a view where there are none.

    Raises FormatError where the file has not got them.
    """
    raw = executable.read(address, size)
    moved = executable.relocations()
    if not len(moved):
        return raw
    width = executable.pointer_size
    low = np.searchsorted(moved.address, np.uint64(address))
    high = np.searchsorted(moved.address, np.uint64(max(address + size - width + 1, address)))
    if low >= high:
        return raw
    order = "<" if executable.byte_order == "little" else ">"
    at = (moved.address[low:high] - np.uint64(address)).astype(np.int64)
    values = moved.target[low:high].astype(f"{order}u{width}")
    image = raw.copy()
    if width and not (at % width).any():
        words = image[: size - size % width].view(f"{order}u{width}")
        words[at // width] = values
    else:
        stored = values.view(np.uint8).reshape(-1, width)
        for k in range(width):
            image[at + k] = stored[:, k]
    return image


def find_moduledata(executable: Executable, header: int, names: int) -> Moduledata | None:
    """The moduledata of the pclntab whose header is at address `header`.

    `names` is the address of its function names. None where there is none.
    """
    for address in _pointers_to(executable, header):
        words = _words(executable, address)
        if len(words) >= HEAD and words[0] == header and words[1] == names:
            try:
                return _parse(executable, address, words)
            except FormatError:
                continue
    return None


def _pointers_to(executable: Executable, target: int) -> Iterator[int]:
    """Addresses, the likely ones first, at which the file or the loader stores `target`."""
    seen = 0
    for place in executable.relocated_pointers_to(target)[:MAX_CANDIDATES]:
        yield int(place)
    if executable.container == "macho" and len(executable.relocations()):
        return  # every pointer is a fixup: none stands in the file as it is
    width = executable.pointer_size
    order = "<" if executable.byte_order == "little" else ">"
    for start, offset, size in _ranges(executable):
        skip = -start % width
        count = (size - skip) // width
        if count <= 0:
            continue
        raw = executable.data[offset + skip : offset + skip + count * width]
        words = np.frombuffer(raw.data, f"{order}u{width}")
        for index in np.flatnonzero(words == target)[:MAX_CANDIDATES]:
            yield start + skip + int(index) * width
            seen += 1
            if seen >= MAX_CANDIDATES:
                return


def _ranges(executable: Executable) -> list[tuple[int, int, int]]:
    """Address, offset and size of what may hold moduledata, small and writable parts first."""

    def rank(section: Section) -> tuple[bool, bool, int]:
        named = "go.module" in section.name or section.name in (".noptrdata", "__noptrdata")
        return not named, not section.writable, section.size_in_file

    parts = [
        section
        for section in executable.sections
        if section.alloc
        and not section.executable
        and 0 < section.size_in_file <= executable.size
        and section.offset + section.size_in_file <= executable.size
        and "pclntab" not in section.name
    ]
    found = [(s.address, s.offset, s.size_in_file) for s in sorted(parts, key=rank)]
    if found:
        return found
    return [
        (part.address, part.offset, min(part.size_in_file, executable.size - part.offset))
        for part in executable.segments
        if part.kind == "load" and not part.executable and part.offset < executable.size
    ]


def _words(executable: Executable, address: int) -> list[int]:
    for count in range(WORDS, HEAD - 1, -1):  # all that the file has there
        try:
            return [int(word) for word in executable.pointers(address, count)]
        except FormatError:
            continue
    return []


def _parse(executable: Executable, address: int, words: list[int]) -> Moduledata:
    slices = [Slice(words[at], words[at + 1]) for at in range(1, 19, 3)]
    for at in range(1, 19, 3):
        if words[at + 1] > words[at + 2] or words[at + 1] > executable.size:
            raise FormatError(f"the moduledata at {address:#x} holds a slice longer than the file")
    minpc, maxpc, text, etext = words[20:24]
    if not text <= minpc <= maxpc < MAX_ADDRESS or etext >= MAX_ADDRESS:
        raise FormatError(f"the moduledata at {address:#x} has no range of code")
    head: dict[str, Any] = {
        "address": address,
        "text": text,
        "etext": etext,
        "minpc": minpc,
        "maxpc": maxpc,
        "findfunctab": words[19],
        "names": slices[0],
        "cutab": slices[1],
        "files": slices[2],
        "pctab": slices[3],
        "functab": slices[4],
    }
    sections_at = _textsectmap(executable, words)
    if sections_at is None:
        return Moduledata(**head, words=HEAD)
    # `end` is the highest address; gcdata, gcbss and types follow it.
    bounds = words[HEAD:sections_at]
    end_at = HEAD + max(k for k, word in enumerate(bounds) if word == max(bounds))
    tail = words[end_at + 3 : sections_at]
    pairs = words[HEAD:end_at]
    head["data"] = tuple(zip(pairs[0::2], pairs[1::2], strict=False))
    head["end"] = words[end_at]
    head["text_sections"] = _text_sections(executable, words, sections_at)
    return Moduledata(
        **head,
        **_tail(tail),
        **_links(executable, words, sections_at, len(tail)),
        words=sections_at + 3,
    )


def _textsectmap(executable: Executable, words: list[int]) -> int | None:
    """Index of textsectmap: the first slice of few elements behind the bounds of data."""
    for at in range(HEAD + 11, min(len(words) - 3, HEAD + 40)):
        pointer, count, capacity = words[at : at + 3]
        if 0 < count == capacity <= MAX_TEXT_SECTIONS and executable.offset_of(pointer) is not None:
            return at
    return None


def _tail(tail: list[int]) -> dict[str, Any]:
    """types and what follows it, read by how many words there are."""
    if len(tail) == 8 and tail[2] >= tail[0] and tail[1] <= tail[2] - tail[0]:
        types, length, etypes, itabs, itabs_size, _, gofunc, epclntab = tail
        if itabs + itabs_size <= etypes - types:
            return {
                "types": types,
                "etypes": etypes,
                "descriptors_end": types + length,
                "itabs": (types + itabs, types + itabs + itabs_size),
                "gofunc": gofunc,
                "epclntab": epclntab,
            }
    if len(tail) < 2 or tail[1] < tail[0]:
        return {}
    found: dict[str, Any] = {"types": tail[0], "etypes": tail[1]}
    if len(tail) in (4, 5):
        found["gofunc"] = tail[3]
    if len(tail) == 5:
        found["epclntab"] = tail[4]
    return found


def _text_sections(executable: Executable, words: list[int], at: int) -> tuple[TextSection, ...]:
    count = words[at + 1]
    if count < 2:
        return ()
    try:
        rows = executable.pointers(words[at], 3 * count).reshape(count, 3).tolist()
    except FormatError:
        return ()
    # Before Go 1.18 the second word is a length, from 1.18 on it is the end.
    return tuple(
        TextSection(start, end if end > start else start + end, base)
        for start, end, base in rows
        if max(start, end, base) < MAX_ADDRESS
    )


def _links(executable: Executable, words: list[int], at: int, tail: int) -> dict[str, Any]:
    """The slices typelinks and itablinks, where the layout has them."""
    if tail >= 8 or len(words) < at + 9:
        return {"typelinks": None, "itablinks": None}

    def link(index: int, width: int) -> Slice | None:
        pointer, count, capacity = words[index : index + 3]
        fits = count == capacity and count * width <= executable.size
        return Slice(pointer, count) if fits and count else None

    return {"typelinks": link(at + 3, 4), "itablinks": link(at + 6, executable.pointer_size)}
