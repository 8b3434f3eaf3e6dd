"""A bill's accounts as tables: each column adds up to what was measured, rows of nobody's included.

Times are whole nanoseconds, sizes whole bytes. The rows that belong to nobody carry what they are
in parentheses, or `observer`, `unattributed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gocost.analyses.attribution.bill import Bill
from gocost.analyses.attribution.keys import LABEL
from gocost.analyses.attribution.memory import Holding
from gocost.analyses.attribution.processor import Account, is_collection
from gocost.analyses.attribution.waiting import BLOCKED, HELD, KINDS, Waiting
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, SumsTo, Table
from gocost.model.subject import Subject

Row = Sequence[Cell]

CPU: Final = "attribution.cpu"
CORES: Final = "attribution.cores"
MEMORY: Final = "attribution.memory"
WAITING: Final = "attribution.waiting"
GOROUTINES: Final = "attribution.goroutines"

NOBODY: Final = "(runtime)"
_NS: Final = Unit.NANOSECONDS
_MEANING: Final = {
    "scheduler": "ready to run, without a P",
    "lock": "for a lock, a wait group or the like",
    "channel": "for a channel or a select",
    "network": "for the network",
    "syscall": "in system calls",
    "sleep": "asleep",
    "other": "for anything else",
    BLOCKED: "a block profile: what it waited for locks and channels",
    HELD: "a mutex profile: what others waited for locks that it held",
}


def first_column(by: str) -> Column:
    """The column that names rows."""
    if by.startswith(LABEL):
        return Column("label", Unit.TEXT, f"the value of the label {by.removeprefix(LABEL)}")
    meaning = {
        "function": "the innermost function outside of the runtime",
        "package": "import path of that function's package",
        "module": "its module, and the version where the binary was given",
        "owner": "who CODEOWNERS names for the innermost function of the repository",
        "task": "the task of runtime/trace that goroutines were in",
    }[by]
    return Column(by, Unit.TEXT, meaning)


def cpu_table(by: str, names: Sequence[str], found: Account) -> Table:
    """CPU time by row, the most expensive first."""
    whole = found.whole().tolist()
    total = found.total
    own, runtime = found.own.tolist(), found.runtime.tolist()
    collector, even = found.collector.tolist(), found.collector_even.tolist()
    rows: list[Row] = []
    for at, name in enumerate(names):
        if whole[at] or even[at]:
            low, high = found.interval(at)
            rows.append((name, whole[at], _share(whole[at], total), low, high,
                         own[at], runtime[at], collector[at], even[at]))  # fmt: skip
    for name in dict.fromkeys([*found.others, *found.others_even]):
        value, other = found.others.get(name, 0), found.others_even.get(name, 0)
        collects = is_collection(name)
        rows.append((name, value, _share(value, total), None, None, 0 if collects else value, 0,
                     value if collects else 0, other if collects else 0))  # fmt: skip
    return Table(
        title=f"CPU by {by.removeprefix(LABEL)}",
        columns=(
            first_column(by),
            Column("cpu", _NS, "all of it: own, runtime and gc", additive=True),
            Column("share", Unit.RATIO, "of the process's CPU time", additive=True),
            Column("low", _NS, "95% interval of cpu, of sampling alone"),
            Column("high", _NS, "95% interval of cpu, of sampling alone"),
            Column("own", _NS, "in its own code", additive=True),
            Column("runtime", _NS, "in the runtime under it: allocating, maps, channels, copying",
                   additive=True),
            Column("gc", _NS, "the collector's work that it causes", additive=True),
            Column("gc_even", _NS, "the same, half by what is live and half by what is allocated",
                   additive=True),
        ),
        rows=_sorted(rows),
        sums_to=SumsTo("cpu", CPU),
    )  # fmt: skip


def memory_table(by: str, names: Sequence[str], found: Holding) -> Table:
    """Memory by row, the largest first."""
    whole, live = found.whole().tolist(), found.live.tolist()
    headroom, stacks = found.headroom.tolist(), found.stacks.tolist()
    rows: list[Row] = [
        (name, whole[at], _share(whole[at], found.total), live[at], headroom[at], stacks[at], 0)
        for at, name in enumerate(names)
        if whole[at]
    ]
    rows += [
        (name, value, _share(value, found.total), 0, 0, 0, value)
        for name, value in found.others.items()
    ]
    return Table(
        title=f"Memory by {by.removeprefix(LABEL)}",
        columns=(
            first_column(by),
            Column("memory", Unit.BYTES, "all of it", additive=True),
            Column("share", Unit.RATIO, "of all", additive=True),
            Column("live", Unit.BYTES, "live objects that it allocated", additive=True),
            Column("headroom", Unit.BYTES, "what GOGC lets the heap grow beyond them",
                   additive=True),
            Column("stacks", Unit.BYTES, "stacks of the goroutines that it created",
                   additive=True),
            Column("rest", Unit.BYTES, "what belongs to no allocation", additive=True),
        ),
        rows=_sorted(rows),
        sums_to=SumsTo("memory", MEMORY),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests the trace's window has."""

    count: float
    known_by: str
    """How they were counted, as a part of a sentence."""


def waiting_table(
    by: str,
    names: Sequence[str],
    found: Waiting,
    *,
    counts: Sequence[int] | None = None,
    requests: Requests | None = None,
) -> Table:
    """Waiting by row; `total` is of a trace, and the profiles' columns stand beside it.

    `counts` are how many tasks there were of each row, `requests` how many requests the trace's
    window has.
    """
    traced = [kind for kind in KINDS if kind in found.columns]
    profiled = [name for name in (BLOCKED, HELD) if name in found.columns]
    shown = [*traced, *profiled]
    columns = {name: found.columns[name].tolist() for name in shown}
    rows: list[Row] = []
    for at, name in enumerate(names):
        amounts = [columns[each][at] for each in shown]
        if any(amounts):
            rows.append((name, sum(amounts[: len(traced)]), *amounts))
        elif counts is not None and counts[at]:
            rows.append((name, 0, *amounts))
    nobody = [found.nobody.get(each, 0) for each in shown]
    if any(nobody):
        rows.append((NOBODY, sum(nobody[: len(traced)]), *nobody))
    if not traced:
        rows = [(name, *amounts) for name, _, *amounts in rows]
    total: tuple[Column, ...] = ()
    if traced:
        total = (Column("waiting", _NS, "all of the trace's kinds", additive=True),)
    if traced and counts is not None:
        count = dict(zip(names, counts, strict=True))
        rows = [
            (
                *row[:2],
                count.get(str(row[0]), 0),
                _each(row[1], count.get(str(row[0]), 0)),
                *row[2:],
            )
            for row in rows
        ]
        total += (
            Column("count", Unit.COUNT, "tasks that began in the trace", additive=True),
            Column("each", _NS, "waiting of one of them, on average"),
        )
    last: tuple[Column, ...] = ()
    if traced and requests:
        rows = [(*row, _each(row[1], requests.count)) for row in rows]
        told = f"waiting in one request, {requests.known_by}"
        last = (Column("request", _NS, told, additive=True),)
    return Table(
        title=f"Waiting by {by.removeprefix(LABEL)}",
        columns=(
            first_column(by),
            *total,
            *(Column(name, _NS, _MEANING[name], additive=True) for name in shown),
            *last,
        ),
        rows=_sorted(rows),
        sums_to=SumsTo("waiting", WAITING) if traced else None,
    )


def _each(total: Cell, count: float) -> float | None:
    return total / count if count and isinstance(total, int) else None


def goroutine_table(by: str, bill: Bill) -> Table:
    """Goroutines by whoever created them."""
    assert bill.goroutines is not None
    stacks = bill.memory.stacks.tolist() if bill.memory is not None else None
    rows: list[Row] = [
        (name, count, stacks[at] if stacks is not None else None)
        for at, (name, count) in enumerate(zip(bill.names, bill.goroutines.tolist(), strict=True))
        if count
    ]
    return Table(
        title=f"Goroutines by the {by.removeprefix(LABEL)} that created them",
        columns=(
            first_column(by),
            Column("count", Unit.COUNT, "how many there are", additive=True),
            Column(
                "stacks",
                Unit.BYTES,
                "an equal part of all stacks for each: Go does not tell one's size",
            ),
        ),
        rows=_sorted(rows),
        sums_to=SumsTo("count", GOROUTINES),
    )


def tables(by: str, bill: Bill, *, requests: Requests | None = None) -> dict[str, Table]:
    """The accounts that there are; `requests` as for `waiting_table`."""
    found: dict[str, Table] = {}
    if bill.cpu is not None:
        found["cpu"] = cpu_table(by, bill.names, bill.cpu)
    if bill.memory is not None:
        found["memory"] = memory_table(by, bill.names, bill.memory)
    if bill.waiting is not None:
        found["waiting"] = waiting_table(
            by,
            bill.names,
            bill.waiting,
            counts=bill.counts.tolist() if bill.counts is not None else None,
            requests=requests,
        )
    if bill.goroutines is not None:
        found["goroutines"] = goroutine_table(by, bill)
    return {name: table for name, table in found.items() if table.rows}


def facts(bill: Bill, seconds: float | None, subject: Subject, origin: str) -> list[Fact]:
    """What each account adds up to; `seconds` is the CPU profile's window."""
    found = []
    if bill.cpu is not None:
        found.append(Fact(CPU, bill.cpu.total, _NS, subject, origin=origin))
        if seconds:
            cores = bill.cpu.total / (seconds * 1e9)
            found.append(Fact(CORES, cores, Unit.CORES, subject, origin=origin))
    if bill.memory is not None:
        found.append(Fact(MEMORY, bill.memory.total, Unit.BYTES, subject, origin=origin))
    if bill.waiting is not None:
        traced = [kind for kind in KINDS if kind in bill.waiting.columns]
        if traced:
            total = sum(bill.waiting.total(kind) for kind in traced)
            found.append(Fact(WAITING, total, _NS, subject, origin=origin))
    if bill.goroutines is not None:
        count = int(bill.goroutines.sum())
        found.append(Fact(GOROUTINES, count, Unit.COUNT, subject, origin=origin))
    return found


def _share(value: int, total: int) -> float | None:
    return value / total if total else None


def _sorted(rows: list[Row]) -> list[Row]:
    """The largest first by the second column, equals by name."""
    return sorted(rows, key=lambda row: (-row[1], row[0]))  # type: ignore[operator]
