"""How many goroutines a service has, and how many it never lets go."""

from __future__ import annotations

from gocost.model.metric import Enforcer, Metric, Worse
from gocost.model.quantity import Unit

_PAGES = (
    "go_goroutines of /metrics, or the count on /debug/pprof/, every 5 s and at the edges of "
    "each phase"
)

METRICS = (
    Metric(
        id="goroutines.start",
        summary="goroutines when the service was ready and had no load",
        unit=Unit.COUNT,
        exact=False,
        how=f"the last count before the load: {_PAGES}",
        advice="what a service starts before its first request is there for as long as it runs",
    ),
    Metric(
        id="goroutines.load",
        summary="most goroutines at one time under load",
        unit=Unit.COUNT,
        exact=False,
        how=f"the largest count during the load: {_PAGES}",
        advice="bound what runs at once (a worker pool, a semaphore, a server's connection limit)",
        where=(Enforcer.CHECK, Enforcer.LIVE, Enforcer.PROMETHEUS),
        prometheus="go_goroutines",
    ),
    Metric(
        id="goroutines.after",
        summary="goroutines that were left when the load had gone and settled",
        unit=Unit.COUNT,
        worse=Worse.HIGHER,
        exact=False,
        how=f"the count at the end of the settling time, which is stated: {_PAGES}",
        advice="see goroutines.leaked for those that were not there before",
    ),
    Metric(
        id="goroutines.leaked",
        summary="goroutines that do not go away any more",
        unit=Unit.COUNT,
        exact=False,
        how=(
            "of goroutine dumps (--goroutines) goroutines.leak.certain plus .probable, else "
            "goroutines.after less goroutines.start, after the stated settling time; in "
            "Prometheus, how far the half-hourly minimum has risen within an hour"
        ),
        advice=(
            "`gocost goroutines URL --older-than 5s` names the lines that create them and wait: a "
            "channel nobody reads, a context nobody cancels, a response body nobody closes. Idle "
            "keep-alive connections count as well without dumps: give the service a longer "
            "settling time or an idle timeout"
        ),
        where=(Enforcer.CHECK, Enforcer.LIVE, Enforcer.PROMETHEUS),
        prometheus=(
            "min_over_time(go_goroutines[30m]) - min_over_time(go_goroutines[30m] offset 1h)"
        ),
    ),
    Metric(
        id="goroutines.per_worker",
        summary="goroutines for each thread that can run them (GOMAXPROCS)",
        unit=Unit.COUNT,
        limit=50_000,
        exact=False,
        how="go_goroutines over go_sched_gomaxprocs_threads of the service's page",
        advice=(
            "stacks of idle goroutines cost memory and are scanned by each collection: bound what "
            "runs at once, or use event-driven connections"
        ),
        where=(Enforcer.CHECK, Enforcer.PROMETHEUS),
        prometheus="go_goroutines / go_sched_gomaxprocs_threads",
    ),
    Metric(
        id="goroutines.count",
        summary="goroutines in a dump",
        unit=Unit.COUNT,
        exact=False,
        how="counted in a goroutine dump: /debug/pprof/goroutine, a panic, SIGQUIT",
        advice="`gocost goroutines` shows where they were created and where they wait",
    ),
    Metric(
        id="goroutines.leak",
        summary="goroutines of a dump that never go on",
        unit=Unit.COUNT,
        exact=False,
        how=(
            "certain: the runtime calls them leaked, or they wait on a nil channel or in an empty "
            "select; probable: of three dumps under steady load, those whose like arrive and do "
            "not leave"
        ),
        advice=(
            "`gocost goroutines URL --older-than 5s` names the line that created them, the line "
            "that waits, and the usual cure"
        ),
        statistics=("certain", "probable"),
    ),
)
