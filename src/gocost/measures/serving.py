"""Running a service for the time of a measurement: started, waited for, listened to, stopped.

Its stderr is read as it comes: the runtime's gctrace and inittrace lines become values with their
times, and the last lines of everything else are kept to be shown where it never gets ready. A
service leaves nothing behind: its whole process group ends with the context.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gocost.formats import gctrace, inittrace
from gocost.model.errors import SourceError
from gocost.model.service import Run
from gocost.sources import process
from gocost.sources.endpoints import Endpoint, EndpointError
from gocost.sources.naming import shown_url
from gocost.sources.service_urls import service_url

READY_STEP = 0.005
"""Seconds between two questions whether it is ready."""
READY_SHARE = 0.02
"""Of the time since the start, when that is more: a service that takes a minute to get ready is
not asked two hundred times a second meanwhile."""
KEPT_LINES = 20
LONGEST_LINE = 64 << 10
"""Bytes; what a service writes without an end of line is cut there."""
MAX_TRACED = 1_000_000
"""gctrace lines kept of one run."""
TRACES = "gctrace=1,inittrace=1"
_PLACEHOLDER = re.compile(r"\{(binary|port\d*)\}")


class ServiceError(SourceError):
    """The service did not do what it was started for; `output` is the last that it wrote."""


class PortTakenError(ServiceError):
    """Something else listens where the service wants to."""


@dataclass(slots=True)
class Heard:
    """What came out of the service, with times on time.monotonic()'s clock."""

    cycles: list[tuple[float, gctrace.Cycle]] = field(default_factory=list)
    inits: list[inittrace.PackageInit] = field(default_factory=list)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    silent: threading.Event = field(default_factory=threading.Event)
    """Set when nothing more can come."""

    def line(self, raw: bytes, at: float) -> None:
        """Take in one line."""
        if b"gc " in raw or b"init " in raw:
            text = raw.decode("utf-8", "replace")
            if cycle := gctrace.parse_line(text):
                if len(self.cycles) < MAX_TRACED:
                    self.cycles.append((at, cycle))
                return
            if package := inittrace.parse_line(text):
                self.inits.append(package)
                return
        if raw.strip():
            self.lines.append(raw[:1000].decode("utf-8", "replace").rstrip())

    def output(self) -> str:
        """The last lines it wrote, traces left out."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Plan:
    """A `run:` with its placeholders filled in."""

    arguments: tuple[str, ...]
    env: Mapping[str, str]
    ready: str
    endpoints: tuple[str, ...]
    load: tuple[str, ...]
    """The load's own command, where there is one."""
    values: Mapping[str, str]
    """What stands for `{binary}`, `{port}`, `{port2}` ..."""
    shown: str
    """The command as it was declared: what was built for it is gone after the run."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A service that is ready."""

    child: process.Child
    heard: Heard
    started: float
    """On time.monotonic()'s clock."""
    ready: float | None
    """Seconds from start to ready; None where nothing says when it is."""


def plan(run: Run, binary: Path | None) -> Plan:
    """Fill in `{binary}` and, with ports that are free now, `{port}`, `{port2}` and so on.

    Raises SourceError where the command wants `{binary}` and none was built, UsageError where
    `ready` is not the URL of a service.
    """
    load = run.load.command if run.load is not None else ()
    texts = (*run.command, *run.env.values(), run.ready, *run.endpoints, *load)
    names = sorted({name for text in texts for name in _PLACEHOLDER.findall(text)})
    values = dict(zip((n for n in names if n != "binary"), _free_ports(len(names)), strict=False))
    if "binary" in names:
        if binary is None:
            raise SourceError(
                "the run command wants {binary}, and there is none",
                hint="name it with --binary FILE, or build it",
            )
        values["binary"] = str(binary.resolve())

    def filled(text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: values[match[1]], text)

    ready = filled(run.ready)
    endpoints = tuple(map(filled, run.endpoints)) or ((_origin(ready),) if ready else ())
    return Plan(
        tuple(map(filled, run.command)),
        {name: filled(value) for name, value in run.env.items()},
        ready,
        endpoints,
        tuple(map(filled, load)),
        values,
        shlex.join(run.command).replace("'{binary}'", "{binary}"),
    )


@contextmanager
def serving(planned: Plan, *, directory: Path, ready_within: float) -> Iterator[Serving]:
    """Start the service, wait until it is ready, and stop it at the end.

    Raises ServiceError where its port is taken, where it ends early or never gets ready.
    """
    _refuse_taken_port(planned.ready)
    started = time.monotonic()
    heard = Heard()
    with (
        _pipes(heard) as ends,
        process.start(
            planned.arguments,
            cwd=directory,
            env={**planned.env, "GODEBUG": _traced(planned.env.get("GODEBUG"))},
            stdout=ends[0],
            stderr=ends[1],
        ) as child,
    ):
        # The child has its own now; while this process holds them, the pipes have no end.
        _close(ends)
        ready = _wait_ready(child, heard, planned, started, ready_within)
        yield Serving(child, heard, started, ready)


def ended_error(planned: Plan, child: process.Child, heard: Heard, when: str) -> ServiceError:
    """The service is gone when it should not be: how it ended, and the last it said."""
    # The last words may still be in the pipe; a moment for a status that is not there yet.
    heard.silent.wait(0.5)
    status = child.process.poll()
    how = "was ended" if status is None or status < 0 else f"ended with status {status}"
    if status is not None and status < 0:
        how = f"was ended by signal {-status}"
    output = heard.output()
    if "address already in use" in output:
        return PortTakenError(
            f"the service's port is in use: {_shown(heard)}",
            output=output,
            hint="stop what listens there, or write {port} in run.command",
        )
    return ServiceError(
        f"the service {how} {when}: {_shown(heard)}",
        output=output,
        hint=f"run `{planned.shown}` by hand",
    )


def _wait_ready(
    child: process.Child, heard: Heard, planned: Plan, started: float, within: float
) -> float | None:
    if not planned.ready:
        return _wait_listening(child, heard, planned, started, within)
    last = "it was not asked"
    with Endpoint(planned.ready, timeout=1.0) as endpoint:
        while time.monotonic() - started < within:
            try:
                answer = endpoint.get("")
                if answer.ok:
                    return time.monotonic() - started
                last = f"{shown_url(planned.ready)} answered {answer.status}"
            except EndpointError as error:
                last = error.message
            if child.process.poll() is not None:
                raise ended_error(planned, child, heard, "before it was ready")
            time.sleep(max(READY_STEP, READY_SHARE * (time.monotonic() - started)))
    raise ServiceError(
        f"the service was not ready within {within:g} s ({last}): {_shown(heard)}",
        output=heard.output(),
        hint=f"see what `{planned.shown}` waits for, or raise run.ready_within",
    )


def _wait_listening(
    child: process.Child, heard: Heard, planned: Plan, started: float, within: float
) -> float | None:
    """Without a `ready` URL: until something listens on {port}; without that, one second."""
    port = planned.values.get("port")
    until = started + (within if port else 1.0)
    while time.monotonic() < until:
        if child.process.poll() is not None:
            raise ended_error(planned, child, heard, "before it was ready")
        if port and _listens("127.0.0.1", int(port)):
            return time.monotonic() - started
        time.sleep(READY_STEP)
    if port:
        raise ServiceError(
            f"nothing listened on port {port} within {within:g} s: {_shown(heard)}",
            output=heard.output(),
            hint="write run.ready, a URL that answers 2xx when the service is ready",
        )
    return None


def _refuse_taken_port(ready: str) -> None:
    """Whatever listens there already would be measured in the service's place."""
    if not ready:
        return
    parts = service_url(ready)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if _listens(str(parts.hostname), port):
        raise PortTakenError(
            f"port {port} is in use: something answers at {shown_url(ready)} before the service is "
            "started",
            hint="stop what listens there, or write {port} in run.command and run.ready",
        )


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def _free_ports(count: int) -> list[str]:
    """Ports that nothing listens on now; held together while they are picked, so they differ."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            held = stack.enter_context(socket.socket())
            held.bind(("127.0.0.1", 0))
            ports.append(str(held.getsockname()[1]))
        return ports


def _traced(own: str | None) -> str:
    """The user's GODEBUG with the traces added; the last of a setting counts."""
    given = os.environ.get("GODEBUG", "") if own is None else own
    return f"{given},{TRACES}" if given else TRACES


def _origin(url: str) -> str:
    parts = service_url(url)
    return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def _pipes(heard: Heard) -> Iterator[list[int]]:
    """Write ends of pipes for a child's stdout and stderr, read by a thread while it lasts.

    Read here and not through the child's own stream objects: something that the child left outside
    of its group may hold the pipe open for ever, and must not hold gocost.
    """
    pairs = [os.pipe(), os.pipe()]
    ends = [write for _, write in pairs]
    stop = threading.Event()
    thread = threading.Thread(
        target=_hear, args=([read for read, _ in pairs], heard, stop), daemon=True
    )
    thread.start()
    try:
        yield ends
    finally:
        _close(ends)
        # What is in the pipes still counts; whoever holds them open after that does not.
        heard.silent.wait(0.5)
        stop.set()
        thread.join()
        for read, _ in pairs:
            os.close(read)


def _close(ends: list[int]) -> None:
    """Close them once: a number that is closed may stand for another file a moment later."""
    while ends:
        os.close(ends.pop())


def _hear(pipes: list[int], heard: Heard, stop: threading.Event) -> None:
    """Read lines from the pipes until all of their writers are gone, or it is told to stop."""
    poller = select.poll()
    rests = dict.fromkeys(pipes, b"")
    for pipe in pipes:
        poller.register(pipe, select.POLLIN)
    while rests and not stop.is_set():
        for pipe, _ in poller.poll(100):
            data = os.read(pipe, LONGEST_LINE)
            at = time.monotonic()
            *lines, rest = (rests[pipe] + data).split(b"\n")
            for line in lines:
                heard.line(line, at)
            rests[pipe] = rest
            if len(rest) > LONGEST_LINE or not data:
                heard.line(rest, at)
                rests[pipe] = b""
            if not data:
                poller.unregister(pipe)
                del rests[pipe]
    heard.silent.set()


def _shown(heard: Heard) -> str:
    if not heard.lines:
        return "it wrote nothing"
    return f"its last output was {heard.lines[-1][:200]!r}"
