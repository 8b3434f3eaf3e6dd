"""An execution trace from a file: indexed, carried out on all cores, put together in order.

The file is a path, or `Spooled` what came in otherwise: see `trace_recording`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gocost.formats.exectrace.index import HEADER, Generation, each_generation, read_format
from gocost.formats.exectrace.ordered import Carried, Window, begin_of, carry_out
from gocost.formats.exectrace.room import Ahead, Room
from gocost.formats.exectrace.tables import Clock, read_clock
from gocost.formats.recognition import HEAD
from gocost.kernels import trace_index
from gocost.model.errors import FormatError, UsageError
from gocost.sources.files import Positioned, Spooled, positioned

if TYPE_CHECKING:
    from gocost.analyses.trace.account import Joined
    from gocost.analyses.trace.clock import TraceTime
    from gocost.analyses.trace.following import Consumer
    from gocost.analyses.trace.timeline import Recorder, Spread, Timeline

_PIECE = 1 << 22
BINS = 512
"""Pieces of a trace's time that are told apart in its series."""
_UNDIVIDED = Window(0, 0, 1)


def read_trace(
    path: Path | Spooled,
    *,
    keep: int | None = 0,
    between: tuple[int, int] | None = None,
    max_bytes: int | None = None,
) -> Joined:
    """The account of the trace at `path`; with the `keep` goroutines
    that ran longest of those that ended (None: all).

    `between` are nanoseconds since the trace began: only what happens then counts, and intervals
    that reach beyond it are cut there. `max_bytes` raises the cap of what its goroutines and marks
    may take in memory (see exectrace/room). Raises SourceError where the file is not read,
    FormatError where it is no trace that can be read, and UsageError where nothing of it is then. A
    trace that was cut off gives what is whole of it.
    """
    with carried_out(path, keep=keep, between=between, max_bytes=max_bytes) as coming:
        return coming.joined()[0]


def read_timeline(
    path: Path | Spooled,
    *,
    keep: int | None = 0,
    between: tuple[int, int] | None = None,
    max_bytes: int | None = None,
) -> tuple[Joined, Timeline]:
    """The same, and when the Ps were busy and which goroutines ran. Raises as `read_trace`."""
    with carried_out(
        path, keep=keep, between=between, timeline=True, max_bytes=max_bytes
    ) as coming:
        found, timeline = coming.joined()
    assert timeline is not None
    return found, timeline


@dataclass(frozen=True, slots=True)
class Coming:
    """A trace that cores have begun to carry out."""

    _generations: Iterator[tuple[Carried, Recorder | None]]
    _window: Window
    _keep: int | None
    _spread: Spread | None
    _lost: Callable[[], str]
    _room: Room

    def joined(self) -> tuple[Joined, Timeline | None]:
        """The account, and the timeline where one was asked for. Raises FormatError."""
        from gocost.analyses.trace.joining import Joiner

        joiner = Joiner(keep=self._keep, between=self._window.clip, room=self._room)
        for carried, recorded in self._generations:
            joiner.add(carried)
            if self._spread is not None and recorded is not None:
                self._spread.add(recorded, carried)
            del carried, recorded  # not held while the next is waited for
        found = joiner.result(lost=self._lost())
        return found, None if self._spread is None else self._spread.result(found.end)


@contextmanager
def carried_out(
    path: Path | Spooled,
    *,
    keep: int | None = 0,
    between: tuple[int, int] | None = None,
    timeline: bool = False,
    max_bytes: int | None = None,
) -> Iterator[Coming]:
    """Has the cores begin with a trace; what they find is put together when it is asked for.

    So what shows it can be loaded while they are at work. Arguments and errors: see `read_trace`.
    """
    room = Room(max_bytes)
    with named(path), positioned(path) as file:
        if between is None and not timeline:  # nothing that needs to know when the trace ends
            finding = _Finding(file, path)
            with _carried(
                file, finding, finding.version, _UNDIVIDED, keep=keep, room=room
            ) as generations:
                yield Coming(generations, _UNDIVIDED, keep, None, finding.lost, room)
            return
        opened = _opened(file, path)
        window, found = opened.window(), opened.generations
        if between is not None:
            found, window = opened.clipped(*between)
        spread = None
        if timeline:
            from gocost.analyses.trace.timeline import Spread

            spread = Spread(window, room)
        recorder = None if spread is None else spread.recorder
        with _carried(
            file, found, opened.version, window, keep=keep, room=room, recorder=recorder
        ) as generations:
            yield Coming(generations, window, keep, spread, lambda: opened.lost, room)


def follow_trace(
    path: Path | Spooled,
    *consumers: Consumer,
    between: tuple[int, int] | None = None,
    max_bytes: int | None = None,
) -> Joined:
    """The account of a trace, whose intervals `consumers` are given one after the other.

    Takes one core, as a generation needs what the one before knows. Raises as `read_trace`.
    """
    from gocost.analyses.trace.following import Follower
    from gocost.analyses.trace.joining import Joiner

    with named(path), positioned(path) as file:
        opened = _opened(file, path)
        window, found = opened.window(), opened.generations
        if between is not None:
            found, window = opened.clipped(*between)
        room = Room(max_bytes)
        joiner = Joiner(between=window.clip, room=room)
        follower = Follower(joiner, consumers)
        for place, generation in enumerate(found):
            joiner.add(
                carry_out(
                    file.read_into, generation, opened.version, window, first=place == 0,
                    record=follower.record, room=room,
                )
            )  # fmt: skip
        follower.finish()
    return joiner.result(lost=opened.lost)


def trace_time(path: Path | Spooled) -> TraceTime:
    """When a trace was recorded, without carrying it out. Raises as `read_trace`."""
    from gocost.analyses.trace.clock import TraceTime

    with named(path), positioned(path) as file:
        opened = _opened(file, path)
        window = opened.window()
        first = opened.clock
        if first.wall_ns is None or first.snapshot_ns is None:
            return TraceTime(window.start, window.end, first)
        last = read_clock(file.read_into, opened.generations[-1], opened.version)
        assert last.wall_ns is not None
        assert last.snapshot_ns is not None
        moved = last.wall_ns - first.wall_ns - (last.snapshot_ns - first.snapshot_ns)
        error = abs(moved) + math.ceil(first.tick_ns)
        return TraceTime(window.start, window.end, first, error)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A trace whose batches were found."""

    version: int
    generations: list[Generation]
    begins: list[int]
    """When each generation begins, in nanoseconds."""
    end: int
    clock: Clock
    lost: str

    def window(self) -> Window:
        """From the first batch's time to the last one's; a few events may come after that."""
        start = self.begins[0]
        return Window(start, min(max(self.end, start), 1 << 61), BINS)

    def reaching(self, start_ns: int, end_ns: int) -> range:
        """The generations that reach into a time since the trace began, none of which may."""
        begins = [begin - self.begins[0] for begin in self.begins]
        ends = [*begins[1:], self.end - self.begins[0]]
        chosen = [
            place
            for place in range(len(begins))
            if begins[place] < end_ns and ends[place] >= start_ns
        ]
        if not chosen:
            from gocost.model.quantity import Unit, format_quantity

            length = format_quantity(ends[-1] / 1e9, Unit.SECONDS)
            raise UsageError(f"nothing of the trace is then; it lasts {length}",
                             hint="correct --from and --to")  # fmt: skip
        return range(chosen[0], chosen[-1] + 1)

    def clipped(self, start_ns: int, end_ns: int) -> tuple[list[Generation], Window]:
        """The generations up to a time's end, and that time.

        Those before it too: they say since when and why goroutines wait in it.
        """
        chosen = self.reaching(start_ns, end_ns)
        whole = self.window()
        start = max(whole.start, whole.start + start_ns)
        end = max(start, min(whole.start + end_ns, 1 << 61))
        found = self.generations[: chosen.stop]
        return found, Window(start, max(start, min(end, whole.end)), BINS, (start, end))


@contextmanager
def named(path: Path | Spooled | str) -> Iterator[None]:
    """What is wrong with a trace is said of its file, with what to do next."""
    try:
        yield
    except FormatError as error:
        told = error.message if str(path) in error.message else f"{path}: {error.message}"
        hint = error.hint or "it is damaged, or of a Go that is newer than this: record it again"
        raise FormatError(told, hint=hint) from error


class _Finding:
    """The generations of a trace as they are found, at least one."""

    def __init__(self, file: Positioned, path: Path | Spooled) -> None:
        self.version = read_format(file.head(HEAD))
        self._coming = each_generation(file.read_into, file.size, self.version)
        self._path = path
        self._lost = [path.lost] if isinstance(path, Spooled) else []

    def __iter__(self) -> Iterator[Generation]:
        found = False
        try:
            while True:
                yield next(self._coming)
                found = True
        except StopIteration as end:
            self._lost.append(end.value)
        if not found:
            told = self.lost() or "it has no events"
            raise FormatError(f"{self._path}: {told}", hint="record it again, and for longer")

    def lost(self) -> str:
        """What could not be read, once all of them are found; empty where the trace is whole."""
        return "; ".join(filter(None, self._lost))


def _opened(file: Positioned, path: Path | Spooled) -> _Opened:
    finding = _Finding(file, path)
    found = list(finding)
    clock = read_clock(file.read_into, found[0], finding.version)
    begins = [begin_of(one, clock) for one in found]
    end = int(found[-1].batches[trace_index.TIME].max() * clock.tick_ns)
    return _Opened(finding.version, found, begins, end, clock, finding.lost())


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a trace that was written to a file of its own; times since the trace began."""

    first: int
    last: int
    """Numbers of its generations."""
    start_ns: int
    end_ns: int
    bytes: int
    lost: str
    """What of the whole trace could not be read; empty where all of it was."""


def slice_trace(
    path: Path | Spooled, start_ns: int, end_ns: int, write: Callable[[bytes], object]
) -> Part:
    """Writes the generations that reach into a time, which make a trace of their own.

    The runtime begins a generation about every second and states in each everything that it refers
    to, so a part of whole generations is a whole trace; less would need statuses that nobody saw.
    Times count from the trace's beginning. Raises UsageError where nothing reaches into the time.
    """
    with named(path), positioned(path) as file:
        opened = _opened(file, path)
        version, found, begins = opened.version, opened.generations, opened.begins
        ends = [*begins[1:], opened.end]
        origin = begins[0]
        chosen = opened.reaching(start_ns, end_ns)
        first, last = chosen[0], chosen[-1]
        closing = 1 if version >= 26 else 0
        start = HEADER if first == 0 else _end(found[first - 1]) + closing
        stop = _end(found[last]) + closing
        write(file.head(HEADER))
        for offset in range(start, stop, _PIECE):
            buffer = bytearray(min(_PIECE, stop - offset))
            file.read_into(memoryview(buffer), offset)
            write(bytes(buffer))
    return Part(
        first=found[first].number,
        last=found[last].number,
        start_ns=begins[first] - origin,
        end_ns=ends[last] - origin,
        bytes=HEADER + stop - start,
        lost=opened.lost,
    )


def _end(generation: Generation) -> int:
    """Where a generation's last batch ends in the file."""
    return int((generation.batches[trace_index.START] + generation.batches[trace_index.SIZE]).max())


@contextmanager
def _carried(
    file: Positioned,
    found: Iterable[Generation],
    version: int,
    window: Window,
    *,
    keep: int | None,
    room: Room,
    recorder: Callable[[Room], Recorder] | None = None,
) -> Iterator[Iterator[tuple[Carried, Recorder | None]]]:
    """The generations in order, the first of which are begun at once, some ahead of what is taken:
    one more than there are cores, so that no core is without work while the last ones of an odd
    number are. Each has a recorder of its own, where they are wanted. None is begun ahead any more
    once one had no room beside the others.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = (cores or 1) + 1
    waiting: list[Ahead[tuple[Carried, Recorder | None]]] = []
    wrong: list[FormatError] = []

    def carry(first: bool, generation: Generation, room: Room) -> tuple[Carried, Recorder | None]:
        record = None if recorder is None else recorder(room)
        return (
            carry_out(
                file.read_into, generation, version, window, first=first, keep=keep,
                record=record, room=room,
            ),
            record,
        )  # fmt: skip

    with ThreadPoolExecutor(workers) as pool:
        coming = iter(enumerate(found))

        def start(count: int) -> None:
            try:
                for place, generation in islice(coming, count):
                    waiting.append(Ahead(room, partial(carry, place == 0, generation)))
                    if not room.crowded:
                        waiting[-1].begin(pool)
            except FormatError as error:  # of one that is not found: told when its turn has come
                wrong.append(error)

        def following() -> tuple[Carried, Recorder | None]:
            carried = waiting.pop(0).taken()
            start(1)
            return carried

        def taken() -> Iterator[tuple[Carried, Recorder | None]]:
            while waiting:
                yield following()  # without a name that would hold it while the next is waited for
            if wrong:
                raise wrong[0]

        start(workers + 1)
        try:
            yield taken()
        finally:  # where one does not follow on the last, the rest is not begun
            for one in waiting:
                one.cancel()
