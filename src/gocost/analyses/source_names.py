"""Whether a Go binary names certain source files.

The runtime keeps the name of every source file in pclntab, stripped or not. What a build left there
shows what was linked in, and how, where build info does not say.
"""

from __future__ import annotations

from gocost.formats.executable import Executable

_PCLNTAB = (".gopclntab", ".data.rel.ro.gopclntab", "__gopclntab")
_CHUNK = 1 << 20


def names_any(image: Executable, *needles: bytes) -> bool | None:
    """True where one of the needles stands in pclntab; None where there is none to look in.

    It has no section of its own in Windows files and in PIE files of Go 1.16 that another linker
    wrote: there all data are looked through.
    """
    places = _places(image)
    if not places:
        return None
    return any(_holds(image, start, end, needles) for start, end in places)


def _places(image: Executable) -> list[tuple[int, int]]:
    """Where pclntab is, or may be: offsets of the first byte and of the one after the last."""
    named = image.section(*_PCLNTAB)
    if named is not None:
        return [(named.offset, named.end)]
    data = [
        (part.offset, part.end)
        for part in image.sections
        if part.alloc and part.size_in_file and not part.executable
    ]
    return data or [
        (part.offset, part.offset + part.size_in_file)
        for part in image.segments
        if part.kind == "load" and part.size_in_file
    ]


def _holds(image: Executable, first: int, end: int, needles: tuple[bytes, ...]) -> bool:
    overlap = max(map(len, needles)) - 1
    for start in range(first, end, _CHUNK):
        chunk = image.data[start : min(start + _CHUNK + overlap, end)].tobytes()
        if any(needle in chunk for needle in needles):
            return True
    return False
