"""The file cut into pieces that do not overlap and leave nothing out, whatever its headers say.

Headers, sections, segments and what was found inside them all claim ranges of the file. In a
hostile or odd file they overlap, so a sweep over all their edges gives each byte to one claim: the
one of the highest rank, and among equals the first. What nobody claims is padding where it is
zero, and unknown where it is not.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from gocost.analyses.size.kinds import Kind, of_extent, of_section, of_segment
from gocost.formats.executable.interface import Executable
from gocost.formats.moduledata import MAX_ADDRESS

CHUNK: Final = 1 << 20
PADDING: Final = "(padding)"
UNCLAIMED: Final = "(outside every section)"


class Claim(msgspec.Struct, frozen=True):
    """Somebody says that bytes `start` to `end` of the file are of a kind."""

    start: int
    end: int
    kind: Kind
    place: str | None = None
    """The section or part of the container; None where the claim is about content only."""
    shift: int | None = None
    """Address minus file offset, where the bytes are mapped."""


class Region(msgspec.Struct, frozen=True):
    """Bytes `start` to `end` of the file, of one kind, in one place."""

    start: int
    end: int
    kind: Kind
    place: str
    shift: int | None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start


def partition(executable: Executable, contents: Sequence[Claim]) -> list[Region]:
    """The whole file in regions, in order. `contents` decide the kind over sections."""
    places = [_clipped(claim, executable.size) for claim in _places(executable)]
    found = [_clipped(claim, executable.size) for claim in contents]
    regions = list(_sweep(executable, places, found))
    _check(regions, executable.size)
    return regions


def _places(executable: Executable) -> Iterable[Claim]:
    """Where bytes are, most trustworthy first: headers, sections, then the loader's view."""
    for extent in executable.extents:
        yield Claim(extent.offset, extent.end, of_extent(extent.name), f"({extent.name})")
    loaded = False
    for section in executable.sections:
        if section.size_in_file <= 0 or section.kind == "nobits":
            continue
        shift = section.address - section.offset if section.alloc else None
        kind = of_section(section, executable.container)
        name = section.name or f"(section {section.index})"
        if section.segment:
            name = f"{section.segment},{name}"
        loaded = loaded or section.alloc
        yield Claim(section.offset, section.end, kind, name, shift)
    if loaded:
        return  # what the sections leave between them is filling, not content
    for segment in executable.segments:
        if segment.size_in_file > 0 and segment.kind == "load":
            end = segment.offset + segment.size_in_file
            shift = segment.address - segment.offset
            name = f"(segment {segment.name or segment.kind})"
            yield Claim(segment.offset, end, of_segment(segment), name, shift)


def _clipped(claim: Claim, size: int) -> Claim:
    start = min(max(claim.start, 0), size)
    end = min(max(claim.end, start), size)
    shift = claim.shift
    if shift is not None and not 0 <= abs(shift) < MAX_ADDRESS:
        shift = None  # no real address: nothing in it can be found by one
    return Claim(start, end, claim.kind, claim.place, shift)


def _sweep(
    executable: Executable, places: Sequence[Claim], contents: Sequence[Claim]
) -> Iterable[Region]:
    edges = {0, executable.size}
    for claim in (*places, *contents):
        edges.update((claim.start, claim.end))
    cuts = sorted(edges)
    by_start: dict[int, list[tuple[int, int]]] = {}
    for group, claims in enumerate((places, contents)):
        for rank, claim in enumerate(claims):
            if claim.end > claim.start:
                by_start.setdefault(claim.start, []).append((group, rank))
    active: tuple[list[int], list[int]] = ([], [])
    last: Region | None = None
    for start, end in pairwise(cuts):
        for group, rank in by_start.get(start, ()):
            heapq.heappush(active[group], rank)
        place = _top(active[0], places, start)
        content = _top(active[1], contents, start)
        region = _region(executable, start, end, place, content)
        if last is not None and _same(last, region):
            last = Region(last.start, end, last.kind, last.place, last.shift)
            continue
        if last is not None:
            yield last
        last = region
    if last is not None:
        yield last


def _top(active: list[int], claims: Sequence[Claim], at: int) -> Claim | None:
    while active and claims[active[0]].end <= at:
        heapq.heappop(active)
    return claims[active[0]] if active else None


def _region(
    executable: Executable, start: int, end: int, place: Claim | None, content: Claim | None
) -> Region:
    if place is None:
        if content is None and _is_zero(executable, start, end):
            return Region(start, end, Kind.PADDING, PADDING, None)
        kind = content.kind if content is not None else Kind.UNKNOWN
        shift = content.shift if content is not None else None
        return Region(start, end, kind, UNCLAIMED, shift)
    name = place.place or UNCLAIMED
    # Headers stay headers whatever a moduledata says about the bytes under them.
    if content is None or place.kind in (Kind.HEADER, Kind.DWARF, Kind.SYMBOLS):
        return Region(start, end, place.kind, name, place.shift)
    shift = content.shift if content.shift is not None else place.shift
    return Region(start, end, content.kind, name, shift)


def _same(one: Region, two: Region) -> bool:
    return (
        one.end == two.start
        and one.kind == two.kind
        and one.place == two.place
        and one.shift == two.shift
    )


def _is_zero(executable: Executable, start: int, end: int) -> bool:
    return not any(
        bool(executable.data[at : min(at + CHUNK, end)].any()) for at in range(start, end, CHUNK)
    )


def _check(regions: Sequence[Region], size: int) -> None:
    """The promise this module is for; a failure is a bug in gocost."""
    at = 0
    for region in regions:
        if region.start != at or region.end <= region.start:
            raise AssertionError(f"regions do not join at byte {at}: {region}")
        at = region.end
    if at != size:
        raise AssertionError(f"regions end at byte {at} of {size}")
