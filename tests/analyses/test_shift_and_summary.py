"""Shifts, medians and their intervals: known answers, and the coverage that they promise."""

from __future__ import annotations

import numpy as np
import pytest

from gocost.analyses.statistics.mann_whitney import mann_whitney
from gocost.analyses.statistics.shift import hodges_lehmann, interval_rank
from gocost.analyses.statistics.summary import geometric_mean, median, median_ranks, mode


def test_the_shift_is_the_median_of_all_differences() -> None:
    found = hodges_lehmann([1.0, 2.0, 10.0], [4.0, 5.0])
    differences = sorted(y - x for x in (1, 2, 10) for y in (4, 5))
    assert found.shift == (differences[2] + differences[3]) / 2
    assert found.low is None
    assert found.high is None


def test_the_interval_is_what_the_test_does_not_reject() -> None:
    # given two samples without ties
    rng = np.random.default_rng(5)
    for n1, n2 in ((4, 4), (10, 10), (8, 13)):
        first, second = rng.normal(0, 1, n1), rng.normal(1, 1, n2)
        found = hodges_lehmann(first, second, 0.95)
        assert found.low is not None
        assert found.high is not None
        inside, step = [], 1e-9
        # when the second is moved back by a little more or less than a bound
        for bound, outwards in ((found.low, -step), (found.high, step)):
            inside.append(mann_whitney(first, second - (bound - outwards)).p)
            # then the test rejects just outside the interval, and not inside it
            assert mann_whitney(first, second - (bound + outwards)).p <= 0.05
        assert min(inside) > 0.05


def test_the_interval_covers_what_it_promises() -> None:
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(1000):
        found = hodges_lehmann(rng.exponential(1, 8), rng.exponential(1, 8) + 3, 0.9)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 3 <= found.high
    assert covered >= 880


@pytest.mark.parametrize(("n", "rank"), [(3, 0), (4, 1), (5, 3), (10, 24)])
def test_the_ranks_are_those_of_published_tables(n: int, rank: int) -> None:
    # Critical values of U at 0.05, two-sided (Mann and Whitney's table), are one less.
    assert interval_rank(n, n, 0.95) == rank


def test_the_normal_rank_continues_the_exact_one() -> None:
    ranks = [interval_rank(n, n, 0.95) for n in range(45, 56)]
    # Exact up to 50: neither the rank nor its growth jumps there.
    assert np.diff(ranks).min() > 0
    assert np.abs(np.diff(ranks, 2)).max() <= 2


@pytest.mark.parametrize(
    ("n", "ranks"),
    [(1, (0, 2)), (5, (0, 5)), (6, (1, 6)), (9, (2, 8)), (10, (2, 9)), (20, (6, 15))],
)
def test_a_median_is_bounded_by_order_statistics(n: int, ranks: tuple[int, int]) -> None:
    assert median_ranks(n, 0.95) == ranks


def test_a_median_of_few_runs_has_no_bounds() -> None:
    found = median([1.0, 2.0])
    assert (found.value, found.low, found.high) == (1.5, None, None)


def test_exact_figures_are_summed_up_by_the_most_frequent() -> None:
    found = mode([1.0, 2.0, 2.0, 3.0])
    assert (found.value, found.low, found.high) == (2.0, 1.0, 3.0)
    assert mode([1.0, 2.0]).value == 1.0


def test_a_geometric_mean_needs_positive_values() -> None:
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert geometric_mean([2.0, 0.0]) is None
    assert geometric_mean([]) is None


def test_empty_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        hodges_lehmann([], [1.0])
    with pytest.raises(ValueError, match="no median"):
        median([])
