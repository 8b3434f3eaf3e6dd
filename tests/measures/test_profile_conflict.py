"""A CPU profile that a service refuses, as one is being recorded already: by whom."""

from __future__ import annotations

import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gocost
from gocost.analyses.goroutines.profiler import profiler
from gocost.cli.main import run
from gocost.formats.goroutine_dump.decoding import decode
from gocost.measures.manifest import read_manifest
from tests.fixtures.answering import Quiet, answering
from tests.fixtures.binaries import Recipe, built

REFUSED = b"Could not enable CPU profiling: cpu profiling already in use\n"


@contextmanager
def profiling(itself: str) -> Iterator[str]:
    """A service that profiles itself; its URL."""
    with subprocess.Popen(
        [built(Recipe(program="profiling")), f"--itself={itself}"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://{process.stdout.readline().strip()}"
        finally:
            process.kill()


@contextmanager
def client(url: str, seconds: int) -> Iterator[None]:
    """Somebody else who records the service's profile, and has begun."""
    page = f"{url}/debug/pprof/profile?seconds={seconds}"
    other = threading.Thread(target=lambda: urllib.request.urlopen(page).close())
    other.start()
    written(url)
    yield
    other.join()


def goroutines(url: str) -> bytes:
    with urllib.request.urlopen(f"{url}/debug/pprof/goroutine?debug=2") as answer:
        return bytes(answer.read())


@pytest.mark.parametrize(
    ("itself", "says"),
    [
        ("steadily", r"in use, by goroutine \d+, in main\.continuously main\.go:\d+; have it stop"),
        ("once", r"in use, by goroutine \d+, which has ended; have it stop"),
    ],
)
def test_a_service_that_profiles_itself(
    itself: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with profiling(itself) as url:
        assert run(["profile", "top", url]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(says, line), line


def test_another_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with profiling("") as url, client(url, 6):
        assert run(["profile", "top", f"{url}/debug/pprof/profile?seconds=1"]) == 3
        gocost.record(url, 1, tmp_path / "recording")
    says = r"in use, by another client of its /debug/pprof/profile \(goroutine \d+\); try again"
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(says, line), line
    report = gocost.attribute(tmp_path / "recording")
    assert any(re.search(f"cpu of the recording is lost: .*{says}", n.text) for n in report.notes)
    had = {part.kind for part in read_manifest(tmp_path / "recording").parts if not part.lost}
    assert had >= {"heap", "trace", "goroutines"}, "the rest goes on"
    assert {"memory", "waiting"} <= set(report.tables)


def written(url: str) -> bytes:
    """The goroutines of a service, once the one that writes the profile has run."""
    deadline = time.monotonic() + 30
    while b"runtime/pprof.profileWriter" not in (text := goroutines(url)):
        assert time.monotonic() < deadline, "nobody profiles"
        time.sleep(0.02)
    return text


def test_a_writer_that_has_not_run_yet_is_one() -> None:
    with profiling("steadily") as url:
        text = written(url)
    wrapped = b"runtime/pprof.StartCPUProfile.gowrap1()"
    fresh = re.sub(rb"runtime/pprof\.profileWriter\(.*\)", wrapped, text)
    assert b"profileWriter" not in fresh
    assert re.match(r"by goroutine \d+, in main\.continuously", profiler(decode([fresh]))[0])


def test_what_the_goroutines_do_not_say() -> None:
    with profiling("steadily") as url:
        text = written(url)
    text = re.sub(rb"runtime/pprof\.StartCPUProfile\.gowrap\d\(\)", b"wrap()", text)
    assert profiler(decode([text.replace(b"profileWriter", b"other")]))[0].endswith("meanwhile")
    older = re.sub(rb"(StartCPUProfile) in goroutine \d+", rb"\1", text)
    assert "too old" in profiler(decode([older]))[0]


def test_a_service_without_its_goroutines_says_what_it_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Handler(Quiet):
        def do_GET(self) -> None:
            busy = self.path.startswith("/debug/pprof/profile")
            self.send_response(500 if busy else 403)
            self.end_headers()
            self.wfile.write(REFUSED if busy else b"no")

    with answering(Handler) as url:
        assert run(["profile", "top", url]) == 3
    told = capsys.readouterr().err
    assert told.endswith("cpu profiling already in use; try again when that profile has ended\n")
