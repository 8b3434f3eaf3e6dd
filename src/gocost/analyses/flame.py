"""Call stacks as a tree of frames: what a flame graph draws, and the table that a report has of it.

A node is a frame under one path of callers; its own cost and what its callees cost make its total,
so the nodes' own costs add up to all that was measured. A difference has two own costs a node, now
and before. Nothing here is about profiles: whoever has stacks with values can make such a tree, in
nanoseconds, bytes or goroutines, and may put money beside the values.

In a report the tree is a table (`Layout.flames` names it): a row a frame, with the number of the
row that called it. Callers stand before what they call, so every beginning of the table is a tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.model.errors import FormatError
from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Column, SumsTo, Table

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]

SMALL: Final = "(small)"
"""Stands, under its caller, for all frames that are below the least share."""
DEEPER: Final = "(deeper)"
"""Stands for what is called beyond `DEEPEST` calls."""
NO_STACK: Final = "(no stack)"
LEAST: Final = 0.00001
"""Of the total: what costs less than this, with all that it calls, is in `(small)`."""
MOST: Final = 30_000
"""Frames that a page can hold and still zoom at once; more raise the least share."""
DEEPEST: Final = 1_000
MOST_TEXT: Final = 1 << 28
"""Bytes of all frames' names in a table; a name of 100 KB can be that of every frame."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Frames by level, outermost first, so that callers stand before what they call."""

    names: Sequence[str]
    name: Int64s
    """A row a node: the number of its name."""
    parent: Int64s
    """The row of its caller, -1 for none."""
    own: Int64s
    """What it cost itself."""
    before: Int64s
    """The same in what it is compared with; zeros where it is compared with nothing."""
    level_end: list[int]
    """Where in the rows each level ends."""

    def totals(self) -> tuple[Int64s, Int64s]:
        """What each node cost with all that it called: now, and before."""
        now, before = self.own.copy(), self.before.copy()
        levels = [0, *self.level_end]
        for number in range(len(self.level_end) - 1, 0, -1):
            rows = slice(levels[number], levels[number + 1])
            np.add.at(now, self.parent[rows], now[rows])
            np.add.at(before, self.parent[rows], before[rows])
        return now, before

    @property
    def compared(self) -> bool:
        """Whether anything was before."""
        return bool(self.before.any())


def grown(
    names: Sequence[str],
    frames: Int32s | Int64s,
    ends: Int64s,
    own: Int64s,
    before: Int64s | None = None,
) -> Tree:
    """The tree of stacks.

    `frames` are numbers of names, leaf first, the stacks one behind the other; `ends` is where each
    stack's end; `own` and `before` are what each stack cost, none below zero.
    """
    names = [*names, DEEPER, NO_STACK]
    deeper, none = len(names) - 2, len(names) - 1
    sizes = np.diff(ends, prepend=0)
    frames = np.append(frames, none)  # where -1 leads, of stacks without a frame
    last = np.where(sizes > 0, ends - 1, -1)
    depth = np.maximum(np.minimum(sizes, DEEPEST + 1), 1)
    stacks = np.arange(len(ends))
    at = np.full(len(ends), -1, np.int64)
    was = np.zeros(len(ends), np.int64) if before is None else before
    parts: list[tuple[Int64s, ...]] = []
    level_end: list[int] = []
    level = first = 0
    while len(stacks):
        if level == DEEPEST:
            found = np.full(len(stacks), deeper, np.int64)
        else:
            found = frames[last[stacks] - level]
        keys, node = np.unique((at[stacks] + 1) * len(names) + found, return_inverse=True)
        node = node.reshape(-1)
        ending = depth[stacks] == level + 1
        sums = [np.zeros(len(keys), np.int64) for _ in range(2)]
        for amounts, values in zip(sums, (own, was), strict=True):
            np.add.at(amounts, node[ending], values[stacks[ending]])
        parts.append((keys % len(names), keys // len(names) - 1, *sums))
        at[stacks] = node + first
        first += len(keys)
        level_end.append(first)
        stacks = stacks[~ending]
        level += 1
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)] if parts else [
        np.zeros(0, np.int64)] * 4  # fmt: skip
    return Tree(names, columns[0], columns[1], columns[2], columns[3], level_end)


def cut(tree: Tree, least: float = LEAST, most: int = MOST) -> tuple[Tree, float]:
    """The tree without what is below a share of its total, which stands as `(small)` under its
    caller; and the share, which is raised where more than `most` frames would be left.
    """
    now, before = tree.totals()
    weight = np.maximum(now, before)
    roots = tree.parent < 0
    whole = max(int(now[roots].sum()), int(before[roots].sum()))
    bound = least * whole
    if int((weight >= bound).sum()) > most:
        bound = float(np.partition(weight, len(weight) - most)[len(weight) - most]) + 1
    kept = weight >= bound
    if kept.all():
        return tree, 0.0
    # A caller weighs at least what it calls, so what is kept hangs together.
    small = ~kept & (roots | kept[tree.parent])
    owners, group = np.unique(tree.parent[small], return_inverse=True)
    sums = [np.zeros(len(owners), np.int64) for _ in range(2)]
    for amounts, values in zip(sums, (now, before), strict=True):
        np.add.at(amounts, group.reshape(-1), values[small])
    return _joined(tree, kept, owners, sums), bound / whole if whole else 0.0


def _joined(tree: Tree, kept: npt.NDArray[np.bool_], owners: Int64s, sums: list[Int64s]) -> Tree:
    """What is kept and a `(small)` for each of the owners, level by level."""
    sizes = np.diff(tree.level_end, prepend=0)
    level = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.flatnonzero(kept)
    levels = np.concatenate([level[rows], np.where(owners < 0, 0, level[owners] + 1)])
    order = np.argsort(levels, kind="stable")
    place = np.full(len(kept) + 1, -1, np.int64)  # the last is that of no caller
    to = np.empty(len(order), np.int64)
    to[order] = np.arange(len(order))
    place[rows] = to[: len(rows)]
    small = len(tree.names)
    columns = [
        np.concatenate([of_kept[rows], added])[order]
        for of_kept, added in (
            (tree.name, np.full(len(owners), small, np.int64)),
            (place[tree.parent], place[owners]),
            (tree.own, sums[0]),
            (tree.before, sums[1]),
        )
    ]
    counts = np.bincount(levels, minlength=1) if len(levels) else np.zeros(0, np.int64)
    ends = [int(end) for end in np.cumsum(counts)]
    return Tree([*tree.names, SMALL], columns[0], columns[1], columns[2], columns[3], ends)


def flame_table(
    tree: Tree,
    *,
    title: str,
    level: str,
    unit: Unit,
    told: str,
    sums_to: str | None = None,
    money: Sequence[Money] | None = None,
    money_delta: Sequence[Money] | None = None,
) -> Table:
    """A row a frame, callers before what they call, the largest first.

    `level` names what frames are (function, package), `told` the values (cpu in nanoseconds);
    `sums_to` is the metric that the values add up to. `money`, in the order of the tree's nodes, is
    what each cost itself, and `money_delta` how much more or less than before. Columns: `level`,
    parent, self; where the tree is a difference also base and delta; and the money of self and of
    delta. Raises FormatError for names beyond MOST_TEXT.
    """
    sizes = np.array([len(name) for name in tree.names], np.int64)
    if (size := int(sizes[tree.name].sum())) > MOST_TEXT:
        raise FormatError(
            f"the frames' names come to {size:,} bytes, over the cap of {MOST_TEXT:,}",
            hint="no program has such names: look at fewer with --focus",
        )
    now, before = tree.totals()
    compared = tree.compared
    order = np.lexsort((np.arange(len(now)), -np.maximum(now, before)))
    place = np.full(len(order) + 1, -1, np.int64)
    place[order] = np.arange(len(order))
    callers = [None if row < 0 else row for row in place[tree.parent[order]].tolist()]
    columns = [
        Column(level, Unit.TEXT, "what the frame is of"),
        Column("parent", Unit.NUMBER, "the row, counted from 0, of its caller; none for a root"),
        Column("self", unit, f"{told}, in itself under these callers", additive=True),
    ]
    cells: list[Sequence[Cell]] = [
        [tree.names[name] for name in tree.name[order].tolist()],
        callers,
        tree.own[order].tolist(),
    ]
    if compared:
        columns += [
            Column("base", unit, "the same before", additive=True),
            Column("delta", unit, "self less base", additive=True),
        ]
        cells += [tree.before[order].tolist(), (tree.own - tree.before)[order].tolist()]
    for name, amounts in (("self", money), ("delta", money_delta if compared else None)):
        if amounts is not None:
            paid = "money" if name == "self" else f"money_{name}"
            columns.append(Column(paid, Unit.MONEY_PER_MONTH, f"what {name} costs", additive=True))
            cells.append([amounts[row] for row in order.tolist()])
    return Table(
        title=title,
        columns=tuple(columns),
        rows=list(zip(*cells, strict=True)),
        sums_to=None if sums_to is None else SumsTo("delta" if compared else "self", sums_to),
    )
