"""Files are known by what stands in them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from gocost.cli.main import run
from gocost.formats.recognition import HEAD, Kind, archive, recognise
from tests.fixtures.collected import pages
from tests.fixtures.profiles import shared


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (gzip.compress(b"hello\n", mtime=0), Kind.PACKED),
        (gzip.compress(b"go_goroutines 5\n", mtime=0), Kind.PACKED),
        (gzip.compress(b"", mtime=0), Kind.EMPTY),
        (gzip.compress(b"\x0a\x04\x08\x01\x10\x02\x0a\x04", mtime=0), Kind.PROFILE),
        (gzip.compress(b"\x32\x00\x32\x03cpu\x0a\x04\x08\x01\x10\x02", mtime=0), Kind.PROFILE),
        (gzip.compress(b"heap profile: 1: 2 [3: 4] @ heap/1\n", mtime=0), Kind.PROFILE),
        (gzip.compress(b"go 1.26 trace\0\0\0", mtime=0), Kind.TRACE),
        (gzip.compress(b"goroutine 1 [running]:\nmain.main()\n", mtime=0)[:-9], Kind.DUMP),
        (b"\x1f\x8bno gzip", Kind.PACKED),
        (b"\x0a\x04\x08\x01\x10\x02\x0a\x04", Kind.PROFILE),
        (b"heap profile: 1: 2 [3: 4] @ heap/1\n", Kind.PROFILE),
        (b"".join(word.to_bytes(8, "little") for word in (0, 3, 0, 10_000, 0)), Kind.PROFILE),
        (b"heap profile: 1: 2 [3: 4] @\n\n# runtime.MemStats\n# Alloc = 1\n", Kind.HEAP),
        (b"go 1.26 trace\0\0\0", Kind.TRACE),
        (b"goroutine 1 [running]:\nmain.main()\n", Kind.DUMP),
        (b"2026/01/01 panic: no\n\ngoroutine 1 [running]:\nmain.main()\n", Kind.DUMP),
        (b"goroutine profile: total 3\n", Kind.DUMP),
        (b"ready\ngc 1 @0.009s 4%: 0.072+1.5+0.004 ms clock\n", Kind.GCTRACE),
        (b'{\n  "schema": "gocost.report/1", "command": "size"}', Kind.REPORT),
        (b'{"cmdline": ["a"], "memstats": {}}', Kind.VARS),
        (b'{"other": 1}', Kind.UNKNOWN),
        (b"# HELP go_goroutines Number\n# TYPE go_goroutines gauge\n", Kind.METRICS),
        (b'up{job="a"} 1\n', Kind.METRICS),
        (b"go_memstats_next_gc_bytes +Inf\n", Kind.METRICS),
        (b"# gocost\n\nPlain words {in braces} of a page, 12 of them.\n", Kind.UNKNOWN),
        (b"\x7fELF\x02", Kind.BINARY),
        (b"<!DOCTYPE html>", Kind.PAGE),
        (b" \n", Kind.EMPTY),
        (b"\0\0\0\0", Kind.UNKNOWN),
        (b"\x28\xb5\x2f\xfd\x04\x00", Kind.ZSTD),
        (bz2.compress(b"hello"), Kind.BZIP2),
        (lzma.compress(b"hello"), Kind.XZ),
    ],
)
def test_kinds(head: bytes, kind: Kind) -> None:
    found = recognise(head)
    assert found.kind is kind
    assert found.hint


@pytest.mark.parametrize("name", ["txt", "om", "usual"])
def test_real_metrics_pages(name: str) -> None:
    assert recognise(pages().data[name][0]).kind is Kind.METRICS


def test_real_logs_and_vars() -> None:
    assert recognise(pages().log).kind is Kind.GCTRACE
    assert recognise(pages().data["vars"][0]).kind is Kind.VARS


GCTRACE = b"gc 1 @0.009s 4%: 0.072+1.5+0.004 ms clock\n"
METRICS = b"# TYPE go_goroutines gauge\ngo_goroutines 3\n"
TRACE = b"go 1.26 trace\0\0\0"
DUMP = b"goroutine 1 [running]:\nmain.main()\n"
PROFILE = b"\x0a\x04\x08\x01\x10\x02\x32\x00"


def zipped(data: bytes) -> bytes:
    """An archive of one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("profile.pb", data)
    return made.getvalue()


def tarred(data: bytes) -> bytes:
    """As tar makes it, whose name would also be read as a field of a profile."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("P" * 60)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


@pytest.mark.parametrize("data", [b"", PROFILE, bytes(9000)])
def test_archives_are_told_by_what_their_own_tools_write(data: bytes) -> None:
    made = (zipped(data), tarred(data), bz2.compress(data), lzma.compress(data))
    assert [archive(each[:HEAD]) for each in made] == [Kind.ZIP, Kind.TAR, Kind.BZIP2, Kind.XZ]
    for format_ in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        assert archive(tarfile.TarInfo("name").tobuf(format_)) is Kind.TAR


@pytest.mark.parametrize("text", [b"BZhandler;main 10\n", b"m;" + b"x" * 255 + b"ustar;y 3\n"])
def test_a_text_with_letters_of_an_archive_is_none(text: bytes) -> None:
    assert archive(text) is None
    assert recognise(text).kind not in {Kind.TAR, Kind.BZIP2}


ZIP = "a zip archive"
UNZIP = "unpack it first: unzip FILE"


@pytest.mark.parametrize(
    ("command", "data", "says"),
    [
        ("profile top FILE", zipped(PROFILE), f"this is {ZIP}, not a profile; {UNZIP}"),
        ("profile trend FILE", zipped(PROFILE), f"this is {ZIP}, not a profile; {UNZIP}"),
        ("profile view FILE", zipped(PROFILE), f"this is {ZIP}, not a profile; {UNZIP}"),
        ("trace summary FILE", zipped(TRACE), f"this is {ZIP}, not an execution trace; {UNZIP}"),
        ("goroutines FILE", zipped(DUMP), f"this is {ZIP}, not a goroutine dump; {UNZIP}"),
        ("runtime FILE", zipped(METRICS), f"is {ZIP}, and not a metrics page"),
        ("attribute --profile FILE", zipped(PROFILE), f"this is {ZIP}, not a profile; {UNZIP}"),
        (
            "attribute --trace FILE",
            zipped(TRACE),
            f"this is {ZIP}, not an execution trace; {UNZIP}",
        ),
        ("query FILE show", zipped(PROFILE), f"is {ZIP}, and not what can be queried; {UNZIP}"),
        (
            "profile top FILE",
            gzip.compress(tarred(PROFILE), mtime=0),
            "this is a tar archive, not a profile; unpack it first: tar -xf FILE",
        ),
        (
            "query FILE show",
            gzip.compress(tarred(PROFILE), mtime=0),
            "is gzip of a tar archive, and not what can be queried; unpack it first: tar -xf FILE",
        ),
    ],
)
def test_an_archive_is_named_with_what_unpacks_it(
    command: str, data: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)

    assert run([str(path) if word == "FILE" else word for word in command.split()]) == 3

    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "data", "says"),
    [
        ("profile top", METRICS, "this is a metrics page, not a profile; see `gocost runtime`"),
        ("profile top", GCTRACE, "this is a gctrace log, not a profile"),
        ("profile top", gzip.compress(TRACE, mtime=0), "this is an execution trace, not a profile"),
        ("trace summary", METRICS, "this is a metrics page, not an execution trace"),
        ("trace summary", DUMP, "not an execution trace; see `gocost goroutines`"),
        (
            "trace summary",
            gzip.compress(TRACE, mtime=0),
            "it has no events",
        ),
        (
            "trace summary",
            gzip.compress(b"hello\n", mtime=0),
            "this is gzip of nothing that gocost reads, not an execution trace",
        ),
        (
            "trace summary",
            gzip.compress(PROFILE, mtime=0),
            "this is a profile, not an execution trace",
        ),
        (
            "trace view",
            PROFILE,
            "this is a profile, not an execution trace; see `gocost profile view`",
        ),
        ("profile view", TRACE, "see `gocost trace view`"),
        (
            "goroutines",
            gzip.compress(PROFILE * 50, mtime=0)[:-9],
            "the gzip stream is cut off; record or copy it again",
        ),
        ("runtime", gzip.compress(METRICS, mtime=0), "is gzip of a metrics page, and not"),
        ("goroutines", METRICS, "this is a metrics page, not a goroutine dump"),
        ("goroutines", GCTRACE, "this is a gctrace log, not a goroutine dump"),
        ("runtime", DUMP, "is a goroutine dump, and not a metrics page"),
    ],
)
def test_every_command_says_what_a_wrong_file_is(
    command: str, data: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert run([*command.split(), str(path)]) == 3
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "said", "hint"),
    [
        (b"hello\n", "gzip of nothing that gocost reads", "check the path"),
        (b"go_goroutines 5\n", "gzip of a metrics page", "unpack it first: gunzip FILE"),
        (b"\x7fELF\x02", "gzip of an executable", "unpack it first: gunzip FILE"),
    ],
)
def test_of_what_no_command_unpacks_it_is_said_what_is_inside(
    data: bytes, said: str, hint: str
) -> None:
    found = recognise(gzip.compress(data))

    assert (str(found), found.hint) == (said, hint)


@pytest.mark.parametrize("name", ["large.cpu.pb.gz", "heapage.in.pprof", "anon.in.pprof"])
def test_a_profile_is_one_packed_or_not_and_whatever_field_is_its_first(name: str) -> None:
    data = shared(name).read_bytes()
    raw = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data

    assert recognise(raw).kind is Kind.PROFILE
    assert recognise(gzip.compress(raw, 1)).kind is Kind.PROFILE
    assert recognise(gzip.compress(raw, 1)[:400]).kind is Kind.PROFILE


def test_a_profile_is_one_wherever_its_beginning_is_cut_off() -> None:
    raw = gzip.decompress(shared("large.cpu.pb.gz").read_bytes())[:600]

    assert {recognise(raw[:end]).kind for end in range(16, len(raw))} == {Kind.PROFILE}


def test_what_is_damaged_is_still_what_it_began_as() -> None:
    for raw, kind in ((PROFILE * 50, Kind.PROFILE), (TRACE, Kind.TRACE), (DUMP, Kind.DUMP)):
        packed = gzip.compress(raw)
        assert recognise(packed[:-8] + bytes(8)).kind is kind
    assert str(recognise(b"\x1f\x8b" + bytes(90))) == "gzip of nothing that gocost reads"
