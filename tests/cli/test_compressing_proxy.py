"""A service behind a proxy that compresses its answers, whatever it was asked for."""

from __future__ import annotations

import http.client
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import gocost
from gocost.cli.main import run
from gocost.measures.manifest import read_manifest
from tests.fixtures.answering import Quiet, answering
from tests.fixtures.attributed import attributed

PAGES = "{url}/debug/pprof"
DOORS = (
    ["trace", "gc", "{url}", "--seconds", "1", "--keep", "app.trace"],
    ["goroutines", "{url}"],
    ["profile", "top", "{url}", "--seconds", "1"],
    ["profile", "top", PAGES + "/heap"],
    ["profile", "top", PAGES + "/heap?debug=1"],
    ["query", PAGES + "/trace?seconds=1", "select count(*) from goroutines"],
    ["attribute", "--profile", PAGES + "/heap", "--trace", PAGES + "/trace?seconds=1"],
    ["runtime", "{url}", "--every", "100ms"],
    ["portrait", "--url", "{url}", "--for", "1s"],
)


@contextmanager
def compressing(origin: str, *, encoding: str = "gzip", cut: int = 0) -> Iterator[str]:
    """A proxy that compresses as answers come; its URL. With `cut` an answer ends after so many
    bytes of it.
    """
    where = urlsplit(origin).netloc

    class Handler(Quiet):
        def do_GET(self) -> None:
            behind = http.client.HTTPConnection(where, timeout=60)
            behind.request("GET", self.path)
            answer = behind.getresponse()
            self.send_response(answer.status)
            self.send_header("Content-Encoding", encoding)
            self.end_headers()
            packer, sent = zlib.compressobj(wbits=31), 0
            try:
                while piece := answer.read1(1 << 16):
                    packed = packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
                    sent += len(packed)
                    self.wfile.write(packed)
                    if cut and sent >= cut:
                        self.connection.shutdown(socket.SHUT_RDWR)
                        break
                else:
                    self.wfile.write(packer.flush())
            except OSError:
                pass  # whoever asked has left
            behind.close()

    with answering(Handler) as url:
        yield url


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with attributed() as service:
        yield service.origin


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
def test_every_door_reads_what_is_in_it(
    door: list[str], origin: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with compressing(origin) as url:
        assert run([word.format(url=url) for word in door]) == 0, capsys.readouterr()
    for trace in folder.glob("*.trace"):
        assert trace.read_bytes().startswith(b"go 1."), "what is kept every tool can open"


def test_a_recording_is_whole(origin: str, folder: Path) -> None:
    with compressing(origin) as url:
        gocost.record(url, 2, folder / "recording")
    lost = {part.kind: part.lost for part in read_manifest(folder / "recording").parts if part.lost}
    assert {*lost} <= {"metrics"}, lost
    assert {"cpu", "memory", "waiting"} <= {*gocost.attribute(folder / "recording").tables}


def test_of_a_trace_that_breaks_off_what_is_whole_counts(
    origin: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gocost.trace(origin, seconds=2.5, keep="whole.trace")
    assert whole.tables
    most = len(zlib.compress(Path("whole.trace").read_bytes())) * 2 // 3
    with compressing(origin, cut=most) as url:
        assert run(["trace", "gc", url, "--seconds", "60", "--keep", "cut.trace"]) == 0
    told = capsys.readouterr()
    assert "recorded in cut.trace, which broke off: " in told.err
    assert "its gzip is cut off" in told.err
    assert "cut.trace: " in told.out


def test_another_encoding_is_named(
    origin: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with compressing(origin, encoding="br") as url:
        assert run(["trace", "gc", url, "--seconds", "1"]) == 3
    told = capsys.readouterr().err
    assert "answered in the encoding 'br'; have the proxy before the service leave" in told
    assert told.count("\n") == 1
    assert [*folder.iterdir()] == []
