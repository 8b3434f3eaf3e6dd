"""Everything that was seen of one service in one run: what the portrait is drawn from.

Times are seconds since the watching began.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gocost.analyses.portrait.track import Track
from gocost.formats.gctrace import Cycle
from gocost.formats.inittrace import PackageInit

WARM_UP_SHARE = 0.25
"""Of the load, what is taken for warm-up: connections, pools and caches fill."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the watching: start, warm-up, load, settle; or watch, where nothing was driven."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What the load generator reported. Latencies in seconds, None where it does not tell."""

    requests: int | None
    failed: int | None
    rate: float | None = None
    """Requests a second that were really sent."""
    p50: float | None = None
    p99: float | None = None
    max: float | None = None
    what: str = ""
    """The load in words."""
    errors: tuple[str, ...] = ()
    """The first errors, in the load generator's words."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative counts by upper bound, as a metrics page has them."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]


@dataclass(slots=True)
class Observations:
    """One run. A track that stays empty was not to be had; `absent` says why."""

    phases: list[Phase] = field(default_factory=list)
    driven: Phase | None = None
    """From before the first request until the load generator was through with all of it, which is
    a little longer than the load: what is counted once a request is counted over this."""

    resident: Track = field(default_factory=Track)
    resident_peak: Track = field(default_factory=Track)
    anonymous: Track = field(default_factory=Track)
    file: Track = field(default_factory=Track)
    threads: Track = field(default_factory=Track)
    cpu: Track = field(default_factory=Track)
    """CPU seconds since the process started."""
    descriptors: Track = field(default_factory=Track)
    from_the_start: bool = False
    """The process was started by gocost, so its high-water mark is of this run alone."""

    goroutines: Track = field(default_factory=Track)
    heap_live: Track = field(default_factory=Track)
    """As the page says it (go_gc_heap_live_bytes)."""
    heap_alloc: Track = field(default_factory=Track)
    heap_goal: Track = field(default_factory=Track)
    total_alloc: Track = field(default_factory=Track)
    cycles: Track = field(default_factory=Track)
    forced: Track = field(default_factory=Track)
    gc_classes: Track = field(default_factory=Track)
    """CPU seconds of the collector by the runtime's own estimate."""
    busy_classes: Track = field(default_factory=Track)
    """CPU seconds of all classes but idle, by the same estimate."""
    gogc: float | None = None
    """Percent, where it is known; 100 is assumed where not."""
    memory_limited: bool = False
    """GOMEMLIMIT is set or GOGC off: the goal says nothing about the live heap."""
    ring_pauses: list[tuple[float, float]] = field(default_factory=list)
    """(when it was read, seconds) of a cycle's two pauses together, from MemStats' ring."""
    page_quantiles: dict[float, float] = field(default_factory=dict)
    """go_gc_duration_seconds at the end of the load: over the last 256 cycles."""
    pauses_before: Histogram | None = None
    pauses_after: Histogram | None = None

    traced: list[tuple[float, Cycle]] = field(default_factory=list)
    """(when its line came, cycle) of every gctrace line."""
    tracing: bool = False
    """gocost started the process with gctrace=1."""
    inits: list[PackageInit] = field(default_factory=list)

    ready: float | None = None
    """Seconds from start to ready, where gocost started it."""
    load: LoadFigures | None = None
    settle: float = 0.0

    absent: dict[str, str] = field(default_factory=dict)
    """Why there is nothing, by source: `process`, `descriptors`, `pages`, `trace`, `load`."""
    pages: str = ""
    """Which pages were read, for the origin of facts."""

    def slowest_inits(self) -> list[PackageInit]:
        """The packages' initialisations, the longest first: the order they are summed in, too."""
        return sorted(self.inits, key=lambda package: (-package.clock, package.package))

    def window(self) -> Phase:
        """The time under load, warm-up included; the whole watching where nothing was driven."""
        if self.driven is not None:
            return self.driven
        return self._join(("warm-up", "load"))

    def after_warm_up(self) -> Phase:
        """The load without its warm-up."""
        return self._join(("load",))

    def steady(self) -> Phase:
        """The last half of the load."""
        window = self._join(("warm-up", "load"))
        return Phase("steady", (window.start + window.end) / 2, window.end)

    def phase(self, name: str) -> Phase | None:
        """The phase of that name."""
        return next((phase for phase in self.phases if phase.name == name), None)

    def _join(self, names: tuple[str, ...]) -> Phase:
        driven = [phase for phase in self.phases if phase.name in names]
        parts = driven or [phase for phase in self.phases if phase.name == "watch"]
        if not parts:
            return Phase("watch", 0.0, 0.0)
        return Phase(parts[-1].name, parts[0].start, parts[-1].end)
