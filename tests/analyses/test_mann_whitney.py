"""The rank test against brute force, scipy and benchstat."""

from __future__ import annotations

import itertools
import json
import subprocess

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.statistics.mann_whitney import (
    EXACT_LIMIT,
    EXACT_TIES_LIMIT,
    mann_whitney,
    mann_whitney_family,
    smallest_p,
    u_cdf,
)
from gocost.analyses.statistics.summary import median
from tests.fixtures.benchstat import full_figures

small = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=5)


def brute_force(first: list[float], second: list[float]) -> float:
    """Two-sided p by going through every way to choose the first sample out of the pool."""

    def statistic(chosen: tuple[int, ...]) -> float:
        inside = [pool[i] for i in chosen]
        outside = [pool[i] for i in range(len(pool)) if i not in chosen]
        return sum((x > y) + 0.5 * (x == y) for x in inside for y in outside)

    pool = [*first, *second]
    middle = len(first) * len(second) / 2
    observed = statistic(tuple(range(len(first))))
    every = [statistic(c) for c in itertools.combinations(range(len(pool)), len(first))]
    if observed == middle:
        return 1.0
    tail = [u for u in every if (u <= observed if observed < middle else u >= observed)]
    return min(1.0, 2 * len(tail) / len(every))


@given(small, small)
def test_exact_p_with_ties_is_what_brute_force_counts(
    first: list[float], second: list[float]
) -> None:
    # given any two small samples full of ties
    # when they are tested
    found = mann_whitney(first, second)
    # then p is the share of all relabellings that are as extreme
    assert found.p == pytest.approx(brute_force(first, second))
    assert mann_whitney(second, first).p == pytest.approx(found.p)


@given(st.lists(st.tuples(small, small), max_size=30))
def test_a_family_is_tested_as_each_pair_is_by_itself(
    pairs: list[tuple[list[float], list[float]]],
) -> None:
    # given pairs of any sizes, whose ranks tie in patterns that begin alike
    # when they are tested at once, then every figure is the same to the last bit
    assert mann_whitney_family(pairs) == [mann_whitney(*pair) for pair in pairs]


@pytest.mark.parametrize(("n1", "n2"), [(1, 1), (2, 5), (10, 10), (7, 31), (50, 50), (3, 50)])
def test_without_ties_it_is_scipys_exact_p(n1: int, n2: int) -> None:
    rng = np.random.default_rng(n1 * 100 + n2)
    for shift in (0.0, 0.3, 1.0, 30.0):
        first, second = rng.normal(0, 1, n1), rng.normal(shift, 1, n2)
        oracle = scipy.stats.mannwhitneyu(first, second, method="exact")
        found = mann_whitney(first, second)
        assert found.exact
        assert found.u == oracle.statistic
        assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)


def test_above_the_limits_it_is_scipys_normal_approximation() -> None:
    rng = np.random.default_rng(3)
    for ties in (False, True):
        for n1, n2 in ((60, 60), (51, 4), (26, 26), (200, 90)):
            first, second = rng.normal(100, 10, n1), rng.normal(103, 10, n2)
            if ties:
                first, second = first.round(), second.round()
            found = mann_whitney(first, second)
            exact = max(n1, n2) <= (EXACT_TIES_LIMIT if ties else EXACT_LIMIT)
            oracle = scipy.stats.mannwhitneyu(
                first, second, method="exact" if exact else "asymptotic", use_continuity=True
            )
            assert found.exact is exact
            assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_p_and_medians_are_benchstats(seed: int) -> None:
    # given many pairs of samples: 2 to 60 runs, unequal, tied lightly, heavily, not at all
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(600):
        n1 = int(rng.integers(2, 61))
        n2 = n1 if number % 2 else int(rng.integers(2, 61))
        base, head = rng.lognormal(3, 0.1, n1), rng.lognormal(3 + rng.choice((0, 0.05)), 0.1, n2)
        digits = (None, 1, 0, -1)[number % 4]
        if digits is not None:
            base, head = base.round(digits), head.round(digits)
        pairs.append((base, head))
    asked = "\n".join(json.dumps({"base": [*b], "head": [*h]}) for b, h in pairs)
    done = subprocess.run([full_figures()], input=asked, capture_output=True, text=True, check=True)
    # when benchstat's own package and ours compare them, then all figures are the same
    for (base, head), line in zip(pairs, done.stdout.splitlines(), strict=True):
        theirs = json.loads(line)
        # benchstat's p is above 1 now and then, where sides are unequal and values tie.
        assert mann_whitney(base, head).benchstat_p == pytest.approx(
            min(1.0, theirs["p"]), rel=1e-9, abs=1e-14
        )
        for values, (center, low, high) in ((base, theirs["base"]), (head, theirs["head"])):
            ours = median(sorted(values))
            assert ours.value == pytest.approx(center, rel=1e-12)
            if len(values) != 24:  # where rounding errors choose benchstat's bounds
                assert [ours.low, ours.high] == [low, high]


def test_where_benchstats_p_is_no_probability_ours_is() -> None:
    # given unequal sides that tie but for one value: benchstat takes the tail of the wrong side
    first, second = [0.0] * 9 + [1.0], [0.0] * 11
    # when they are tested, then ours counts every relabelling, and benchstat's says "certain"
    found = mann_whitney(first, second)
    assert found.p == pytest.approx(brute_force(first[5:], second[:6]), abs=0.1)
    assert found.p == pytest.approx(20 / 21)
    assert found.benchstat_p == 0.0


def test_samples_that_are_equal_throughout_have_p_1() -> None:
    for n in (1, 10, 60):
        assert mann_whitney([5.0] * n, [5.0] * n).p == 1.0


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        mann_whitney([], [1.0])


def test_the_distribution_is_one_and_symmetric() -> None:
    for n1, n2 in ((1, 1), (3, 4), (20, 20), (50, 50)):
        cdf = u_cdf(n1, n2)
        assert len(cdf) == n1 * n2 + 1
        assert cdf[-1] == pytest.approx(1.0, rel=1e-12)
        density = np.diff(cdf, prepend=0.0)
        assert np.allclose(density, density[::-1], rtol=1e-6, atol=1e-15)
        assert 2 * cdf[0] == pytest.approx(min(2.0, smallest_p(n1, n2)) if n1 * n2 > 1 else 1.0)
