"""Profiles that are written: read back the same, by us and by pprof, and no more than is used."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocost.analyses.expressions import compiled
from gocost.analyses.profile.frames import focused
from gocost.analyses.profile.labels import as_frames
from gocost.analyses.profile.merging import merge
from gocost.formats.pprof import deflate
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.deflate import decompress
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import (
    Functions,
    Header,
    Labels,
    Lines,
    Locations,
    Mappings,
    Profile,
    Strings,
    ValueType,
)
from gocost.model.errors import FormatError
from tests.fixtures.legacy_profiles import LEGACY
from tests.fixtures.profiles import (
    KINDS,
    Described,
    described,
    field,
    message,
    pprof_reads,
    recorded,
    run_pprof,
    shared,
    small,
)

INT64 = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-2, 2)
UINT64 = st.integers(0, (1 << 64) - 1) | st.integers(0, 2)
TEXT = st.text(max_size=3) | st.sampled_from(["main.main", "runtime.mallocgc"])


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Any valid profile."""
    strings = Strings(b"", np.zeros(0, np.int64), np.zeros(0, np.int64))
    strings.add("")
    types = [draw(st.builds(ValueType, TEXT, TEXT)) for _ in range(draw(st.integers(1, 3)))]
    files = draw(st.lists(st.tuples(UINT64, UINT64, UINT64, TEXT, TEXT, st.integers(0, 15)),
                          max_size=3))  # fmt: skip
    names = draw(st.lists(st.tuples(TEXT, TEXT, TEXT, INT64), min_size=1, max_size=4))
    line = st.tuples(st.integers(0, len(names) - 1), INT64, INT64)
    code = draw(
        st.lists(
            st.tuples(st.integers(-1, len(files) - 1), UINT64, st.booleans(),
                      st.lists(line, max_size=3)),
            min_size=1, max_size=5,
        )
    )  # fmt: skip
    label = st.tuples(TEXT, st.text(min_size=1, max_size=3), st.just(0), st.just("")) | st.tuples(
        TEXT, st.just(""), INT64.filter(bool), TEXT
    )
    samples = draw(
        st.lists(
            st.tuples(st.lists(INT64, min_size=len(types), max_size=len(types)),
                      st.lists(st.integers(0, len(code) - 1), max_size=5),
                      st.lists(label, max_size=3)),
            max_size=5,
        )
    )  # fmt: skip
    lines = [each for *_, own in code for each in own]
    labels = [each for *_, own in samples for each in own]

    def column(rows: list[Any], at: int, kind: Any) -> Any:
        values = [row[at] for row in rows]
        if kind is str:
            return np.array([strings.add(value) for value in values], np.int32)
        return np.array(values, kind)

    def ends(rows: list[Any], at: int) -> Any:
        return np.cumsum([len(row[at]) for row in rows], dtype=np.int64)

    return Profile(
        header=draw(st.builds(Header, st.just(tuple(types)), TEXT, st.builds(ValueType, TEXT, TEXT),
                              INT64, INT64, INT64, st.lists(TEXT, max_size=2).map(tuple), TEXT,
                              TEXT, TEXT)),
        strings=strings,
        values=np.array([row[0] for row in samples], np.int64).reshape(-1, len(types)),
        stack_end=ends(samples, 1),
        stack=np.array([each for row in samples for each in row[1]], np.int32),
        label_end=ends(samples, 2),
        labels=Labels(column(labels, 0, str), column(labels, 1, str), column(labels, 2, np.int64),
                      column(labels, 3, str)),
        locations=Locations(np.arange(1, len(code) + 1, dtype=np.uint64), column(code, 0, np.int32),
                            column(code, 1, np.uint64), column(code, 2, np.bool_), ends(code, 3)),
        lines=Lines(column(lines, 0, np.int32), column(lines, 1, np.int64),
                    column(lines, 2, np.int64)),
        functions=Functions(np.arange(1, len(names) + 1, dtype=np.uint64), column(names, 0, str),
                            column(names, 1, str), column(names, 2, str),
                            column(names, 3, np.int64)),
        mappings=Mappings(np.arange(1, len(files) + 1, dtype=np.uint64),
                          column(files, 0, np.uint64), column(files, 1, np.uint64),
                          column(files, 2, np.uint64), column(files, 3, str),
                          column(files, 4, str), column(files, 5, np.uint8)),
    )  # fmt: skip


def used(said: Described | None) -> Described:
    """What is said but for the mappings, of which those that samples do not use are not written."""
    assert said is not None
    return {key: value for key, value in said.items() if key != "mappings"}


@settings(deadline=None)
@given(profiles())
def test_a_profile_reads_back(profile: Profile) -> None:
    written = encode(profile)
    read = decode(written)
    assert read.header == profile.header
    assert described(read)["samples"] == described(profile)["samples"]
    # What was written has nothing to leave out.
    assert described(decode(encode(read))) == described(read)
    assert encode(read) == encode(decode(encode(read)))


@pytest.mark.parametrize("kind", KINDS)
def test_real_profiles_read_back_and_pprof_says_the_same(kind: str, tmp_path: Path) -> None:
    given_ = recorded() / f"{kind}.1.pb.gz"
    profile = decode(given_.read_bytes())
    made = tmp_path / "made.pb.gz"

    made.write_bytes(encode(profile))

    assert used(described(decode(made.read_bytes()))) == used(described(profile))
    for report in (["-top"], ["-top", "-lines"], ["-traces"], ["-tags"], ["-tree", "-addresses"]):
        theirs, ours = (run_pprof(*report, path) for path in (given_, made))
        assert theirs.stdout == ours.stdout
        assert ours.returncode == 0
        assert len(ours.stdout) > 40 or "-tags" in report


@pytest.mark.parametrize(
    "name",
    ["anon.in.pprof", "avg.in.pprof", "heapage.in.pprof", "json.in.pprof", "labelframes.in.pprof",
     "large.cpu.pb.gz"],
)  # fmt: skip
def test_profiles_of_others_read_back_and_pprof_says_the_same(name: str, tmp_path: Path) -> None:
    data = shared(name).read_bytes()
    profile = decode(data)
    written = encode(profile)
    assert used(described(decode(written))) == used(described(profile))
    assert used(pprof_reads(written, tmp_path)) == used(pprof_reads(data, tmp_path))


@pytest.mark.parametrize("name", LEGACY)
def test_legacy_profiles_become_protobuf(name: str, tmp_path: Path) -> None:
    profile = decode(LEGACY[name])
    written = encode(profile)
    assert described(decode(written))["samples"] == described(profile)["samples"]
    assert used(pprof_reads(written, tmp_path)) == used(pprof_reads(LEGACY[name], tmp_path))


def test_the_same_profile_gives_the_same_bytes() -> None:
    assert encode(decode(small())) == encode(decode(small()))


def test_either_library_reads_and_writes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [bytes(range(256)) * 4000, b"abc" * 300_000]
    written = []
    for large in (0, 1 << 40):  # ISA-L where it is installed, and zlib
        monkeypatch.setattr(deflate, "LARGE", large)
        data = deflate.compressed(pieces)
        assert gzip.decompress(data) == b"".join(pieces)
        written.append(data)
    for large in (0, 1 << 40):
        monkeypatch.setattr(deflate, "LARGE", large)
        for data in written:
            assert bytes(decompress(data + data)) == b"".join(pieces * 2)
            for wrong in (data[:-9], data[:200], data[:50] + b"\xff" * 50 + data[100:]):
                with pytest.raises(FormatError, match="gzip"):
                    decompress(wrong)
            with pytest.raises(FormatError, match="larger than 1,000 bytes"):
                decompress(data, 1000)


def test_only_what_samples_refer_to_is_written() -> None:
    def more(fields: dict[str, list[bytes]]) -> None:
        fields["mappings"].append(field(3, message((1, 9), (2, 1), (3, 2), (5, 10))))
        fields["locations"].insert(0, field(4, message((1, 77), (2, 9), (4, message((1, 5))))))
        fields["functions"].insert(0, field(5, message((1, 5), (2, 10), (4, 11))))
        fields["strings"] += [field(6, "unused"), field(6, "unused.go")]

    plain, full = decode(small()), decode(small(more))

    assert b"unused" in small(more)
    assert encode(full) == encode(plain)


def test_the_first_mapping_is_the_programs_and_always_written() -> None:
    def change(fields: dict[str, list[bytes]]) -> None:
        fields["locations"] = [field(4, message((1, 1))), field(4, message((1, 2)))]
        fields["mappings"].append(field(3, message((1, 2), (2, 1), (3, 2))))

    read = decode(encode(decode(small(change))))

    assert read.mappings.start.tolist() == [0x400000]


def test_text_that_is_no_utf8_is_kept() -> None:
    def change(fields: dict[str, list[bytes]]) -> None:
        fields["strings"][3] = field(6, b"main.\xff\xfe")

    written = encode(decode(small(change)))

    assert b"main.\xff\xfe" in gzip.decompress(written)
    assert described(decode(written))["samples"][1][1][0][3][0][0] == "main.\\xff\\xfe"


def test_what_was_filtered_and_merged_is_written() -> None:
    profile = decode(small())
    rooted, _ = as_frames(profile, ["tenant"], [], "")
    chosen, _ = focused(rooted, focus=compiled("focus", "acme"))
    doubled = merge([chosen, chosen])

    for each in (rooted, chosen, doubled):
        assert described(decode(encode(each)))["samples"] == described(each)["samples"]
    assert decode(encode(doubled)).values.tolist() == [[20]]


def test_a_profile_without_samples() -> None:
    profile = decode(small(lambda fields: fields.update(samples=[])))
    read = decode(encode(profile))
    assert read.header == profile.header
    assert (read.samples, len(read.functions.id), len(read.mappings.id)) == (0, 0, 1)
    bare = replace(profile.header, sample_types=())
    assert (
        decode(encode(replace(profile, header=bare, values=np.zeros((0, 0), np.int64)))).samples
        == 0
    )
