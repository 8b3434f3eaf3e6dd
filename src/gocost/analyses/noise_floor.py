"""What a machine can tell: the smallest change that its noise would let be found.

Measured from A against A. The interval of a shift between two halves of the same thing is as wide
as the machine is noisy; from it follows the standard error of a shift, and from that the effect
that would be found 95 times of 100 by a test at the level that one change in the family must pass.
The formula takes shifts as normally distributed; the simulation in `benchmarks/` holds it to what
is really found.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

from gocost.analyses.benchmarks import Comparison, Row, Settings
from gocost.analyses.statistics.family import runs_needed
from gocost.analyses.statistics.mann_whitney import smallest_p

POWER = 0.95


@dataclass(frozen=True, slots=True)
class Floor:
    """One benchmark's noise, relative to its median."""

    row: Row
    noise: float | None
    """Standard deviation of one run, judged robustly; None where too few runs bound nothing."""
    found: float | None
    """The smallest change that would be found 95 times of 100; None where no change would."""
    runs_needed: int | None
    """Where none would: how many runs a side would do for this family."""


def noise_floor(comparison: Comparison, settings: Settings) -> list[Floor]:
    """The noise floor of every row of an A against A comparison."""
    return [_floor(row, comparison.family, settings) for row in comparison.rows]


def _floor(row: Row, family: int, settings: Settings) -> Floor:
    if row.exact:
        return Floor(row, 0.0, settings.min_effect, None)
    level = settings.fdr / family
    if row.low is None or row.high is None or not row.base.value:
        return Floor(row, None, None, runs_needed(family, settings.fdr))
    normal = NormalDist()
    error = (row.high - row.low) / 2 / normal.inv_cdf(1 - settings.alpha / 2) / abs(row.base.value)
    runs = row.base_runs * row.head_runs / (row.base_runs + row.head_runs)
    # A shift by ranks has 3/pi of the efficiency of a difference of means on normal noise.
    noise = error * (runs * 3 / 3.141592653589793) ** 0.5
    if smallest_p(row.base_runs, row.head_runs) > level:
        return Floor(row, noise, None, runs_needed(family, settings.fdr))
    significant = error * (normal.inv_cdf(1 - level / 2) + normal.inv_cdf(POWER))
    # The estimate, too, has to clear the smallest effect 95 times of 100.
    large_enough = settings.min_effect + error * normal.inv_cdf(POWER)
    return Floor(row, noise, max(significant, large_enough), None)
