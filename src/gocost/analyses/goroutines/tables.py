"""Goroutine groups as tables and facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.goroutines.groups import Dumps, Group
from gocost.analyses.goroutines.names import NO_STACK, entry, told, waits_at
from gocost.analyses.goroutines.verdicts import Judged, Verdict
from gocost.formats.goroutine_dump.dump import Dump, Frame
from gocost.model.fact import Fact
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Cell, Column, SumsTo, Table
from gocost.model.subject import Subject

LABEL: Final = "label"
BY: Final = ("group", "creator", "stack", "state", LABEL)
COUNT: Final = "goroutines.count"
LEAKED: Final = "goroutines.leaked"
_RANK: Final = {Verdict.CERTAIN: 0, Verdict.PROBABLE: 1, Verdict.PARKED: 2}

_COLUMNS: Final = (
    Column("waits_at", Unit.TEXT, "the innermost line that is not only a way of waiting"),
    Column("created_by", Unit.TEXT, "the function and line of the go statement"),
    Column("state", Unit.TEXT, "what it waits for, or does; none where the dump does not say"),
    Column("count", Unit.COUNT, "how many there are", additive=True),
    Column("oldest_minutes", Unit.COUNT, "the longest wait, from the first collection that saw it"),
    Column("waited", Unit.SECONDS, "the longest wait that is known of, which is a lower bound"),
    Column("seen", Unit.SECONDS, "how far apart dumps are that have one of them at the same place"),
    Column("growth", Unit.COUNT, "how many more than in the first dump", additive=True),
    Column("verdict", Unit.TEXT, "certain or probable leak, or parked"),
    Column("function", Unit.TEXT, "the function that they began in"),
    Column("system", Unit.BOOLEAN, "the runtime's own"),
    Column("stack", Unit.TEXT, "function and file:line from the leaf to the root, joined by ;"),
    Column("creator", Unit.TEXT, "function and file:line of the go statement"),
    Column(
        "ancestors",
        Unit.TEXT,
        "functions of the goroutines that they descend from, the nearest first, *** between two",
    ),
)


def group_table(
    judged: Sequence[Judged],
    *,
    by: str = "group",
    older_than: float | None = None,
    min_count: int = 1,
) -> tuple[Table, int, int]:
    """The groups, the largest first, merged by creator, stack or state where that is asked (labels
    are those of goroutines and not of groups: `label_table`).

    With `older_than` only goroutines that have waited so long, or seem to have, are counted.
    Returns the table, and how many groups and goroutines of those are not in it as they are fewer
    than `min_count`.
    """
    older = bool(older_than)
    merged: dict[object, list[Judged]] = {}
    for each in judged:
        if not older or each.group.waited:
            merged.setdefault(_key(each, by), []).append(each)
    rows = sorted((_row(group, older=older) for group in merged.values()), key=_rank)
    kept = [row for row in rows if _count(row) >= min_count]
    table = Table(
        title=_title("" if by in ("group", LABEL) else by, older_than),
        columns=_COLUMNS,
        rows=kept,
        sums_to=None if older or len(kept) < len(rows) else SumsTo("count", COUNT),
    )
    return table, len(rows) - len(kept), sum(map(_count, rows)) - sum(map(_count, kept))


def _title(by: str, older_than: float | None) -> str:
    """What is in a table that is called so: who sees no more than it is to know what is not."""
    waited = (
        f" that waited for {format_quantity(older_than, Unit.SECONDS)} or more"
        if older_than
        else ""
    )
    return f"Goroutines{waited}{f' by {by}' if by else ''}"


def label_table(
    dump: Dump,
    counted: npt.NDArray[np.bool_] | None = None,
    *,
    older_than: float | None = None,
    min_count: int = 1,
) -> Table:
    """How many goroutines have which labels, those of most first; only the `counted` ones of the
    dump, which waited for `older_than`, where that is given, and only labels that `min_count` of
    them have. Labels may hold what is personal: for who asks for them.
    """
    total: dict[str, int] = {}
    amounts = dump.count if counted is None else np.where(counted, dump.count, 0)
    for number, count in zip(dump.labels.tolist(), amounts.tolist(), strict=True):
        if count:
            total[dump.text(number)] = total.get(dump.text(number), 0) + count
    kept = {text: count for text, count in total.items() if count >= min_count}
    return Table(
        title=_title(LABEL, older_than)
        + (f"; labels of {min_count:,} or more" if min_count > 1 else ""),
        columns=(
            Column("labels", Unit.TEXT, "key:text, as the dump has them; none for no label"),
            Column("count", Unit.COUNT, "how many there are", additive=True),
        ),
        rows=[
            (text or None, count)
            for text, count in sorted(kept.items(), key=lambda item: (-item[1], item[0]))
        ],
        sums_to=SumsTo("count", COUNT) if counted is None and len(kept) == len(total) else None,
    )


def _count(row: Sequence[Cell]) -> int:
    count = row[3]
    assert isinstance(count, int)
    return count


def _rank(row: Sequence[Cell]) -> tuple[int, str, str, str, str]:
    return -_count(row), str(row[8]), str(row[12]), str(row[11]), str(row[2])


def _key(each: Judged, by: str) -> object:
    group = each.group
    if by == "creator":
        return group.creator
    if by == "stack":
        return group.stack
    if by == "state":
        return group.state
    return group.creator, group.stack, group.state, group.certain


def _row(merged: Sequence[Judged], *, older: bool) -> Sequence[Cell]:
    groups = [each.group for each in merged]
    minutes = [each.oldest_minutes for each in groups if each.oldest_minutes is not None]
    known = [each.growth for each in groups if each.growth is not None]
    return (
        _same([line(each) for each in groups]),
        _same([told(each.creator[0]) if each.creator else None for each in groups]),
        _same([each.state for each in groups]),
        sum(each.waited if older else each.count for each in groups),
        max(minutes) if minutes else None,
        max((each.longest for each in groups if each.longest is not None), default=None),
        max((each.seen for each in groups if each.seen is not None), default=None),
        sum(known) if known else None,
        str(min((each.verdict for each in merged), key=_RANK.__getitem__)),
        _same([entry(each.stack) or None for each in groups]),
        all(each.system for each in merged),
        _same([written(each.stack) for each in groups]),
        _same([written(each.creator) or None for each in groups]),
        _of_some(
            {
                ";".join(f.function for f in line_): None
                for each in groups
                for line_ in each.ancestors
            }
        ),
    )


def _of_some(different: dict[str, None]) -> str | None:
    """What those have that have any, or how many different ones there are."""
    return _same([*different]) if different else None


def _same(values: Sequence[str | None]) -> str | None:
    """What all of them are, or how many different ones there are."""
    different = dict.fromkeys(values)
    if len(different) == 1:
        return values[0]
    return f"({len(different):,} different)"


def line(each: Group) -> str:
    """The line at which a group waits."""
    return told(waits_at(each.stack, each.state or "")) or NO_STACK


def written(stack: Sequence[Frame]) -> str:
    """A stack in one line."""
    return ";".join(f"{frame.function} {frame.place}".rstrip() for frame in stack)


def leaks(judged: Sequence[Judged]) -> list[Judged]:
    """What leaks, the most certain and then the most first."""
    found = [each for each in judged if each.verdict is not Verdict.PARKED]
    return sorted(found, key=lambda each: (_RANK[each.verdict], -each.group.count))


def change_table(groups: Sequence[Group]) -> Table:
    """What grew and what went between the first dump and the last, the largest change first."""
    changed = [each for each in groups if each.growth or any(_moved(each))]
    rows: list[Sequence[Cell]] = []
    for each in sorted(changed, key=lambda each: -abs(each.growth or 0)):
        came, left = _moved(each) or (None, None)
        rows.append(
            (
                line(each),
                told(each.creator[0]) if each.creator else None,
                each.state,
                each.counts[0],
                each.counts[-1],
                each.growth,
                came,
                left,
                written(each.stack),
                written(each.creator) or None,
            )
        )
    return Table(
        title="What changed from the first dump to the last",
        columns=(
            Column("waits_at", Unit.TEXT, "the innermost line that is not only a way of waiting"),
            Column("created_by", Unit.TEXT, "the function and line of the go statement"),
            Column("state", Unit.TEXT, "what it waits for, or does"),
            Column("before", Unit.COUNT, "goroutines of the first dump", additive=True),
            Column("after", Unit.COUNT, "goroutines of the last dump", additive=True),
            Column("growth", Unit.COUNT, "how many more", additive=True),
            Column("came", Unit.COUNT, "that were not there before, dump by dump", additive=True),
            Column("left", Unit.COUNT, "that are not there any more", additive=True),
            Column("stack", Unit.TEXT, "function and file:line, leaf to root, joined by ;"),
            Column("creator", Unit.TEXT, "function and file:line of the go statement"),
        ),
        rows=rows,
    )


def _moved(each: Group) -> tuple[int, int] | tuple[()]:
    """How many came and left, over all intervals; nothing where the dumps do not say."""
    if not each.intervals:
        return ()
    return sum(i.arrived for i in each.intervals), sum(i.departed for i in each.intervals)


def leak_table(judged: Sequence[Judged]) -> Table:
    """What leaks, with what that rests on and what to do about it."""
    return Table(
        title="Leaks",
        columns=(
            Column("verdict", Unit.TEXT, "certain or probable"),
            Column("count", Unit.COUNT, "goroutines of the last dump", additive=True),
            Column("pattern", Unit.TEXT, "how they got stuck, most likely"),
            Column("waits_at", Unit.TEXT, "the line that waits"),
            Column("created_by", Unit.TEXT, "the line of the go statement"),
            Column("state", Unit.TEXT, "what they wait for"),
            Column("waits_in", Unit.TEXT, "file:line of the line that waits"),
            Column("created_in", Unit.TEXT, "file:line of the go statement"),
            Column("evidence", Unit.TEXT, "what the verdict rests on"),
            Column("why", Unit.TEXT, "what is wrong in that pattern"),
            Column("cure", Unit.TEXT, "what usually mends it"),
        ),
        rows=[_leak(each) for each in leaks(judged)],
    )


def _leak(each: Judged) -> Sequence[Cell]:
    group = each.group
    waits = waits_at(group.stack, group.state or "")
    return (
        str(each.verdict),
        group.count,
        each.pattern.name,
        line(group),
        told(group.creator[0]) if group.creator else None,
        group.state,
        waits.place if waits else None,
        group.creator[0].place if group.creator else None,
        each.evidence,
        each.pattern.why,
        each.pattern.cure,
    )


def facts(found: Dumps, judged: Sequence[Judged], subject: Subject, origin: str) -> list[Fact]:
    """How many there are and how many leak; what cannot be told from these dumps is not said."""

    def fact(metric: str, value: int) -> Fact:
        return Fact(metric, value, Unit.COUNT, subject, origin=origin)

    def of(verdict: Verdict) -> int:
        return sum(each.group.count for each in judged if each.verdict is verdict)

    certain = of(Verdict.CERTAIN)
    made = [fact(COUNT, found.dumps[-1].total), fact("goroutines.leak.certain", certain)]
    if found.tell_leaks:
        probable = of(Verdict.PROBABLE)
        made.append(fact("goroutines.leak.probable", probable))
        made.append(fact(LEAKED, certain + probable))
    elif certain:  # at least those; without any it takes three dumps to say that none leaks
        made.append(fact(LEAKED, certain))
    return made


def sentence(each: Judged, shown: Callable[[int], str] = "{:,}".format) -> str:
    """A leak in words."""
    group = each.group
    many = f"{shown(group.count)} goroutine{'s' if group.count != 1 else ''}"
    sure = "leak" if each.verdict is Verdict.CERTAIN else "probably leak"
    sure += "s" if group.count == 1 else ""
    created = f", created at {told(group.creator[0])}" if group.creator else ""
    return (
        f"{many} {sure}, waiting at {line(group)}{created}. Why: {each.evidence}. "
        f"Usual cause ({each.pattern.name}): {each.pattern.why}. To do: {each.pattern.cure}"
    )
