"""Slopes and intervals of Theil and Sen, held to scipy and to what they promise."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from gocost.analyses.statistics.slope import CONFIDENCE, confidence, theil_sen


@pytest.mark.parametrize("count", [3, 5, 8, 11, 30])
def test_the_slope_is_scipys(count: int) -> None:
    rng = random.Random(count)
    for _ in range(20):
        times = sorted(rng.random() * 100 for _ in range(count))
        values = [3 * time + rng.gauss(0, 20) for time in times]
        theirs = stats.theilslopes(values, times, 0.95)
        ours = theil_sen(times, values)
        assert ours.value == pytest.approx(theirs.slope)
        assert ours.low <= ours.value <= ours.high
        if count > 10:
            assert ours.low == pytest.approx(theirs.low_slope, rel=0.1)
            assert ours.high == pytest.approx(theirs.high_slope, rel=0.1)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 8, 10, 12, 20])
def test_the_interval_covers_as_often_as_it_says(count: int) -> None:
    rng = random.Random(7)
    times = list(map(float, range(count)))
    trials = 3000
    covered = 0
    for _ in range(trials):
        found = theil_sen(times, [2 * time + rng.gauss(0, 5) for time in times])
        covered += found.low <= 2 <= found.high
    # Three standard deviations of the share below what is promised.
    assert covered / trials > confidence(count) - 0.02
    assert covered / trials < confidence(count) + 0.035


def test_few_points_reach_less() -> None:
    assert confidence(3) == pytest.approx(2 / 3)
    assert confidence(4) == pytest.approx(11 / 12)
    assert all(confidence(count) >= CONFIDENCE for count in range(5, 15))


def test_one_outlier_moves_nothing() -> None:
    times = list(map(float, range(9)))
    values = [5 * time for time in times]
    values[4] = 1e9
    assert theil_sen(times, values).value == pytest.approx(5)
