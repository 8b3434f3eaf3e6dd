"""Programs: started from argument lists, bounded in time, never left behind.

Every child gets a process group of its own, and the whole group is ended with it: a load generator
or a service that forks leaves nothing running. When gocost itself is killed, the kernel ends the
children (PR_SET_PDEATHSIG, on Linux; it is bound to the thread that starts the child, so a thread
that starts one must outlive it). A signal that comes between a child's start and the moment its
process id is known waits until then: what it raises would leave the child behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from gocost.model.errors import SourceError

PR_SET_PDEATHSIG = 1
_ENDING: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM")
    if hasattr(signal, name)
)
"""Signals that somebody sends to end gocost, and the one that ends a measure at its deadline."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a finished program said and took."""

    arguments: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    wall_seconds: float

    @property
    def ok(self) -> bool:
        """True for exit status 0."""
        return self.returncode == 0


def run(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    stdin: str | None = None,
    missing_hint: str = "",
    meanwhile: Callable[[], None] | None = None,
) -> Completed:
    """Run a program to its end and collect what it printed (UTF-8, wrong bytes replaced).

    `env` is added to this process's environment; `meanwhile` is done here while the program runs.
    Raises SourceError where the program is absent, may not be run, or takes longer than `timeout`
    seconds; an exit status is the caller's to judge.
    """
    started = time.monotonic()
    with start(
        arguments,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        missing_hint=missing_hint,
    ) as child:
        data = stdin.encode() if stdin is not None else None
        try:
            if meanwhile is None:
                out, err = child.process.communicate(data, timeout=timeout)
                ended = time.monotonic()
            else:
                out, err, ended = _beside(child.process, data, timeout, meanwhile)
        except subprocess.TimeoutExpired as error:
            raise SourceError(
                f"`{_shown(arguments)}` did not end within {timeout:g} s",
                hint="see what it waits for, or give it more time",
            ) from error
    return Completed(
        tuple(map(str, arguments)),
        child.process.returncode,
        out.decode("utf-8", "replace"),
        err.decode("utf-8", "replace"),
        ended - started,
    )


def _beside(
    process: subprocess.Popen[bytes],
    data: bytes | None,
    timeout: float | None,
    meanwhile: Callable[[], None],
) -> tuple[bytes, bytes, float]:
    """What the program printed and when it ended, after doing something else in this thread.

    Another thread waits for the program, so that the time is the program's own. It is started after
    the program, which is bound to this thread (see above).
    """
    told: list[tuple[bytes, bytes, float]] = []
    failed: list[subprocess.TimeoutExpired] = []

    def wait() -> None:
        try:
            out, err = process.communicate(data, timeout=timeout)
            told.append((out, err, time.monotonic()))
        except subprocess.TimeoutExpired as error:
            failed.append(error)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    meanwhile()
    waiting.join()
    if failed:
        raise failed[0]
    return told[0]


class Child:
    """A program and its process group; a context manager that starts it and ends both."""

    def __init__(self, launch: Callable[[], subprocess.Popen[bytes]], shown: str) -> None:
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = None
        self.shown = shown

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The program; inside the context alone."""
        assert self._process is not None
        return self._process

    @property
    def pid(self) -> int:
        """The child's process id, which is also its group's."""
        return self.process.pid

    def stop(self, *, grace: float = 10.0) -> int:
        """Ask the program to end (SIGTERM), after `grace` seconds end its group (SIGKILL).

        Returns the exit status, negative for a signal. Safe to call twice.
        """
        try:
            if self.process.poll() is None:
                self._signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(grace)
        finally:
            # Whatever the program started and left in its group ends too, and at once where one
            # does not want to wait for the program's own end.
            self._signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        return self.process.wait()

    def __enter__(self) -> Child:
        try:
            with _undisturbed():
                self._process = self._launch()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._process is None:
            return
        self.stop(grace=10.0 if kind is None else 2.0)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self.process.terminate()
            else:
                os.killpg(self.process.pid, number)


def start(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    missing_hint: str = "",
) -> Child:
    """A program that runs, in a process group of its own, while the context is open.

    Entering it raises SourceError where the program cannot start.
    """

    def launch() -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                list(map(str, arguments)),
                cwd=cwd,
                env={**os.environ, **env} if env else None,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
        except FileNotFoundError as error:
            if cwd is not None and not cwd.is_dir():
                raise SourceError(f"{cwd} is not a folder", hint="check the path") from error
            raise SourceError(
                f"there is no program {str(arguments[0])!r} here",
                hint=missing_hint or "install it or correct the name",
            ) from error
        except OSError as error:
            raise SourceError(
                f"`{_shown(arguments)}` could not be started: {error.strerror or error}",
                hint="check that the file is executable on this machine",
            ) from error

    return Child(launch, _shown(arguments))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals whose handlers may raise wait until the context is left."""
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread
        return
    holding = True
    came: list[tuple[int, FrameType | None]] = []
    own: dict[int, Callable[[int, FrameType | None], object]] = {}

    def hold(number: int, frame: FrameType | None) -> None:
        if holding:
            came.append((number, frame))
        else:  # while the handlers are put back
            own[number](number, frame)

    for number in _ENDING:
        handler = signal.getsignal(number)
        if callable(handler):
            own[number] = handler
            signal.signal(number, hold)
    try:
        yield
    finally:
        holding = False
        for number, handler in own.items():
            signal.signal(number, handler)
        for number, frame in came[:1]:
            own[number](number, frame)


def _die_with_parent() -> Callable[[], None] | None:
    """Ask the kernel to end the child when gocost dies without a chance to (kill -9)."""
    if sys.platform != "linux":
        return None
    libc = _libc()
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have gone between the fork and the line above; then nobody would tell.
        if os.getppid() != parent:
            os._exit(1)

    return arm


_loaded: list[ctypes.CDLL] = []


def _libc() -> ctypes.CDLL:
    # Loaded before the fork: between fork and exec nothing may be imported or locked.
    if not _loaded:
        _loaded.append(ctypes.CDLL(None, use_errno=True))
    return _loaded[0]


def _shown(arguments: Sequence[str | Path]) -> str:
    text = " ".join(map(str, arguments))
    return text if len(text) <= 200 else f"{text[:197]}..."
