"""Benchmark comparisons as facts, changes and tables of a report.

`benchmarks` holds every row with all of its figures, in base units, for machines. Its rows have
different units, so people are shown one table a unit instead (`benchmarks.time` and so on), whose
columns have units of their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Sequence
from itertools import takewhile

from gocost.analyses.benchmarks import Comparison, Row, metric_of
from gocost.analyses.noise_floor import Floor
from gocost.analyses.statistics.summary import median
from gocost.formats.benchmark_text import Sample
from gocost.model.catalogue import find_metric
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Change, Column, Table
from gocost.model.subject import Subject

ALL = "benchmarks"
GEOMEANS = "geomeans"

_TITLES = {
    "bench.time": "Time per operation",
    "bench.bytes": "Bytes allocated per operation",
    "bench.allocations": "Allocations per operation",
    "bench.throughput": "Throughput",
}


def facts(samples: Iterable[Sample], *, alpha: float, subject: Subject, origin: str) -> list[Fact]:
    """One fact a sample: its median, its interval, how many runs."""
    found = []
    for sample in samples:
        center = median(sorted(sample.values), 1 - alpha)
        metric = metric_of(sample.unit)
        found.append(
            Fact(
                metric=metric,
                value=center.value,
                unit=find_metric(metric).unit,
                subject=subject,
                labels=_labels(sample.package, sample.name, sample.unit),
                origin=origin,
                n=len(sample.values),
                low=center.low,
                high=center.high,
            )
        )
    return found


def changes(comparison: Comparison, subject: Subject) -> list[Change]:
    """One change a row: the medians, and the shift with its interval as the delta."""
    return [
        Change(
            metric=row.metric,
            unit=find_metric(row.metric).unit,
            base=row.base.value,
            head=row.head.value,
            delta=row.shift,
            low=row.low,
            high=row.high,
            verdict=row.verdict,
            subject=subject,
            labels=_labels(row.package, row.name, row.unit),
        )
        for row in comparison.rows
    ]


def comparison_tables(comparison: Comparison) -> dict[str, Table]:
    """`benchmarks`, one table a unit for people, and `geomeans`."""
    tables = {ALL: _all_rows(comparison.rows)}
    for go_unit, rows in _by_unit(comparison.rows).items():
        unit = find_metric(metric_of(go_unit)).unit
        tables[_table_name(go_unit, tables)] = _compared(_title(go_unit), unit, rows)
    if comparison.geomeans:
        tables[GEOMEANS] = _geomeans(comparison)
    return tables


def measured_tables(found: Sequence[Fact]) -> dict[str, Table]:
    """`benchmarks` of one side alone, and one table a unit for people."""
    tables = {
        ALL: Table(
            title="Benchmarks",
            columns=(
                *_NAMING,
                Column("median", Unit.COUNT, "in base units: seconds, bytes, allocations"),
                Column("low", Unit.COUNT, "lower bound of the median"),
                Column("high", Unit.COUNT, "upper bound of the median"),
                Column("n", Unit.COUNT, "runs"),
            ),
            rows=[
                (
                    *_named(fact.labels["benchmark"], fact.labels["package"], fact.metric),
                    _go_unit(fact),
                    fact.value,
                    fact.low,
                    fact.high,
                    fact.n,
                )
                for fact in found
            ],
        )
    }
    groups: dict[str, list[Fact]] = {}
    for fact in found:
        groups.setdefault(_go_unit(fact), []).append(fact)
    for go_unit, members in groups.items():
        unit = members[0].unit
        prefixes = _prefixes({fact.labels["package"] for fact in members})
        tables[_table_name(go_unit, tables)] = Table(
            title=_title(go_unit),
            columns=(
                Column("benchmark", description="after its package where there are several"),
                Column("median", unit, "half of the runs took less"),
                Column("low", unit, "lower bound of the median"),
                Column("high", unit, "upper bound of the median"),
                Column("n", Unit.COUNT, "runs"),
            ),
            rows=[
                (
                    prefixes[fact.labels["package"]] + fact.labels["benchmark"],
                    fact.value,
                    fact.low,
                    fact.high,
                    fact.n,
                )
                for fact in members
            ],
        )
    return tables


def noise_table(floors: Sequence[Floor]) -> Table:
    """The noise floor of each benchmark, noisiest first."""
    order = sorted(floors, key=lambda f: (f.noise is not None, -(f.noise or 0.0)))
    return Table(
        title="Noise floor: A against A",
        columns=(
            *_NAMING,
            Column("noise", Unit.RATIO, "standard deviation of one run, relative to the median"),
            Column("found", Unit.RATIO, "smallest change found 95 times of 100 with these runs"),
            Column("shift", Unit.RATIO, "of one half against the other, where nothing changed"),
            Column("q", Unit.COUNT, "adjusted for the family"),
            Column("n", Unit.COUNT, "runs a side"),
            Column("runs_needed", Unit.COUNT, "runs a side that would do for this family"),
        ),
        rows=[
            (
                *_named(f.row.name, f.row.package, f.row.metric),
                f.row.unit,
                f.noise,
                f.found,
                f.row.effect,
                f.row.q,
                min(f.row.base_runs, f.row.head_runs),
                f.runs_needed,
            )
            for f in order
        ],
    )


def shown(tables: Iterable[str]) -> tuple[str, ...]:
    """The tables for people: all but those that mix units."""
    return tuple(name for name in tables if name not in (ALL, GEOMEANS))


_NAMING = (
    Column("benchmark", description="as Go prints it, without `Benchmark`"),
    Column("package", description="import path"),
    Column("metric", description="id in the catalogue"),
    Column("unit", description="as benchstat writes it, in base units"),
)

_FIGURES = (
    Column("delta", Unit.RATIO, "ratio of the medians less 1: benchstat's delta"),
    Column("low", Unit.RATIO, "lower bound of the shift, relative to the base's median"),
    Column("high", Unit.RATIO, "upper bound of the shift, relative to the base's median"),
    Column("q", Unit.COUNT, "p adjusted for the family: the false discovery rate at this call"),
    Column("p", Unit.COUNT, "benchstat's p; none for figures that do not vary"),
    Column("verdict", description="better, worse, changed, same or unknown"),
)


def _named(benchmark: str, package: str, metric: str) -> tuple[str, str, str]:
    return benchmark, package, metric


def _labels(package: str, name: str, unit: str) -> dict[str, str]:
    labels = {"benchmark": name, "package": package}
    return labels | {"unit": unit} if metric_of(unit) == "bench.custom" else labels


def _go_unit(fact: Fact) -> str:
    if "unit" in fact.labels:
        return fact.labels["unit"]
    return {
        "bench.time": "sec/op",
        "bench.bytes": "B/op",
        "bench.allocations": "allocs/op",
        "bench.throughput": "B/s",
    }[fact.metric]


def _all_rows(rows: Iterable[Row]) -> Table:
    return Table(
        title="Benchmarks, head against base",
        columns=(
            *_NAMING,
            Column("base", Unit.COUNT, "the base's median, in base units"),
            Column("head", Unit.COUNT, "the head's median, in base units"),
            Column("delta", Unit.RATIO, "ratio of the medians less 1: benchstat's delta"),
            Column("shift", Unit.COUNT, "Hodges-Lehmann shift, in base units: what is judged"),
            Column("shift_low", Unit.COUNT, "its lower bound"),
            Column("shift_high", Unit.COUNT, "its upper bound"),
            Column("effect", Unit.RATIO, "the shift relative to the base's median"),
            Column("p", Unit.COUNT, "benchstat's p; none for figures that do not vary"),
            Column("q", Unit.COUNT, "p adjusted for the family: what is judged"),
            Column("base_n", Unit.COUNT, "runs of the base"),
            Column("head_n", Unit.COUNT, "runs of the head"),
            Column("verdict", description="better, worse, changed, same or unknown"),
            Column("runs_needed", Unit.COUNT, "where unknown: runs a side that would do"),
        ),
        rows=[
            (
                *_named(row.name, row.package, row.metric),
                row.unit,
                row.base.value,
                row.head.value,
                row.delta,
                row.shift,
                row.low,
                row.high,
                row.effect,
                row.p,
                row.q,
                row.base_runs,
                row.head_runs,
                row.verdict.value,
                row.runs_needed,
            )
            for row in rows
        ],
    )


def _by_unit(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.unit, []).append(row)
    return groups


def _compared(title: str, unit: Unit, rows: Sequence[Row]) -> Table:
    prefixes = _prefixes({row.package for row in rows})
    runs = sorted({n for row in rows for n in (row.base_runs, row.head_runs)})
    spread = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    word = "run" if runs[-1] == 1 else "runs"
    return Table(
        # The delta of the report's changes is the shift: two deltas need a word on which is which.
        title=f"{title} ({spread} {word} a side; delta: medians, bounds: shift)",
        columns=(
            Column("benchmark", description="after its package where there are several"),
            Column("base", unit, "the base's median"),
            Column("head", unit, "the head's median"),
            *_FIGURES,
        ),
        rows=[
            (
                prefixes[row.package] + row.name,
                row.base.value,
                row.head.value,
                row.delta,
                _share(row.low, row),
                _share(row.high, row),
                row.q,
                row.p,
                row.verdict.value,
            )
            for row in rows
        ],
    )


def _geomeans(comparison: Comparison) -> Table:
    return Table(
        title="Geometric means",
        columns=(
            Column("unit", description="as benchstat writes it"),
            Column("package", description="import path"),
            Column("base", Unit.COUNT, "of the base's medians, in base units"),
            Column("head", Unit.COUNT, "of the head's medians, in base units"),
            Column("delta", Unit.RATIO, "of the ratios of those that both sides have, less 1"),
            Column("benchmarks", Unit.COUNT, "how many both sides have"),
        ),
        rows=[
            (
                mean.unit,
                mean.package,
                mean.base,
                mean.head,
                None if mean.ratio is None else mean.ratio - 1,
                mean.benchmarks,
            )
            for mean in comparison.geomeans
        ],
    )


def _share(value: float | None, row: Row) -> float | None:
    return value / abs(row.base.value) if value is not None and row.base.value else None


def _prefixes(packages: Collection[str]) -> dict[str, str]:
    """What a benchmark's name begins with, by its package: its path without the folders that all
    have in common, which would fill a terminal; nothing where there is only one.
    """
    if len(packages) < 2:
        return dict.fromkeys(packages, "")
    folders = {package: package.split("/") for package in packages}
    levels = zip(*(path[:-1] for path in folders.values() if path != [""]), strict=False)
    common = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    return {
        package: f"{'/'.join(path[common:])}." if package else ""
        for package, path in folders.items()
    }


def _title(go_unit: str) -> str:
    return _TITLES.get(metric_of(go_unit), go_unit)


def _table_name(go_unit: str, taken: Container[str]) -> str:
    """`benchmarks.time`, or `benchmarks.custom.UNIT` in the letters that a name may have."""
    family = metric_of(go_unit).removeprefix("bench.")
    if family != "custom":
        return f"{ALL}.{family}"
    name = f"{ALL}.custom.{re.sub(r'[^a-z0-9]+', '_', go_unit.lower()).strip('_')}"
    while name in taken:  # `hits/op` beside `hits-op`
        name += "_"
    return name
