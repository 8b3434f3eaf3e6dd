"""gocost.record: services that hang, drip or break off hold nobody up, and leave what is whole; nor
do those that answer with pages for people.
"""

from __future__ import annotations

import contextlib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

import gocost
from gocost.cli.attribute import command
from gocost.measures.manifest import read_manifest
from gocost.model.errors import GocostError, SourceError, UsageError
from tests.fixtures.answering import Quiet, answering
from tests.fixtures.attributed import attributed
from tests.fixtures.profiles import shared
from tests.fixtures.watched import misbehaving

OK = b"HTTP/1.1 200 OK\r\n"
LONG = 60
"""Seconds: less than one page alone would drip, and more than a busy machine needs."""


def drip(connection: socket.socket) -> None:
    connection.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.1)


Spoil = Callable[[str, socket.socket], bool]
"""Answers a path itself, or says that it does not."""


@contextmanager
def between(origin: str, spoil: Spoil) -> Iterator[str]:
    """A service that passes requests on to another, but for those that it spoils; its URL."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                if spoil(self.path, self.connection):
                    self.close_connection = True
                    return
                try:
                    with urllib.request.urlopen(f"{origin}{self.path}", timeout=60) as answer:
                        status, body = answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    status, body = error.code, error.read()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

    with answering(Handler) as url:
        yield url


def test_a_service_that_drips_everything_is_given_up(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    began = time.monotonic()
    with misbehaving(drip) as url, pytest.raises(SourceError, match=r"broke off: removed"):
        gocost.record(url, 1, folder, patience=2)
    assert time.monotonic() - began < LONG
    assert not folder.exists()


def test_one_page_that_drips_costs_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "recording"

    def spoil(path: str, connection: socket.socket) -> bool:
        if path.startswith("/metrics"):
            drip(connection)
        return path.startswith("/metrics")

    began = time.monotonic()
    with (
        attributed() as service,
        between(service.origin, spoil) as url,
    ):
        gocost.record(url, 2, folder, patience=20)
    assert time.monotonic() - began < LONG
    parts = read_manifest(folder).parts
    lost = {part.kind: part.lost for part in parts if part.lost}
    assert {*lost} == {"metrics"}
    assert "raise --patience" in lost["metrics"]
    assert len([part for part in parts if part.kind == "metrics"]) == 1, "it is not asked again"
    assert "cpu" in gocost.attribute(folder).tables


def page_for_people(connection: socket.socket) -> None:
    page = b"<!DOCTYPE html><title>Welcome</title>"
    connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(page) + page)


def test_a_page_for_people_is_no_recording(tmp_path: Path) -> None:
    folder = tmp_path / "recording"

    def spoil(path: str, connection: socket.socket) -> bool:
        """As services do whose pages the browser makes: they answer any path with the first."""
        if path.startswith("/debug/pprof"):
            return False
        page_for_people(connection)
        return True

    with attributed() as service, between(service.origin, spoil) as url:
        gocost.record(url, 2, folder)
    parts = read_manifest(folder).parts
    assert {part.kind for part in parts if part.lost} == {"metrics"}
    (lost,) = {part.lost for part in parts if part.lost}
    assert lost.startswith(f"{url}/metrics is a web page: correct the URL, or pass credentials")
    assert not [*folder.glob("metrics*")]
    assert (folder / "memstats-1.txt").is_file(), "the next place that has it was asked"
    assert "cpu" in gocost.attribute(folder).tables


def test_a_service_behind_a_login_gives_nothing(tmp_path: Path) -> None:
    with (
        misbehaving(page_for_people) as url,
        pytest.raises(SourceError, match=r"nothing could be recorded: .* is a web page: correct"),
    ):
        gocost.record(url, 1, tmp_path / "recording", patience=4)
    assert not (tmp_path / "recording").exists()


def test_a_trace_that_broke_off_is_kept_when_nothing_else_is_had(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/trace?seconds=3"
        with urllib.request.urlopen(page, timeout=30) as answer:
            trace = answer.read()

    def spoil(path: str, connection: socket.socket) -> bool:
        if "/trace" in path:
            head = OK + b"Content-Length: %d\r\n\r\n" % len(trace)
            connection.sendall(head + trace[: len(trace) * 2 // 3])
        elif "/profile" in path:
            drip(connection)
        else:
            connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno")
        return True

    with between("http://127.0.0.1:9", spoil) as url:
        gocost.record(url, 2, folder, patience=4)
    report = gocost.attribute(folder)
    assert "waiting" in report.tables
    assert any("of the recording is lost" in note.text for note in report.notes)


def told(*arguments: str) -> str:
    with pytest.raises(GocostError) as caught:
        CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return f"{caught.value}"


@pytest.mark.parametrize("length", ["0", "x", "1h30", "0s", "1.5s", "-3s"])
def test_a_length_that_cannot_be_says_what_to_type(length: str) -> None:
    assert "write for example --for 30s" in told("--live", "http://127.0.0.1:9", f"--for={length}")


def test_patience_is_a_time() -> None:
    said = told("--live", "http://127.0.0.1:9", "--patience", "much")
    assert "write for example --patience" in said
    with pytest.raises(UsageError, match="patience is 1 to"):
        gocost.record("http://127.0.0.1:9", 1, patience=0)


def test_a_malformed_profile_ends_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "cpu.pb"
    path.write_bytes(b"\x0a\x04\x08\x01\x10\x02\x12\xff\xff")
    assert "record or copy it again" in told("--profile", str(path))


@pytest.mark.parametrize(
    "more",
    [("--profile", "cpu.pb.gz"), ("--trace", "app.trace"), ("--goroutines", "dump.txt"),
     ("--metrics", "http://127.0.0.1:9/a", "--metrics", "http://127.0.0.1:9/b")],
)  # fmt: skip
def test_what_a_recording_does_not_take_is_said_before_it(more: tuple[str, ...]) -> None:
    assert "leave out --profile" in told("--live", "http://127.0.0.1:9", *more)


@pytest.mark.parametrize(
    ("option", "says"),
    [(("--by", "nothing"), "not sorted by 'nothing'"), (("--by", "task", "--no-trace"), "tasks"),
     (("--policy", "missing.yaml"), "missing.yaml"), (("--binary", "missing"), "missing"),
     (("--base", "missing.json"), "missing.json"), (("--codeowners", "x"), "--by owner")],
)  # fmt: skip
def test_what_is_wrong_of_the_bill_is_said_before_a_recording(
    option: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in told("--live", "http://127.0.0.1:9", *option)
    assert [*tmp_path.iterdir()] == []


def test_a_base_of_other_rows_is_refused_before_a_recording(tmp_path: Path) -> None:
    base, keep = tmp_path / "base.json", tmp_path / "kept"
    saved = ["--profile", str(shared("large.cpu.pb.gz")), "--by", "package"]
    assert CliRunner().invoke(command, [*saved, "--format", "json", "-o", str(base)]).exit_code == 0
    said = told("--live", "http://127.0.0.1:9", "--keep", str(keep), "--base", str(base))
    assert "is by package, and this is by function" in said
    assert not keep.exists()


@pytest.mark.parametrize("option", [("--keep", "folder"), ("--pid", "1"), ("--no-trace",)])
def test_what_is_about_recording_needs_a_service(option: tuple[str, ...], tmp_path: Path) -> None:
    said = told(str(tmp_path), *option)
    assert said == f"{option[0]} is about recording; add --live URL, or leave it out"
