"""Whole numbers shared out: nothing is lost, and nobody is off by one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.attribution.sharing import blended, shared

WEIGHTS = st.lists(st.integers(0, 2**60), max_size=30)


@given(st.integers(0, 2**61), WEIGHTS)
def test_parts_add_up_and_are_within_one(total: int, weights: list[int]) -> None:
    parts = shared(total, weights).tolist()
    if not sum(weights):
        assert parts == [0] * len(weights)
        return
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(st.integers(-(2**61), 0), WEIGHTS)
def test_a_negative_whole_has_negative_parts(total: int, weights: list[int]) -> None:
    assert shared(total, weights).tolist() == (-shared(-total, weights)).tolist()


def test_equal_remainders_go_to_the_first() -> None:
    assert shared(5, [1, 1, 1]).tolist() == [2, 2, 1]


def test_a_blend_is_between_its_two() -> None:
    first, second = np.array([3, 1]), np.array([0, 4])
    assert shared(1000, blended(first, second, 1.0)).tolist() == [750, 250]
    assert shared(1000, blended(first, second, 0.0)).tolist() == [0, 1000]
    assert shared(1000, blended(first, second, 0.5)).tolist() == [375, 625]


def test_one_without_weight_leaves_it_to_the_other() -> None:
    nothing, some = np.array([0, 0]), np.array([1, 2])
    assert blended(nothing, some, 0.9) == [1, 2]
    assert blended(some, nothing, 0.1) == [1, 2]
