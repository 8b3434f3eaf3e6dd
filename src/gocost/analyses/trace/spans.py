"""What begins and ends in a trace: stops of the world, collections, and the user's tasks and
regions, of which there may be a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from gocost.analyses.trace.account import Int64s, Joined
from gocost.analyses.trace.marks import (
    GC_ACTIVE,
    GC_BEGIN,
    GC_END,
    REGION_BEGIN,
    REGION_END,
    STW_BEGIN,
    STW_END,
    TASK_BEGIN,
    TASK_END,
    Mark,
    chosen,
    marks,
    said,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Something with a beginning and an end, in nanoseconds of the trace."""

    name: str
    start: int
    end: int
    whole: bool = True
    """False where the trace began or ended within it."""

    @property
    def took(self) -> int:
        """Nanoseconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Many of them, in columns."""

    texts: list[str]
    """By number: what spans are called."""
    name: Int64s
    """Numbers of texts."""
    start: Int64s
    end: Int64s
    whole: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.name)

    def __iter__(self) -> Iterator[Span]:
        for name, start, end, whole in zip(
            self.name.tolist(), self.start.tolist(), self.end.tolist(), self.whole.tolist(),
            strict=True,
        ):  # fmt: skip
            yield Span(self.texts[name], start, end, whole)

    def by_name(self) -> Iterator[tuple[str, Self]]:
        """Those of each name, which are in no order."""
        order = self.name.argsort(kind="stable")
        numbers, firsts = np.unique(self.name[order], return_index=True)
        begins = [*firsts.tolist(), len(order)]
        for number, (begin, end) in zip(numbers.tolist(), pairwise(begins), strict=True):
            yield self.texts[number], self._of(order[begin:end])

    def within(self, trace: Joined) -> Self:
        """Those of the window; what goes over an end of it is not whole."""
        if not trace.clipped:
            return self
        part = self._of((self.start < trace.end) & (self.end > trace.start))
        inside = (part.start > trace.start) & (part.end < trace.end)
        return replace(part, whole=part.whole & inside)

    def _of(self, rows: npt.NDArray[np.int64 | np.bool_]) -> Self:
        return replace(
            self,
            name=self.name[rows],
            start=self.start[rows],
            end=self.end[rows],
            whole=self.whole[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Beginnings and ends in the order in which they were, in columns."""

    time: Int64s
    is_begin: npt.NDArray[np.bool_]
    key: Int64s
    name: Int64s

    @classmethod
    def of(cls, trace: Joined, begin: int, end: int, key: int) -> Self:
        """Those of two types; ends belong to beginnings whose column `key` is the same."""
        parts = [
            np.stack([rows[:, 0], rows[:, 1], rows[:, key], said(rows, local)])
            for rows, local in chosen(trace, begin, end)
        ]
        time, kind, keys, name = np.concatenate([np.zeros((4, 0), np.int64), *parts], axis=1)
        return cls(time, kind == begin, keys, name)

    def spans(self, trace: Joined, pairs: Int64s, open_: Int64s) -> Spans:
        """Spans from pairs of a beginning and its end, in the order of the ends, and from
        beginnings without one.
        """
        begins, ends = pairs[:, pairs[1].argsort()]
        begins, whole = np.concatenate([begins, open_]), np.arange(len(begins) + len(open_))
        last = np.full(len(open_), trace.end)
        return Spans(
            trace.stacks.texts,
            self.name[begins],
            self.time[begins],
            np.concatenate([self.time[ends], last]),
            whole < len(ends),
        ).within(trace)

    def paired(self) -> tuple[Int64s, Int64s]:
        """Each end with the beginning right before it under the same key, and the beginnings that
        are the last of their key.
        """
        order = self.key.argsort(kind="stable")
        is_begin, key = self.is_begin[order], self.key[order]
        same = key[:-1] == key[1:]
        pairs = np.flatnonzero(same & is_begin[:-1] & ~is_begin[1:])
        ends_key = np.ones(len(key), np.bool_)
        ends_key[:-1] = ~same
        last = np.flatnonzero(is_begin & ends_key)
        return np.stack([order[pairs], order[pairs + 1]]), np.sort(order[last])

    def nested(self) -> Int64s:
        """Each end with the beginning that is open under the same key and has its name, where that
        is the last one that was opened there; other ends are of what began before the trace.
        """
        order = self.key.argsort(kind="stable")
        key, is_begin, name = self.key[order], self.is_begin[order], self.name[order]
        depth = np.cumsum(np.where(is_begin, 1, -1))
        _, firsts, of_key = np.unique(key, return_index=True, return_inverse=True)
        of_key = of_key.reshape(-1)
        depth -= np.append(0, depth)[firsts][of_key]
        # Where all ends have their beginning, those of a depth take turns.
        level = depth + ~is_begin
        by_level = np.lexsort((level, of_key))
        same = (np.diff(of_key[by_level]) == 0) & (np.diff(level[by_level]) == 0)
        at = np.flatnonzero(same & is_begin[by_level][:-1] & ~is_begin[by_level][1:])
        begins, ends = by_level[at], by_level[at + 1]
        odd = np.zeros(len(firsts), np.bool_)
        odd[of_key[depth < 0]] = True
        odd[of_key[begins[name[begins] != name[ends]]]] = True
        even = ~odd[of_key[begins]]
        rest = self._one_by_one(order[odd[of_key]])
        return np.concatenate([np.stack([order[begins[even]], order[ends[even]]]), rest], axis=1)

    def _one_by_one(self, rows: Int64s) -> Int64s:
        """The same for keys of which some ends have no beginning."""
        open_: dict[int, list[int]] = {}
        found: list[tuple[int, int]] = []
        names = self.name.tolist()
        keys, is_begin = self.key[rows].tolist(), self.is_begin[rows].tolist()
        for row, key, begins in zip(rows.tolist(), keys, is_begin, strict=True):
            stack = open_.setdefault(key, [])
            if begins:
                stack.append(row)
            elif stack and names[stack[-1]] == names[row]:
                found.append((stack.pop(), row))
        return np.array(found, np.int64).reshape(-1, 2).T


def stops(trace: Joined) -> Spans:
    """The stops of the world: what stopped it, and for how long."""
    edges = _Edges.of(trace, STW_BEGIN, STW_END, key=3)
    pairs, _ = edges.paired()
    return edges.spans(trace, pairs, np.zeros(0, np.int64))


def collections(trace: Joined) -> Spans:
    """The garbage collections, from the start of marking to its end.

    The sequence numbers say which begin and end belong together, whatever the clocks of the
    threads say; one that was under way at an end of the trace is not whole.
    """
    seen: dict[int, Mark] = {}
    for mark in marks(trace, GC_ACTIVE, GC_BEGIN, GC_END):
        seen[mark.arguments[0]] = mark
    found: list[tuple[int, int, bool]] = []
    begin: int | None = None
    whole = True
    for _, mark in sorted(seen.items()):
        if mark.type == GC_BEGIN:
            begin, whole = mark.time, True
        elif mark.type == GC_ACTIVE and begin is None:
            begin, whole = trace.start, False
        elif mark.type == GC_END:
            start = trace.start if begin is None else begin
            found.append((start, mark.time, whole and begin is not None))
            begin = None
    if begin is not None:
        found.append((begin, trace.end, False))
    start_, end_, whole_ = np.array(found, np.int64).reshape(-1, 3).T
    name = np.zeros(len(found), np.int64)
    return Spans(["mark"], name, start_, end_, whole_.astype(np.bool_)).within(trace)


def tasks(trace: Joined) -> Spans:
    """The user's tasks that began in the trace, or were under way in a window of it."""
    edges = _Edges.of(trace, TASK_BEGIN, TASK_END, key=5)
    return edges.spans(trace, *edges.paired())


def outermost_tasks(trace: Joined) -> int:
    """How many tasks that are within no other began in the trace, or in its window."""
    count = 0
    for rows, _ in chosen(trace, TASK_BEGIN):
        times = rows[rows[:, 6] == 0, 0]  # the second argument is the parent
        inside = (trace.start < times) & (times < trace.end) if trace.clipped else times >= 0
        count += int(np.count_nonzero(inside))
    return count


def regions(trace: Joined) -> Spans:
    """The user's regions that began and ended in the trace; they nest within a goroutine."""
    edges = _Edges.of(trace, REGION_BEGIN, REGION_END, key=3)
    return edges.spans(trace, edges.nested(), np.zeros(0, np.int64))
