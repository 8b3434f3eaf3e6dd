"""The tables of `gocost runtime`: health, what the heap is made of, other settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gocost.analyses.collector.settings import Prediction, Refusal, Setting, is_present
from gocost.analyses.collector.window import CollectorWindow
from gocost.analyses.runtime.health import HEALTH, Health
from gocost.formats.runtime_page import RuntimePage
from gocost.model.catalogue import find_metric
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, SumsTo, Table

_METADATA: Final = (
    "metadata/mspan/inuse",
    "metadata/mspan/free",
    "metadata/mcache/inuse",
    "metadata/mcache/free",
)


def health_table(found: Health, limits: Mapping[str, float]) -> Table:
    """Each metric with its limit and whether it keeps it: ok, over, unknown.

    Unknown also where the limit lies inside of the bucket that a quantile is known by.
    """
    facts = {fact.metric: fact for fact in found.facts}
    rows = [_health_row(name, facts.get(name), limits.get(name), found) for name in HEALTH]
    return Table(
        title="Health",
        columns=(
            Column("metric", Unit.TEXT, "its id: `gocost explain ID`"),
            Column("value", Unit.COUNT, "in the row's unit; the upper end of what it is known by",
                   unit_in="unit"),
            Column("low", Unit.COUNT, "the lower end, where it is known by a bucket",
                   unit_in="unit"),
            Column("limit", Unit.COUNT, "what most services keep, or the policy's", unit_in="unit"),
            Column("verdict", Unit.TEXT, "ok, over, or unknown"),
            Column("unit", Unit.TEXT, "of value, low and limit"),
            Column("why", Unit.TEXT, "from what it was taken, or why it is unknown"),
        ),
        rows=rows,
    )  # fmt: skip


def _health_row(name: str, fact: Fact | None, limit: float | None, found: Health) -> Sequence[Cell]:
    unit = find_metric(name).unit.value
    if fact is None:
        return name, None, None, limit, "unknown", unit, found.unknown.get(name, "not measured")
    value = fact.value
    assert isinstance(value, int | float)
    return name, value, fact.low, limit, kept(fact, limit), unit, fact.origin


def kept(fact: Fact, limit: float | None) -> str:
    """`ok`, `over`, or `unknown` where the limit lies between the ends that it is known by."""
    assert isinstance(fact.value, int | float)
    low = fact.value if fact.low is None else fact.low
    high = fact.value if fact.high is None else fact.high
    if limit is None:
        return "no limit"
    if high <= limit:
        return "ok"
    return "over" if low > limit else "unknown"


def heap_table(page: RuntimePage) -> Table | None:
    """What the mapped memory is made of; None where the page does not tell."""
    total = _class(page, "total")
    objects, unused = _class(page, "heap/objects"), _class(page, "heap/unused")
    if total is None or objects is None or unused is None:
        return None
    live = page.value("/gc/heap/live:bytes")
    rows: list[tuple[str, int, str]] = []
    if live is None:
        rows.append(("objects", objects, "live, new, or dead and not yet swept"))
    else:
        marked = min(int(live), objects)
        rows += [
            ("live objects", marked, "found in use by the last collection"),
            (
                "new, or dead and not swept",
                objects - marked,
                "made since the last collection, or found dead by it and not swept yet",
            ),
        ]
    rows.append(("free slots", unused, "room in spans that have objects: fragmentation"))
    metadata = sum(_class(page, name) or 0 for name in _METADATA)
    for name, size, about in (
        ("free spans", _class(page, "heap/free"), "ready for objects, not given back"),
        ("given back", _class(page, "heap/released"), "mapped, but given back to the system"),
        ("goroutine stacks", _class(page, "heap/stacks"), ""),
        ("thread stacks", _class(page, "os-stacks"), "of threads that the runtime made"),
        ("GC work buffers and metadata", _class(page, "metadata/other"), "what marking works with"),
        ("span and cache metadata", metadata, "mspan and mcache structures"),
        ("profiling", _class(page, "profiling/buckets"), "buckets of the memory profile"),
        ("other", _class(page, "other"), "the scheduler, the tracer, finalizers, signals"),
    ):
        rows.append((name, size or 0, about))
    rest = total - sum(size for _, size, _ in rows)
    if rest:
        rows.append(("not told", rest, "classes that this page does not have"))
    return Table(
        title="What the mapped memory is made of",
        columns=(
            Column("part", Unit.TEXT, "a class of memory, or a part of one"),
            Column("bytes", Unit.BYTES, "its size", additive=True),
            Column("share", Unit.RATIO, "of what is mapped", additive=True),
            Column("about", Unit.TEXT, "what it is"),
        ),
        rows=[(name, size, size / total if total else 0.0, about) for name, size, about in rows],
        sums_to=SumsTo("bytes", "memory.mapped"),
    )


def _class(page: RuntimePage, name: str) -> int | None:
    value = page.value(f"/memory/classes/{name}:bytes")
    return None if value is None else int(value)


def settings_table(window: CollectorWindow, found: Sequence[Prediction | Refusal]) -> Table:
    """What each setting would give for the work of the window, or why that is not said."""
    return Table(
        title="The same work at other settings",
        columns=(
            Column("gogc", Unit.TEXT, "percent, or off; the present one is marked"),
            Column("limit", Unit.BYTES, "GOMEMLIMIT"),
            Column("goal", Unit.BYTES, "the heap that a cycle ends at"),
            Column("cycles", Unit.COUNT, "collections"),
            Column("gc_cpu", Unit.SECONDS, "CPU time of the collector"),
            Column("gc_share", Unit.RATIO, "of the process's CPU time"),
            Column("peak", Unit.BYTES, "memory held: mapped and not given back"),
            Column("pace", Unit.TEXT, "what sets the goal"),
            Column("refused", Unit.TEXT, "why it is not predicted, and what would tell"),
        ),
        rows=[_setting_row(window, each) for each in found],
    )


def _setting_row(window: CollectorWindow, found: Prediction | Refusal) -> Sequence[Cell]:
    setting = found.setting
    name = _gogc(setting) + (" (now)" if is_present(window, setting) else "")
    if isinstance(found, Refusal):
        return name, setting.limit, None, None, None, None, None, None, str(found)
    return (
        name,
        setting.limit,
        found.goal,
        round(found.cycles, 1),
        found.gc_cpu,
        found.gc_share,
        found.peak,
        str(found.pace),
        None,
    )


def _gogc(setting: Setting) -> str:
    return "off" if setting.gogc is None else f"{setting.gogc:g}"


def default_limits() -> dict[str, float]:
    """The catalogue's limits of what the table of health has."""
    limits = {name: find_metric(name).limit for name in HEALTH}
    return {name: limit for name, limit in limits.items() if limit is not None}


def over(found: Health, limits: Mapping[str, float], show: Callable[[Fact], str]) -> list[str]:
    """What breaks its limit, in words, with what to do."""
    return [
        f"{fact.metric} is {show(fact)}. To do: {find_metric(fact.metric).advice}"
        for fact in found.facts
        if fact.metric in limits and kept(fact, limits[fact.metric]) == "over"
    ]
