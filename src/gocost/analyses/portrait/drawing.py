"""The portrait of one run: every fact, the tables of phases and initialisation, the series."""

from __future__ import annotations

from gocost.analyses.portrait import runtime, usage
from gocost.analyses.portrait.observations import Observations
from gocost.analyses.portrait.outcome import Outcome
from gocost.analyses.portrait.track import Track
from gocost.model.catalogue import find_metric
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Series, SumsTo, Table
from gocost.model.subject import Subject

PROCESS_STEP = 0.2
"""Seconds between samples of /proc."""
PAGES_STEP = 5.0
"""Seconds between readings of the pages."""
LONGEST_SERIES = 600
"""Values of a series; a longer watching gets a longer step."""


def draw(seen: Observations, subject: Subject) -> Outcome:
    """Every metric of the portrait: as a fact, or with the reason why not."""
    outcome = Outcome(subject)
    usage.usage(seen, outcome)
    usage.load(seen, outcome)
    runtime.heap(seen, outcome)
    runtime.collector(seen, outcome)
    runtime.goroutines(seen, outcome)
    return outcome.sorted()


def series(seen: Observations) -> list[Series]:
    """What was sampled, evenly spaced, for charts."""
    found = [
        _series("memory.rss.steady", seen.resident, PROCESS_STEP),
        _series("process.cpu.cores", _rates(seen.cpu, 1.0), 5 * PROCESS_STEP),
        _series("process.threads.peak", seen.threads, PROCESS_STEP),
        _series("process.descriptors.peak", seen.descriptors, PROCESS_STEP),
        _series("memory.heap.live", runtime.live_heap(seen), PAGES_STEP),
        _series("memory.allocation.rate", _rates(seen.total_alloc, PAGES_STEP / 2), PAGES_STEP),
        _series("gc.pause.max", _pauses(seen), 5 * PROCESS_STEP),
        _series("goroutines.load", seen.goroutines, PAGES_STEP),
    ]
    return [one for one in found if any(value is not None for value in one.values)]


def tables(seen: Observations) -> dict[str, Table]:
    """`phases` always; `init` where the program told how its packages began."""
    found = {"phases": _phases(seen)}
    if seen.inits:
        found["init"] = _init(seen)
    return found


def _series(metric: str, track: Track, step: float) -> Series:
    if track and track.times[-1] / step > LONGEST_SERIES:
        step *= -(-track.times[-1] // (step * LONGEST_SERIES))
    return Series(metric, find_metric(metric).unit, 0.0, step, track.resampled(step))


def _rates(track: Track, least: float) -> Track:
    """A counter as its rise a second between samples at least so many seconds apart."""
    rates = Track()
    last = 0
    for i in range(1, len(track)):
        seconds = track.times[i] - track.times[last]
        if seconds >= least:
            rates.add(track.times[i], max(0.0, track.values[i] - track.values[last]) / seconds)
            last = i
    return rates


def _pauses(seen: Observations) -> Track:
    """The longest pause of each second in which a cycle ended."""
    longest: dict[int, float] = {}
    for at, cycle in seen.traced:
        second = int(at)
        longest[second] = max(longest.get(second, 0.0), *cycle.pauses)
    track = Track()
    for second in sorted(longest):
        track.add(float(second), longest[second])
    return track


def _phases(seen: Observations) -> Table:
    columns = (
        Column("phase", Unit.TEXT, "what went on"),
        Column("start", Unit.SECONDS, "since the watching began"),
        Column("duration", Unit.SECONDS, "how long it lasted"),
        Column("resident", Unit.BYTES, "resident memory, median"),
        Column("cores", Unit.CORES, "cores kept busy"),
        Column("heap", Unit.BYTES, "live heap, median"),
        Column("goroutines", Unit.COUNT, "at its end"),
        Column("cycles", Unit.COUNT, "garbage collections that ended in it"),
    )
    live = runtime.live_heap(seen)
    rows: list[list[Cell]] = []
    for phase in seen.phases:
        bounds = (phase.start, phase.end)
        traced = sum(phase.start < at <= phase.end for at, _ in seen.traced)
        cycles = traced if seen.tracing else seen.cycles.between(*bounds).rise()
        rows.append(
            [
                phase.name,
                phase.start,
                phase.seconds,
                seen.resident.between(*bounds).median(),
                seen.cpu.between(*bounds).rate(),
                live.between(*bounds).median(),
                _whole(seen.goroutines.between(*bounds).last()),
                _whole(cycles),
            ]
        )
    return Table("Phases", columns, rows)


def _init(seen: Observations) -> Table:
    columns = (
        Column("package", Unit.TEXT, "whose variables and init functions ran"),
        Column("clock", Unit.SECONDS, "how long they took", additive=True),
        Column("at", Unit.SECONDS, "when they began, since the runtime started"),
        Column("bytes", Unit.BYTES, "allocated by them", additive=True),
        Column("allocations", Unit.COUNT, "made by them", additive=True),
    )
    rows: list[list[Cell]] = [
        [p.package, p.clock, p.at, p.allocated_bytes, p.allocations] for p in seen.slowest_inits()
    ]
    return Table("Before main, by package", columns, rows, SumsTo("clock", "process.init.time"))


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
