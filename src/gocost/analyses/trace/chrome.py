"""A trace as Chrome's JSON, which chrome://tracing and Perfetto open; written as it goes.

Specified in the document "Trace Event Format": a list of events, of which these are written: `X`
(a slice with `ts` and `dur` in microseconds), `b` and `e` (a task), `C` (a counter), `M` (names).
Process 1 has a row for each P with the goroutines that ran there, 2 a row for each thread with its
system calls, 3 the collector and stops of the world, 4 the program's tasks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np

from gocost.analyses.trace.account import Joined, Stacks
from gocost.analyses.trace.following import RUNNING, SYSCALL, Chunk
from gocost.analyses.trace.spans import collections, stops, tasks

PROCS, THREADS, COLLECTOR, TASKS = 1, 2, 3, 4
FIRST = 1
"""The row of P 0: Perfetto takes row 0 of a process for the one that has the process's number."""
_TITLES = {PROCS: "Ps", THREADS: "system calls by thread", COLLECTOR: "collector", TASKS: "tasks"}


class ChromeWriter:
    """Writes slices as intervals come; a consumer of intervals. Call `close` at the end."""

    def __init__(self, write: Callable[[bytes], object], start: int) -> None:
        """`write` takes pieces of the file; `start` is the trace's first time."""
        self._write = write
        self._start = start
        self._names: dict[int, str] = {}
        self._threads: set[int] = set()
        self._procs: set[int] = set()
        self.slices = 0
        first = ",\n".join(
            _event("M", pid, 0, name="process_name", args={"name": title})
            for pid, title in _TITLES.items()
        )
        write(b'{"displayTimeUnit":"ns","traceEvents":[\n' + first.encode())

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next intervals."""
        for kind, pid, rows in ((RUNNING, PROCS, chunk.proc), (SYSCALL, THREADS, chunk.thread)):
            some = chunk.where((chunk.kind == kind) & (rows >= 0) & (chunk.end > chunk.start))
            if not len(some.kind):
                continue
            tracks = some.proc + FIRST if pid == PROCS else some.thread
            (self._procs if pid == PROCS else self._threads).update(np.unique(tracks).tolist())
            texts = some.entry if pid == PROCS else _leaves(some, stacks)
            lines = [
                f'{{"ph":"X","pid":{pid},"tid":{track},"name":{self._name(text, stacks)},'
                f'"ts":{_us(start - self._start)},"dur":{_us(end - start)},"args":{{"g":{who}}}}}'
                for track, text, start, end, who in zip(
                    tracks.tolist(), texts.tolist(), some.start.tolist(), some.end.tolist(),
                    some.who.tolist(), strict=True,
                )
            ]  # fmt: skip
            self.slices += len(lines)
            self._write(b",\n" + ",\n".join(lines).encode())

    def _name(self, text: int, stacks: Stacks) -> str:
        found = self._names.get(text)
        if found is None:
            found = self._names[text] = json.dumps(stacks.texts[text] or "(unknown)")
        return found

    def close(self, trace: Joined) -> None:
        """What is few, names, and the end of the file."""
        self._write(b",\n" + ",\n".join(self._rest(trace)).encode() + b"\n]}\n")

    def _rest(self, trace: Joined) -> Iterator[str]:
        for row in sorted(self._procs):
            yield _event("M", PROCS, row, name="thread_name", args={"name": f"P {row - FIRST}"})
        for thread in sorted(self._threads):
            yield _event("M", THREADS, thread, name="thread_name", args={"name": f"M {thread}"})
        names = {1: "collections", 2: "stops of the world"}
        for row, title in names.items():
            yield _event("M", COLLECTOR, row, name="thread_name", args={"name": title})
        for row, spans in ((1, collections(trace)), (2, stops(trace))):
            for span in spans:
                yield _event(
                    "X", COLLECTOR, row, name=f"GC {span.name}" if row == 1 else span.name,
                    ts=(span.start - self._start) / 1e3, dur=span.took / 1e3,
                )  # fmt: skip
        for number, span in enumerate(tasks(trace)):
            for phase, time in (("b", span.start), ("e", span.end)):
                yield _event(
                    phase, TASKS, 0, name=span.name, cat="task", id=number,
                    ts=(time - self._start) / 1e3,
                )  # fmt: skip
        width = max((trace.end - trace.start) // max(len(trace.heap), 1), 1)
        for place, size in enumerate(trace.heap.tolist()):
            if size:
                yield _event(
                    "C",
                    COLLECTOR,
                    0,
                    name="heap",
                    cat="gc",
                    ts=place * width / 1e3,
                    args={"bytes": size},
                )


def _leaves(some: Chunk, stacks: Stacks) -> np.typing.NDArray[np.int64]:
    """The innermost function of each stack, as a text."""
    unique, places = np.unique(some.stack, return_inverse=True)
    leaves = [
        int(stacks.frames[stack][0, 0]) if stacks.frames[stack].shape[1] else 0
        for stack in unique.tolist()
    ]
    return np.array(leaves, np.int64)[places.reshape(-1)]


def _event(phase: str, pid: int, tid: int, **rest: object) -> str:
    return json.dumps({"ph": phase, "pid": pid, "tid": tid, **rest}, separators=(",", ":"))


def _us(nanoseconds: int) -> str:
    """Microseconds with all their digits."""
    return f"{nanoseconds // 1000}.{nanoseconds % 1000:03d}"
