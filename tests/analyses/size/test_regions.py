"""The cut of the file into regions: exact whatever claims what."""

from __future__ import annotations

import numpy as np
from fuzz.small_binary import small_binary
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.regions import Claim, partition
from gocost.formats.executable import Extent, Section, open_executable

BINARY = small_binary("1.20", 8, "little")
IMAGE = open_executable(BINARY)


def section(start: int, end: int, name: str = ".text", **changed: object) -> Section:
    return replace(
        Section(
            index=0, name=name, segment="", kind="progbits", offset=start,
            size_in_file=end - start, address=0x400000 + start, size_in_memory=end - start,
            alloc=True, executable=True, writable=False, is_debug=False, compressed=False,
        ),
        **changed,
    )  # fmt: skip


SPAN = st.tuples(st.integers(-10, len(BINARY) * 2), st.integers(-10, len(BINARY) * 2))


@given(
    sections=st.lists(SPAN, max_size=8),
    extents=st.lists(SPAN, max_size=4),
    claims=st.lists(st.tuples(SPAN, st.sampled_from(Kind)), max_size=8),
)
def test_any_claims_leave_an_exact_cut(
    sections: list[tuple[int, int]],
    extents: list[tuple[int, int]],
    claims: list[tuple[tuple[int, int], Kind]],
) -> None:
    image = replace(
        IMAGE,
        sections=tuple(section(a, b, f".s{k}") for k, (a, b) in enumerate(sections)),
        extents=tuple(Extent("ELF header", a, b - a) for a, b in extents),
    )
    regions = partition(image, [Claim(a, b, kind) for (a, b), kind in claims])
    assert sum(region.size for region in regions) == len(BINARY)
    edges = [region.start for region in regions] + [len(BINARY)]
    assert edges[0] == 0
    assert edges == sorted(set(edges))


def test_headers_win_over_sections_and_sections_over_what_is_in_them() -> None:
    image = replace(
        IMAGE,
        sections=(section(0, 500, ".rodata", executable=False), section(400, 600)),
        extents=(Extent("ELF header", 0, 64),),
    )
    regions = partition(image, [Claim(0, 450, Kind.TYPES, None, 0x400000)])
    found = [(part.start, part.end, part.kind, part.place) for part in regions[:4]]
    assert found == [
        (0, 64, Kind.HEADER, "(ELF header)"),
        (64, 450, Kind.TYPES, ".rodata"),
        (450, 500, Kind.READ_ONLY, ".rodata"),
        (500, 600, Kind.CODE, ".text"),
    ]


def test_zeros_that_nobody_claims_are_padding_and_others_unknown() -> None:
    data = np.zeros(4096, np.uint8)
    data[2000] = 1
    image = replace(IMAGE, data=data, sections=(section(0, 1000), section(1500, 1900)), extents=())
    kinds = [(part.start, part.end, part.kind) for part in partition(image, [])]
    assert kinds == [
        (0, 1000, Kind.CODE),
        (1000, 1500, Kind.PADDING),
        (1500, 1900, Kind.CODE),
        (1900, 4096, Kind.UNKNOWN),
    ]
