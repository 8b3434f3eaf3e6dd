"""Did these benchmarks change? Two families of results, compared as honestly as they allow.

Time and everything else that is sampled is tested: Mann-Whitney for whether there is a difference,
the Hodges-Lehmann shift with its interval for how large it is, and the false discovery rate over
the whole family, because of hundreds of tests some look significant by chance. A change is called
only where it is both significant (q at most `Settings.fdr`) and at least `Settings.min_effect`.

Bytes and allocations per operation, and units that declare `assume=exact`, are nearly the same in
every run. Where they really are, a difference needs no test: it is certain, even from one run.
Where they jitter by more than half of the smallest effect they are tested like time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gocost.analyses.statistics.family import could_be_called, false_discovery, runs_needed
from gocost.analyses.statistics.mann_whitney import RankTest, mann_whitney_family, smallest_p
from gocost.analyses.statistics.shift import Shift, hodges_lehmann
from gocost.analyses.statistics.summary import Center, geometric_mean, median, mode
from gocost.formats.benchmark_text import BenchmarkText, Config, Sample
from gocost.model.errors import UsageError
from gocost.model.metric import Worse
from gocost.model.report import Verdict
from gocost.model.service import MOST_RUNS

MOST_JITTER: Final = 0.025
"""How far allocations may vary, relative to their median, and still count as exact."""

_METRICS: Final = {
    "sec/op": "bench.time",
    "B/op": "bench.bytes",
    "allocs/op": "bench.allocations",
    "B/s": "bench.throughput",
}
_NEARLY_EXACT: Final = ("B/op", "allocs/op")
_WORSE: Final = {
    "sec/op": Worse.HIGHER,
    "B/op": Worse.HIGHER,
    "allocs/op": Worse.HIGHER,
    "B/s": Worse.LOWER,
}

Key = tuple[Config, str, str]
"""What makes a row: the configuration that tells results apart, the name, the unit."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What counts as a change."""

    alpha: float = 0.05
    """Intervals cover 1 - alpha."""
    fdr: float = 0.05
    """The share of false calls among all calls that is accepted."""
    min_effect: float = 0.05
    """The smallest relative change that is worth a call."""


@dataclass(frozen=True, slots=True)
class Row:
    """One unit of one benchmark, base against head. Values are in the unit's base."""

    package: str
    name: str
    unit: str
    """As benchstat writes it: sec/op, B/op, allocs/op, B/s, or the benchmark's own."""
    worse: Worse
    base: Center
    head: Center
    base_runs: int
    head_runs: int
    delta: float | None
    """The ratio of medians less 1: what benchstat prints. None for a base of zero."""
    shift: float
    """What is judged: the Hodges-Lehmann shift, or the plain difference of exact figures."""
    low: float | None
    high: float | None
    """The shift's interval; None where so few runs bound nothing."""
    p: float | None
    """benchstat's p; None for exact figures, which are not tested."""
    judged_p: float | None
    """The p behind q; the same but for unequal sides with ties (see statistics.mann_whitney)."""
    q: float | None
    verdict: Verdict
    runs_needed: int | None
    """Where the verdict is unknown: how many runs a side would do for this family."""

    @property
    def metric(self) -> str:
        """The catalogue's name for what was measured."""
        return metric_of(self.unit)

    @property
    def exact(self) -> bool:
        """Whether this was compared without a test."""
        return self.p is None

    @property
    def effect(self) -> float | None:
        """The shift relative to the base's median; None for a base of zero."""
        return _relative(self.shift, self.base.value)


@dataclass(frozen=True, slots=True)
class Geomean:
    """The geometric means of one unit over one package's benchmarks; None where not positive."""

    package: str
    unit: str
    base: float | None
    head: float | None
    ratio: float | None
    """Over the benchmarks that both sides have."""
    benchmarks: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows, in the order of the base's text, and what could not be compared."""

    rows: tuple[Row, ...]
    family: int
    """How many tests were made; what q is adjusted for."""
    geomeans: tuple[Geomean, ...]
    only_base: tuple[Key, ...]
    only_head: tuple[Key, ...]
    differing: tuple[tuple[str, str, str], ...]
    """Configuration that is not the same on the two sides: key, base's value, head's."""


def metric_of(unit: str) -> str:
    """The catalogue's metric of a unit (in base units)."""
    return _METRICS.get(unit, "bench.custom")


def worse_of(unit: str, declared: str = "") -> Worse:
    """The direction in which a unit gets worse.

    `declared` is the text's own word (`better=lower`). Without one, times get worse upwards; of an
    unknown unit nothing is presumed.
    """
    if declared in ("lower", "higher"):
        return Worse.HIGHER if declared == "lower" else Worse.LOWER
    if declared:
        return Worse.NEITHER
    if unit in _WORSE:
        return _WORSE[unit]
    numerator = unit.partition("/")[0]
    return Worse.HIGHER if "sec" in numerator.split("-") else Worse.NEITHER


def compare(base: BenchmarkText, head: BenchmarkText, settings: Settings) -> Comparison:
    """Compares head with base, row by row, and judges all rows as one family.

    Raises UsageError for a benchmark of more than MOST_RUNS runs on a side.
    """
    _check_runs(base.samples, "base")
    _check_runs(head.samples, "head")
    telling = {"pkg"} | _varying(base.samples) | _varying(head.samples)
    before, after = _by_key(base.samples, telling), _by_key(head.samples, telling)
    both = [key for key in before if key in after]
    declared = {unit: _declared(base, head, unit) for unit in {key[2] for key in both}}
    found = [_figures(before[key], after[key], declared[key[2]], settings) for key in both]
    rows = _judged(found, settings)
    return Comparison(
        rows=tuple(rows),
        family=sum(not row.exact for row in rows),
        geomeans=_geomeans(before, after, dict(zip(both, found, strict=True))),
        only_base=tuple(key for key in before if key not in after),
        only_head=tuple(key for key in after if key not in before),
        differing=_differing(base.samples, head.samples, telling),
    )


@dataclass(frozen=True, slots=True)
class _Figures:
    """One row before it is judged."""

    base: Sample
    head: Sample
    worse: Worse
    centers: tuple[Center, Center]
    shift: Shift
    ordered: tuple[list[float], list[float]]
    """The values of both sides, ascending."""
    exact: bool
    """Compared as they are, without a test."""


def _check_runs(samples: Iterable[Sample], side: str) -> None:
    for sample in samples:
        if len(sample.values) > MOST_RUNS:
            raise UsageError(
                f"{sample.name} has {len(sample.values):,} runs in the {side}, more than "
                f"{MOST_RUNS:,}",
                hint="compare a part of them; more runs than that tell nothing new",
            )


def _figures(
    base: Sample, head: Sample, declared: Mapping[str, str], settings: Settings
) -> _Figures:
    before, after = sorted(base.values), sorted(head.values)
    confidence = 1 - settings.alpha
    exact = declared["assume"] == "exact"
    if exact:
        centers = mode(before), mode(after)
    else:
        centers = median(before, confidence), median(after, confidence)
        exact = (
            head.unit in _NEARLY_EXACT and _steady(before, settings) and _steady(after, settings)
        )
    worse = worse_of(head.unit, declared["better"])
    if exact:
        difference = centers[1].value - centers[0].value
        shift = Shift(difference, after[0] - before[-1], after[-1] - before[0])
        return _Figures(base, head, worse, centers, shift, (before, after), exact=True)
    shift = hodges_lehmann(before, after, confidence)
    return _Figures(base, head, worse, centers, shift, (before, after), exact=False)


def _steady(ordered: Sequence[float], settings: Settings) -> bool:
    """Whether values vary so little that a median of theirs is off by less than an effect.

    Two medians that are an effect apart then belong to ranges that do not overlap.
    """
    allowed = min(settings.min_effect / 2, MOST_JITTER) * abs(ordered[len(ordered) // 2])
    return ordered[-1] - ordered[0] <= allowed


def _judged(found: Sequence[_Figures], settings: Settings) -> list[Row]:
    """The rows, judged as one family."""
    sampled = [figures for figures in found if not figures.exact]
    tests = mann_whitney_family(figures.ordered for figures in sampled)
    p = [test.p for test in tests]
    least = [smallest_p(*map(len, figures.ordered)) for figures in sampled]
    q = false_discovery(p)
    possible = could_be_called(p, least, settings.fdr)
    needed = runs_needed(len(p), settings.fdr)
    judged = iter(zip(tests, q, possible, strict=True))
    rows = []
    for figures in found:
        if figures.exact:
            rows.append(_row(figures, _direction(figures, settings)))
            continue
        test, adjusted, enough = next(judged)
        if adjusted <= settings.fdr:
            rows.append(_row(figures, _direction(figures, settings), test, adjusted))
        elif enough:
            rows.append(_row(figures, Verdict.SAME, test, adjusted))
        else:
            rows.append(_row(figures, Verdict.UNKNOWN, test, adjusted, needed))
    return rows


def _row(
    figures: _Figures,
    verdict: Verdict,
    test: RankTest | None = None,
    q: float | None = None,
    needed: int | None = None,
) -> Row:
    before, after = figures.centers
    return Row(
        package=figures.head.package,
        name=figures.head.name,
        unit=figures.head.unit,
        worse=figures.worse,
        base=before,
        head=after,
        base_runs=len(figures.base.values),
        head_runs=len(figures.head.values),
        delta=_relative(after.value - before.value, before.value),
        shift=figures.shift.shift,
        low=figures.shift.low,
        high=figures.shift.high,
        p=None if test is None else test.benchstat_p,
        judged_p=None if test is None else test.p,
        q=q,
        verdict=verdict,
        runs_needed=needed,
    )


def _direction(figures: _Figures, settings: Settings) -> Verdict:
    """The verdict on a difference that is not chance: what it is worth."""
    shift = figures.shift.shift
    if shift == 0:
        return Verdict.SAME
    effect = _relative(shift, figures.centers[0].value)
    # The tolerance lets 105 against 100 be the 5% that it is, whatever its last binary digit.
    if effect is not None and abs(effect) < settings.min_effect * (1 - 1e-9):
        return Verdict.SAME
    if figures.worse is Worse.NEITHER:
        return Verdict.CHANGED
    return Verdict.WORSE if (shift > 0) == (figures.worse is Worse.HIGHER) else Verdict.BETTER


def _relative(difference: float, base: float) -> float | None:
    if difference == 0:
        return 0.0
    return difference / abs(base) if base else None


def _declared(base: BenchmarkText, head: BenchmarkText, unit: str) -> dict[str, str]:
    """What the two texts say of a unit; the base's word comes first, as for benchstat."""
    return {key: base.about(unit, key) or head.about(unit, key) for key in ("better", "assume")}


def _varying(samples: Iterable[Sample]) -> set[str]:
    """The configuration keys that tell results of one text apart."""
    configs = {sample.config for sample in samples}
    keys = {key for config in configs for key, _ in config}
    return {key for key in keys if len({dict(config).get(key) for config in configs}) > 1}


def _by_key(samples: Iterable[Sample], telling: set[str]) -> dict[Key, Sample]:
    shortened: dict[Config, Config] = {}
    found: dict[Key, Sample] = {}
    for sample in samples:
        config = shortened.get(sample.config)
        if config is None:
            config = tuple(pair for pair in sample.config if pair[0] in telling)
            shortened[sample.config] = config
        found[config, sample.name, sample.unit] = sample
    return found


def _differing(
    base: Iterable[Sample], head: Iterable[Sample], telling: set[str]
) -> tuple[tuple[str, str, str], ...]:
    """What was not the same when the two sides were measured: another machine, another system."""
    before = dict(pair for sample in base for pair in sample.config)
    after = dict(pair for sample in head for pair in sample.config)
    return tuple(
        (key, before.get(key, ""), after.get(key, ""))
        for key in sorted(before.keys() | after.keys())
        if key not in telling and before.get(key) != after.get(key)
    )


def _geomeans(
    before: Mapping[Key, Sample], after: Mapping[Key, Sample], compared: Mapping[Key, _Figures]
) -> tuple[Geomean, ...]:
    """As benchstat: each side's over all that it has, the ratio's over what both have."""
    groups: dict[tuple[Config, str], tuple[list[Key], list[Key], list[Key]]] = {}
    for place, keys in enumerate((before, after, compared)):
        for key in keys:
            groups.setdefault((key[0], key[2]), ([], [], []))[place].append(key)
    return tuple(
        _geomean(
            dict(config).get("pkg", ""),
            unit,
            [_center(key, before, compared, 0) for key in keys[0]],
            [_center(key, after, compared, 1) for key in keys[1]],
            [compared[key].centers for key in keys[2]],
        )
        for (config, unit), keys in groups.items()
        if keys[2]
    )


def _center(
    key: Key, side: Mapping[Key, Sample], compared: Mapping[Key, _Figures], place: int
) -> float:
    figures = compared.get(key)
    return figures.centers[place].value if figures else median(sorted(side[key].values)).value


def _geomean(
    package: str,
    unit: str,
    base: Sequence[float],
    head: Sequence[float],
    both: Sequence[tuple[Center, Center]],
) -> Geomean:
    pairs = [(old.value, new.value) for old, new in both]
    ratios = [1.0 if old == new else new / old if old else 0.0 for old, new in pairs]
    return Geomean(
        package=package,
        unit=unit,
        base=geometric_mean(base),
        head=geometric_mean(head),
        ratio=geometric_mean(ratios),
        benchmarks=len(both),
    )
