"""The figures that are taken from samples over time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.portrait.track import Track, quantile, trend


def track(*values: float, step: float = 1.0) -> Track:
    return Track([i * step for i in range(len(values))], list(values))


def test_a_sample_that_is_not_later_is_dropped() -> None:
    made = track(1.0, 2.0)
    made.add(1.0, 9.0)
    made.add(1.5, 3.0)
    assert (made.times, made.values) == ([0.0, 1.0, 1.5], [1.0, 2.0, 3.0])


def test_both_edges_belong_to_a_window() -> None:
    part = track(5.0, 6.0, 7.0, 8.0).between(1.0, 2.0)
    assert part.values == [6.0, 7.0]
    assert part.seconds() == 1.0


def test_a_counters_rise_and_rate() -> None:
    made = track(10.0, 12.0, 18.0, step=2.0)
    assert (made.rise(), made.rate()) == (8.0, 2.0)
    assert track(5.0).rise() is None
    assert Track().rate() is None


def test_a_counter_that_fell_was_reset_and_has_no_rise() -> None:
    assert track(10.0, 12.0, 3.0).rise() is None


def test_resampling_keeps_gaps() -> None:
    made = Track([0.0, 0.1, 0.9, 3.2], [1.0, 2.0, 3.0, 4.0])
    assert made.resampled(1.0) == [3.0, None, None, 4.0]
    assert Track().resampled(1.0) == []


@given(
    slope=st.floats(-1e6, 1e6),
    start=st.floats(1.0, 1e9),
    times=st.lists(st.integers(0, 10_000), min_size=3, max_size=30, unique=True),
)
def test_a_straight_line_is_found(slope: float, start: float, times: list[int]) -> None:
    times.sort()
    made = Track([float(t) for t in times], [start + slope * (t - times[0]) for t in times])
    line = trend(made)
    assert line is not None
    assert line.slope == pytest.approx(slope, rel=1e-3, abs=1e-3)
    assert line.growth == pytest.approx(slope * (times[-1] - times[0]) / start, rel=1e-2, abs=1e-3)


def test_a_spike_does_not_make_a_trend() -> None:
    rng = random.Random(1)
    values = [100 + rng.random() for _ in range(20)]
    values[3] = values[17] = values[18] = 5000.0
    line = trend(track(*values))
    assert line is not None
    assert line.growth is not None
    assert abs(line.growth) < 0.02


def test_two_points_are_no_trend_and_nothing_grows_from_nothing() -> None:
    assert trend(track(1.0, 2.0)) is None
    line = trend(track(0.0, 0.0, 0.0))
    assert line is not None
    assert line.growth is None


def test_a_long_track_is_thinned() -> None:
    line = trend(track(*map(float, range(100_000))))
    assert line is not None
    assert line.slope == 1.0


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_quantiles_by_nearest_rank(share: float, expected: float) -> None:
    assert quantile([float(n) for n in range(1, 101)], share) == expected
