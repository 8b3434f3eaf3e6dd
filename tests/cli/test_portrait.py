"""`gocost portrait` as it is typed: what it prints, how it exits, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_main import gocost
from tests.fixtures.watched import (
    LINUX,
    REQUESTS,
    eventually,
    free_port,
    members,
    misbehaving,
    running,
    watched,
)

pytestmark = LINUX


def typed(*flags: str, command: str = "{binary} -listen=127.0.0.1:{port}") -> list[str]:
    return [
        *("portrait", "--command", command, "--binary", str(watched())),
        *("--ready", "http://127.0.0.1:{port}/healthz", "--settle", "100 ms", *flags),
    ]


def test_a_command_without_a_policy(tmp_path: Path) -> None:
    load = f"{sys.executable} {REQUESTS} http://127.0.0.1:{{port}}/work 20 1"
    done = gocost(
        *typed("--load-command", load, "--duration", "1s", "--format", "json"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["command"] == "portrait"
    metrics = {fact["metric"] for fact in report["facts"]}
    assert {"memory.rss.peak", "gc.pause.count", "process.ready.time"} <= metrics
    unmeasured = {row[0]: row[1:] for row in report["tables"]["unmeasured"]["rows"]}
    assert unmeasured["memory.heap.live"][0] == "skipped"
    # twenty small requests make no collection, or too few pauses for a p99
    pauses = {fact["metric"]: fact["value"] for fact in report["facts"]}["gc.pause.count"]
    assert unmeasured["gc.pause.p99"][0] == ("unknown" if pauses else "skipped")
    assert ("gc.pause.max" in metrics) is bool(pauses)
    assert not metrics & set(unmeasured)
    assert done.stderr == ""


def test_a_pid_as_text() -> None:
    with running("-pages=vars,pprof") as (child, url):
        done = gocost("portrait", "--pid", str(child.pid), "--url", url, "--for", "500 ms")
    assert done.returncode == 0, done.stderr
    assert "memory.rss.steady" in done.stdout
    assert "goroutines.load" in done.stdout
    assert "Phases" in done.stdout


def test_a_pid_without_a_url_says_how_to_name_one() -> None:
    with running() as (child, _):
        done = gocost("portrait", "--pid", str(child.pid), "--for", "500 ms")
    assert done.returncode == 0
    assert "--url names it" in " ".join(done.stdout.split())


def test_no_such_pid() -> None:
    done = gocost("portrait", "--pid", str(2**22 + 1))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"gocost: there is no process {2**22 + 1}; `ps -e` lists them\n"


def test_a_url_where_nothing_listens() -> None:
    done = gocost("portrait", "--url", f"127.0.0.1:{free_port()}", "--for", "100 ms")
    assert done.returncode == 3
    assert "nothing listens there" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_pid_whose_url_tells_nothing_shows_the_process_and_fails() -> None:
    with running("-pages=vars") as (child, _):
        url = f"127.0.0.1:{free_port()}"
        done = gocost("portrait", "--pid", str(child.pid), "--url", url, "--for", "500 ms")
    assert done.returncode == 3
    assert "memory.rss.steady" in done.stdout
    assert "nothing listens there" in done.stderr
    assert done.stderr.endswith("; check the address and the port\n")


def test_a_url_that_cannot_be_reached_stands_before_the_reason() -> None:
    # broadcasting is for those who ask for it, so that the system refuses at once
    done = gocost("portrait", "--url", "255.255.255.255:1", "--for", "100 ms")
    assert done.returncode == 3
    assert re.search(r" http://255\.255\.255\.255:1: \w+ [^:]+ \(/metrics", done.stderr)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["portrait", "--for", "100 ms", "--url"], "(/debug/pprof/heap?debug=1); check the URL\n"),
        (["runtime"], "heap?debug=1); give the URL of its metrics page\n"),
    ],
    ids=lambda word: word[0],
)
def test_a_service_of_other_pages_is_said_to_be_one(words: list[str], says: str) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with misbehaving(lambda connection: connection.sendall(page)) as url:
        done = gocost(*words, url)
    assert done.returncode == 3
    assert done.stderr.endswith(says)
    if words == ["runtime"]:
        assert done.stderr.startswith(f"gocost: {url} is empty, and not a metrics page")


def test_a_service_that_never_gets_ready_shows_its_last_output(tmp_path: Path) -> None:
    for within in ("0.5 s", "5 s", "50 s"):  # a busy machine may not start it in half a second
        done = gocost(
            *typed("--ready-within", within, command="{binary} -unready -listen=127.0.0.1:{port}"),
            cwd=tmp_path,
        )
        assert done.returncode == 3
        *output, line = done.stderr.splitlines()
        assert line.startswith(f"gocost: the service was not ready within {within}")
        if output:
            break
    assert any("listening on" in each for each in output)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--run", "--pid", "1"), "use one of them"),
        (("--pid", "1", "--base", "HEAD"), "--base is for a service of the policy"),
        (("--command", "a 'b"), "close the quotes"),
        (("--command", "a", "--base", "HEAD"), "--base is for a service of the policy"),
        (("--run", "--rate", "5/s"), "--rate is for --load-vegeta"),
        (("--pid", "1", "--duration", "2s"), "--for says how long to watch"),
        (("--run", "--settle", "5s"), "--settle is for a service that --command starts"),
        (("--run", "--for", "5s"), "--for is for a service that runs already"),
        (("--run",), "gocost.yaml"),
        (("--command", "{binary}", "--binary", "no-such-file"), "there is no file"),
        (("--url", "http://x:y"), "is not the URL"),
        (("--command", "a", "--ready", "http://x:{prt}/"), "'http://x:{prt}/' is not the URL"),
        (("--command", "a", "--ready", "ftp://x/"), "'ftp://x/' is not the URL"),
        (("--pid", "1", "--for", "soon"), "--for is a time with its unit"),
        (("--pid", "1", "--for", "-1s"), "--for is -1s, which is too short"),
        (("--command", "a", "--ready-within", "0s"), "--ready-within is 0s"),
        (("--url", "http://a", "--header", "hunter2"), "--header"),
        (("--pid", "1", "--service", "a"), "--service"),
        (("--command", "a", "--load-vegeta", "a", "--load-command", "b"), "both"),
    ],
)
def test_what_cannot_be_carried_out(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = gocost("portrait", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


def test_credentials_go_to_the_service_and_into_no_output(tmp_path: Path) -> None:
    secret = tmp_path / "headers"
    secret.write_text("Authorization: Bearer hunter2\n")
    with running("-pages=vars") as (_, url):
        done = gocost("portrait", "--url", url, "--for", "200 ms", "--header", f"@{secret}")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_portrait_leaves_nothing_running(
    number: signal.Signals, tmp_path: Path
) -> None:
    marker = tmp_path / "pids"
    script = tmp_path / "service.sh"
    script.write_text(
        f'#!/bin/sh\necho $$ >> {marker}\n{watched()} -child "$1"\n', encoding="utf-8"
    )
    script.chmod(0o755)
    load = tmp_path / "load.sh"
    load.write_text(f"#!/bin/sh\necho $$ >> {marker}\nsleep 1000\n", encoding="utf-8")
    load.chmod(0o755)
    arguments = typed("--load-command", str(load), command=f"{script} -listen=127.0.0.1:{{port}}")
    child = subprocess.Popen(
        [sys.executable, "-m", "gocost", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        eventually(lambda: marker.exists() and len(marker.read_text().split()) == 2, 60)
        groups = [int(word) for word in marker.read_text().split()]
        eventually(lambda: len(members(groups[0])) == 3 and len(members(groups[1])) == 2)
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode in (130, 143)
    assert (out, err.strip()) in ((b"", b"gocost: interrupted"), (b"", b""))
    # What was killed may take a moment to be gone, and is waited for by whoever inherits it.
    eventually(lambda: [members(group) for group in groups] == [[], []])


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv"
)
def test_another_users_process_is_measured_as_far_as_it_may_be() -> None:
    with running() as (child, _):
        done = subprocess.run(
            [
                *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
                *(sys.executable, "-m", "gocost", "portrait"),
                *("--pid", str(child.pid), "--for", "300 ms"),
            ],
            env={**os.environ, "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            check=False,
        )
    if "No module named" in done.stderr:
        pytest.skip("the checkout is not readable by other users")
    assert "memory.rss.peak" in done.stdout
    if Path("/proc/self/fd").stat().st_size:  # since Linux 6.2 everybody may know their number
        assert done.returncode == 0, done.stderr
        assert "process.descriptors.peak" in done.stdout
    else:
        assert done.returncode == 3, done.stderr
        assert "may not be listed by this user; run gocost as root" in done.stderr
