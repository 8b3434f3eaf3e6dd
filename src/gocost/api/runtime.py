"""`gocost.runtime`: the health of a Go process's scheduler and memory, and what its GC costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gocost._version import VERSION
from gocost.analyses.collector.recommending import choices, recommend
from gocost.analyses.collector.settings import Refusal, predictions, together, unfit
from gocost.analyses.collector.window import (
    CollectorWindow,
    Pace,
    allocation_weight,
    pace,
)
from gocost.analyses.runtime.health import HEALTH, Health, health
from gocost.analyses.runtime.recorded import Recorded
from gocost.analyses.runtime.tables import (
    default_limits,
    health_table,
    heap_table,
    over,
    settings_table,
)
from gocost.measures.runtime_metrics import MAX_BYTES, MOST, Reading
from gocost.model.errors import UsageError
from gocost.model.fact import Fact
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Table
from gocost.model.service import LEAST_MEMORY
from gocost.model.subject import Subject
from gocost.policy.loading import Policy, load, load_one, preset_path
from gocost.policy.rules import Rule
from gocost.sources.naming import short_name

PRESETS = ("standard", "low-latency")
"""Each holds besides those before it."""


def runtime(
    *files: str | Path,
    every: float | None = None,
    count: int = 2,
    limit: float | None = None,
    gogc: float | None = None,
    preset: str = "standard",
    policy: str | Path | None = None,
    service: str | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[str], None] = lambda _: None,
    reading: Reading | None = None,
) -> Report:
    """What pages or a gctrace log tell of the runtime of one process.

    `files` are saved pages of one process in turn (/metrics of client_golang, /debug/vars,
    /debug/pprof/heap?debug=1), a gctrace log, or the URL of a service, which is read `count` times,
    `every` seconds apart (10 by default; between saved pages it is the time that was). `limit` is
    the memory limit of its container in bytes, for which GOGC and GOMEMLIMIT are recommended; by
    default `deployment.memory` of the policy, where one is given. `gogc` is what GOGC was, for a
    log, which does not say it. Limits are those of `preset`, or the rules of `policy` for its only
    service or the one named `service`.

    Tables: health, heap (adds up to memory.mapped) and settings. Raises UsageError for what does
    not go together, SourceError where something cannot be had and FormatError where it is no such
    page.
    """
    names = [str(file) for file in files]
    if not 1 <= count <= MOST:
        raise UsageError(f"{count} readings are not from 1 to {MOST}", hint="correct --count")
    loaded = load_one(Path(policy) if policy is not None else None, service)
    limits = default_limits() | _limits(preset, loaded)
    if limit is None and loaded is not None:
        limit = _container(loaded)
    _check_container(limit)
    reading = reading or Reading(headers, max_bytes)
    seen = reading.read(names, every=every, count=count, progress=progress)
    subject = Subject(service=short_name(names[-1]))
    window, refused = seen.window() if gogc is None else seen.window(gogc=gogc)
    found = health(seen, window, subject)
    tables = {"health": health_table(found, limits)}
    notes = [Note("warning", text) for text in (*seen.notes, *over(found, limits, _shown))]
    notes += [Note("info", text) for text in _unknowns(found)]
    if seen.pages and (heap := heap_table(seen.last)) is not None:
        tables["heap"] = heap
    notes += [Note("warning", refused)] if refused else []
    assumptions: list[str] = []
    if window is not None:
        tables |= _settings(window, limit)
        notes += _advice(seen, window, limit)
        assumptions = [*window.assumed, _SAME_WORK]
    return Report(
        command="runtime",
        gocost=VERSION,
        subject=subject,
        facts=found.facts,
        tables=tables,
        notes=notes,
        assumptions=assumptions,
        layout=Layout(
            title=_title(seen, names),
            facts=(
                "gc.cpu.share",
                "gc.cycles",
                "memory.heap.live",
                "memory.gc.headroom",
                "memory.mapped",
            ),
            rows=20,
            columns={
                "health": ("metric", "value", "low", "limit", "verdict"),
                "heap": ("part", "bytes", "share"),
                "settings": _columns(tables.get("settings")),
            },
        ),
    )


_SAME_WORK = (
    "other settings: the same work at the same live heap, and a collection that costs what it cost"
)


def _settings(window: CollectorWindow, limit: float | None) -> dict[str, Table]:
    if unfit(window) is not None:
        return {}
    found = predictions(window, choices(window, limit))
    return {"settings": settings_table(window, found)}


def _columns(table: Table | None) -> tuple[str, ...]:
    """What a person sees: no column that is empty in every row."""
    wanted = ("gogc", "limit", "goal", "cycles", "gc_cpu", "gc_share", "peak", "pace")
    if table is None:
        return wanted
    kept = [name for name in wanted if any(cell is not None for cell in table.column(name))]
    if len({cell for cell in table.column("pace") if cell is not None}) < 2:
        kept.remove("pace")
    return tuple(kept)


def _advice(seen: Recorded, window: CollectorWindow, limit: float | None) -> list[Note]:
    notes = [Note("info", _pace(window))]
    if (refused := unfit(window)) is not None:
        return [*notes, Note("warning", f"other settings are not predicted: {refused}")]
    refusals = [each for each in predictions(window, choices(window, limit))
                if isinstance(each, Refusal)]  # fmt: skip
    by_reason: dict[str, list[Refusal]] = {}
    for each in refusals:
        # "that leaves less than ..." and "that is 5.2 times ...": two words tell reasons apart.
        by_reason.setdefault(" ".join(each.reason.split(" ", 2)[:2]), []).append(each)
    for group in by_reason.values():
        which = together([each.setting for each in group])
        notes.append(Note("info", f"not predicted, {which}: {group[0]}"))
    if limit is None:
        return notes
    resident = seen.last.resident if seen.pages else None
    found = recommend(window, limit, resident=resident)
    size = format_quantity(limit, Unit.BYTES)
    if found.chosen is None:
        return [*notes, Note("warning", f"nothing is recommended for {size}: {found.reason}")]
    text = f"recommended for a container of {size}: {found.chosen.setting} ({found.reason})"
    if found.chosen.gc_cpu is None and found.chosen.cycles > window.cycles:
        times = found.chosen.cycles / window.cycles
        text += f"; {times:.1f} times the collections, and the page does not tell their CPU time"
    return [*notes, Note("info", text)]


def _pace(window: CollectorWindow) -> str:
    by = pace(window)
    if by is Pace.NOTHING:
        return "GOGC is off and there is no GOMEMLIMIT: only forced collections run"
    text = f"{by} sets the pace of the collector"
    weight = allocation_weight(window)
    if by is not Pace.GOGC and weight is not None:
        text += f": {weight:.0%} of marking is owed to allocating, the rest to what is live"
    return text


def _unknowns(found: Health) -> list[str]:
    """Why the table of health does not tell a metric, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for metric, reason in found.unknown.items():
        if metric in HEALTH:
            by_reason.setdefault(reason, []).append(metric)
    return [f"unknown, {', '.join(names)}: {reason}" for reason, names in by_reason.items()]


def _limits(preset: str, policy: Policy | None) -> dict[str, float]:
    """The most that the preset's rules allow, or the policy's own."""
    if preset not in PRESETS:
        raise UsageError(f"there is no preset {preset!r}", hint=f"choose of {', '.join(PRESETS)}")
    rules: list[Rule] = []
    for name in PRESETS[: PRESETS.index(preset) + 1]:
        rules += load(preset_path(name), to_extend=True).rules
    if policy is not None:
        rules += policy.services[0].rules
    return {
        rule.metric.id: float(most.value)
        for rule in rules
        if (most := rule.limits.get("max")) is not None and isinstance(most.value, int | float)
    }


def _container(policy: Policy) -> float | None:
    deployment = policy.services[0].service.deployment
    return float(deployment.memory) if deployment is not None and deployment.memory else None


def _check_container(limit: float | None) -> None:
    """Raises UsageError where no Go program runs in so little: a unit was forgotten."""
    if limit is not None and limit < LEAST_MEMORY:
        meant = f"{limit:g}MiB" if LEAST_MEMORY >> 20 <= limit < 1 << 16 else "256MiB"
        raise UsageError(
            f"a container of {format_quantity(limit, Unit.BYTES)} holds no Go program: its heap "
            "alone grows to 4 MiB before the first collection",
            hint=f"write the limit with its unit, such as {meant}",
        )


def _title(seen: Recorded, names: Sequence[str]) -> str:
    name = short_name(names[-1])
    if seen.cycles:
        return f"{name}: {len(seen.cycles):,} collections"
    go = f" ({seen.last.go})" if seen.last.go else ""
    return f"{name}{go}: {seen.since}"


def _shown(fact: Fact) -> str:
    assert isinstance(fact.value, int | float)
    return format_quantity(fact.value, fact.unit)
