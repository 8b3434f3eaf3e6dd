"""The evidence of a bill, out of recorded files or a folder that was recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from gocost.analyses.attribution.bill import Evidence, column, hits
from gocost.analyses.attribution.clocks import Span, doubts, overlaps
from gocost.analyses.attribution.memory import Resident
from gocost.analyses.collector.window import (
    CollectorWindow,
    allocation_weight,
    pace,
    window_of_cycles,
    window_of_pages,
)
from gocost.analyses.profile.merging import merge, subtract
from gocost.analyses.runtime.recorded import Recorded
from gocost.analyses.trace.account import Joined
from gocost.formats.goroutine_dump.decoding import MAX_BYTES as DUMP_BYTES
from gocost.formats.goroutine_dump.dump import Dump
from gocost.formats.pprof.profile import Profile
from gocost.measures.billed_profiles import Kinds
from gocost.measures.billed_times import BLOCK, MUTEX, Times, covered
from gocost.measures.goroutines import Reading as DumpReading
from gocost.measures.manifest import Manifest, Part, read_manifest
from gocost.measures.profiles import Reading
from gocost.measures.runtime_metrics import MAX_BYTES as PAGE_BYTES
from gocost.measures.runtime_metrics import Reading as RuntimeReading
from gocost.measures.trace import read_trace, trace_time
from gocost.measures.trace_recording import TraceFile
from gocost.measures.trace_tasks import task_use
from gocost.model.errors import FormatError, GocostError, SourceError, UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.sources.files import Spooled, is_file
from gocost.sources.recordings import MAX_BYTES as RECORDING_BYTES

T = TypeVar("T")
_OPTIONAL: Final = ("metrics", "memstats")
"""Pages that many services do not have."""
_APART: Final = 0.25
"""How far the operating system's CPU time and the samples' may be apart without a word."""
_MOST_CORES: Final = 1 << 16
"""More than a process has: what says so is not believed."""
_MOST_BYTES: Final = 1 << 60
_METADATA: Final = (
    "metadata/mcache/free",
    "metadata/mcache/inuse",
    "metadata/mspan/free",
    "metadata/mspan/inuse",
    "metadata/other",
    "other",
    "profiling/buckets",
)
_HELD: Final = (
    "heap/objects",
    "heap/unused",
    "heap/free",
    "heap/stacks",
    "os-stacks",
    *_METADATA,
)
"""All that is mapped and not given back."""


@dataclass(frozen=True, slots=True)
class Files:
    """What was recorded, by file or URL."""

    profiles: tuple[str, ...] = ()
    """Of any kind: CPU, heap, allocs, block, mutex."""
    trace: str | None = None
    goroutines: str | None = None
    metrics: tuple[str, ...] = ()
    memstats: tuple[str, ...] = ()
    """Pages with runtime.MemStats, where those with metrics may tell less."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The evidence, the time it is of, and what to say of it."""

    evidence: Evidence
    seconds: float | None
    """The CPU profile's window."""
    samples: int
    """How many times the profiler hit: a profile has equal stacks as one, with their number."""
    recorded_ns: int
    """What they come to."""
    spans: tuple[Span, ...]
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


def folder_files(folder: Path) -> tuple[Files, Manifest]:
    """The files of a recorded folder. Raises SourceError and UsageError."""
    manifest = read_manifest(folder)
    there = [part for part in manifest.parts if is_file(folder / part.file)]
    there = [part for part in there if manifest.counts(part)]
    if any((folder / part.file).is_symlink() for part in there):
        raise UsageError(
            f"{folder} has links where its files should be",
            hint="record it again, or name the files one by one (--profile FILE)",
        )

    def of(*kinds: str) -> tuple[str, ...]:
        return tuple(str(folder / part.file) for part in there if part.kind in kinds)

    return Files(
        profiles=of("cpu", "heap", "block", "mutex"),
        trace=next(iter(of("trace")), None),
        goroutines=next(iter(of("goroutines")), None),
        metrics=of("metrics"),
        memstats=of("memstats"),
    ), manifest


def gather(
    files: Files,
    reading: Reading,
    manifest: Manifest | None = None,
    *,
    tasks: bool = False,
    dump: Dump | None = None,
    pages: Recorded | None = None,
    traced: TraceFile | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Gathered:
    """Reads and joins what was recorded; with `tasks` what the trace's tasks used, too.

    A trace of a URL is recorded while the profiles are, and `announce` is told where it is kept.
    `dump`, `pages` and `traced` are what was read or begun already, in place of those files. Raises
    UsageError, SourceError and FormatError.
    """
    if files.trace is not None and traced is None:
        # What raises the cap of profiles raises that of what has its own.
        most = max(RECORDING_BYTES, reading.max_bytes)
        traced = TraceFile(files.trace, headers=reading.headers, max_bytes=most, announce=announce)
    with nullcontext() if traced is None else traced.meanwhile():
        return _gathered(files, reading, manifest, tasks, dump, pages, traced)


def _gathered(
    files: Files,
    reading: Reading,
    manifest: Manifest | None,
    tasks: bool,
    dump: Dump | None,
    pages: Recorded | None,
    traced: TraceFile | None,
) -> Gathered:
    notes: list[str] = [] if manifest is None else [*_ended(manifest), *_lost(manifest)]
    assumptions: list[str] = []

    def read(what: Callable[[], T]) -> T | None:
        """What a file holds. Of a recording that broke off the rest is still worth a bill."""
        try:
            return what()
        except (FormatError, SourceError, UsageError) as error:
            if manifest is None:
                raise
            notes.append(f"{error}; the rest goes on without it")
            return None

    kinds = Kinds()
    for where in files.profiles:
        read(partial(_added, kinds, reading, where, manifest))
    for each in (kinds.heap, kinds.block, kinds.mutex):
        each.sort(key=lambda profile: profile.header.time_ns)
    cpu = merge(kinds.cpu) if len(kinds.cpu) > 1 else next(iter(kinds.cpu), None)
    seconds = sum(max(0, profile.header.duration_ns) for profile in kinds.cpu) / 1e9 or None
    times = Times(manifest)
    times.profiles(kinds)
    trace = None
    dumps = DumpReading(reading.headers, max(DUMP_BYTES, reading.max_bytes))
    if traced is not None:
        most = reading.max_bytes
        trace = read(lambda: _trace(traced.path(), kinds.cpu, times, assumptions, most))
    used = None
    if tasks and trace is not None and traced is not None:
        used = read(partial(task_use, traced.path(), trace, reading.max_bytes))
    if used is not None:
        seconds = used.seconds
        assumptions.append(
            "CPU by task is the time that its goroutines ran in the trace, the runtime under them "
            "included; what its other goroutines do outside of its regions has no task"
        )
    if files.goroutines is not None:
        dump = read(partial(dumps.one, files.goroutines))
    notes += _trace_notes(trace, traced)
    if kinds.cpu:
        notes += doubts(times.spans[0], overlaps(times.spans[0], times.spans[1:]))
    times.moments()
    told = read(partial(_runtime, files, reading, manifest)) or []
    told += [pages] if pages is not None else []
    times.pages(told)
    notes += [text for each in told for text in each.notes]
    sampled = int(cpu.values[:, column(cpu, "cpu")].sum()) if cpu is not None else 0
    counted = None
    if used is None:
        counted = _counted(manifest, told, seconds, assumptions)
    notes += _disagreement(counted, sampled)
    resident = _resident(manifest, told, notes)
    if kinds.holding() and resident.total is None:
        assumptions.append(
            "memory is what the heap profile has as live alone, without what GOGC adds, stacks and "
            "the runtime's own: nothing says what the process holds (--pid, or --metrics with "
            "process_resident_memory_bytes or go_memstats_*)"
        )
    evidence = Evidence(
        cpu=cpu,
        cpu_ns=counted,
        allocated=_since(kinds.allocating(), "allocations", assumptions),
        live=tuple(kinds.holding()),
        blocked=_since(kinds.block, BLOCK, assumptions),
        contended=_since(kinds.mutex, MUTEX, assumptions),
        trace=trace,
        goroutines=dump,
        tasks=used,
        resident=resident,
        share=_share(told, assumptions, notes) if kinds.heap and cpu is not None else 1.0,
    )
    return Gathered(
        evidence=evidence,
        seconds=seconds,
        samples=int(hits(cpu).sum()) if cpu is not None else 0,
        recorded_ns=sampled,
        spans=tuple(times.spans),
        notes=tuple(dict.fromkeys(notes)),
        assumptions=tuple(assumptions),
    )


def _added(kinds: Kinds, reading: Reading, where: str, manifest: Manifest | None) -> None:
    parts = () if manifest is None else manifest.parts
    kind = next((part.kind for part in parts if part.file == Path(where).name), "")
    kinds.add(reading.one(where), kind)


def _verb(what: str) -> str:
    return "are" if what.endswith("s") else "is"


def _ended(manifest: Manifest) -> list[str]:
    """That the service died meanwhile, and what was not asked for before; that several processes
    answered.
    """
    told = []
    if manifest.several:
        left = dict.fromkeys(part.kind for part in manifest.parts if part.lost == manifest.several)
        rest = f", and of {', '.join(left)} there is no second page to compare with" if left else ""
        told.append(f"{manifest.several}; what was recorded is of whichever answered{rest}")
    if not manifest.ended:
        return told
    late = dict.fromkeys(part.kind for part in manifest.parts if _late(part, manifest))
    rest = f", without {', '.join(late)} of its end" if late else ""
    return [*told, f"{manifest.ended}; what was recorded until then counts{rest}"]


def _late(part: Part, manifest: Manifest) -> bool:
    """Whether a page was asked of a service that was gone, or of another process."""
    return not manifest.counts(part) and bool(part.lost)


def _lost(manifest: Manifest) -> list[str]:
    """What of a recording is not there, or not whole, with the reason."""
    return [
        f"the {part.kind} of the recording {_verb(part.kind)} lost: {part.lost}"
        for part in manifest.parts
        if part.lost not in ("", manifest.several)
        and part.kind not in _OPTIONAL
        and not _late(part, manifest)
    ]


def _trace(
    path: Path | Spooled,
    profiles: Sequence[Profile],
    times: Times,
    assumptions: list[str],
    max_bytes: int,
) -> Joined:
    """The trace, clipped to a stretch of time that the CPU profiles cover, where both times are
    known and overlap: of several stretches that with most of the trace.
    """
    span = times.trace(path, trace_time(path), max_bytes)
    first, last = span.start_ns, span.end_ns
    stretches = covered(profiles)
    if first is None or last is None:
        times.spans.append(span)
        return read_trace(path, max_bytes=max_bytes)
    within = [(max(first, begun), min(last, ended)) for begun, ended in stretches]
    within = sorted(
        (each for each in within if each[0] < each[1]), key=lambda each: each[0] - each[1]
    )
    if not within or within[0] == (first, last):
        times.spans.append(span)
        return read_trace(path, max_bytes=max_bytes)
    start, end = within[0]
    times.spans.append(replace(span, start_ns=start, end_ns=end))
    lengths = [format_quantity(each / 1e9, Unit.SECONDS) for each in (end - start, last - first)]
    many = "profile" if len(profiles) == 1 else "profiles"
    told = f"of the trace's {lengths[1]} the {lengths[0]} within the CPU {many} count"
    if len(within) > 1:
        left = format_quantity(sum(e - s for s, e in within[1:]) / 1e9, Unit.SECONDS)
        told += f", the longest stretch of them; {left} more of it are within others"
    assumptions.append(told)
    return read_trace(path, between=(start - first, end - first), max_bytes=max_bytes)


def _since(profiles: Sequence[Profile], what: str, assumptions: list[str]) -> Profile | None:
    """The last of cumulative profiles less the first; alone, all since the service started."""
    if not profiles:
        return None
    if all(profile.header.duration_ns > 0 for profile in profiles):
        return merge([*profiles]) if len(profiles) > 1 else profiles[0]  # of `?seconds=N`
    if len(profiles) == 1:
        assumptions.append(
            f"the {what} {_verb(what)} of all the time since the service started: give a second "
            "profile, recorded later, for a window"
        )
        return profiles[0]
    return subtract(profiles[-1], profiles[0], of_base=False, normalize=False)


def _runtime(files: Files, reading: Reading, manifest: Manifest | None) -> list[Recorded]:
    """What pages tell of the runtime; the two kinds of pages apart."""
    parts = manifest.parts if manifest is not None else ()
    pages = RuntimeReading(reading.headers, max(PAGE_BYTES, reading.max_bytes))
    found = []
    for kind, names in (("metrics", files.metrics), ("memstats", files.memstats)):
        times = [part.answered_ns for part in parts if part.kind == kind and not part.lost]
        every = (times[-1] - times[0]) / 1e9 if len(times) > 1 else None
        if names:
            found.append(pages.read(names, every=every))
    return found


def _counted(
    manifest: Manifest | None,
    told: Sequence[Recorded],
    seconds: float | None,
    assumptions: list[str],
) -> int | None:
    """CPU nanoseconds that the operating system counted in the CPU profile's window."""
    if seconds is None:
        return None
    moments = manifest.moments if manifest is not None else ()
    if len(moments) > 1 and moments[1].at_ns > moments[0].at_ns:
        first, last = moments[0], moments[1]
        rate = (last.cpu_seconds - first.cpu_seconds) / ((last.at_ns - first.at_ns) / 1e9)
        if 0 <= rate <= _MOST_CORES:
            return round(rate * seconds * 1e9)
    for each in told:
        if len(each.pages) > 1 and each.seconds:
            then, now = each.pages[0].cpu_seconds, each.pages[-1].cpu_seconds
            if then is None or now is None:
                continue
            rate = (now - then) / each.seconds
            if 0 <= rate <= _MOST_CORES:
                return round(rate * seconds * 1e9)
    assumptions.append(
        "the process's CPU time is what the profile's samples come to: nothing says what the "
        "operating system counted (--pid, or two pages with process_cpu_seconds_total and times)"
    )
    return None


def _window(told: Recorded, notes: list[str]) -> CollectorWindow | None:
    """What pages or cycles tell of the collector; None, with a note, where they have nothing of
    it: a page of the service's own metrics alone has not.
    """
    try:
        if told.pages:
            return window_of_pages(told.pages, seconds=told.seconds)
        return window_of_cycles(told.cycles)
    except GocostError as error:
        notes.append(f"{error.message}; the rest goes on without it")
        return None


def _share(told: Sequence[Recorded], assumptions: list[str], notes: list[str]) -> float:
    """How much of heap marking goes by what was allocated: see METHODS and `allocation_weight`."""
    spread = "pointers are taken to be as dense in what one function allocates as in another's"
    for each in told:
        window = _window(each, notes)
        weight = None if window is None else allocation_weight(window)
        if window is None or weight is None:
            continue
        by = f"{weight:.0%} by allocated bytes and the rest by live ones"
        goes = "by allocated bytes" if weight == 1 else by
        assumptions.append(
            f"{pace(window)} sets the collector's pace: marking goes {goes}; {spread}"
        )
        return weight
    assumptions.append(f"GOGC is taken to set the collector's pace (--metrics tells); {spread}")
    return 1.0


def _disagreement(counted: int | None, sampled: int) -> list[str]:
    """Where the operating system and the profiler do not speak of the same process or time."""
    if counted is None or abs(counted - sampled) <= _APART * max(counted, sampled):
        return []
    told = [format_quantity(each, Unit.NANOSECONDS) for each in (counted, sampled)]
    return [
        f"the operating system counted {told[0]} of CPU, and the profile's samples come to "
        f"{told[1]}: is it the same process (--pid)? A profile loses samples of more than some "
        "cores, and of work in bursts that end before its next tick"
    ]


def _resident(manifest: Manifest | None, told: Sequence[Recorded], notes: list[str]) -> Resident:
    """What the process holds, by the operating system and by its runtime."""
    moments = manifest.moments if manifest is not None else ()
    pages = [page for each in told for page in each.pages]
    total = _mean([moment.resident for moment in moments]) or _mean(
        [page.resident for page in pages if page.resident is not None]
    )
    whole = [page for page in pages if page.value("/memory/classes/heap/objects:bytes") is not None]

    def classes(*names: str) -> int | None:
        values = [[page.value(f"/memory/classes/{name}:bytes") for name in names] for page in whole]
        return _mean([sum(v for v in each if v is not None) for each in values])

    used = classes("heap/objects", "heap/stacks")
    if total is not None and used is not None and moments and total < used:
        had = [format_quantity(each, Unit.BYTES) for each in (total, used)]
        notes.append(
            f"the operating system counted {had[0]} of memory, and the runtime's objects and "
            f"stacks alone are {had[1]}: is it the same process (--pid)?"
        )
    windows = [_window(each, notes) for each in told if each.pages]
    live = _mean([each.live for each in windows if each is not None and each.live is not None][:1])
    return Resident(
        total=total if total is not None else classes(*_HELD),
        live=live,
        heap=classes("heap/objects"),
        stacks=classes("heap/stacks"),
        thread_stacks=classes("os-stacks"),
        metadata=classes(*_METADATA),
        free=classes("heap/free", "heap/unused"),
    )


def _mean(values: Sequence[float]) -> int | None:
    """The mean of the sizes that can be, NaN and more than any machine has left out."""
    believed = [value for value in values if 0 <= value < _MOST_BYTES]
    return round(sum(believed) / len(believed)) if believed else None


def _trace_notes(trace: Joined | None, traced: TraceFile | None) -> list[str]:
    if trace is None or traced is None:
        return []
    return [text for text in (traced.lost, trace.lost) if text]
