"""Every relation that a kind of file fills; the reference page of schemas is made from it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gocost.analyses.query import dumps, pages, profiles, reports, traces
from gocost.analyses.query.relation import Filled, Relation


def _of_trace(relation: Relation) -> Callable[[Any], Filled]:
    return partial(traces.filled, relation)


_PARTS: Final = (
    traces.GROUPS,
    traces.PROCS,
    traces.WAITS,
    traces.PLACES,
    traces.GC,
    traces.STW,
    traces.TASKS,
    traces.REGIONS,
)
_ALL: Final[tuple[tuple[Relation, Callable[[Any], Filled]], ...]] = (
    (profiles.SAMPLES, profiles.samples),
    (profiles.FRAMES, profiles.frames),
    (profiles.LABELS, profiles.labels),
    (profiles.FUNCTIONS, profiles.functions),
    (profiles.SAMPLES_BY_TYPE, profiles.samples_by_type),
    (profiles.FUNCTIONS_BY_TYPE, profiles.functions_by_type),
    (traces.GOROUTINES, traces.goroutines),
    *((each, _of_trace(each)) for each in _PARTS),
    (dumps.DUMPED, dumps.dumped),
    (pages.METRICS, pages.metrics),
    (pages.HISTOGRAMS, pages.histograms),
    (pages.CYCLES, pages.cycles),
    (reports.FACTS, reports.facts),
    (reports.FINDINGS, reports.findings),
    (reports.CHANGES, reports.changes),
)
FILLERS: Final = {relation.name: (relation, fill) for relation, fill in _ALL}
"""By the relation's name: what it is, and what fills it from a decoded file."""


def relations() -> list[Relation]:
    """All of them but those of a report's own tables, in the order of the reference."""
    return [relation for relation, _ in FILLERS.values()]
