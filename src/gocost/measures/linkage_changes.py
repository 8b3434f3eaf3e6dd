"""How a binary is linked now against how a base was: what it needs, and where that lets it run.

The base is another binary, or what a saved report tells of one: `gocost linkage` saves tables of
libraries and platforms, `gocost check` facts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gocost.analyses.portability import families, platforms
from gocost.measures.linkage import Examined, measured, runs
from gocost.measures.saved_base import SavedBase
from gocost.model.catalogue import all_metrics
from gocost.model.errors import FormatError
from gocost.model.fact import Fact, Value
from gocost.model.metric import Worse
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Change, Column, Table, Verdict
from gocost.model.subject import Subject

METRICS = ("binary.linkage", "binary.needed_libraries", "binary.glibc", "binary.cgo")


class Linked(msgspec.Struct, frozen=True):
    """What is compared; None is what a saved report does not tell."""

    facts: Mapping[str, Fact]
    libraries: Mapping[str, str] | None = None
    """The highest symbol version that is asked of each."""
    runs: Mapping[str, str] | None = None
    """By platform: yes, no, with libraries, or the oldest release of a distribution."""


def of_binary(found: Examined) -> Linked:
    """A binary that is at hand."""
    return Linked(
        facts={fact.metric: fact for fact in measured(found, Subject()).facts},
        libraries={part.name: part.version for part in found.linkage.libraries},
        runs=runs(found.program),
    )


def of_report(saved: SavedBase) -> Linked:
    """What a saved report tells. Raises FormatError where its tables are not those of linkage."""
    facts = {fact.metric: _checked(fact) for fact in saved.facts if fact.metric in METRICS}
    tables = saved.tables
    if not {"libraries", "platforms", "distributions"} <= tables.keys():
        return Linked(facts)
    try:
        libraries = _pairs(tables["libraries"], "library", "version")
        places = _pairs(tables["platforms"], "platform", "runs")
        oldest = _pairs(tables["distributions"], "distribution", "oldest")
    except (KeyError, IndexError) as error:
        raise FormatError("its tables are not those of `gocost linkage`") from error
    releases = {name: f"from {text}" if text != "none" else "no" for name, text in oldest.items()}
    whole = tables["platforms"].complete and tables["distributions"].complete
    return Linked(
        facts=facts,
        libraries=libraries if tables["libraries"].complete else None,
        runs={**places, **releases} if whole else None,
    )


def _checked(fact: Fact) -> Fact:
    wanted = {Unit.TEXT: str, Unit.BOOLEAN: bool}.get(all_metrics()[fact.metric].unit, int)
    if type(fact.value) is not wanted:
        raise FormatError(f"its {fact.metric} is {fact.value!r}")
    return fact


def _pairs(table: Table, key: str, value: str) -> dict[str, str]:
    return dict(zip(map(str, table.column(key)), map(str, table.column(value)), strict=True))


def changes(base: Linked, head: Linked, subject: Subject) -> list[Change]:
    """The facts that both sides have."""
    found = []
    for metric in METRICS:
        old, new = base.facts.get(metric), head.facts.get(metric)
        if old is None or new is None:
            continue
        delta = _delta(old.value, new.value)
        found.append(
            Change(
                metric=metric,
                unit=new.unit,
                base=old.value,
                head=new.value,
                delta=delta,
                verdict=_verdict(metric, old.value, new.value, delta),
                subject=subject,
            )
        )
    return found


def change_tables(base: Linked, head: Linked, found: Examined) -> dict[str, Table]:
    """What changed of libraries and of where it runs, as far as the base tells it."""
    tables = {}
    if base.libraries is not None and head.libraries is not None:
        tables["libraries_changed"] = _libraries(base.libraries, head.libraries)
    if base.runs is not None and head.runs is not None and base.runs.keys() & head.runs.keys():
        tables["platforms_changed"] = _platforms(base.runs, head.runs, found)
    return tables


def untold(base: Linked, head: Linked) -> list[str]:
    """What cannot be compared, and why."""
    notes = []
    if base.libraries is None or base.runs is None:
        notes.append(
            "the base does not tell all of which libraries it loads and where it runs: `gocost "
            "linkage FILE --format json -o REPORT.json` saves that"
        )
    elif head.runs is not None and not base.runs.keys() & head.runs.keys():
        notes.append("the base is for another operating system: where it runs is not compared")
    return notes


def _delta(old: Value, new: Value) -> float | None:
    if isinstance(old, bool | str) or isinstance(new, bool | str):
        return None
    return new - old


def _verdict(metric: str, old: Value, new: Value, delta: float | None) -> Verdict:
    if old == new:
        return Verdict.SAME
    worse = all_metrics()[metric].worse
    if not delta or worse is Worse.NEITHER:
        return Verdict.CHANGED
    return Verdict.WORSE if (delta > 0) == (worse is Worse.HIGHER) else Verdict.BETTER


def _libraries(base: Mapping[str, str], head: Mapping[str, str]) -> Table:
    rows: list[Sequence[Cell]] = []
    for name in [*head, *(name for name in base if name not in head)]:
        if name not in base:
            rows.append((name, "added", None, head[name]))
        elif name not in head:
            rows.append((name, "removed", base[name], None))
        elif base[name] != head[name]:
            rows.append((name, "other version", base[name], head[name]))
    return Table(
        "What changed of the libraries that it loads",
        (
            Column("library", description="as the file names it"),
            Column("change", description="added, removed, or other version"),
            Column("base", description="the highest symbol version that the base asked of it"),
            Column("version", description="the highest that is asked of it now"),
        ),
        rows,
    )


def _platforms(base: Mapping[str, str], head: Mapping[str, str], found: Examined) -> Table:
    reasons = {row.name: row.why for row in platforms(found.program)}
    glibc = found.linkage.glibc
    asks = f"it asks for glibc {glibc}" if glibc else "it asks for no glibc"
    reasons |= {family.name: asks for family in families(found.program)}
    return Table(
        "Where it runs otherwise than the base",
        (
            Column("platform", description="an image, or a family of distributions"),
            Column("base", description="whether the base runs there, or from which release on"),
            Column("now", description="whether it runs there now"),
            Column("why", description="what decides it now; `platforms` says what to change"),
        ),
        [
            (name, base[name], head[name], reasons.get(name, ""))
            for name in head
            if name in base and base[name] != head[name]
        ],
    )
