"""What a measure is: a light spec that the gate plans by, and a function that measures.

A spec says which metrics the measure gives and what it needs, so that the gate can invert the
policy's rules into the measures to run, each once, cheapest first, without importing any of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol, TypeVar

from gocost.model.fact import Fact
from gocost.model.report import Change, Note, Series, Table
from gocost.model.service import Service
from gocost.model.subject import Subject

T = TypeVar("T")
LONG = 20.0
"""Seconds from which on a measure announces how long it will take."""


class Need(StrEnum):
    """What must be there before a measure can run."""

    GO = "go"
    MODULE = "module"
    BINARY = "binary"
    RUN = "run"
    """The policy's `run:` of the service."""
    BASE = "base"
    PROFILE = "profile"
    """A CPU profile that was recorded: of this head, whatever is built here."""
    DUMPS = "dumps"
    """Goroutine dumps that were taken."""
    TRACE = "trace"
    """An execution trace that was recorded."""
    PAGES = "pages"
    """Pages of the service's runtime that were taken, or a gctrace log."""
    LINUX = "linux"
    ROOT = "root"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Spec:
    """One measure, as planned by the gate."""

    name: str
    gives: tuple[str, ...]
    """Metric ids; `gc.pause.*` stands for all that begin so."""
    needs: frozenset[Need]
    rank: int
    """The order to run in: cheap ones first."""
    deadline: float
    """Seconds after which the gate gives the measure up. What a service's own `run:` takes (ready,
    load, settle) is added for measures that need RUN."""
    function: str
    """`module:function`, imported when it is run."""
    interleaves: bool = False
    """Given a base, it measures base and head in turn and returns `changes` with intervals: for
    sampled metrics. Other measures see one target at a time."""

    rounds: int = 1
    """How often each side runs when it interleaves, for the deadline of measures that need RUN."""

    def takes(self, metric: str) -> bool:
        """Whether it gives this metric."""
        return any(fnmatchcase(metric, glob) for glob in self.gives)


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at: a service's module, and the executable that was built from it."""

    service: Service
    directory: Path
    """The folder that the service's paths are relative to (of head or of base)."""
    binary: Path | None = None
    subject: Subject = field(default_factory=Subject)
    build_seconds: float | None = None
    """What the build that wrote `binary` took, where gocost ran it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a measure may use, and how long it may take."""

    cache: Path
    offline: bool = False
    rebuild: bool = False
    """Build twice to see whether it is reproducible."""
    wanted: frozenset[str] = frozenset()
    """The metrics that are asked for, so that a measure need not work out others; empty for all."""
    profiles: tuple[str, ...] = ()
    """Files or URLs of recorded CPU profiles, several as one."""
    dumps: tuple[str, ...] = ()
    """Files of goroutine dumps, or the URL of a service that is asked for them."""
    pages: tuple[str, ...] = ()
    """Files of pages that tell of the Go runtime (/metrics, /debug/vars), or of a gctrace log; or
    the URL of a service."""
    trace: str | None = None
    """The file of a recorded execution trace, or the URL of a service, whose trace is kept."""
    headers: Mapping[str, str] | None = None
    """What a service asks of whoever reads its pages; never printed."""
    max_bytes: int | None = None
    """The most that is read of one recording; None for what is usual of its kind."""
    deadline: float = float("inf")
    """On time.monotonic()'s clock."""
    progress: Callable[[str], None] = lambda _: None
    """Told, in a few words, what is being done now."""
    announce: Callable[[str], None] = lambda _: None
    """Told once of what will take long, and how long, before it begins."""
    shared: dict[str, Any] = field(default_factory=dict, compare=False)
    """What one measure read of a service that another wants as well: see `once`."""

    def once(self, what: str, read: Callable[[], T]) -> T:
        """What `read` gives, read by whichever measure wants it first.

        A service is looked at once in a run: a second look would take its time again and see
        something else.
        """
        if what not in self.shared:
            self.shared[what] = read()
        found: T = self.shared[what]
        return found

    def wants(self, *metrics: str) -> bool:
        """Whether any of these is asked for; `binary.module.*` stands for all that begin so."""
        return not self.wanted or any(
            fnmatchcase(wanted, metric) for wanted in self.wanted for metric in metrics
        )

    def remaining(self) -> float:
        """Seconds until the deadline, at least 0."""
        return max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measure found; a metric that it could not get is in `unknown` with the reason."""

    facts: list[Fact] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    """Declared, tried, not measurable."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Nothing was declared to measure it with (no endpoint, not this platform)."""
    causes: dict[str, str] = field(default_factory=dict)
    """What makes a metric's value what it is, where that is outside of the code: a setting of the
    environment. A rule that it breaks says so."""


class Measure(Protocol):
    """Measures one target. `base` is given where the spec needs BASE (interleaved runs)."""

    def __call__(self, target: Target, context: Context, base: Target | None = None) -> Measured:
        """Raises GocostError where the whole measure fails; the gate makes that `unknown`."""
