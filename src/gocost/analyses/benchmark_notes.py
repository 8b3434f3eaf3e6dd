"""What a reader of benchmarks should know beside their rows, and how changes are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gocost.analyses.benchmarks import Comparison, Row, Settings
from gocost.formats.benchmark_text import BenchmarkText
from gocost.model.report import Note, Verdict

NAMED: Final = 5
"""Benchmarks that only one side has, by name; the rest is counted."""
MEANS: Final = 8
"""Geometric means that are told; all are in the table."""
TWO_DELTAS: Final = (
    "the delta of a change is the shift, the median of all differences between a run of head and "
    "one of base: it is judged, because it is the steadier; the delta in a table is the ratio of "
    "the medians, to be held against benchstat's"
)


def comparison_notes(comparison: Comparison, settings: Settings) -> list[Note]:
    """What was not the same, too little, too noisy or on one side only; and the means."""
    return [
        *_differing(comparison),
        *_too_few(comparison),
        *_too_noisy(comparison, settings),
        *_one_sided(comparison),
        *_means(comparison),
    ]


def fault_notes(text: BenchmarkText, where: str) -> list[Note]:
    """The lines that could not be read."""
    if not text.fault_count:
        return []
    first = text.faults[0]
    more = f", and {text.fault_count - 1} more" if text.fault_count > 1 else ""
    return [Note("warning", f"{where}, line {first.line}, left out: {first.message}{more}")]


def assumptions(settings: Settings) -> list[str]:
    """How changes are called, in words a person can check."""
    return [
        f"a change is called where its q, adjusted over all tests, is at most {settings.fdr:g} and "
        f"its shift at least {100 * settings.min_effect:.3g}% of the base's median",
        f"intervals cover {100 * (1 - settings.alpha):.3g}%; bytes and allocations that do not "
        "vary are compared without a test",
    ]


def _differing(comparison: Comparison) -> Iterator[Note]:
    for key, before, after in comparison.differing:
        sides = f"{before or 'unset'} at base, {after or 'unset'} at head"
        yield Note("warning", f"{key} is not the same: {sides}")


def _too_few(comparison: Comparison) -> Iterator[Note]:
    few = [row for row in comparison.rows if row.verdict is Verdict.UNKNOWN]
    if few:
        runs = few[0].runs_needed
        would_do = f"{runs} runs a side would do" if runs else "no number of runs would do"
        yield Note(
            "warning",
            f"too few runs to say anything of {len(few)} of {len(comparison.rows)} figures; "
            f"for a family of {comparison.family} tests {would_do}",
        )


def _too_noisy(comparison: Comparison, settings: Settings) -> Iterator[Note]:
    def is_open(row: Row) -> bool:
        end = max(abs(row.low or 0), abs(row.high or 0))
        return bool(row.base.value) and end > settings.min_effect * abs(row.base.value)

    same = [row for row in comparison.rows if row.verdict is Verdict.SAME and not row.exact]
    if noisy := sum(map(is_open, same)):
        figures = "1 figure shows no change but is" if noisy == 1 else None
        figures = figures or f"{noisy} figures show no change but are"
        least = f"{100 * settings.min_effect:.3g}%"
        text = f"{figures} too noisy to rule out one of {least}: the intervals say how much"
        yield Note("info", text)


def _one_sided(comparison: Comparison) -> Iterator[Note]:
    for side, keys in (("base", comparison.only_base), ("head", comparison.only_head)):
        if keys:
            names = list(dict.fromkeys(name for _, name, _ in keys))
            more = f" and {len(names) - NAMED} more" if names[NAMED:] else ""
            told = ", ".join(names[:NAMED]) + more
            yield Note("info", f"only in the {side}, not compared: {told}")


def _means(comparison: Comparison) -> Iterator[Note]:
    for mean in comparison.geomeans[:MEANS]:
        # One that did not move tells nothing, and there is one a unit and package.
        if mean.ratio is not None and mean.ratio != 1 and mean.benchmarks > 1:
            where = f" of {mean.package}" if mean.package else ""
            yield Note(
                "info",
                f"geometric mean of {mean.unit} over {mean.benchmarks} benchmarks{where}: "
                f"{mean.ratio - 1:+.2%}",
            )
