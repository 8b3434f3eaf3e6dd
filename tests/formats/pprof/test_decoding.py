"""Profiles in protobuf form: what is in them, however it is written, and what pprof reads."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np
import pytest

from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.profile import ValueType
from tests.fixtures.profiles import (
    KINDS,
    described,
    field,
    message,
    pprof,
    pprof_reads,
    recorded,
    run_pprof,
    shared,
    small,
    varint,
    we_read,
)

Fields = dict[str, list[bytes]]
MUTANTS = 400
SERVER = (0x400000, 0x500000, 0, 1, "/bin/server", "id")
MAIN = ("main.main", "main.main", "main.go", 6)


def test_a_small_profile() -> None:
    assert described(decode(small())) == {
        "header": (ValueType("cpu", "nanoseconds"), ValueType("cpu", "nanoseconds")),
        "numbers": (10_000_000, 1_700_000_000_000_000_000, 1_000_000_000),
        "comments": (),
        "mappings": [SERVER],
        "samples": [
            (
                [10],
                [(0x400010, SERVER, False, (MAIN, 7, 0)), (0x400020, SERVER, False, (MAIN, 8, 0))],
                [("tenant", "acme", 0, "")],
            ),
            ([20], [(0x400020, SERVER, False, (MAIN, 8, 0))], [("bytes", "", 4096, "bytes")]),
        ],
    }


def test_it_says_where_it_is_from() -> None:
    assert decode(small(), origin="cpu.pb.gz").origin == "cpu.pb.gz"


def test_gzip_of_one_member_or_several() -> None:
    data, half = small(), len(small()) // 2
    members = [gzip.compress(part) for part in (data[:half], data[half:half], data[half:])]
    for packed in (gzip.compress(data), b"".join(members), memoryview(gzip.compress(data))):
        assert described(decode(packed)) == described(decode(data))


def test_fields_in_any_order_packed_or_not() -> None:
    def change(fields: Fields) -> None:
        fields["samples"][0] = field(
            2, message((3, message((2, 6), (1, 5))), (2, 10), (1, 1), (1, 2))
        )
        fields["types"], fields["rest"] = [], [*fields["rest"], *fields["types"]]
        fields["strings"], fields["mappings"] = [], [*fields["strings"], *fields["mappings"]]

    assert described(decode(small(change))) == described(decode(small()))


@pytest.mark.parametrize("ids", [(1, 2), (2, 1), (7, 3000), (1, (1 << 64) - 1), (1 << 63, 5)])
def test_ids_are_any_numbers(ids: tuple[int, int]) -> None:
    def change(fields: Fields) -> None:
        one, two = ids
        fields["samples"] = [
            field(2, message((1, varint(one) + varint(two)), (2, 10),
                             (3, message((1, 5), (2, 6))))),
            field(2, message((1, two), (2, 20), (3, message((1, 7), (3, 4096), (4, 7))))),
        ]  # fmt: skip
        fields["locations"] = [
            field(4, message((1, id_), (2, two), (3, at), (4, message((1, one), (2, line)))))
            for id_, at, line in ((one, 0x400010, 7), (two, 0x400020, 8))
        ]
        fields["functions"] = [field(5, message((1, one), (2, 3), (3, 3), (4, 4), (5, 6)))]
        fields["mappings"] = [
            field(3, message((1, two), (2, 0x400000), (3, 0x500000), (5, 8), (6, 9), (7, 1)))
        ]

    assert described(decode(small(change))) == described(decode(small()))


def test_what_stands_once() -> None:
    def change(fields: Fields) -> None:
        fields["strings"] += [field(6, text) for text in ("cpu", "https://x", "drop", "keep", "a")]
        fields["rest"] += [
            field(14, 10), field(15, 11), field(7, 12), field(8, 13), field(13, 14),
            field(13, varint(3) + varint(4)),
        ]  # fmt: skip

    header = decode(small(change)).header

    assert header.default_sample_type == "cpu"
    assert header.doc_url == "https://x"
    assert (header.drop_frames, header.keep_frames) == ("drop", "keep")
    assert header.comments == ("a", "main.main", "main.go")


def test_numbers_with_a_sign() -> None:
    def change(fields: Fields) -> None:
        fields["samples"] = [
            field(2, message((2, -5), (3, message((1, 7), (3, -(1 << 63)))))),
            field(2, message((2, (1 << 63) - 1))),
        ]
        fields["rest"] = [field(9, -1), field(10, -2), field(12, -3)]

    profile = decode(small(change))

    assert profile.values.tolist() == [[-5], [(1 << 63) - 1]]
    assert profile.labels.number.tolist() == [-(1 << 63)]
    header = profile.header
    assert (header.time_ns, header.duration_ns, header.period) == (-1, -2, -3)


def test_locations_without_lines_samples_without_locations_and_none_at_all() -> None:
    def bare(fields: Fields) -> None:
        fields["locations"] = [field(4, message((1, 1), (2, 77))), field(4, message((1, 2)))]
        fields["samples"][1] = field(2, message((2, 20)))

    samples = described(decode(small(bare)))["samples"]
    nowhere = (0, None, False)
    assert [stack for _, stack, _ in samples] == [[nowhere, nowhere], []]

    empty = decode(small(lambda fields: fields.update(samples=[])))
    assert (empty.samples, len(empty.labels.key)) == (0, 0)


def test_a_label_that_says_nothing_is_none() -> None:
    def change(fields: Fields) -> None:
        tags = [(3, message((1, 5))), (3, message((1, 5), (4, 7))), (3, b"")]
        fields["samples"] = [field(2, message((2, 1), *tags)), field(2, message((2, 1), tags[0]))]

    profile = decode(small(change))

    assert [tags for _, _, tags in described(profile)["samples"]] == [
        [("tenant", "", 0, "bytes")], [],
    ]  # fmt: skip
    assert profile.label_end.tolist() == [1, 1]


def test_of_a_label_with_a_text_the_number_is_not_read() -> None:
    tag = message((1, 5), (2, 6), (3, 9), (4, 999))

    def change(fields: Fields) -> None:
        fields["samples"] = [field(2, message((2, 1), (3, tag)))]

    profile = decode(small(change))

    assert described(profile)["samples"][0][2] == [("tenant", "acme", 0, "")]
    assert (profile.labels.number.tolist(), profile.labels.unit.tolist()) == ([0], [0])


def test_text_that_is_no_utf8_is_shown() -> None:
    profile = decode(small(lambda fields: fields["strings"].__setitem__(3, field(6, b"a\xff\xc3"))))
    names, places = profile.strings.distinct(profile.functions.name)
    assert (names, places.tolist()) == (["a\\xff\\xc3"], [0])


def test_texts_that_were_added() -> None:
    strings = decode(small()).strings
    count = len(strings)
    assert strings.add("main.main") == strings.add("main.main") == count
    assert strings.texts([3, count, 0]) == ["main.main", "main.main", ""]
    names, places = strings.distinct(np.array([count, 3, count, 0]))
    assert (sorted(names), len(set(places.tolist()))) == (["", "main.main"], 2)
    assert strings.raw(np.array([0, 4, count])) == [b"", b"main.go", b"main.main"]


@pytest.mark.parametrize("kind", KINDS)
def test_pprof_reads_the_same_of_real_ones(kind: str, tmp_path: Path) -> None:
    for number in (0, 1):
        data = (recorded() / f"{kind}.{number}.pb.gz").read_bytes()
        ours = we_read(data)
        assert ours is not None
        assert ours == pprof_reads(data, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["anon.in.pprof", "avg.out.pprof", "heapage.out.pprof", "json.in.pprof",
     "labelframes.out.pprof", "large.cpu.pb.gz"],
)  # fmt: skip
def test_pprof_reads_the_same_of_others(name: str, tmp_path: Path) -> None:
    data = shared(name).read_bytes()
    ours = we_read(data)
    assert ours is not None
    assert ours == pprof_reads(data, tmp_path)


def test_totals_of_a_large_one() -> None:
    profile = decode(shared("large.cpu.pb.gz").read_bytes())
    assert profile.samples == 20_430
    assert profile.values.sum(axis=0).tolist() == [24_029, 240_290_000_000]


def test_pprof_reads_the_same_of_damaged_ones(tmp_path: Path) -> None:
    pprof()
    seeds = [small(), gzip.decompress((recorded() / "goroutine.0.pb.gz").read_bytes())]
    refused = 0
    for seed in range(MUTANTS):
        data = mutant(random.Random(seed), seeds)
        ours, theirs = we_read(data), pprof_reads(data, tmp_path)
        if ours != theirs and "panic: runtime" not in run_pprof("-raw", tmp_path / "given").stderr:
            pytest.fail(f"mutant {seed} is read otherwise: {tmp_path / 'given'}")
        refused += ours is None
    assert MUTANTS // 10 < refused < MUTANTS * 9 // 10


def mutant(rng: random.Random, seeds: list[bytes]) -> bytes:
    """A profile with a few fields more, bytes less, or other numbers."""
    data = rng.choice(seeds)
    edges = (0, 1, 2, 5, 0x7F, 0x80, 1 << 31, 1 << 60, (1 << 63) - 1, (1 << 64) - 1)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(data))
        kind = rng.randrange(5)
        if kind == 0:
            data = data[:at] + bytes([rng.choice((0, 1, 2, 0x7F, 0x80, 0xFF))]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + data[at + rng.choice((1, 2, len(data))) :]
        else:
            inner = message(*((rng.randrange(1, 6), rng.choice(edges)) for _ in range(3)))
            content = rng.choice((inner, rng.choice(edges), rng.randbytes(3)))
            data += field(rng.randrange(1, 17), content)
    return data
