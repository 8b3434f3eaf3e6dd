"""Two traces beside each other: what a second of each held, as they differ in length."""

from __future__ import annotations

from collections.abc import Sequence

from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.tables import waits_by_reason
from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact
from gocost.model.metric import Worse
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Change, Column, Table, Verdict

_RATE = "nanoseconds a second of the trace"


def compared(head: Joined, base: Joined) -> dict[str, Table]:
    """Rates by goroutines' start and by what was waited for, the largest change first."""
    return {"goroutine_rates": _groups(head, base), "wait_rates": _waits(head, base)}


def facts_compared(head: Sequence[Fact], base: Sequence[Fact]) -> list[Change]:
    """What both traces tell, beside each other. Better or worse is only what lies in other
    intervals; of a metric that has none, two traces say that it differed.
    """
    before = {fact.metric: fact for fact in base}
    changes = []
    for now in head:
        then = before.get(now.metric)
        if then is None or not isinstance(now.value, int | float) or isinstance(then.value, str):
            continue
        delta = now.value - then.value
        worse, apart = all_metrics()[now.metric].worse, _apart(then, now)
        verdict = Verdict.CHANGED
        if not delta or apart is False:
            verdict = Verdict.SAME
        elif apart and worse is not Worse.NEITHER:
            rose = (delta > 0) == (worse is Worse.HIGHER)
            verdict = Verdict.WORSE if rose else Verdict.BETTER
        changes.append(Change(now.metric, now.unit, then.value, now.value, delta, verdict))
    return changes


def _apart(one: Fact, other: Fact) -> bool | None:
    """Whether the intervals of two facts do not meet; None where one has none."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return None
    return one.high < other.low or other.high < one.low


def _groups(head: Joined, base: Joined) -> Table:
    rows: list[list[Cell]] = []
    for entry in sorted({*head.groups, *base.groups}):
        row: list[Cell] = [entry]
        for trace in (base, head):
            group = trace.groups.get(entry)
            row.append((group.count if group else 0) * 1e9 / _length(trace))
        for state in (1, 0):
            rates = [
                (trace.groups[entry].sums[state] if entry in trace.groups else 0)
                * 1e9 / _length(trace)
                for trace in (base, head)
            ]  # fmt: skip
            row += [*rates, rates[1] - rates[0]]
        rows.append(row)
    rows.sort(key=lambda row: (-abs(_number(row[5])) - abs(_number(row[8])), str(row[0])))
    columns = [Column("entry", Unit.TEXT, "the function that they start in")]
    columns += [
        Column(f"{which}_per_second", Unit.COUNT, f"goroutines there were a second, {which}")
        for which in ("base", "head")
    ]
    for name in ("running", "runnable"):
        columns += [
            Column(f"{name}_base", Unit.NANOSECONDS, _RATE),
            Column(f"{name}_head", Unit.NANOSECONDS, _RATE),
            Column(f"{name}_change", Unit.NANOSECONDS, "head less base", additive=True),
        ]
    return Table(title="Goroutines a second", columns=tuple(columns), rows=rows)


def _waits(head: Joined, base: Joined) -> Table:
    amounts = [_by_name(trace) for trace in (base, head)]
    rows: list[list[Cell]] = []
    for state, reason in sorted({*amounts[0], *amounts[1]}):
        pairs = [found.get((state, reason), (0, 0)) for found in amounts]
        lengths = [_length(base), _length(head)]
        counts = [pair[0] * 1e9 / length for pair, length in zip(pairs, lengths, strict=True)]
        totals = [pair[1] * 1e9 / length for pair, length in zip(pairs, lengths, strict=True)]
        rows.append([state, reason, *counts, *totals, totals[1] - totals[0]])
    rows.sort(key=lambda row: (-abs(_number(row[6])), str(row[0]), str(row[1])))
    return Table(
        title="Waits a second",
        columns=(
            Column("state", Unit.TEXT, "runnable, waiting or syscall"),
            Column("reason", Unit.TEXT, "what the runtime says it waited for"),
            Column("base_per_second", Unit.COUNT, "intervals a second, base"),
            Column("head_per_second", Unit.COUNT, "intervals a second, head"),
            Column("total_base", Unit.NANOSECONDS, _RATE),
            Column("total_head", Unit.NANOSECONDS, _RATE),
            Column("total_change", Unit.NANOSECONDS, "head less base", additive=True),
        ),
        rows=rows,
    )


def _by_name(trace: Joined) -> dict[tuple[str, str], tuple[int, int]]:
    return {name: (row[0], row[1]) for name, row in waits_by_reason(trace).items()}


def _length(trace: Joined) -> int:
    return max(trace.end - trace.start, 1)


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, (int, float)) else 0.0
