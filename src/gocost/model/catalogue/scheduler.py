"""How Go's scheduler copes: what waits for a P, and how busy the Ps are."""

from __future__ import annotations

from gocost.model.metric import Metric, Worse
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="scheduler.latency",
        summary="time that goroutines were runnable before they ran",
        unit=Unit.SECONDS,
        exact=False,
        how=(
            "every interval between becoming runnable and running in an execution trace; quantiles "
            "are those of a histogram with eight buckets a power of two (at most 12.5% wide). Of "
            "pages given with --metrics: /sched/latencies:seconds, whose buckets bound the p99"
        ),
        limit=0.0012,
        advice=(
            "more than 1.2 ms at the p99 means too few Ps, or goroutines that run long without "
            "yielding: `gocost trace scheduler FILE` shows who waited and who ran meanwhile"
        ),
        statistics=("p50", "p99", "max", "count"),
    ),
    Metric(
        id="scheduler.utilisation",
        summary="share of the Ps' time in which they ran a goroutine or a syscall of one",
        unit=Unit.RATIO,
        worse=Worse.HIGHER,
        exact=False,
        limit=0.95,
        how=(
            "time that Ps were running or in a syscall over the time of as many as GOMAXPROCS "
            "allowed while an execution trace was recorded. "
            "Of pages given with --metrics: the CPU time of the process over GOMAXPROCS and the "
            "time between them, or else what is not idle of /cpu/classes"
        ),
        advice=(
            "above 95% requests wait for a P: raise the CPU limit, or see with `gocost profile "
            "top` what can be made cheaper"
        ),
    ),
    Metric(
        id="scheduler.running",
        summary="goroutines that run at a time, by the function that they start in",
        unit=Unit.COUNT,
        exact=False,
        how="time that they ran in a bin of an execution trace's timeline, over the bin's length",
        advice="see with `gocost trace view FILE` what runs while others wait for a P",
        labels=("entry",),
    ),
    Metric(
        id="scheduler.runnable",
        summary="goroutines that are ready to run at a time and have no P",
        unit=Unit.COUNT,
        worse=Worse.HIGHER,
        exact=False,
        how="time that they were ready in a bin of an execution trace's timeline, over its length",
        advice="see with `gocost trace view FILE` what ran at that time: more Ps, or less at once",
    ),
    Metric(
        id="scheduler.goroutines.created",
        summary="goroutines that were created while the trace was recorded",
        unit=Unit.COUNT,
        exact=False,
        how="creations in an execution trace",
        advice="a goroutine for every small piece of work costs more than the work: use workers",
    ),
)
