"""Where goroutines are created, how many of them there are over time, and how long they live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gocost.analyses.trace.account import Stacks
from gocost.analyses.trace.durations import Durations
from gocost.analyses.trace.following import CREATED, ENDED, Chunk
from gocost.analyses.trace.waiting import place_of
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table

BINS: Final = 200
Key = tuple[int, int]
"""The creator's stack, and the entry as a text."""


@dataclass(slots=True)
class _Creator:
    """What one place created that starts in one function."""

    stack: Sequence[str]
    created: int = 0
    living: int = 0
    took: Durations = field(default_factory=Durations)


class Lifetimes:
    """Follows goroutines from their creation to their end; a consumer of intervals."""

    def __init__(self, start: int, end: int) -> None:
        """The trace's first and last time."""
        self._start = start
        self.width = max(1, -(-(end - start + 1) // BINS))
        self._living: dict[int, tuple[Key, int]] = {}
        self._created: dict[Key, int] = {}
        self._took: dict[Key, Durations] = {}
        self._births = np.zeros(BINS, np.int64)
        self._deaths = np.zeros(BINS, np.int64)
        self._stacks = Stacks()

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next intervals."""
        self._stacks = stacks
        some = chunk.of(CREATED, ENDED)
        bins = np.clip((some.end - self._start) // self.width, 0, BINS - 1)
        np.add.at(self._births, bins[some.kind == CREATED], 1)
        np.add.at(self._deaths, bins[some.kind == ENDED], 1)
        for kind, who, time, stack, entry in zip(
            some.kind.tolist(),
            some.who.tolist(),
            some.end.tolist(),
            some.stack.tolist(),
            some.entry.tolist(),
            strict=True,
        ):
            if kind == CREATED:
                key = (stack, entry)
                self._living[who] = key, time
                self._created[key] = self._created.get(key, 0) + 1
            elif (known := self._living.pop(who, None)) is not None:
                self._took.setdefault(known[0], Durations()).add(time - known[1])

    def table(self) -> Table:
        """A row a place that creates goroutines and what they start in, those first that created
        most: whoever called the creator, it is one row.
        """
        left: dict[Key, int] = {}
        for key, _ in self._living.values():
            left[key] = left.get(key, 0) + 1
        found: dict[tuple[str, str], _Creator] = {}
        for key, count in sorted(self._created.items(), key=lambda item: (-item[1], item[0])):
            functions = self._stacks.functions(key[0])
            creator = found.setdefault(
                (place_of(functions), self._stacks.texts[key[1]]), _Creator(functions)
            )
            creator.created += count
            creator.living += left.get(key, 0)
            creator.took.join(self._took.get(key, Durations()))
        ordered = sorted(found.items(), key=lambda item: (-item[1].created, item[0]))
        rows: list[Sequence[Cell]] = [
            (
                *names,
                each.created,
                each.took.count,
                each.living,
                each.took.quantile(50),
                each.took.quantile(99),
                each.took.longest if each.took.count else None,
                ";".join(each.stack),
            )
            for names, each in ordered
        ]
        return Table(
            title="Where goroutines are created",
            columns=(
                Column("creator", Unit.TEXT, "the function that has the go statement"),
                Column("entry", Unit.TEXT, "the function that they start in"),
                Column("created", Unit.COUNT, "in the trace", additive=True),
                Column("ended", Unit.COUNT, "of those", additive=True),
                Column("living", Unit.COUNT, "of those at its end", additive=True),
                Column(
                    "life_p50",
                    Unit.NANOSECONDS,
                    "half of those that ended lived at most this, give or take a sixteenth",
                ),
                Column(
                    "life_p99",
                    Unit.NANOSECONDS,
                    "99 of 100 did, give or take a sixteenth; none for fewer than 100",
                ),
                Column("life_longest", Unit.NANOSECONDS, "of those that ended"),
                Column(
                    "stack",
                    Unit.TEXT,
                    "of the go statement, from the leaf to the root; of several that of most",
                ),
            ),
            rows=rows,
        )

    def counts(self, living_at_end: int) -> Table:
        """How many goroutines there were in each of 200 parts of the trace."""
        change = np.cumsum(self._births - self._deaths)
        after = living_at_end - int(change[-1]) + change
        rows: list[Sequence[Cell]] = [
            (place * self.width, created, ended, count)
            for place, (created, ended, count) in enumerate(
                zip(self._births.tolist(), self._deaths.tolist(), after.tolist(), strict=True)
            )
        ]
        return Table(
            title="Goroutines over time",
            columns=(
                Column("start", Unit.NANOSECONDS, "since the trace began"),
                Column("created", Unit.COUNT, "in this part of it", additive=True),
                Column("ended", Unit.COUNT, "in this part of it", additive=True),
                Column("goroutines", Unit.COUNT, "that there were at the end of this part"),
            ),
            rows=rows,
        )
