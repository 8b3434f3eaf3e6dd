"""`gocost profile view` and `trace view` as processes, asked as a browser or a script would."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

DEADLINE = 60
_ADDRESS = re.compile(r"http://(\S+?):(\d+)/(?:\?token=(\S+))?")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Running:
    """A server that has said where it is."""

    process: subprocess.Popen[str]
    host: str
    port: int
    token: str

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://{self.host}:{self.port}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """One request; underscores in names of headers are dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read().decode())
        finally:
            connection.close()


@contextmanager
def running(*words: str, path: str | None = None) -> Iterator[Running]:
    """The command, from when it says its address; afterwards it is gone. `path` is its PATH."""
    command = [sys.executable, "-m", "gocost", *words, "--no-browser"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PATH": path or os.environ["PATH"]},
        # A shell that started the tests in the background had them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = _ADDRESS.search(said)
        assert found is not None, said + process.communicate(timeout=DEADLINE)[1]
        yield Running(process, found[1], int(found[2]), found[3] or "")
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE)
