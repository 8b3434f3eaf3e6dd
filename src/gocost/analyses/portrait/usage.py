"""The part of the portrait that /proc and the load generator give."""

from __future__ import annotations

from gocost.analyses.portrait.observations import Observations
from gocost.analyses.portrait.outcome import Outcome

FEWEST_FOR_P99 = 100
"""Events below which a p99 is only another name for the largest."""

PROCESS = (
    "memory.rss.peak",
    "memory.rss.steady",
    "memory.rss.anonymous",
    "memory.rss.file",
    "process.threads.peak",
    "process.descriptors.peak",
    "process.cpu.seconds",
    "process.cpu.cores",
    "process.cpu.per_request",
)
LOAD = (
    "process.requests.rate",
    "process.requests.failed",
    "process.cpu.per_request",
    "memory.allocation.per_request",
    "latency.p50",
    "latency.p99",
    "latency.max",
)


def usage(seen: Observations, outcome: Outcome) -> None:
    """Memory, CPU, threads, descriptors, and how it started."""
    _start(seen, outcome)
    if not seen.resident:
        outcome.skip(seen.absent.get("process", "the process was not watched"), *PROCESS)
        return
    _memory(seen, outcome)
    _cpu(seen, outcome)
    samples = len(seen.threads)
    outcome.give("process.threads.peak", seen.threads.peak() or 0, _sampled("status", samples))
    peak = seen.descriptors.peak()
    if peak is None:
        outcome.cannot(
            seen.absent.get("descriptors", "/proc/PID/fd was not read"), "process.descriptors.peak"
        )
    else:
        outcome.give("process.descriptors.peak", peak, _sampled("fd", len(seen.descriptors)))


def load(seen: Observations, outcome: Outcome) -> None:
    """What the load generator tells, and what one request costs."""
    if seen.load is None:
        outcome.skip(seen.absent.get("load", "no load is declared"), *LOAD)
        return
    figures = seen.load
    _requests(seen, outcome)
    for metric, value in (("latency.p50", figures.p50), ("latency.max", figures.max)):
        if value is None:
            outcome.skip("the load command does not report latencies", metric)
        else:
            outcome.give(metric, value, figures.what, figures.requests)
    if figures.p99 is None:
        outcome.skip("the load command does not report latencies", "latency.p99")
    elif (figures.requests or 0) < FEWEST_FOR_P99:
        outcome.cannot(
            f"a p99 of {figures.requests or 0} requests says nothing; send at least "
            f"{FEWEST_FOR_P99}",
            "latency.p99",
        )
    else:
        outcome.give("latency.p99", figures.p99, figures.what, figures.requests)


def _start(seen: Observations, outcome: Outcome) -> None:
    if seen.ready is None:
        reason = seen.absent.get("ready", "gocost did not start the process")
        outcome.skip(reason, "process.ready.time")
    else:
        outcome.give(
            "process.ready.time", seen.ready, "from start to the first 2xx, asked every 5 ms"
        )
    if seen.inits:
        outcome.give(
            "process.init.time",
            sum(package.clock for package in seen.slowest_inits()),
            f"GODEBUG=inittrace=1, {len(seen.inits)} packages",
        )
    else:
        outcome.skip(_no_trace(seen), "process.init.time")


def _memory(seen: Observations, outcome: Outcome) -> None:
    steady = seen.steady()
    if seen.from_the_start and (high_water := seen.resident_peak.peak()):
        outcome.give("memory.rss.peak", high_water, "VmHWM of /proc/PID/status, since the start")
    else:
        peak = seen.resident.peak() or 0
        outcome.give("memory.rss.peak", peak, _sampled("status", len(seen.resident)))
    for metric, track in (
        ("memory.rss.steady", seen.resident),
        ("memory.rss.anonymous", seen.anonymous),
        ("memory.rss.file", seen.file),
    ):
        part = track.between(steady.start, steady.end)
        middle = part.median()
        if middle is None:
            outcome.cannot("no sample of /proc fell into the last half of the load", metric)
        else:
            origin = f"median of {len(part)} samples of /proc/PID/status in {steady.seconds:.3g} s"
            outcome.give(metric, middle, origin, len(part))


def _cpu(seen: Observations, outcome: Outcome) -> None:
    window, steady = seen.window(), seen.steady()
    seconds = seen.cpu.between(window.start, window.end).rise()
    cores = seen.cpu.between(steady.start, steady.end).rate()
    if seconds is None or cores is None:
        reason = "/proc was read less than twice in that time: it was too short"
        outcome.cannot(reason, "process.cpu.seconds", "process.cpu.cores")
        return
    origin = "utime and stime of /proc/PID/stat"
    outcome.give("process.cpu.seconds", seconds, f"{origin}, over {window.seconds:.3g} s")
    outcome.give("process.cpu.cores", cores, f"{origin}, over the last {steady.seconds:.3g} s")


def _requests(seen: Observations, outcome: Outcome) -> None:
    figures = seen.load
    assert figures is not None
    if not figures.requests:
        reason = "the load command does not report how many requests it sent"
        outcome.skip(
            reason,
            "process.requests.rate",
            "process.requests.failed",
            "process.cpu.per_request",
            "memory.allocation.per_request",
        )
        return
    if figures.rate is None:
        outcome.skip("the load was a single request", "process.requests.rate")
    else:
        outcome.give("process.requests.rate", figures.rate, figures.what, figures.requests)
    if figures.failed is not None:
        share = figures.failed / figures.requests
        outcome.give("process.requests.failed", share, figures.what, figures.requests)
    else:
        reason = "the load command does not report failures"
        outcome.skip(reason, "process.requests.failed")
    seconds = outcome.value("process.cpu.seconds")
    if seconds is not None:
        origin = f"process.cpu.seconds over {figures.requests:,} requests"
        outcome.give("process.cpu.per_request", seconds / figures.requests, origin)
    elif "process.cpu.per_request" not in outcome.skipped:
        outcome.cannot(
            outcome.unknown.get("process.cpu.seconds", "CPU time is not known"),
            "process.cpu.per_request",
        )
    _allocated_per_request(seen, figures.requests, outcome)


def _allocated_per_request(seen: Observations, requests: int, outcome: Outcome) -> None:
    metric = "memory.allocation.per_request"
    if not seen.total_alloc:
        outcome.skip(seen.absent.get("pages", "no page was read"), metric)
        return
    window = seen.window()
    rise = seen.total_alloc.between(window.start, window.end).rise()
    if rise is None:
        outcome.cannot("TotalAlloc was not read at both edges of the load", metric)
    else:
        outcome.give(metric, rise / requests, f"TotalAlloc of {seen.pages}, {requests:,} requests")


def _no_trace(seen: Observations) -> str:
    if seen.tracing:
        return "no line of GODEBUG=inittrace=1 came: not a Go program, or of Go before 1.16"
    return seen.absent.get("trace", "gocost did not start the process")


def _sampled(file: str, samples: int) -> str:
    return f"largest of {samples} samples of /proc/PID/{file}"
