"""debug=1 and debug=0: stacks with counts."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.formats.goroutine_dump.decoding import decode
from gocost.formats.goroutine_dump.dump import LEAKED, Dump, Form
from gocost.model.errors import FormatError
from tests.fixtures.dumps import shared
from tests.formats.goroutine_dump.test_stacks import keys

TEXT = b"""goroutine profile: total 12
10 @ 0x43b125 0x106cd1f
# labels: {"tenant":"a", "z":"b"}
#\t0x46cd1e\ttime.Sleep+0xbe\t\t/go/src/runtime/time.go:188
#\t0x4ac449\tgopkg.in/yaml%2ev3.loop+0x29\t/src/a b.go:165

2 @ 0x43b125
#\t0x43b125

"""


def test_groups() -> None:
    dump = decode([TEXT])
    assert dump.form is Form.GROUPED
    assert dump.count.tolist() == [10, 2]
    assert dump.total == 12
    assert [tuple(frame) for frame in dump.frames(int(dump.stack[0]))] == [
        ("time.Sleep", "/go/src/runtime/time.go", 188),
        ("gopkg.in/yaml.v3.loop", "/src/a b.go", 165),
    ]
    assert dump.frames(int(dump.stack[1]))[0].function == "0x43b125"
    assert dump.text(int(dump.labels[0])) == '{"tenant":"a", "z":"b"}'
    assert dump.minutes.tolist() == [-1, -1]
    assert set(dump.state.tolist()) == set(dump.creator.tolist()) == {-1}
    assert dump.lost == ""


def test_a_leak_profile_says_so_of_every_goroutine() -> None:
    dump = decode([TEXT.replace(b"goroutine profile", b"goroutineleak profile")])
    assert dump.leaks
    assert dump.flags.tolist() == [LEAKED, LEAKED]


@pytest.mark.parametrize("length", range(len(b"goroutine profile: total 12\n"), len(TEXT)))
def test_cut_off(length: int) -> None:
    dump = decode([TEXT[:length]])
    missing = 12 - dump.total
    assert dump.total in (0, 10, 12)
    assert (f"{missing} of 12 goroutines are missing" in dump.lost) == (missing > 0)


@pytest.mark.parametrize("number", [1, 2])
def test_the_forms_of_about_one_moment_agree(number: int) -> None:
    """Given a program's dumps in three forms, then those of its goroutines that had not gone on
    from one to the next have the same stacks in all.
    """

    def functions(dump: Dump) -> Counter[tuple[str, ...]]:
        found: Counter[tuple[str, ...]] = Counter()
        for (_, frames, _), count in keys(dump).items():
            shown = tuple(name for name, _ in frames if not name.startswith("runtime."))
            found[shown] += count
        return found

    name = f"{number}.net.http.pprof.goroutine.debug"
    profile, grouped, whole = (
        decode([shared(f"{name}{end}")]) for end in ("0.pb.gz", "1.txt", "2.txt")
    )
    assert (profile.form, grouped.form, whole.form) == (Form.PROFILE, Form.GROUPED, Form.STACKS)
    assert profile.total == grouped.total == whole.total == 10
    assert (keys(profile) & keys(grouped)).total() >= 8
    assert (functions(grouped) & functions(whole)).total() >= 6


def test_a_profile_of_something_else_is_named() -> None:
    data = gzip.compress(b"\x0a\x04\x08\x01\x10\x02\x32\0\x32\x03cpu\x32\x0bnanoseconds")
    with pytest.raises(FormatError, match="a profile of cpu, not of goroutines; see `gocost prof"):
        decode([data])


def test_gzip_in_pieces_and_members() -> None:
    data = gzip.compress(TEXT[:60]) + gzip.compress(TEXT[60:])
    pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
    assert decode(pieces).count.tolist() == [10, 2]


def test_a_bomb_is_stopped_at_the_cap() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"x" * (1 << 20)) for _ in range(64)) + packer.flush()
    with pytest.raises(FormatError, match="raise the cap with --max-bytes"):
        decode([bomb], max_bytes=10 << 20)


@given(st.binary(max_size=400))
def test_anything_is_taken(rest: bytes) -> None:
    dump = decode([b"goroutine profile: total 3\n" + rest])
    assert dump.total >= 0


@given(st.integers(0, len(TEXT) - 1), st.integers(0, 255))
def test_any_byte_may_be_wrong(at: int, byte: int) -> None:
    data = bytearray(TEXT)
    data[at] = byte
    with contextlib.suppress(FormatError):
        decode([bytes(data)])
