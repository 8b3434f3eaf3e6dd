"""P(X <= k), beside scipy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocost.analyses.goroutines.poisson import at_most


@pytest.mark.parametrize(
    ("count", "mean", "wanted"),
    [
        (0, 8, 3.3546262790251185e-04),
        (0, 0, 1.0),
        (-1, 3, 0.0),
        (3, 0, 1.0),
        (8, 8, 0.592547341437591),
    ],
)
def test_known_values(count: int, mean: float, wanted: float) -> None:
    assert at_most(count, mean) == pytest.approx(wanted, rel=1e-12)


@settings(deadline=None)  # scipy takes a second to import
@given(st.integers(0, 5000), st.floats(0.01, 5000))
def test_as_scipy_has_it(count: int, mean: float) -> None:
    stats = pytest.importorskip("scipy.stats", reason="needs scipy: pip install scipy")
    assert at_most(count, mean) == pytest.approx(
        stats.poisson.cdf(count, mean), rel=1e-8, abs=1e-14
    )


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_is_a_probability_for_any_numbers(count: int, mean: int) -> None:
    assert 0.0 <= at_most(count, float(mean)) <= 1.0 + 1e-9
