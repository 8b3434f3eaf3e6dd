"""What is put into a file without a name: standard input, pipes and gzip."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import gocost
from gocost.model.errors import FormatError, GocostError, SourceError, UsageError
from gocost.sources.files import Spooled, positioned
from gocost.sources.incoming import on_disk, spooled, standard_input_on_disk
from gocost.sources.naming import check_named_once, short_name
from gocost.sources.standard_input import StandardInput
from tests.fixtures.traces import recorded

DATA = bytes(range(256)) * 20_000
MOST = len(DATA)


def held(found: Path | Spooled) -> bytes:
    """All of it, read in two parts, the second first."""
    with positioned(found) as file:
        buffer = bytearray(file.size)
        half = file.size // 2
        for part, offset in ((memoryview(buffer)[half:], half), (memoryview(buffer)[:half], 0)):
            assert file.read_into(part, offset) == len(part)
    return bytes(buffer)


def accepted(_: bytes) -> None:
    """Takes everything."""


def standard_input(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_a_plain_file_stays_where_it_is_whatever_its_size(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(DATA)
    assert on_disk(path, max_bytes=1, check=accepted) == path
    assert on_disk(str(path), max_bytes=1, check=accepted) == path


def test_a_compressed_file_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "plain.gz"
    path.write_bytes(gzip.compress(DATA))
    found = on_disk(path, max_bytes=MOST, check=accepted)
    assert isinstance(found, Spooled)
    assert held(found) == DATA
    assert (found.name, str(found), found.lost) == ("plain.gz", str(path), "")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(pack: type[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(pack(DATA), monkeypatch)
    found = on_disk("-", max_bytes=MOST, check=accepted)
    assert isinstance(found, Spooled)
    assert held(found) == DATA
    assert found.name == "standard input"


@pytest.mark.parametrize("read", [0, 3])
def test_standard_input_from_a_file_is_not_copied(
    read: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plain"
    path.write_bytes(DATA)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with path.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file))
        given = StandardInput()
        given.head(read)
        found = standard_input_on_disk(given, max_bytes=1, check=accepted)
    assert held(found) == DATA, "also when it was closed"


def test_of_a_file_that_was_read_before_the_rest_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plain"
    path.write_bytes(b"before" + DATA)
    with path.open("rb") as file:
        file.read(6)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file))
        assert held(on_disk("-", max_bytes=MOST, check=accepted)) == DATA


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs files as Unix has them")
def test_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(DATA), daemon=True).start()
    assert held(on_disk(path, max_bytes=MOST, check=accepted)) == DATA


@pytest.mark.parametrize("first", [0, 1, 5, 16])
def test_what_it_is_may_come_in_several_pieces(first: int) -> None:
    checked = list[bytes]()
    data = gzip.compress(DATA[:first]) + gzip.compress(DATA[first:])
    found = spooled([data], "x", max_bytes=MOST, check=checked.append)
    assert held(found) == DATA
    assert len(checked) == 1
    assert len(checked[0]) >= 16


def test_of_what_is_cut_off_the_part_before_is_there() -> None:
    cut = gzip.compress(DATA)[:-5_000]
    found = spooled([cut], "x", max_bytes=MOST, check=accepted)
    assert DATA.startswith(held(found))
    assert found.lost == "the gzip stream is cut off"
    mixed = spooled(
        [gzip.compress(DATA), b"and more that is no gzip"], "x", max_bytes=MOST, check=accepted
    )
    assert held(mixed) == DATA
    assert mixed.lost.startswith("something that is not gzip follows the gzip stream")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_more_than_the_cap_is_refused_with_the_option(pack: type[bytes]) -> None:
    with pytest.raises(SourceError, match=r"x is larger than 5,119,999 bytes.*--max-bytes"):
        spooled([pack(DATA)], "x", max_bytes=MOST - 1, check=accepted)


def test_a_bomb_is_not_blown_up() -> None:
    taken = 0

    def check(piece: bytes) -> None:
        nonlocal taken
        taken += len(piece)

    layers = gzip.compress(bytes(256 << 20))
    with pytest.raises(SourceError, match="if you trust it"):
        spooled([layers], "x", max_bytes=1 << 20, check=check)
    assert taken <= 1 << 20


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", gzip.compress(b"", mtime=0)])
def test_nothing_is_refused(data: bytes) -> None:
    def check(head: bytes) -> None:
        if not head:
            raise FormatError("it is empty")

    with pytest.raises(FormatError, match=r"it is empty|cut off"):
        spooled([data], "x", max_bytes=MOST, check=check)


def test_what_is_of_no_use_is_read_no_further() -> None:
    def pieces() -> object:
        yield b"not this, nor that"
        raise AssertionError("it was read on")

    def check(_: bytes) -> None:
        raise FormatError("not this")

    with pytest.raises(FormatError, match="not this"):
        spooled(pieces(), "x", max_bytes=MOST, check=check)  # type: ignore[arg-type]


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = spooled([DATA], "x", max_bytes=MOST, check=accepted)
    assert held(found) == DATA
    assert [*tmp_path.iterdir()] == [], "it has no name that could stay behind"
    before = len([*Path("/dev/fd").iterdir()])
    del found
    assert len([*Path("/dev/fd").iterdir()]) == before - 1


def test_a_folder_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(SourceError, match="set TMPDIR"):
        spooled([DATA], "x", max_bytes=MOST, check=accepted)


def test_what_standard_input_begins_with_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(DATA, monkeypatch)
    given = StandardInput()
    assert given.head(3) == DATA[:3]
    assert given.head(9) == DATA[:9]
    assert b"".join(given.pieces()) == DATA


def test_standard_input_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="standard input is closed; name a file"):
        StandardInput()
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "rb") as terminal, os.fdopen(ours, "rb"):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=terminal))
        with pytest.raises(UsageError, match="standard input is this terminal"):
            on_disk("-", max_bytes=MOST, check=accepted)


def test_standard_input_is_one_file() -> None:
    check_named_once(["-", "a", None, Path("b")])
    with pytest.raises(UsageError, match="named more than once; write one of them"):
        check_named_once(["-", "a", "-"])


@pytest.mark.parametrize(
    ("where", "title"),
    [("-", "standard input"), ("/srv/app.trace", "app.trace"), ("/dev/fd/63", "/dev/fd/63"),
     ("http://orders:6060/debug/pprof/heap", "http://orders:6060/debug/pprof/heap")],
)  # fmt: skip
def test_what_a_report_is_titled_by(where: str, title: str) -> None:
    assert short_name(where) == title


def test_a_pipe_of_a_command_is_called_by_its_path() -> None:
    reading, writing = os.pipe()
    trace = recorded("go", "cpu").read_bytes()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(trace)

    threading.Thread(target=write, daemon=True).start()
    report = gocost.attribute(trace=f"/dev/fd/{reading}")
    os.close(reading)
    assert report.subject.service == f"/dev/fd/{reading}"


@pytest.mark.parametrize("where", ["none", "."])
def test_what_cannot_be_read(where: str, tmp_path: Path) -> None:
    with pytest.raises(GocostError, match=r"does not exist|is a folder"):
        on_disk(tmp_path / where, max_bytes=MOST, check=accepted)
