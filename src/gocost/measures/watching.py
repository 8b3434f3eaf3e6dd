"""Watching one service while it runs: /proc every 200 ms, its pages every 5 s and at edges.

Two threads, so that a page that hangs does not stop the sampling of /proc. They only read; what is
driven (the load, the settling) stays in the caller's thread, which marks the edges of the phases.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from gocost.analyses.portrait.drawing import PAGES_STEP, PROCESS_STEP
from gocost.analyses.portrait.observations import Observations, Phase
from gocost.measures.service_pages import Reading, ServicePages, goal_is_limited, record
from gocost.model.errors import GocostError, SourceError
from gocost.model.quantity import Unit, parse
from gocost.sources.proc import Process, ProcessEndedError


class Watcher:
    """Fills observations until it is stopped; a context manager that stops it."""

    def __init__(
        self,
        process: Process | None,
        pages: ServicePages,
        *,
        started: float,
        process_step: float = PROCESS_STEP,
        pages_step: float = PAGES_STEP,
    ) -> None:
        """`started` is time zero of the observations, on time.monotonic()'s clock."""
        self.seen = Observations()
        self.ended: SourceError | None = None
        """Set when the process ended while it was watched."""
        self._process = process
        self._pages = pages
        self._started = started
        self._steps = (process_step, pages_step)
        self._stop = threading.Event()
        self._gone = threading.Event()
        self._lock = threading.Lock()
        self._pages_lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        self._threads: list[threading.Thread] = []
        self._last = Reading()

    def now(self) -> float:
        """Seconds since the watching began."""
        return time.monotonic() - self._started

    def __enter__(self) -> Watcher:
        process_step, pages_step = self._steps
        for repeated in (
            (process_step, self._lock, self._sample),
            (pages_step, self._pages_lock, self._read),
        ):
            thread = threading.Thread(target=self._repeat, args=repeated, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for timer in self._timers:
            timer.cancel()
        for thread in (*self._threads, *self._timers):
            thread.join()
        self._pages.close()

    def edge(self) -> float:
        """Sample everything once, all under one time, and return that: where a phase begins."""
        with self._lock, self._pages_lock:
            at = self.now()
            self._sample(at)
            self._read(at)
        return at

    def edge_in(self, seconds: float, then: Callable[[float], None]) -> None:
        """Take an edge later, while the caller is busy, and tell `then` its time."""

        def later() -> None:
            if not self._stop.is_set():
                then(self.edge())

        timer = threading.Timer(seconds, later)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def wait(self, seconds: float) -> None:
        """Let time pass; returns early where the process ends."""
        self._gone.wait(seconds)

    def begin(self) -> float:
        """Take the edge at which the load begins, and what is only known from there on."""
        at = self.edge()
        self.seen.pauses_before = self._last.pauses
        return at

    def finish(self) -> float:
        """Take the edge at which the load ends."""
        at = self.edge()
        self.seen.pauses_after = self._last.pauses
        self.seen.page_quantiles = self._last.quantiles
        return at

    def mark(self, name: str, start: float, end: float) -> None:
        """Record a phase."""
        self.seen.phases.append(Phase(name, start, end))

    def _repeat(self, step: float, lock: threading.Lock, act: Callable[[float], None]) -> None:
        due = time.monotonic()
        while not self._stop.is_set() and not self._gone.is_set():
            # The time is taken under the lock, so that a track's times only rise.
            with lock:
                act(self.now())
            # From the plan and not from now: a slow reading does not shift those after it.
            due = max(due + step, time.monotonic())
            self._stop.wait(due - time.monotonic())

    def _sample(self, at: float) -> None:
        if self._process is None or self._gone.is_set():
            return
        try:
            usage = self._process.usage()
        except ProcessEndedError as error:
            self.ended = error
            self._gone.set()
            return
        seen = self.seen
        seen.resident.add(at, usage.resident)
        seen.resident_peak.add(at, usage.resident_peak)
        seen.anonymous.add(at, usage.anonymous)
        seen.file.add(at, usage.file)
        seen.threads.add(at, usage.threads)
        seen.cpu.add(at, usage.cpu)
        if usage.descriptors is not None:
            seen.descriptors.add(at, usage.descriptors)

    def _read(self, at: float) -> None:
        if self._gone.is_set():
            return
        reading = self._pages.read()
        record(reading, at, self.seen)
        if reading.values:
            self._last = reading


def from_environment(process: Process, seen: Observations) -> None:
    """GOGC and GOMEMLIMIT as the process was started with them, where its pages do not tell."""
    gogc = process.environment("GOGC")
    if seen.gogc is None and gogc and gogc.isdecimal():
        seen.gogc = float(gogc)
    goal, text = seen.heap_goal.peak(), process.environment("GOMEMLIMIT")
    if goal is not None and text and text != "off":
        try:
            limit = float(parse(text, Unit.BYTES))
        except GocostError:
            return
        seen.memory_limited = seen.memory_limited or goal_is_limited(goal, limit)
