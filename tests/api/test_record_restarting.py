"""gocost.record of a service that dies behind a proxy, or is started anew: one process is billed.

What is recorded for ten minutes would take longer than a test may, were it not noticed.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import gocost
from gocost.formats.runtime_page import RuntimePage, decode
from gocost.measures import recording
from gocost.measures.listening import Listening
from gocost.measures.manifest import Manifest, read_manifest
from gocost.measures.same_process import another_process
from gocost.sources.endpoints import Absence, absent
from tests.fixtures.answering import Quiet
from tests.fixtures.answering import answering as serving
from tests.fixtures.restarting import between, only_one_is_billed, recorded_live, restarting
from tests.fixtures.watched import eventually, free_port, misbehaving

LONG = 600
"""Seconds."""


def then(do: Callable[[], object], when: Callable[[], bool]) -> None:
    """Does that in a thread of its own, as soon as it holds."""

    def watch() -> None:
        eventually(when, 60)
        do()

    threading.Thread(target=watch, daemon=True).start()


def answering(status: int, connection: socket.socket) -> None:
    connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())


def lived(manifest: Manifest) -> float:
    """Seconds until it was seen to be gone."""
    return (manifest.ended_ns - manifest.clocks[0].at_ns) / 1e9


@pytest.mark.parametrize("tunnel", [False, True], ids=["proxy", "tunnel"])
def test_a_service_that_dies_behind_what_goes_on_listening(tmp_path: Path, tunnel: bool) -> None:
    folder, told = tmp_path / "recording", list[str]()
    with restarting() as service, between(service, tunnel=tunnel) as url:
        then(service.kill, (folder / "cpu.pb.gz").exists)
        gocost.record(url, LONG, folder, announce=told.append)
        service.start()
    manifest = read_manifest(folder)
    assert 0 < lived(manifest) < LONG / 2
    assert not manifest.restarted
    says = "ends every connection" if tunnel else "answers 502"
    assert len(told) == 1
    assert told[0].startswith("the service ended ")
    assert told[0].endswith(says)

    report = gocost.attribute(folder)
    assert "memory" in report.tables, "what came before it ended counts"
    assert "until then counts, without trace, goroutines" in report.notes[0].text
    assert says in report.notes[0].text


@pytest.mark.parametrize("proxy", [False, True], ids=["direct", "proxy"])
def test_a_service_that_is_started_anew_at_once(
    tmp_path: Path, proxy: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "recording"
    with restarting() as service, between(service) as before:
        then(service.restart, (folder / "cpu.pb.gz").exists)
        url = before if proxy else service.url
        manifest = recorded_live(url, LONG, folder)
    told = capsys.readouterr()
    assert manifest.restarted
    assert 0 < lived(manifest) < LONG / 2
    (said,) = [line for line in told.err.splitlines() if "anew" in line]
    assert "was started anew" in said
    assert "another process answers since then: it started" in said
    assert "after the first" in said
    assert "Memory" in told.out
    assert "without trace, goroutines" in " ".join(told.out.split())


def test_what_the_second_process_gave_is_kept_and_not_billed(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with restarting() as service:

        def progress(text: str) -> None:
            if text == "snapshots after the window":
                service.restart()

        gocost.record(service.url, 1, folder, progress=progress)
    manifest = read_manifest(folder)
    assert manifest.restarted
    assert (folder / "metrics-2.txt").exists()
    only_one_is_billed(folder)
    report = gocost.attribute(folder)
    assert "memory" in report.tables
    assert "without metrics, memstats, heap" in report.notes[0].text


@pytest.mark.parametrize("page", ["/metrics", "/debug/vars", "/debug/pprof/heap?debug=1"])
def test_a_page_tells_its_process_from_another(page: str) -> None:
    with restarting() as service:
        service.get("/debug/pprof/heap?gc=1")
        first = decode(service.get(page))
        service.get("/debug/pprof/heap?gc=1")
        assert another_process(first, decode(service.get(page))) == ""
        service.restart()
        assert another_process(first, decode(service.get(page)))

        def further() -> bool:
            service.get("/debug/pprof/heap?gc=1")
            now = decode(service.get(page))
            counters = ("/gc/heap/allocs:bytes", "/gc/cycles/total:gc-cycles")
            return all(now.values[name] > 2 * first.values[name] for name in counters)

        eventually(further, 60)
        why = another_process(first, decode(service.get(page)))
    assert why.startswith("it started" if page == "/metrics" else "its collection 1 ended")


@pytest.mark.parametrize(
    ("moved", "another"), [(0.01, False), (-1.0, False), (1.01, False), (0.5, True), (60.0, True)]
)
def test_a_clock_that_was_set_starts_no_process(moved: float, another: bool) -> None:
    first, second = (RuntimePage("metrics", {}, started=1.7e9 + at) for at in (0, moved))
    why = another_process(first, second)
    assert why.startswith("it started") == another


def test_where_no_service_is() -> None:
    port = free_port()
    nothing = f"nothing listens at http://127.0.0.1:{port} any more"
    assert absent(f"http://127.0.0.1:{port}") == Absence(nothing, sure=True)
    found = absent(f"https://127.0.0.1:{port}/debug/pprof?x=1")
    assert found == Absence(nothing.replace("http:", "https:"), sure=True)
    assert not absent("http://no.such.host.invalid:80"), "that a name is not known tells nothing"
    for status, gone in ((502, True), (503, True), (504, True), (500, False), (404, False)):
        with misbehaving(partial(answering, status)) as url:
            assert bool(absent(url)) == gone
    with misbehaving(lambda _: None) as url:
        found = absent(url)
        assert found is not None
        assert "ends every connection" in found.why
        assert not found.sure


def test_a_service_that_is_slow_is_there() -> None:
    """What ends the waiting breaks the connection, which is not the service's doing."""

    def holding(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass

    with misbehaving(holding) as url:
        assert [absent(url, within=0.2) for _ in range(3)] == [None, None, None]


class Choosy(Quiet):
    """A service that gives one page, and answers the others as a proxy does for a dead one."""

    def do_GET(self) -> None:
        given = self.path == "/metrics"
        self.send_response(200 if given else 503)
        self.end_headers()
        self.wfile.write(b"go_goroutines 7\n" if given else b"")


def test_a_service_that_answers_503_to_some_pages_is_there(tmp_path: Path) -> None:
    with serving(Choosy) as url:
        gocost.record(url, 1, tmp_path / "recording")
    manifest = read_manifest(tmp_path / "recording")
    assert {part.kind for part in manifest.parts if not part.lost} == {"metrics"}
    assert manifest.ended == ""


def test_looks_at_a_service_are_not_held_on_to(tmp_path: Path) -> None:
    """There are tens of thousands of them in a day."""
    with serving(Choosy) as url:
        recorder = recording._Recorder(recording.Request(url, 1, tmp_path), Listening([url]))
        recorder.first("metrics", "metrics-1.txt", [f"{url}/metrics"], until=time.monotonic() + 20)
        held = len(recorder._open)
        for _ in range(3):
            recorder.look()
        assert recorder.ended_ns == 0
        assert len(recorder._open) == held
