"""What a running service keeps in memory, and how fast it fills it."""

from __future__ import annotations

from gocost.model.metric import Enforcer, Metric, Worse
from gocost.model.quantity import Unit

_EVERYWHERE = (Enforcer.CHECK, Enforcer.LIVE, Enforcer.PROMETHEUS)
_RSS = "process_resident_memory_bytes"
_GOAL = "go_memstats_next_gc_bytes"

METRICS = (
    Metric(
        id="memory.rss.peak",
        summary="most resident memory the process had at one time",
        unit=Unit.BYTES,
        exact=False,
        how=(
            "the kernel's own high-water mark (VmHWM) where the process was watched from its "
            "start; otherwise the largest of the samples of /proc/PID/status, every 200 ms"
        ),
        advice=(
            "a memory limit must lie above it; set GOMEMLIMIT to about 90% of the limit so that "
            "the collector works harder before the kernel ends the process"
        ),
        where=_EVERYWHERE,
        prometheus=_RSS,
    ),
    Metric(
        id="memory.rss.steady",
        summary="resident memory once the load has settled in",
        unit=Unit.BYTES,
        exact=False,
        how="the median of /proc/PID/status over the last half of the load, every 200 ms",
        advice="see memory.heap.live for what the program holds; a lower GOGC trades CPU for it",
        where=_EVERYWHERE,
        prometheus=_RSS,
    ),
    Metric(
        id="memory.rss.anonymous",
        summary="the part of steady resident memory that is heap, stacks and the runtime's own",
        unit=Unit.BYTES,
        exact=False,
        how="the median of RssAnon in /proc/PID/status over the last half of the load",
        advice="it is the heap for the most part: reduce what is live, or lower GOGC",
        where=(Enforcer.CHECK, Enforcer.LIVE),
    ),
    Metric(
        id="memory.rss.file",
        summary="the part of steady resident memory that is mapped files: the executable itself",
        unit=Unit.BYTES,
        exact=False,
        how=(
            "the median of RssFile and RssShmem in /proc/PID/status over the last half of the "
            "load; replicas on one machine share it"
        ),
        advice="a smaller executable maps less; `gocost size` shows where its bytes are",
        where=(Enforcer.CHECK, Enforcer.LIVE),
    ),
    Metric(
        id="memory.heap.live",
        summary="heap that the collector found to be in use",
        unit=Unit.BYTES,
        exact=False,
        how=(
            "the median over the last half of the load of go_gc_heap_live_bytes where the "
            "service's page has it; otherwise the live heap that the collector's goal was set "
            "for, NextGC / (1 + GOGC/100), or HeapAlloc where that is less (an upper bound: "
            "stacks and globals count towards the goal). /metrics, /debug/vars or /debug/pprof "
            "is read every 5 s and at the edges of each phase"
        ),
        advice=(
            "`gocost profile top URL/debug/pprof/heap --sample-index inuse_space` says who holds it"
        ),
        where=_EVERYWHERE,
        prometheus=f"{_GOAL} / (1 + go_gc_gogc_percent / 100)",
    ),
    Metric(
        id="memory.heap.growth",
        summary="how much the live heap grew while the load stayed the same, as a share of it",
        unit=Unit.RATIO,
        least=None,
        limit=0.3,
        exact=False,
        how=(
            "the slope (Theil-Sen: the median of the slopes between all pairs of samples) of the "
            "live heap from the end of the warm-up to the end of the load, times that window, "
            "over what was live at its start; the window is stated with the fact. The readings of "
            "the pages, or, from 10 cycles and 16 MiB on, the live heap after each cycle by "
            "GODEBUG=gctrace=1 where gocost starts the process. Fewer than 5 readings can rise by "
            "chance: where there are as many cycles, it is no more than those bear out"
        ),
        advice=(
            "give three heap profiles taken minutes apart to `gocost profile trend`: a cache "
            "without a bound, a map that is only added to, goroutines that stay"
        ),
        where=_EVERYWHERE,
        prometheus=f"{_GOAL} / ({_GOAL} offset 30m) - 1",
    ),
    Metric(
        id="memory.mapped",
        summary="memory that the Go runtime had from the system",
        unit=Unit.BYTES,
        exact=False,
        how=(
            "/memory/classes/total of a page of the service, or MemStats.Sys; what was given back "
            "again is in it"
        ),
        advice="`gocost runtime FILE` shows what it is made of",
    ),
    Metric(
        id="memory.gc.headroom",
        summary="memory that the collector lets fill with garbage: its goal less the live heap",
        unit=Unit.BYTES,
        worse=Worse.NEITHER,
        exact=False,
        how="the goal of the heap less what was live after marking, by a page of the service",
        advice=(
            "it is what is paid in memory for collecting seldom; `gocost runtime FILE` shows what "
            "other settings of GOGC and GOMEMLIMIT would give"
        ),
    ),
    Metric(
        id="memory.allocation.rate",
        summary="bytes allocated on the heap in a second of load",
        unit=Unit.BYTES_PER_SECOND,
        limit=128_000_000,
        exact=False,
        how="the difference of MemStats.TotalAlloc over the load after warm-up, by its time",
        advice=(
            "`gocost profile top URL/debug/pprof/allocs --sample-index alloc_space` says who "
            "allocates; reuse buffers"
        ),
        where=_EVERYWHERE,
        prometheus="rate(go_memstats_alloc_bytes_total[5m])",
    ),
    Metric(
        id="memory.allocation.per_request",
        summary="bytes allocated on the heap for one request",
        unit=Unit.BYTES_PER_OPERATION,
        exact=False,
        how=(
            "the difference of MemStats.TotalAlloc over the whole load, by the requests the load "
            "generator sent in it"
        ),
        advice="`go test -benchmem` on the handler finds it before production does",
    ),
)
