"""False discovery over a family, and how many runs it needs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.statistics.family import could_be_called, false_discovery, runs_needed
from gocost.analyses.statistics.mann_whitney import smallest_p


def test_q_is_scipys_adjusted_p() -> None:
    rng = np.random.default_rng(1)
    for size in (1, 2, 50, 1000):
        p = rng.random(size) ** 3
        assert false_discovery(list(p)) == pytest.approx(scipy.stats.false_discovery_control(p))
    assert false_discovery([]) == []


@pytest.mark.parametrize(("family", "runs"), [(1, 4), (2, 5), (10, 6), (200, 8), (1000, 9)])
def test_the_runs_named_are_the_fewest_that_can_be_called(family: int, runs: int) -> None:
    assert runs_needed(family, 0.05) == runs
    assert smallest_p(runs, runs) * family <= 0.05 < smallest_p(runs - 1, runs - 1) * family


def test_no_number_is_named_where_none_would_do() -> None:
    assert runs_needed(10, 1e-40) is None


def test_a_test_is_open_only_where_its_least_p_would_be_called() -> None:
    # given four runs a side (least p 0.029) and one other test
    least = smallest_p(4, 4)
    # when the other one is clearly significant, then 0.029 would be called too
    assert could_be_called([1.0, 1e-6], [least, 1e-6], 0.05)[0]
    # when it is not, 0.029 of two tests is not below 0.05
    assert not could_be_called([1.0, 0.9], [least, 0.9], 0.05)[0]
    assert could_be_called([1.0], [least], 0.05) == [True]
    assert could_be_called([], [], 0.05) == []


def called(p: list[float], index: int, least: float, rate: float) -> bool:
    """The definition: with that one p replaced, what is called goes up to it or beyond."""
    family = sorted([*p[:index], least, *p[index + 1 :]])
    last = [each for k, each in enumerate(family, 1) if each <= rate * k / len(family)]
    return bool(last) and least <= last[-1]


@given(
    st.lists(st.tuples(st.integers(2, 8), st.floats(0, 1)), min_size=1, max_size=12),
    st.sampled_from([0.01, 0.05, 0.2, 0.5]),
)
def test_all_tests_of_a_family_are_open_as_each_is_by_itself(
    family: list[tuple[int, float]], rate: float
) -> None:
    least = [smallest_p(runs, runs) for runs, _ in family]
    p = [max(each, smallest) for (_, each), smallest in zip(family, least, strict=True)]

    found = could_be_called(p, least, rate)

    assert found == [called(p, index, smallest, rate) for index, smallest in enumerate(least)]
