"""`gocost trace` of a running service: recorded, kept, and looked at."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.fixtures.attributed import attributed
from tests.fixtures.traces import recorded

NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_service_is_recorded_and_what_was_recorded_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with attributed() as service:
        assert run(["trace", "goroutines", service.origin, "--seconds", "1"]) == 0
    told = capsys.readouterr()

    (kept,) = folder.iterdir()
    assert told.err == f"recorded in {kept.name}\n"
    assert told.out.startswith(f"{kept.name}: ")
    assert ".Other" in told.out, "a name may be cut, but not its end"
    assert run(["trace", "waits", kept.name]) == 0


def test_of_a_recording_that_breaks_off_the_whole_part_counts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = recorded("go", "all", 1.5).read_bytes()

    class Dying(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/debug/pprof/trace?seconds=2"
            assert self.headers["Authorization"] == "Bearer s3cr3t"
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) * 3 // 4])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Dying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        words = ["--seconds", "2", "--header", "Authorization: Bearer s3cr3t"]
        code = run(["trace", "summary", url, *words])
        server.shutdown()

    told = capsys.readouterr()
    assert "gocost: it broke off: " in told.err
    assert "s3cr3t" not in told.err + told.out
    (kept,) = folder.iterdir()
    assert kept.stat().st_size == len(data) * 3 // 4
    assert code == 0
    assert "generation" in told.out, "what was lost is said"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["summary", NOBODY], "nothing listens there"),
        (["summary", NOBODY, "--from", "2"], "--from is a time with its unit"),
        (["summary", NOBODY, "--from", "2s", "--to", "1s"], "before --to"),
        (["slice", NOBODY, "-o", "x", "--to", "2"], "--to is a time with its unit"),
        (["summary", "a.trace", "--seconds", "2"], "--seconds is about recording a service"),
    ],
)
def test_a_refusal_leaves_no_file(
    words: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trace", *words]) in (2, 3)
    assert says in capsys.readouterr().err
    assert [*folder.iterdir()] == []
