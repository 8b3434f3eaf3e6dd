"""The resource portrait: one comparable picture of a running service.

Started by gocost (`run:`), a service goes through four phases: start, until it is ready and idle;
warm-up and load, while the load generator works; settle, the stated time after it, when what did
not go away is counted. A process that runs already is watched for a time in one phase. With a base,
base and head run in turn, round by round, and each metric's change is judged on its interval.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gocost.analyses.portrait.drawing import draw, series, tables
from gocost.analyses.portrait.observations import WARM_UP_SHARE, Observations, Phase
from gocost.analyses.portrait.outcome import Outcome
from gocost.analyses.portrait.rounds import LEAST_EFFECT, ROUNDS, changes, middle
from gocost.formats import gctrace
from gocost.measures import serving
from gocost.measures.driving import drive, prepare
from gocost.measures.interface import LONG, Context, Measured, Target
from gocost.measures.registry import SPECS
from gocost.measures.service_pages import ServicePages
from gocost.measures.watching import Watcher, from_environment
from gocost.model.catalogue import all_metrics
from gocost.model.errors import SourceError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Note
from gocost.model.service import Run
from gocost.model.subject import Subject
from gocost.sources.proc import Process, find_process, main_child, unsupported

IDLE = 1.0
"""Seconds after ready, without load, before the start is over."""
WATCH = 10.0
"""Seconds that a service is watched for where no load is declared."""
AROUND = 0.5
"""Seconds, about, to start a service and to stop it."""
BEFORE_LOAD = frozenset({"process.ready.time", "process.init.time"})
"""What is known once the service is ready: for these alone no load is put on."""
ATTEMPTS = 3
"""Starts, where a port that was free is taken before the service has it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched where gocost did not start it: a process, pages, or both."""

    process: Process | None
    urls: tuple[str, ...] = ()
    headers: Mapping[str, str] | None = None
    seconds: float = WATCH


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """The portrait of a target's service, and how it differs from the base's."""
    return measure_rounds(target, context, base)


def measure_rounds(
    target: Target,
    context: Context,
    base: Target | None = None,
    *,
    rounds: int = ROUNDS,
    headers: Mapping[str, str] | None = None,
) -> Measured:
    """The same with the number of rounds against a base, and headers for the service's pages.

    Raises SourceError where the service cannot be run or the load cannot be put on.
    """
    run = target.service.run
    reason = unsupported() or ("" if run is not None else "the service has no `run:`")
    if reason or run is None:
        return Measured(skipped=_all(reason))
    if not context.wanted or context.wanted - BEFORE_LOAD:
        prepare(run.load, context)
    sides = 2 * rounds if base is not None else 1
    if text := _long(run, target, sides, context):
        context.announce(text)
    if base is None:
        seen, notes = _observe(run, target, target.directory, context, headers, "")
        return _measured(seen, target.subject, notes)
    return _interleaved(run, target, base, context, headers, rounds)


def watch(watched: Watched, context: Context, subject: Subject) -> Measured:
    """The portrait of a service that runs already. Raises SourceError."""
    if watched.process is not None and (reason := unsupported()):
        return Measured(skipped=_all(reason))
    pages = ServicePages(watched.urls, headers=watched.headers)
    context.progress("reading the service's pages")
    pages.discover()
    if watched.process is None and pages.absent:
        pages.close()
        raise SourceError(pages.absent, hint=pages.hint)
    with Watcher(watched.process, pages, started=time.monotonic()) as watcher:
        seen = watcher.seen
        _absences(seen, watched.process, pages)
        start = watcher.begin()
        _pass_time(watcher, watched.seconds, context, "watching")
        watcher.mark("watch", start, watcher.finish())
    notes = _notes(seen, pages)
    if watched.urls and pages.absent:
        # Whoever names a URL wants what it tells: to leave it out would look like a success.
        notes.append(Note("error", f"{pages.absent}; {pages.hint}"))
    if watcher.ended is not None:
        if len(seen.resident) < 2:
            raise watcher.ended
        text = f"{watcher.ended.message} while it was watched; the figures are of the time before"
        notes.append(Note("error", text))
        seen.phases[:] = [Phase("watch", start, seen.resident.times[-1])]
    elif watched.process is None and pages.failures and not seen.goroutines:
        raise SourceError(pages.failures[-1], hint="see whether the service still runs")
    if watched.process is not None:
        from_environment(watched.process, seen)
    return _measured(seen, subject, notes)


def _long(run: Run, target: Target, times: int, context: Context) -> str:
    """What to say before runs that take long enough to be wondered about."""
    if context.wanted and not context.wanted - BEFORE_LOAD:
        return ""
    load = run.load.duration + run.settle if run.load is not None else WATCH
    seconds = times * (IDLE + load + AROUND)
    if seconds < LONG:
        return ""
    how = "base and head in turn, " if times > 1 else ""
    often = f"{times} times, " if times > 1 else ""
    # A load of the user's own lasts as long as it lasts.
    least = "at least " if run.load is not None and run.load.command else "about "
    name = target.service.name or "the service"
    return f"running {name} {often}{how}{least}{format_quantity(seconds, Unit.SECONDS)}"


def _interleaved(
    run: Run,
    head: Target,
    base: Target,
    context: Context,
    headers: Mapping[str, str] | None,
    rounds: int,
) -> Measured:
    """Base and head in turn, the first of a round changing, so that a drift falls on both."""
    outcomes: dict[str, list[Outcome]] = {"base": [], "head": []}
    last: tuple[Observations, list[Note]] | None = None
    longest = 0.0
    for number in range(rounds):
        if context.remaining() < 2.2 * longest:
            break
        began = time.monotonic()
        sides = [("base", base), ("head", head)]
        for name, target in sides if number % 2 == 0 else reversed(sides):
            told = f"round {number + 1} of {rounds}, {name}: "
            # The load is head's on both sides: another load would be another measurement.
            seen, notes = _observe(run, target, head.directory, context, headers, told)
            outcomes[name].append(draw(seen, head.subject))
            if name == "head":
                last = (seen, notes)
        longest = max(longest, (time.monotonic() - began) / 2)
    assert last is not None, "the first round always runs"
    seen, notes = last
    outcome = middle(outcomes["head"], head.subject)
    done = len(outcomes["head"])
    if done < rounds:
        notes.append(Note("warning", f"{done} of {rounds} rounds: the time was up"))
    return Measured(
        facts=outcome.facts,
        tables=tables(seen),
        series=series(seen),
        changes=changes(outcomes["base"], outcomes["head"], head.subject),
        notes=notes,
        assumptions=[
            f"portrait: base and head ran {done} times each, in turn; figures are medians of the "
            f"runs, intervals cover 99%, and a change under {LEAST_EFFECT:.0%} is none",
            *_assumptions(seen),
        ],
        unknown=outcome.unknown,
        skipped=outcome.skipped,
    )


def _observe(
    run: Run,
    target: Target,
    load_directory: Path,
    context: Context,
    headers: Mapping[str, str] | None,
    told: str,
) -> tuple[Observations, list[Note]]:
    """One run of the service, from its start to its end."""
    for attempt in range(ATTEMPTS):
        planned = serving.plan(run, target.binary)
        try:
            return _run_once(run, planned, target, load_directory, context, headers, told)
        except serving.PortTakenError:
            # Between picking a free port and the service's listening, something else took it.
            if "port" not in planned.values or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the last attempt raises")


def _run_once(
    run: Run,
    planned: serving.Plan,
    target: Target,
    load_directory: Path,
    context: Context,
    headers: Mapping[str, str] | None,
    told: str,
) -> tuple[Observations, list[Note]]:
    context.progress(f"{told}starting {target.service.name or 'the service'}")
    within = min(run.ready_within, context.remaining())
    with serving.serving(planned, directory=target.directory, ready_within=within) as service:
        pages = ServicePages(planned.endpoints, headers=headers)
        pages.discover()
        child = service.child
        process = find_process(main_child(child.pid))
        with Watcher(process, pages, started=service.started) as watcher:
            seen = watcher.seen
            seen.tracing = True
            seen.from_the_start = True
            seen.ready = service.ready
            if service.ready is None:
                seen.absent["ready"] = "nothing says when it is ready (run.ready)"
            _absences(seen, process, pages)
            try:
                _drive_phases(run, planned, load_directory, watcher, context, told)
            except SourceError:
                # A load fails when its service dies; the service's end is the news then.
                if child.process.poll() is not None:
                    raise serving.ended_error(planned, child, service.heard, "under load") from None
                raise
            if watcher.ended is not None:
                raise serving.ended_error(planned, child, service.heard, "while it was watched")
            from_environment(process, seen)
        context.progress(f"{told}stopping")
    heard = service.heard
    seen.inits = heard.inits
    seen.traced = [(at - service.started, cycle) for at, cycle in heard.cycles]
    return seen, _notes(seen, pages)


def _drive_phases(
    run: Run,
    planned: serving.Plan,
    load_directory: Path,
    watcher: Watcher,
    context: Context,
    told: str,
) -> None:
    if context.wanted and not context.wanted - BEFORE_LOAD:
        watcher.seen.absent["load"] = "only the start was asked for"
        watcher.mark("start", 0.0, watcher.edge())
        return
    _pass_time(watcher, IDLE, context, f"{told}idle")
    begin = watcher.begin()
    watcher.mark("start", 0.0, begin)
    if run.load is None:
        watcher.seen.absent["load"] = "run: declares no load"
        _pass_time(watcher, WATCH, context, f"{told}watching, no load declared")
        watcher.mark("watch", begin, watcher.finish())
        return
    context.progress(f"{told}load for {run.load.duration:g} s")
    edges: list[float] = []
    watcher.edge_in(run.load.duration * WARM_UP_SHARE, edges.append)
    if run.load.vegeta:
        # vegeta's results are read after its last request; that is no time under load.
        watcher.edge_in(run.load.duration, edges.append)
    watcher.seen.load = drive(run.load, planned, load_directory, context)
    end = watcher.finish()
    watcher.seen.driven = Phase("load", begin, end)
    # A load that ended before a planned edge has its warm-up cut off by its own length.
    split, through, *_ = [*edges, end] if edges else [begin + WARM_UP_SHARE * (end - begin), end]
    watcher.mark("warm-up", begin, split)
    watcher.mark("load", split, through)
    _pass_time(watcher, run.settle, context, f"{told}settling")
    watcher.mark("settle", end, watcher.edge())


def _pass_time(watcher: Watcher, seconds: float, context: Context, told: str) -> None:
    """Wait, and say every second how long still; ends early with the process."""
    until = time.monotonic() + min(seconds, context.remaining())
    while (left := until - time.monotonic()) > 0 and watcher.ended is None:
        context.progress(f"{told}, {left:.0f} s left")
        watcher.wait(min(1.0, left))


def _absences(seen: Observations, process: Process | None, pages: ServicePages) -> None:
    seen.pages = pages.names
    if pages.absent:
        seen.absent["pages"] = pages.absent
    if process is None:
        seen.absent["process"] = "needs a process on this machine (--run or --pid)"
    elif process.usage().descriptors is None:
        seen.absent["descriptors"] = (
            f"the descriptors of process {process.pid} may not be listed by this user; run gocost "
            "as root or as the user it runs as"
        )


def _notes(seen: Observations, pages: ServicePages) -> list[Note]:
    notes = []
    if pages.failures:
        reasons = "; ".join(dict.fromkeys(pages.failures))[:300]
        notes.append(Note("warning", f"{len(pages.failures)} readings of pages failed: {reasons}"))
    if gone := gctrace.lost(cycle for _, cycle in seen.traced):
        text = f"{gone} gctrace lines were cut by what the service logs; their pauses are missing"
        notes.append(Note("warning", text))
    if seen.load is not None and seen.load.failed:
        share = seen.load.failed / max(1, seen.load.requests or 0)
        errors = f": {'; '.join(seen.load.errors)}" if seen.load.errors else ""
        text = f"{seen.load.failed:,} requests failed ({share:.1%}){errors[:300]}"
        notes.append(Note("warning", text))
    if "descriptors" in seen.absent:
        notes.append(Note("error", seen.absent["descriptors"]))
    return notes


def _measured(seen: Observations, subject: Subject, notes: list[Note]) -> Measured:
    outcome = draw(seen, subject)
    return Measured(
        facts=outcome.facts,
        tables=tables(seen),
        series=series(seen),
        notes=notes,
        assumptions=_assumptions(seen),
        unknown=outcome.unknown,
        skipped=outcome.skipped,
    )


def _assumptions(seen: Observations) -> list[str]:
    if seen.heap_goal and not seen.heap_live and seen.gogc is None:
        return ["portrait: GOGC is 100, which neither a page nor the environment tells"]
    return []


def _all(reason: str) -> dict[str, str]:
    spec = next(spec for spec in SPECS if spec.name == "portrait")
    return {metric: reason for metric in all_metrics() if spec.takes(metric)}
