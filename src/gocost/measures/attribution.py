"""The evidence of a bill, out of recorded files or a folder that was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gocost.analyses.attribution.bill import Evidence, column
from gocost.analyses.attribution.clocks import Span, doubts, overlaps
from gocost.analyses.attribution.memory import Resident
from gocost.analyses.attribution.stacks import stacks_of
from gocost.analyses.profile.merging import merge, subtract
from gocost.analyses.trace.account import Joined
from gocost.formats.pprof.profile import Profile
from gocost.measures.goroutines import Reading as DumpReading
from gocost.measures.profiles import Reading
from gocost.measures.recording import Manifest, read_manifest
from gocost.measures.trace import read_trace
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity

CPU, HEAP, BLOCK, MUTEX = "CPU profile", "heap profile", "block profile", "mutex profile"
_APART: Final = 0.25
"""How far the operating system's CPU time and the samples' may be apart without a word."""
_UNLOCKS: Final = ("Unlock", "_LostContendedRuntimeLock", ".semrelease", "runtime.unlock")
"""Where a mutex profile's stacks end: it blames whoever unlocks."""


@dataclass(frozen=True, slots=True)
class Files:
    """What was recorded, by file or URL."""

    profiles: tuple[str, ...] = ()
    """Of any kind: CPU, heap, allocs, block, mutex."""
    trace: str | None = None
    goroutines: str | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """The evidence, the time it is of, and what to say of it."""

    evidence: Evidence
    seconds: float | None
    """The CPU profile's window."""
    samples: int
    """How many samples the CPU profile rests on."""
    recorded_ns: int
    """What they come to."""
    spans: tuple[Span, ...]
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


@dataclass(slots=True)
class _Kinds:
    """Profiles by kind, earliest first."""

    cpu: list[Profile] = field(default_factory=list)
    heap: list[Profile] = field(default_factory=list)
    block: list[Profile] = field(default_factory=list)
    mutex: list[Profile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, profile: Profile) -> None:
        """Raises UsageError for a kind that is not billed."""
        types = {each.type for each in profile.header.sample_types}
        if "cpu" in types:
            self.cpu.append(profile)
        elif {"alloc_space", "inuse_space"} & types:
            self.heap.append(profile)
        elif "delay" in types:
            (self.mutex if _blames_unlockers(profile) else self.block).append(profile)
        else:
            raise UsageError(
                f"{profile.origin} is a profile of {', '.join(sorted(types))}: there is nothing in "
                "it to bill",
                hint="give CPU, heap, block and mutex profiles; a goroutine dump is --goroutines",
            )


def folder_files(folder: Path) -> tuple[Files, Manifest]:
    """The files of a recorded folder. Raises SourceError and UsageError."""
    manifest = read_manifest(folder)
    there = [part for part in manifest.parts if (folder / part.file).exists()]

    def of(*kinds: str) -> tuple[str, ...]:
        return tuple(str(folder / part.file) for part in there if part.kind in kinds)

    return Files(
        profiles=of("cpu", "heap", "block", "mutex"),
        trace=next(iter(of("trace")), None),
        goroutines=next(iter(of("goroutines")), None),
        metrics=of("metrics"),
    ), manifest


def gather(files: Files, reading: Reading, manifest: Manifest | None = None) -> Gathered:
    """Reads and joins what was recorded. Raises UsageError, SourceError and FormatError."""
    kinds = _Kinds()
    for where in files.profiles:
        kinds.add(reading.one(where))
    for each in (kinds.heap, kinds.block, kinds.mutex):
        each.sort(key=lambda profile: profile.header.time_ns)
    cpu = merge(kinds.cpu) if len(kinds.cpu) > 1 else next(iter(kinds.cpu), None)
    seconds = sum(profile.header.duration_ns for profile in kinds.cpu) / 1e9 or None
    trace = read_trace(Path(files.trace)) if files.trace is not None else None
    dump = DumpReading().one(files.goroutines) if files.goroutines is not None else None
    spans = _spans(kinds, trace)
    notes = [*kinds.notes, *_trace_notes(trace)]
    if kinds.cpu:
        notes += doubts(spans[0], overlaps(spans[0], spans[1:]))
    assumptions: list[str] = []
    sampled = int(cpu.values[:, column(cpu, "cpu")].sum()) if cpu is not None else 0
    counted = _counted(manifest, seconds, assumptions)
    notes += _disagreement(counted, sampled)
    evidence = Evidence(
        cpu=cpu,
        cpu_ns=counted,
        allocated=_since(kinds.heap, "allocations", assumptions),
        live=tuple(kinds.heap),
        blocked=_since(kinds.block, BLOCK, assumptions),
        contended=_since(kinds.mutex, MUTEX, assumptions),
        trace=trace,
        goroutines=dump,
        resident=_resident(manifest),
    )
    return Gathered(
        evidence=evidence,
        seconds=seconds,
        samples=cpu.samples if cpu is not None else 0,
        recorded_ns=sampled,
        spans=tuple(spans),
        notes=tuple(notes),
        assumptions=tuple(assumptions),
    )


def _since(profiles: Sequence[Profile], what: str, assumptions: list[str]) -> Profile | None:
    """The last of cumulative profiles less the first; alone, all since the service started."""
    if not profiles:
        return None
    if len(profiles) == 1:
        assumptions.append(
            f"{what} are those since the service started: give a second profile, recorded later, "
            "for those of a window"
        )
        return profiles[0]
    return subtract(profiles[-1], profiles[0], of_base=False, normalize=False)


def _counted(
    manifest: Manifest | None, seconds: float | None, assumptions: list[str]
) -> int | None:
    """CPU nanoseconds that the operating system counted in the CPU profile's window."""
    moments = manifest.moments if manifest is not None else ()
    if seconds is None or len(moments) < 2 or moments[1].at_ns <= moments[0].at_ns:
        if seconds is not None:
            assumptions.append(
                "the process's CPU time is what the profile's samples come to: nothing says what "
                "the operating system counted"
            )
        return None
    first, last = moments[0], moments[1]
    rate = (last.cpu_seconds - first.cpu_seconds) / ((last.at_ns - first.at_ns) / 1e9)
    return round(rate * seconds * 1e9)


def _disagreement(counted: int | None, sampled: int) -> list[str]:
    """Where the operating system and the profiler do not speak of the same process or time."""
    if counted is None or abs(counted - sampled) <= _APART * max(counted, sampled):
        return []
    told = [format_quantity(each, Unit.NANOSECONDS) for each in (counted, sampled)]
    return [
        f"the operating system counted {told[0]} of CPU, and the profile's samples come to "
        f"{told[1]}: is it the same process (--pid)? A profile of more than some cores loses "
        "samples"
    ]


def _resident(manifest: Manifest | None) -> Resident:
    moments = manifest.moments if manifest is not None else ()
    if not moments:
        return Resident()
    return Resident(total=sum(moment.resident for moment in moments) // len(moments))


def _blames_unlockers(profile: Profile) -> bool:
    """A mutex profile has the same sample types as a block profile; its leaves tell it apart."""
    names = stacks_of(profile).leaves()
    ends = sum(name.endswith(_UNLOCKS) for name in names)
    return ends * 2 > len(names)


def _spans(kinds: _Kinds, trace: Joined | None) -> list[Span]:
    """When each was recorded, the CPU profile first; snapshots of one kind are a span together."""
    found = []
    for profile in kinds.cpu:
        start = profile.header.time_ns or None
        end = start + profile.header.duration_ns if start is not None else None
        found.append(Span(f"the {CPU} {Path(profile.origin).name}", start, end))
    for name, profiles in ((HEAP, kinds.heap), (BLOCK, kinds.block), (MUTEX, kinds.mutex)):
        if profiles:
            times = [profile.header.time_ns for profile in profiles]
            known = all(times)
            first, last = (times[0], times[-1]) if known else (None, None)
            what = f"the {name}{'s' if len(profiles) > 1 else ''}"
            found.append(Span(what, first, last))
    if trace is not None:
        clock = trace.clock
        if clock.wall_ns is not None and clock.snapshot_ns is not None:
            wall = clock.wall_ns - clock.snapshot_ns
            found.append(Span("the trace", trace.start + wall, trace.end + wall))
        else:
            found.append(Span("the trace", None, None))
    return found


def _trace_notes(trace: Joined | None) -> list[str]:
    return [trace.lost] if trace is not None and trace.lost else []
