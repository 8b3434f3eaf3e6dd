"""Whether a Go binary names certain source files.

The runtime keeps the name of every source file in pclntab, stripped or not. What a build left there
shows what was linked in, and how, where build info does not say.
"""

from __future__ import annotations

from gocost.formats.executable import Executable, Section

_PCLNTAB = (".gopclntab", ".data.rel.ro.gopclntab", "__gopclntab")
_CHUNK = 1 << 20


def names_any(image: Executable, *needles: bytes) -> bool | None:
    """True where one of the needles stands in pclntab; None where there is none to look in.

    Windows gives pclntab no section of its own: there the read-only data are looked through.
    """
    places = _places(image)
    if not places:
        return None
    return any(_holds(image, place, needles) for place in places)


def _places(image: Executable) -> list[Section]:
    named = image.section(*_PCLNTAB)
    if named is not None:
        return [named]
    return [
        part
        for part in image.sections
        if part.alloc and part.size_in_file and not part.writable and not part.executable
    ] or [part for part in image.sections if part.alloc and part.size_in_file]


def _holds(image: Executable, section: Section, needles: tuple[bytes, ...]) -> bool:
    overlap = max(map(len, needles)) - 1
    for start in range(section.offset, section.end, _CHUNK):
        chunk = image.data[start : min(start + _CHUNK + overlap, section.end)].tobytes()
        if any(needle in chunk for needle in needles):
            return True
    return False
