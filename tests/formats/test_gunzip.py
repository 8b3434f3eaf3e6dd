"""gzip undone in pieces: the same as zlib's whole, however it is cut up."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from gocost.formats.gunzip import Gunzip, gunzipped
from gocost.formats.pprof.deflate import LARGE, decompress, library
from gocost.model.errors import FormatError

LIBRARIES = [zlib, library(LARGE)]
"""zlib, and ISA-L where it is installed."""


def some(size: int) -> bytes:
    return random.Random(size).randbytes(size // 2) + bytes(size - size // 2)


def cut_up(data: bytes, step: int) -> Iterator[bytes]:
    for start, stop in pairwise([*range(0, len(data), step), len(data)]):
        yield data[start:stop]


@pytest.mark.parametrize("module", LIBRARIES, ids=lambda module: module.__name__)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_all_members_come_and_padding_does_not(module: Any, step: int) -> None:
    parts = [some(10_000), b"", some(3)]
    data = b"".join(map(gzip.compress, parts)) + bytes(512)
    stream = Gunzip(module)
    found = b"".join(made for piece in cut_up(data, step) for made in stream.add(piece))
    assert found + stream.end() == b"".join(parts)
    assert stream.whole


@pytest.mark.parametrize("module", LIBRARIES, ids=lambda module: module.__name__)
@pytest.mark.parametrize("step", [1, 100, 1 << 20])
@pytest.mark.parametrize("zeros", [1, 511, 512, 1_500])
def test_members_that_are_padded_follow_each_other(module: Any, step: int, zeros: int) -> None:
    parts = [some(10_000), some(700)]
    data = bytes(zeros).join(map(gzip.compress, parts))
    stream = Gunzip(module)
    found = b"".join(made for piece in cut_up(data, step) for made in stream.add(piece))
    assert found + stream.end() == b"".join(parts)
    assert stream.whole


@pytest.mark.parametrize("module", LIBRARIES, ids=lambda module: module.__name__)
def test_pieces_are_small_however_well_they_were_compressed(module: Any) -> None:
    stream = Gunzip(module)
    sizes = [len(made) for made in stream.add(gzip.compress(bytes(50 << 20)))]
    assert sum(sizes) + len(stream.end()) == 50 << 20
    assert max(sizes) <= 1 << 20


@pytest.mark.parametrize("module", LIBRARIES, ids=lambda module: module.__name__)
def test_of_what_is_cut_off_all_before_it_comes(module: Any) -> None:
    whole = some(200_000)
    data = gzip.compress(whole)
    for end in range(0, len(data), 9_973):
        stream = Gunzip(module)
        found = b"".join([*stream.add(data[:end]), stream.end()])
        assert whole.startswith(found)
        assert len(found) >= min(end - 1_000, 99_000), "no more is held back than a block"
        assert stream.whole is (end == 0)


@pytest.mark.parametrize("module", LIBRARIES, ids=lambda module: module.__name__)
def test_members_without_end_are_read_through(module: Any) -> None:
    """What copied the rest behind each of them would not come to an end."""
    members = gzip.compress(b"") * 200_000
    stream = Gunzip(module)
    assert [*stream.add(members + gzip.compress(b"x"))] == [b"x"]
    assert stream.whole


def test_what_is_damaged_is_said() -> None:
    data = bytearray(gzip.compress(some(100_000)))
    data[30_000] ^= 0xFF
    with pytest.raises(FormatError, match="the gzip stream is damaged"):
        list(gunzipped([bytes(data)]))
    with pytest.raises(FormatError) as caught:
        list(gunzipped([b"\x1f\x8bnot gzip really"]))
    assert str(caught.value) == "the gzip stream is damaged; record or copy it again"


@pytest.mark.parametrize("more", [b"and more", b"\x1fand more"])
@pytest.mark.parametrize("step", [1, 3, 1 << 20])
def test_what_follows_and_is_no_gzip_is_said_as_of_profiles(step: int, more: bytes) -> None:
    whole = gzip.compress(b"abc")
    with pytest.raises(FormatError) as caught:
        list(gunzipped(cut_up(whole + more, step)))
    with pytest.raises(FormatError) as refused:
        decompress(whole + more)
    assert str(caught.value) == str(refused.value)
    assert str(caught.value) == (
        f"something that is not gzip follows the gzip stream (at byte {len(whole)}); "
        "record or copy it again"
    )
