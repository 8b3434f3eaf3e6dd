"""Everything that can be wrong with a profile is refused, in words and in bounded memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gocost.formats.pprof import decoding
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.deflate import decompress
from gocost.model.errors import FormatError
from tests.fixtures.profiles import field, message, pprof_reads, small, varint

Fields = dict[str, list[bytes]]
HUGE = 1 << 60


def put(part: str, at: int, new: bytes) -> Callable[[Fields], None]:
    """A change of one field of the small profile."""

    def change(fields: Fields) -> None:
        fields[part][at : at + 1] = [new]

    return change


def add(part: str, *new: bytes) -> Callable[[Fields], None]:
    """More fields behind those of one part."""
    return lambda fields: fields[part].extend(new)


def sample(*parts: tuple[int, int | bytes]) -> Callable[[Fields], None]:
    return put("samples", 1, field(2, message(*parts)))


MALFORMED: dict[str, tuple[Callable[[Fields], None], str]] = {
    "a sample of a location that is not there":
        (sample((1, 99), (2, 1)), "a sample refers to location 99, which is not in the profile"),
    "of location 0": (sample((1, 0), (2, 1)), "refers to location 0,"),
    "of location 2^60": (sample((1, HUGE), (2, 1)), f"refers to location {HUGE},"),
    "of location 2^64-1": (sample((1, (1 << 64) - 1), (2, 1)), "refers to location 18446744"),
    "too many values": (sample((1, 1), (2, 1), (2, 2)), "sample 1 has 2 values for 1 sample types"),
    "no values": (sample((1, 1)), "sample 1 has 0 values for 1 sample types"),
    "no types": (put("types", 0, b""), "does not say what its samples are"),
    "a line of a function that is not there":
        (put("locations", 1, field(4, message((1, 2), (4, message((1, 9)))))),
         "a location refers to function 9, which is not in the profile"),
    "a line of none":
        (put("locations", 1, field(4, message((1, 2), (4, message((2, 9)))))),
         "a location refers to function 0,"),
    "a location without an id": (add("locations", field(4, message((3, 9)))), "reserved id 0"),
    "two locations of one id":
        (add("locations", field(4, message((1, 2)))), "two locations with the id 2"),
    "two of a large id":
        (add("locations", *[field(4, message((1, HUGE)))] * 2), f"with the id {HUGE}"),
    "two functions of one id": (add("functions", field(5, message((1, 1)))), "two functions with"),
    "a function without an id": (add("functions", field(5, b"")), "a function with the reserved"),
    "two mappings of one id": (add("mappings", field(3, message((1, 1)))), "two mappings with"),
    "a mapping without an id": (add("mappings", field(3, b"")), "a mapping with the reserved id 0"),
    "a name that is not there":
        (put("functions", 0, field(5, message((1, 1), (2, 10)))),
         "text 10 is not among the profile's 10 strings"),
    "a file of number 2^60":
        (put("functions", 0, field(5, message((1, 1), (4, HUGE)))), f"text {HUGE} is not among"),
    "a negative text":
        (put("mappings", 0, field(3, message((1, 1), (5, -1)))), "is not among the profile's 10"),
    "a label's key": (sample((1, 1), (2, 1), (3, message((1, 10), (2, 1)))), "text 10 is not"),
    "a label's text": (sample((1, 1), (2, 1), (3, message((1, 1), (2, HUGE)))), f"text {HUGE} is"),
    "a label's unit": (sample((1, 1), (2, 1), (3, message((1, 1), (4, 99)))), "text 99 is not"),
    "a type's text": (put("types", 0, field(1, message((1, 10)))), "text 10 is not among"),
    "the period's unit": (add("rest", field(11, message((2, -1)))), "text -1 is not among"),
    "a comment": (add("rest", field(13, 10)), "text 10 is not among"),
    "a packed comment": (add("rest", field(13, varint(1) + varint(HUGE))), f"text {HUGE} is"),
    "the default type": (add("rest", field(14, -5)), "text -5 is not among"),
    "drop_frames": (add("rest", field(7, 10)), "text 10 is not among"),
    "the first string": (put("strings", 0, field(6, "x")), "does not begin with the empty one"),
    "no strings": (lambda fields: fields.update(strings=[]), "does not begin with the empty one"),
    "two profiles, one behind the other":
        (add("rest", small()), "several profiles stand one behind the other"),
    "a time that is bytes": (put("rest", 0, field(9, b"x")), "a number in the profile's header"),
    "a type that is a number": (put("types", 0, field(1, 5)), "a type in the profile's header"),
    "a type of texts": (put("types", 0, field(1, message((1, b"cpu")))), "protobuf is malformed"),
    "a sample that is a number": (put("samples", 0, field(2, 5)), "protobuf is malformed (at byte"),
    "a location that is a number": (put("locations", 0, field(4, 5)), "malformed (at byte"),
    "values of eight bytes":
        (put("samples", 1, field(2, varint(2 << 3 | 1) + bytes(8))), "protobuf is malformed"),
    "references cut within a number": (sample((1, b"\x81"), (2, 1)), "protobuf is malformed"),
    "a length of 2^60": (add("rest", varint(6 << 3 | 2) + varint(HUGE)), "protobuf is malformed"),
    "a group": (add("rest", b"\x0b\x0c"), "protobuf is malformed"),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_refused_as_by_pprof(what: str, tmp_path: Path) -> None:
    change, message_ = MALFORMED[what]
    data = small(change)
    for packed in (data, gzip.compress(data)):
        with pytest.raises(FormatError) as caught:
            decode(packed)
        assert message_ in str(caught.value)
    assert pprof_reads(data, tmp_path) is None


def test_an_empty_file_says_so() -> None:
    for data in (b"", gzip.compress(b"")):
        with pytest.raises(FormatError, match="the profile is empty; record it again"):
            decode(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x7fELF\x02\x01\x01", "this is an executable, not a profile; see `gocost size`"),
        (b"go 1.25 trace\0\0\0", "this is an execution trace"),
        (b"goroutine 1 [running]:\nmain.main()\n", "this is a goroutine dump"),
        (b"<!doctype html>", "this is a web page, not a profile"),
        (b'  {"a": 1}', "this is JSON"),
        (b"PERFILE2\x68\0\0\0", "this is a recording of perf"),
        (b"hello world, this is text\n", "protobuf is malformed"),
    ],
)
def test_what_is_another_kind_of_file_is_named(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode(data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "the gzip stream is cut off"),
        (lambda data: data[:20], "the gzip stream is cut off"),
        (lambda data: data[:2], "the gzip stream is cut off"),
        (lambda data: data[:-8] + bytes(8), "the gzip stream is damaged"),
        (lambda data: data[:40] + b"\xff" * 9 + data[49:], "the gzip stream is damaged"),
        (lambda data: data[:2] + b"\x07" + data[3:], "the gzip stream is damaged"),
        (lambda data: data + b"more", "something that is not gzip follows the gzip stream"),
        (lambda data: data + b"\0", "something that is not gzip follows"),
        (lambda data: data + data[:15], "the gzip stream is cut off"),
        (lambda data: data + data, "several profiles stand one behind the other"),
    ],
)
def test_damaged_gzip(damage: Callable[[bytes], bytes], message: str, tmp_path: Path) -> None:
    data = damage(gzip.compress(small()))
    with pytest.raises(FormatError) as caught:
        decode(data)
    assert message in str(caught.value)
    assert pprof_reads(data, tmp_path) is None


def test_a_bomb_is_refused_before_it_grows() -> None:
    deflater = zlib.compressobj(9, wbits=31)
    bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(200)) + deflater.flush()
    assert len(bomb) < 1 << 18

    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=r"larger than 8,388,608 bytes .*--max-bytes"):
            decode(bomb, max_bytes=8 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


def test_the_cap_is_on_all_members_and_on_what_is_not_compressed() -> None:
    member = gzip.compress(bytes(1000))
    assert len(decompress(member * 10, 10_000)) == 10_000
    with pytest.raises(FormatError, match="larger than 9,999 bytes"):
        decompress(member * 10, 9_999)
    with pytest.raises(FormatError, match="larger than 9 bytes"):
        decompress(bytes(10), 9)


@pytest.mark.timeout(20)
def test_very_many_members_take_no_longer_than_their_bytes() -> None:
    assert decompress(gzip.compress(b"") * 100_000) == b""


@pytest.mark.parametrize(
    ("part", "number"), [("samples", 2), ("mappings", 3), ("locations", 4), ("functions", 5)]
)
def test_messages_that_say_nothing_take_no_memory(part: str, number: int) -> None:
    data = small(add(part, field(number, b"") * 1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * len(data)


def test_caps_on_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_MAX_HEADER", 100)
    assert len(decode(small(add("rest", field(13, b"\x03" * 50)))).header.comments) == 50
    for comments in ([field(13, 3)] * 101, [field(13, b"\x03" * 101)]):
        with pytest.raises(FormatError, match="has more than 100"):
            decode(small(add("rest", *comments)))


def test_cycles_cannot_be_written() -> None:
    # A location's lines name functions and mappings by number, and none of those names a location:
    # the same numbers in all tables are no cycle.
    def change(fields: Fields) -> None:
        fields["locations"] = [field(4, message((1, 1), (2, 1), (4, message((1, 1)))))]
        fields["samples"] = [field(2, message((1, b"\x01" * 1000), (2, 1)))]

    profile = decode(small(change))

    assert profile.stack.tolist() == [0] * 1000
