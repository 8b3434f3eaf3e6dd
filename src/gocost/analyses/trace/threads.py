"""What each thread (M) did: goroutines that it ran and system calls that it was in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gocost.analyses.trace.account import Stacks
from gocost.analyses.trace.following import RUNNING, SYSCALL, Chunk
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table


class Threads:
    """Adds up by thread; a consumer of intervals."""

    def __init__(self) -> None:
        self._rows: dict[int, list[int]] = {}
        self._entries: dict[int, Counter[str]] = {}

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next intervals."""
        some = chunk.of(RUNNING, SYSCALL)
        some = some.where(some.thread >= 0)
        took = some.end - some.start
        keys = np.stack([some.thread, some.kind, some.entry])
        found, at, counts = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
        sums = np.zeros(found.shape[1], np.int64)
        np.add.at(sums, at.reshape(-1), took)
        for (thread, kind, entry), total, count in zip(
            found.T.tolist(), sums.tolist(), counts.tolist(), strict=True
        ):
            row = self._rows.setdefault(thread, [0, 0, 0, 0])
            place = 0 if kind == RUNNING else 2
            row[place] += total
            row[place + 1] += count
            if kind == RUNNING:
                self._entries.setdefault(thread, Counter())[stacks.texts[entry]] += total

    def table(self, length: int) -> Table:
        """A row a thread, those first that ran longest; `length` is the trace's."""
        rows: list[Sequence[Cell]] = []
        for thread, (running, starts, syscall, calls) in sorted(
            self._rows.items(), key=lambda item: (-item[1][0], -item[1][2], item[0])
        ):
            most = self._entries.get(thread, Counter()).most_common(1)
            busy = (running + syscall) / max(length, 1)
            rows.append((thread, running, starts, syscall, calls, busy, most[0][0] if most else ""))
        return Table(
            title="Threads",
            columns=(
                Column("thread", Unit.NUMBER, "its id in the system"),
                Column("running", Unit.NANOSECONDS, "it ran goroutines", additive=True),
                Column("runs", Unit.COUNT, "times that it ran one without a pause", additive=True),
                Column("syscall", Unit.NANOSECONDS, "in system calls of them", additive=True),
                Column("syscalls", Unit.COUNT, "how many of those", additive=True),
                Column("busy", Unit.RATIO, "running and syscall, of the trace's length"),
                Column("most_of", Unit.TEXT, "where the goroutines start that ran longest on it"),
            ),
            rows=rows,
        )
