"""When what a bill is made of was recorded: each on the service's clock, with its error.

- A CPU profile carries its start and its length; Go ended the profile up to 100 ms after the last
  sample before 1.26.
- A heap, block or mutex profile carries the time at which it was written; it was collected after it
  was asked for. Of `?seconds=N` it carries the end of its window.
- A trace since Go 1.25 pairs its clock with the wall clock in every generation: how far the first
  and the last of these pairs differ is how far a clock was moved meanwhile.
- An older trace on Linux counts CLOCK_MONOTONIC: where that, by the pair of clocks that the
  recorder noted, falls between the request and its answer, it is this machine's. Else it lies
  somewhere between request and answer.
  Without a recording a program may have said it itself (`trace.Log`, see `stamps`).
- Dumps and pages lie between request and answer; saved pages have their timestamps or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gocost.analyses.attribution.clocks import SAME, Asked, Offset, Span, offset, within
from gocost.analyses.runtime.recorded import Recorded
from gocost.analyses.trace.clock import TraceTime, stamps
from gocost.formats.pprof.profile import Profile
from gocost.measures.billed_profiles import Kinds
from gocost.measures.manifest import Manifest, Part
from gocost.measures.trace import read_trace
from gocost.sources.files import Spooled

CPU, HEAP, BLOCK, MUTEX = "CPU profile", "heap profile", "block profile", "mutex profile"
_ENDING: Final = 100_000_000
"""Nanoseconds between two looks of the profiler's writer for its end."""
_READ: Final = 1_000_000
"""Nanoseconds by which a trace of this machine may seem to lie outside of its request."""


@dataclass(slots=True)
class Times:
    """The spans of a bill's recordings."""

    manifest: Manifest | None = None
    clocks: Offset | None = None
    """Where the service's clock stands to the recorder's."""
    spans: list[Span] = field(default_factory=list)

    def profiles(self, kinds: Kinds) -> None:
        """CPU profiles first; snapshots of one kind are a span together."""
        known = []
        for profile in (*kinds.cpu, *kinds.heap, *kinds.block, *kinds.mutex):
            part, (start, end) = self._part(Path(profile.origin).name), window_of(profile)
            if part is not None and start is not None and end is not None:
                known.append((start, end, _asked(part)))
        self.clocks = offset(known)
        for profile in kinds.cpu:
            start, end = window_of(profile)
            error = _ENDING if start is not None else None
            how = "its own time" if start is not None else ""
            name = f" {Path(profile.origin).name}" if len(kinds.cpu) > 1 else ""
            self.spans.append(Span(f"the {CPU}{name}", start, end, error, how))
        for name, profiles in ((HEAP, kinds.heap), (BLOCK, kinds.block), (MUTEX, kinds.mutex)):
            if profiles:
                self.spans.append(self._snapshots(name, profiles))

    def _snapshots(self, name: str, profiles: Sequence[Profile]) -> Span:
        what = f"the {name}{'s' if len(profiles) > 1 else ''}"
        windows = [window_of(profile) for profile in profiles]
        starts = [start for start, _ in windows if start is not None]
        ends = [end for _, end in windows if end is not None]
        if len(starts) < len(windows):
            return Span(what, None, None)
        # Collecting comes before writing, and after asking.
        errors = [
            max(0, start - part.asked_ns - self.clocks.low)
            for profile, start in zip(profiles, starts, strict=True)
            if (part := self._part(Path(profile.origin).name)) is not None
            and self.clocks is not None
        ]
        error = max(errors) if len(errors) == len(profiles) else None
        how = "its own time" if len(profiles) == 1 else "their own times"
        return Span(what, min(starts), max(ends), error, how)

    def trace(self, path: Path | Spooled, when: TraceTime, max_bytes: int | None = None) -> Span:
        """A whole trace; not yet among the spans. `max_bytes` is as for `read_trace`."""
        start, end = when.wall_start_ns, when.wall_end_ns
        if start is not None and end is not None:
            return Span("the trace", start, end, when.error_ns, "its clock snapshots")
        part = self._part(path.name)
        length = when.end - when.start
        if part is None or part.lost:
            told = []
            if when.clock.wall_ns is None:
                told = stamps(read_trace(path, max_bytes=max_bytes))
            if not told:
                return Span("the trace", None, None)
            # The log that came soonest after its look at the clock; one alone bounds nothing.
            late = sorted(time - wall for time, wall in told)
            start = when.start - late[0]
            error = late[-1] - late[0] if len(late) > 1 else None
            return Span("the trace", start, start + length, error, "its logs gocost.clock")
        asked = _asked(part)
        clocks = self.clocks or SAME
        if (paired := self._paired(when, asked)) is not None:
            start, error = paired
            how = "a monotonic clock"
        else:
            start, error = within(asked, length, clocks)
            how = "between request and answer"
        return Span("the trace", start, start + length, error, how)

    def _paired(self, when: TraceTime, asked: Asked) -> tuple[int, int] | None:
        """Start and error by the recorder's pairs of clocks, if the trace counts the same one."""
        pairs = self.manifest.clocks if self.manifest is not None else ()
        if not pairs:
            return None
        steps = [pair.at_ns - pair.monotonic_ns for pair in pairs]
        moved = max(steps) - min(steps)
        read = max(pair.error_ns for pair in pairs)
        start = when.start + steps[0]
        error = moved + read + round(when.clock.tick_ns)
        first, last = start + error + _READ, start + when.end - when.start - error - _READ
        return (start, error) if asked.start_ns <= first and last <= asked.end_ns else None

    def moments(self) -> None:
        """What was asked for between two moments of the recorder's clock: the dump, the pages,
        the process's times.
        """
        if self.manifest is None:
            return
        clocks = self.clocks or SAME
        for kind, what in (
            ("goroutines", "the goroutine dump"),
            ("metrics", "the metrics"),
            ("memstats", "the runtime's statistics"),
        ):
            parts = [part for part in self.manifest.parts if part.kind == kind and not part.lost]
            if parts:
                placed = [within(_asked(part), 0, clocks) for part in parts]
                starts = [start for start, _ in placed]
                error = max(error for _, error in placed)
                how = "between request and answer"
                self.spans.append(Span(what, min(starts), max(starts), error, how))
        if self.manifest.moments:
            times = [moment.at_ns for moment in self.manifest.moments]
            self.spans.append(
                Span("the process's CPU time", min(times), max(times), 0, "this machine's clock")
            )

    def pages(self, told: Sequence[Recorded]) -> None:
        """Saved pages without a recording: by their own timestamps, or unknown."""
        for each in told if self.manifest is None else ():
            if each.pages:
                first, last = each.pages[0].at, each.pages[-1].at
                known = first is not None and last is not None
                start = round(first * 1e9) if first is not None and known else None
                end = round(last * 1e9) if last is not None and known else None
                how = "their timestamps" if known else ""
                self.spans.append(Span("the metrics", start, end, None, how))

    def _part(self, name: str) -> Part | None:
        parts = self.manifest.parts if self.manifest is not None else ()
        return next((part for part in parts if part.file == name), None)


def window_of(profile: Profile) -> tuple[int | None, int | None]:
    """Start and end by the profile's own time; of what has no length both are its moment."""
    time, length = profile.header.time_ns, max(0, profile.header.duration_ns)
    if not time:
        return None, None
    cpu = any(each.type == "cpu" for each in profile.header.sample_types)
    return (time, time + length) if cpu else (time - length, time)


def covered(profiles: Sequence[Profile]) -> list[tuple[int, int]]:
    """The stretches of time that CPU profiles are of, in order; those that follow one another are
    one. Empty where one does not tell its time: it may be any.
    """
    windows = [window_of(profile) for profile in profiles]
    known = sorted((start, end) for start, end in windows if start is not None and end is not None)
    stretches: list[tuple[int, int]] = []
    for start, end in known if len(known) == len(windows) else ():
        if stretches and start <= stretches[-1][1] + _ENDING:
            stretches[-1] = stretches[-1][0], max(stretches[-1][1], end)
        else:
            stretches.append((start, end))
    return stretches


def _asked(part: Part) -> Asked:
    return Asked(part.asked_ns, max(part.asked_ns, part.answered_ns))
