"""Wilson's interval: its definition, and how often it holds the true share."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.statistics.proportion import NORMAL_95, wilson

SEEN = st.integers(1, 10**6).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(SEEN)
def test_its_ends_are_shares_that_are_1_96_of_their_deviations_away(seen: tuple[int, int]) -> None:
    count, of = seen
    share, (low, high) = count / of, (float(end) for end in wilson(count, of))
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            away = NORMAL_95 * np.sqrt(end * (1 - end) / of)
            assert abs(share - end) == pytest.approx(away, rel=1e-6, abs=1e-9)
    assert high > low, "samples never make certain"


@given(SEEN)
def test_what_was_not_seen_mirrors_what_was(seen: tuple[int, int]) -> None:
    count, of = seen
    low, high = wilson(count, of)
    other_low, other_high = wilson(of - count, of)
    assert float(low) == pytest.approx(1 - float(other_high), abs=1e-12)
    assert float(high) == pytest.approx(1 - float(other_low), abs=1e-12)


@given(SEEN, st.integers(2, 100))
def test_more_samples_of_the_same_share_say_more(seen: tuple[int, int], times: int) -> None:
    count, of = seen
    low, high = wilson(count, of)
    narrower, below = wilson(count * times, of * times)
    assert below - narrower < high - low


def coverage(of: int, share: float, *, wald: bool = False) -> float:
    """How likely the interval of `of` samples holds the share: exactly, over all outcomes."""
    found = 0.0
    for count in range(of + 1):
        if wald:
            seen = count / of
            reach = NORMAL_95 * np.sqrt(seen * (1 - seen) / of)
            low, high = seen - reach, seen + reach
        else:
            low, high = (float(end) for end in wilson(count, of))
        if low <= share <= high:
            found += comb(of, count) * share**count * (1 - share) ** (of - count)
    return found


@pytest.mark.parametrize("of", [1, 2, 3, 5, 10, 30, 60])
def test_it_holds_the_true_share_as_often_as_it_says(of: int) -> None:
    shares = [(2 * step + 1) / 200 for step in range(100)]
    held = [coverage(of, share) for share in shares]
    assert sum(held) / len(held) > 0.945
    assert min(held) > 0.79
    # What it replaced: of few samples it says "certain" where it knows nothing.
    assert min(coverage(of, share, wald=True) for share in shares) < 0.3


def test_without_samples_a_share_may_be_anything() -> None:
    low, high = wilson([0, 0], 0)
    assert (low.tolist(), high.tolist()) == ([0, 0], [1, 1])
