"""What a running service takes from its machine, and how it starts."""

from __future__ import annotations

from gocost.model.metric import Enforcer, Metric, Worse
from gocost.model.quantity import Unit

_EVERYWHERE = (Enforcer.CHECK, Enforcer.LIVE, Enforcer.PROMETHEUS)

METRICS = (
    Metric(
        id="process.threads.peak",
        summary="most threads of the operating system at one time",
        unit=Unit.COUNT,
        exact=False,
        how="the largest of the samples of /proc/PID/status, every 200 ms",
        advice="many threads are blocked system calls or cgo calls: bound them",
        where=_EVERYWHERE,
        prometheus="go_threads",
    ),
    Metric(
        id="process.descriptors.peak",
        summary="most open file descriptors at one time",
        unit=Unit.COUNT,
        exact=False,
        how="entries of /proc/PID/fd, every 200 ms",
        advice="close bodies, files and connections; set timeouts on idle connections",
        where=_EVERYWHERE,
        prometheus="process_open_fds",
    ),
    Metric(
        id="process.cpu.seconds",
        summary="CPU time the process took, user and system, during the load",
        unit=Unit.SECONDS,
        exact=False,
        how="the difference of utime and stime of /proc/PID/stat between the load's edges",
        advice="`gocost profile top URL/debug/pprof/profile` says where it goes",
        where=(Enforcer.CHECK, Enforcer.LIVE),
    ),
    Metric(
        id="process.cpu.cores",
        summary="cores the process kept busy over the last half of the load",
        unit=Unit.CORES,
        exact=False,
        how="CPU seconds of /proc/PID/stat by wall seconds, over the last half of the load",
        advice="a CPU request below it is throttled or starved; see process.cpu.per_request",
        where=_EVERYWHERE,
        prometheus="rate(process_cpu_seconds_total[5m])",
    ),
    Metric(
        id="process.cpu.per_request",
        summary="CPU time for one request",
        unit=Unit.SECONDS_PER_OPERATION,
        exact=False,
        how="process.cpu.seconds by the requests the load generator sent in that time",
        advice="`gocost profile top URL/debug/pprof/profile` says where it goes",
    ),
    Metric(
        id="process.requests.rate",
        summary="requests a second that the load put on the service",
        unit=Unit.COUNT_PER_SECOND,
        worse=Worse.NEITHER,
        exact=False,
        how="what the load generator sent, by the time it took",
        advice="when it is below the rate that was asked for, the service did not keep up",
    ),
    Metric(
        id="process.requests.failed",
        summary="the part of the requests that did not get an answer of 2xx or 3xx",
        unit=Unit.RATIO,
        most=1,
        exact=False,
        how="the load generator's own count",
        advice="see the report's notes for the first errors; figures under errors mean little",
    ),
    Metric(
        id="process.ready.time",
        summary="time from start to the first answer that says ready",
        unit=Unit.SECONDS,
        exact=False,
        how=(
            "from the start of the program until its `ready` URL answers 2xx, asked every 5 ms, "
            "and later at every fiftieth of the time so far"
        ),
        advice="see process.init.time and the table `init` for the part before main",
    ),
    Metric(
        id="process.init.time",
        summary="time spent initialising packages before main",
        unit=Unit.SECONDS,
        exact=False,
        how="the sum of the clock times of GODEBUG=inittrace=1",
        advice=(
            "the table `init` names the packages: compile regular expressions and parse templates "
            "when first needed, not in package variables"
        ),
    ),
)
