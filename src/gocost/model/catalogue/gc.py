"""What garbage collection takes from a running service: pauses and CPU."""

from __future__ import annotations

from msgspec.structs import replace

from gocost.model.metric import Enforcer, Metric, Worse
from gocost.model.quantity import Unit

_PAUSE = Metric(
    id="gc.pause",
    summary="how long the collector stopped the whole program",
    unit=Unit.SECONDS,
    exact=False,
    how=(
        "every pause under load: the two stops of each cycle (sweep termination and mark "
        "termination) from GODEBUG=gctrace=1 where gocost starts the process; otherwise from the "
        "service's pages, where the two stops of a cycle are counted as one pause. A p99 of "
        "fewer than 100 pauses is unknown; where no collection ran, all but the count is skipped. "
        "Of pages given with --metrics: the histogram of pauses, whose buckets bound the p99"
    ),
    limit=0.015,
    advice=(
        "long pauses come from a machine with too few cores for GOMAXPROCS, from a CPU limit that "
        "throttles, or from very many goroutines; `gocost explain gc.cpu.share` for how often"
    ),
    statistics=("p50", "p99", "max", "count"),
    where=(Enforcer.CHECK, Enforcer.LIVE),
)
# The default page of a Go service has these quantiles, over its last 256 cycles, and no p99.
_ON_THE_PAGE = {
    "p50": 'go_gc_duration_seconds{quantile="0.5"}',
    "max": 'go_gc_duration_seconds{quantile="1"}',
}


def _pauses() -> tuple[Metric, ...]:
    return tuple(
        replace(
            metric,
            prometheus=_ON_THE_PAGE[metric.statistic],
            where=(*metric.where, Enforcer.PROMETHEUS),
        )
        if metric.statistic in _ON_THE_PAGE
        else metric
        for metric in _PAUSE.expand()
    )


METRICS = (
    *_pauses(),
    Metric(
        id="gc.cpu.share",
        summary="the part of the service's CPU time that garbage collection took under load",
        unit=Unit.RATIO,
        most=1,
        exact=False,
        how=(
            "per cycle under load, from GODEBUG=gctrace=1: both stops on one core, assists, "
            "dedicated, fractional and idle marking; summed, over the CPU time of the process in "
            "/proc. Otherwise go_cpu_classes_gc_total over all classes but idle, where the "
            "service's page has them"
        ),
        advice=(
            "allocate less (memory.allocation.rate), or raise GOGC, or set GOMEMLIMIT and turn "
            "GOGC off where memory is there to be used"
        ),
        where=(Enforcer.CHECK, Enforcer.LIVE),
    ),
    Metric(
        id="gc.cycles",
        summary="garbage collections that ended under load",
        unit=Unit.COUNT,
        worse=Worse.NEITHER,
        exact=False,
        how="lines of GODEBUG=gctrace=1, or the difference of MemStats.NumGC, over the load",
        advice="at one live heap, half the cycles cost twice the memory: GOGC is that choice",
        where=(Enforcer.CHECK, Enforcer.LIVE),
    ),
    Metric(
        id="gc.forced",
        summary="garbage collections that the program asked for itself under load",
        unit=Unit.COUNT,
        exact=False,
        how=(
            "lines of GODEBUG=gctrace=1 that end in (forced), or the difference of "
            "MemStats.NumForcedGC, over the load"
        ),
        limit=3,
        advice="remove runtime.GC and debug.FreeOSMemory from what serves requests",
        where=(Enforcer.CHECK, Enforcer.LIVE),
    ),
)
