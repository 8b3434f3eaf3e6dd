"""gocost.record of a service that ends meanwhile: it is noticed, and nobody waits for the rest.

What is recorded for ten minutes would take longer than a test may, were it not noticed.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

import gocost
from gocost.cli.main import run
from gocost.measures.goroutines import Reading as DumpReading
from gocost.measures.manifest import Manifest, read_manifest
from gocost.measures.runtime_metrics import Reading as PageReading
from gocost.model.errors import GocostError
from gocost.sources.endpoints import absent
from tests.fixtures.attributed import Attributed, attributed
from tests.fixtures.watched import eventually, free_port, misbehaving

LONG = 600
"""Seconds."""


def kill(service: Attributed) -> None:
    os.kill(service.pid, signal.SIGKILL)


def killing(service: Attributed, when: Callable[[], bool]) -> None:
    """Kills the service when that holds."""

    def watch() -> None:
        eventually(when, 60)
        kill(service)

    threading.Thread(target=watch, daemon=True).start()


def lost(manifest: Manifest) -> dict[str, str]:
    return {part.kind: part.lost for part in manifest.parts if part.lost}


def lived(manifest: Manifest) -> float:
    """Seconds until it was seen to be gone."""
    return (manifest.ended_ns - manifest.clocks[0].at_ns) / 1e9


def test_a_service_that_dies_early_is_recorded_no_further(tmp_path: Path) -> None:
    folder, told = tmp_path / "recording", list[str]()
    with attributed() as service:
        killing(service, (folder / "cpu.pb.gz").exists)
        gocost.record(service.origin, LONG, folder, announce=told.append)
        origin = service.origin
    manifest = read_manifest(folder)
    assert 0 < lived(manifest) < LONG / 2
    assert {"cpu", "trace", "goroutines"} <= {*lost(manifest)}
    assert [f"into its recording of 10.0 min: nothing listens at {origin} any more"] == [
        text.partition(" ended ")[2].partition(" ")[2].partition(" ")[2] for text in told
    ]

    report = gocost.attribute(folder)
    assert "memory" in report.tables, "what came before it ended counts"
    notes = [note.text for note in report.notes]
    assert notes[0].startswith("the service ended ")
    assert "what was recorded until then counts, without trace, goroutines" in notes[0]
    assert not any("the goroutines of the recording" in text for text in notes[1:])


def test_of_a_service_that_has_gone_no_address_is_to_be_checked(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/cmdline"

        def progress(text: str) -> None:
            if text.startswith("recording for"):
                kill(service)
                eventually(lambda: absent(page) is not None)

        gocost.record(service.origin, LONG, folder, progress=progress)
    profile = lost(read_manifest(folder))["cpu"]
    assert profile.endswith("/debug/pprof/profile: nothing listens there any more")


def test_the_trace_of_a_service_that_dies_in_it_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    trace = folder / "app.trace"

    def begun() -> bool:
        try:
            return bool(gocost.trace(trace).tables)
        except GocostError:
            return False

    with attributed() as service:
        killing(service, begun)
        gocost.record(service.origin, 12, folder)
    assert lived(read_manifest(folder)) < 12
    assert "see whether the service failed" in lost(read_manifest(folder))["trace"]
    assert "waiting" in gocost.attribute(folder).tables


def test_also_where_another_client_has_the_cpu_profile(tmp_path: Path) -> None:
    folder = tmp_path / "recording"

    def another() -> None:
        with pytest.raises((OSError, urllib.error.URLError)):
            urllib.request.urlopen(f"{service.origin}/debug/pprof/profile?seconds={LONG}").read()

    def profiled() -> bool:
        with urllib.request.urlopen(f"{service.origin}/debug/pprof/goroutine?debug=2") as dump:
            return b"profileWriter" in dump.read()

    with attributed() as service:
        threading.Thread(target=another, daemon=True).start()
        eventually(profiled)
        began = time.monotonic()
        killing(service, lambda: folder.exists() and time.monotonic() > began + 3)
        gocost.record(service.origin, LONG, folder)
    manifest = read_manifest(folder)
    assert "cpu profiling already in use" in lost(manifest)["cpu"]
    assert 0 < lived(manifest) < LONG / 2


def test_where_nothing_listens_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"http://127.0.0.1:{free_port()}"
    assert run(["attribute", "--live", url, "--for", f"{LONG}s"]) == 3
    told = capsys.readouterr()
    assert told.err.startswith("gocost: nothing could be recorded: ")
    assert told.err.endswith("nothing listens there; check the address and the port\n")
    assert [*tmp_path.iterdir()] == []


def test_as_long_as_one_address_answers_it_may_be_there(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\ngo_threads 12\n\n"
    with misbehaving(lambda connection: connection.sendall(page[:-1])) as metrics:
        gocost.record(f"http://127.0.0.1:{free_port()}", 2, folder, metrics_url=metrics)
    assert read_manifest(folder).ended_ns == 0


def test_of_dumps_and_readings_those_before_count() -> None:
    with attributed() as service:

        def sleep(_: float) -> None:
            if asleep.pop():
                kill(service)
                eventually(lambda: bool(absent(service.origin)))

        asleep = [True, False]
        report = gocost.goroutines(
            service.origin, dumps=3, every=1, reading=DumpReading(sleep=sleep)
        )
    assert report.notes[0].level == "warning"
    assert report.notes[0].text.startswith("dump 3 of 3 is lost: ")
    assert "changes" in report.tables, "two dumps are compared"

    with attributed() as service:
        asleep = [True]
        health = gocost.runtime(service.origin, every=0.1, reading=PageReading(sleep=sleep))
    assert "reading 2 of 2 is lost: " in health.notes[0].text
    assert health.fact("memory.mapped") is not None
