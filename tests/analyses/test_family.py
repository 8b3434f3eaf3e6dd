"""False discovery over a family, and how many runs it needs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

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
    assert could_be_called([1.0, 1e-6], 0, least, 0.05)
    # when it is not, 0.029 of two tests is not below 0.05
    assert not could_be_called([1.0, 0.9], 0, least, 0.05)
    assert could_be_called([1.0], 0, least, 0.05)
