"""What a service's own pages tell the portrait: found once, then read again and again.

Of the pages that are there, as few are read as give everything: /metrics alone where it has the Go
collector's figures; otherwise MemStats from /debug/vars or from the heap profile's comments, and
the number of goroutines from the index of /debug/pprof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gocost.analyses.portrait.observations import Histogram, Observations
from gocost.formats import memstats, pprof_index, promtext
from gocost.model.errors import FormatError, GocostError, SourceError
from gocost.sources.endpoints import Endpoint
from gocost.sources.naming import shown_url
from gocost.sources.refusals import refusal

METRICS, VARS, INDEX = "/metrics", "/debug/vars", "/debug/pprof/"
HEAP = "/debug/pprof/heap?debug=1"
_TEXT = "text/plain;version=0.0.4;q=0.9,*/*;q=0.1"

# By what is wanted: the names a Go service may give it, the most usual first.
_GAUGES: Mapping[str, tuple[str, ...]] = {
    # The second counts the runtime's own goroutines as well, from Go 1.26: its collector's workers
    # start with the first collection.
    "goroutines": ("go_goroutines", "go_sched_goroutines_goroutines"),
    "heap_live": ("go_gc_heap_live_bytes",),
    "heap_alloc": ("go_memstats_heap_alloc_bytes", "go_memstats_alloc_bytes"),
    "heap_goal": ("go_memstats_next_gc_bytes", "go_gc_heap_goal_bytes"),
    "total_alloc": ("go_memstats_alloc_bytes_total", "go_gc_heap_allocs_bytes_total"),
    "cycles": ("go_gc_duration_seconds_count", "go_gc_cycles_total_gc_cycles_total"),
    "forced": ("go_gc_cycles_forced_gc_cycles_total",),
}
_PAUSES = ("go_sched_pauses_total_gc_seconds", "go_gc_pauses_seconds")
_NO_LIMIT = 2.0**62
"""GOMEMLIMIT without a limit is 2**63 - 1; floats of a page do not keep the last digits."""


@dataclass(slots=True)
class Reading:
    """What one round over the pages gave."""

    values: dict[str, float] = field(default_factory=dict)
    """By the name of the track of Observations."""
    ring: list[float] = field(default_factory=list)
    """Pauses of the cycles since the reading before."""
    quantiles: dict[float, float] = field(default_factory=dict)
    pauses: Histogram | None = None
    gogc: float | None = None
    limited: bool = False


class ServicePages:
    """The pages of one service that are worth reading."""

    def __init__(self, bases: Sequence[str], *, headers: Mapping[str, str] | None = None) -> None:
        """Raises UsageError where a base is not a URL."""
        self._endpoints = [Endpoint(base, headers=headers) for base in dict.fromkeys(bases)]
        self._hints: dict[str, None] = {}
        self._readers: list[Callable[[Reading], None]] = []
        self._names: list[str] = []
        self._refusals: dict[str, list[str]] = {}
        self._cycle: int | None = None
        self.failures: list[str] = []
        """Readings that failed after the page had been found, by their reasons."""

    def discover(self) -> None:
        """Ask every base for every page, and keep those that tell something."""
        kinds: list[tuple[str, Callable[[Endpoint], set[str]]]] = [
            (METRICS, self._try_metrics),
            (VARS, self._try_vars),
            (INDEX, self._try_index),
            (HEAP, self._try_heap),
        ]
        have: set[str] = set()
        for name, attempt in kinds:
            wanted = {"goroutines"} if name == INDEX else {"total_alloc"}
            for endpoint in self._endpoints:
                if wanted <= have:
                    break
                try:
                    have |= attempt(endpoint)
                except (SourceError, FormatError) as error:
                    self._refuse(endpoint, name, error)

    def read(self) -> Reading:
        """All that is told now; what could not be read is in `failures` and not in the reading."""
        reading = Reading()
        for reader in self._readers:
            try:
                reader(reading)
            except (SourceError, FormatError) as error:
                self.failures.append(error.message)
        return reading

    @property
    def names(self) -> str:
        """The pages that are read, in words: `/metrics` or `/debug/vars and /debug/pprof/`."""
        return " and ".join(self._names)

    @property
    def absent(self) -> str:
        """Why nothing is read, or an empty string."""
        if self._readers:
            return ""
        needs = f"needs {METRICS}, {VARS} or {INDEX} of the service"
        if not self._endpoints:
            return f"{needs}, and no URL of it is known: --url names it, or endpoints: in a policy"
        told = [f"{what} ({', '.join(paths)})" for what, paths in self._refusals.items()]
        return f"{needs}: {'; '.join(told)[:400]}"

    @property
    def hint(self) -> str:
        """What to do where nothing is read."""
        shared = next(iter(self._hints)) if len(self._hints) == 1 else ""
        return shared or "check the URL"

    def close(self) -> None:
        """End the connections."""
        for endpoint in self._endpoints:
            endpoint.close()

    def _try_metrics(self, endpoint: Endpoint) -> set[str]:
        # A URL that is itself a metrics page, whatever its name, is one too.
        itself = endpoint.prefix and not self._is_known_page(endpoint)
        for path in (METRICS, "") if itself else (METRICS,):
            try:
                return self._first(path or endpoint.prefix, _metrics_taker(endpoint, path))
            except (SourceError, FormatError) as error:
                self._refuse(endpoint, path, error)
        return set()

    def _try_vars(self, endpoint: Endpoint) -> set[str]:
        path = "" if endpoint.prefix.endswith(VARS) else VARS

        def take(reading: Reading) -> None:
            self._take_memstats(memstats.decode_vars(_body(endpoint, path)), reading)

        return self._first(VARS, take)

    def _try_index(self, endpoint: Endpoint) -> set[str]:
        path = "/" if endpoint.prefix.endswith(INDEX.rstrip("/")) else INDEX

        def take(reading: Reading) -> None:
            reading.values["goroutines"] = pprof_index.decode(_body(endpoint, path))["goroutine"]

        return self._first(INDEX, take)

    def _try_heap(self, endpoint: Endpoint) -> set[str]:
        known = endpoint.prefix.endswith(INDEX.rstrip("/"))
        path = HEAP.removeprefix(INDEX.rstrip("/")) if known else HEAP

        def take(reading: Reading) -> None:
            self._take_memstats(memstats.decode_heap_comments(_body(endpoint, path)), reading)

        return self._first(HEAP, take)

    def _refuse(self, endpoint: Endpoint, path: str, error: GocostError) -> None:
        """Remember why a page gives nothing, under one reason for all pages that share it."""
        rest = error.message.removeprefix(shown_url(endpoint.url(path)))
        rest = rest.removeprefix(f"{endpoint.base}{path}")
        said = f": {rest}" if rest == error.message else rest
        self._refusals.setdefault(f"{endpoint.base}{said}", []).append(path or "itself")
        self._hints.setdefault(error.hint)

    def _is_known_page(self, endpoint: Endpoint) -> bool:
        return endpoint.prefix.endswith((VARS, INDEX.rstrip("/")))

    def _first(self, name: str, take: Callable[[Reading], None]) -> set[str]:
        reading = Reading()
        take(reading)
        self._keep(name, take)
        return set(reading.values)

    def _keep(self, name: str, take: Callable[[Reading], None]) -> None:
        self._readers.append(take)
        self._names.append(name)

    def _take_memstats(self, stats: memstats.MemStats, reading: Reading) -> None:
        reading.values.update(
            heap_alloc=stats.heap_alloc,
            heap_goal=stats.next_gc,
            total_alloc=stats.total_alloc,
            cycles=stats.num_gc,
            forced=stats.num_forced_gc,
        )
        reading.limited = goal_is_limited(stats.next_gc, None)
        if self._cycle is not None:
            reading.ring = stats.pauses_since(self._cycle)
        self._cycle = stats.num_gc


def record(reading: Reading, at: float, seen: Observations) -> None:
    """Put a reading into the observations, at its time."""
    for name, value in reading.values.items():
        getattr(seen, name).add(at, value)
    seen.ring_pauses.extend((at, pause) for pause in reading.ring)
    if reading.gogc is not None:
        seen.gogc = reading.gogc
    seen.memory_limited = seen.memory_limited or reading.limited


def _metrics_taker(endpoint: Endpoint, path: str) -> Callable[[Reading], None]:
    def take(reading: Reading) -> None:
        _take_metrics(promtext.decode(_body(endpoint, path, accept=_TEXT), only="go_"), reading)
        if not reading.values:
            raise SourceError(f"{endpoint.base}{path} has none of the Go collector's metrics")

    return take


def _body(endpoint: Endpoint, path: str, *, accept: str = "*/*") -> bytes:
    answer = endpoint.get(path, accept=accept)
    if not answer.ok:
        # What a page says of itself makes a reason of its own of each; of the scheme all say it.
        said = answer.body if answer.status == 400 else b""
        raise refusal(endpoint.url(path), answer.status, said, endpoint.given)
    return answer.body


def _take_metrics(page: promtext.Page, reading: Reading) -> None:
    for name, candidates in _GAUGES.items():
        value = _first_value(page, candidates)
        if value is not None:
            reading.values[name] = value
    gc = page.value("go_cpu_classes_gc_total_cpu_seconds_total")
    total = page.value("go_cpu_classes_total_cpu_seconds_total")
    idle = page.value("go_cpu_classes_idle_cpu_seconds_total")
    if gc is not None and total is not None and idle is not None:
        reading.values.update(gc_classes=gc, busy_classes=total - idle)
    for sample in page.samples("go_gc_duration_seconds"):
        if "quantile" in sample.labels and sample.value >= 0:
            reading.quantiles[_number(sample.labels["quantile"])] = sample.value
    reading.pauses = next(filter(None, (_histogram(page, name) for name in _PAUSES)), None)
    reading.gogc = page.value("go_gc_gogc_percent")
    reading.limited = goal_is_limited(
        reading.values.get("heap_goal", 0.0), page.value("go_gc_gomemlimit_bytes")
    )


def goal_is_limited(goal: float, limit: float | None) -> bool:
    """Whether something else than GOGC sets the collector's goal: GOGC is off, or the goal is so
    near to the memory limit that the limit, less what is not heap, may be what sets it."""
    return goal >= _NO_LIMIT or (limit is not None and limit < _NO_LIMIT and goal >= 0.5 * limit)


def _first_value(page: promtext.Page, names: Sequence[str]) -> float | None:
    for name in names:
        value = page.value(name)
        if value is not None and value >= 0 and value != float("inf"):
            return value
    return None


def _histogram(page: promtext.Page, name: str) -> Histogram | None:
    buckets = [
        (_number(sample.labels["le"]), sample.value)
        for sample in page.samples(f"{name}_bucket")
        if "le" in sample.labels
    ]
    buckets.sort()
    return Histogram(*map(tuple, zip(*buckets, strict=True))) if buckets else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
