"""CPU by who pays: rules of METHODS on stacks made for them, and sums that lose nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.attribution.processor import (
    COLLECTOR,
    GLOBALS,
    IDLE_MARK,
    OTHER,
    SCAVENGER,
    SCHEDULER,
    STACK_SCAN,
    Account,
    Samples,
    Weights,
    account,
    scaled,
)
from gocost.analyses.attribution.roles import Role

JSON, WEB = 0, 1


def samples(*rows: tuple[int, int, int, int]) -> Samples:
    """Rows of (payer, roles of the stack, roles of its leaf, nanoseconds)."""
    payer, roles, leaf, values = np.array(rows, np.int64).reshape(-1, 4).T
    return Samples(
        payer.astype(np.int32),
        roles.astype(np.int32),
        leaf.astype(np.int32),
        values.copy(),
        np.ones(len(rows), np.int64),
    )


def weights(allocated: tuple[int, int], live: tuple[int, int] = (0, 0),
            stacks: tuple[int, int] = (0, 0), share: float = 1.0) -> Weights:  # fmt: skip
    return Weights(np.array(allocated), np.array(live), np.array(stacks), share)


def of(found: Account, key: int) -> tuple[int, int, int]:
    return int(found.own[key]), int(found.runtime[key]), int(found.collector[key])


def test_own_code_and_the_runtime_under_it() -> None:
    found = account(
        samples((JSON, Role.USER, Role.USER, 70), (JSON, Role.USER, Role.NONE, 30)),
        weights((0, 0)),
        2,
    )
    assert of(found, JSON) == (70, 30, 0)
    assert found.others == {}


def test_marking_goes_by_what_was_allocated() -> None:
    worker = (-1, Role.WORKER, Role.NONE, 900)
    found = account(samples(worker), weights((2, 1), live=(0, 1)), 2)
    assert found.collector.tolist() == [600, 300]
    assert found.collector_even.tolist() == [300, 600], "half of it by what is live"
    limited = account(samples(worker), weights((2, 1), live=(0, 1), share=0.25), 2)
    assert limited.collector.tolist() == [150, 750]


def test_marking_for_what_the_runtime_allocated_is_nobodys() -> None:
    rows = samples((-1, Role.WORKER, Role.NONE, 900), (-1, Role.SWEEP, Role.NONE, 90))
    shares = replace(weights((2, 1), live=(1, 0)), nobodys=(3, 1))

    found = account(rows, shares, 2)

    assert found.collector.tolist() == [330, 165]
    assert found.others == {COLLECTOR: 495}
    assert found.total == 990


def test_what_happens_under_a_function_is_its_own() -> None:
    rows = [
        (WEB, Role.USER | role, Role.NONE, 10) for role in (Role.ASSIST, Role.SWEEP, Role.BARRIER)
    ]
    found = account(samples(*rows), weights((1, 0)), 2)
    assert of(found, WEB) == (0, 0, 30)
    assert of(found, JSON) == (0, 0, 0), "it is not modelled again"


def test_beginning_a_cycle_is_not_the_doing_of_whoever_happens_to_allocate() -> None:
    cycle = (WEB, Role.USER | Role.CYCLE, Role.NONE, 10)
    forced = (WEB, Role.USER | Role.CYCLE | Role.FORCED, Role.NONE, 7)
    found = account(samples(cycle, forced), weights((1, 0)), 2)
    assert of(found, JSON) == (0, 0, 10)
    assert of(found, WEB) == (0, 7, 0), "but asking for one is"


def test_stacks_go_to_creators_and_globals_are_the_runtimes() -> None:
    found = account(
        samples(
            (-1, Role.WORKER | Role.STACKS, Role.NONE, 40),
            (-1, Role.WORKER | Role.GLOBALS, Role.NONE, 5),
            (-1, Role.WORKER | Role.IDLE_MARK | Role.STACKS, Role.NONE, 3),
        ),
        weights((1, 0), stacks=(1, 3)),
        2,
    )
    assert found.collector.tolist() == [10, 30]
    assert found.others == {GLOBALS: 5, IDLE_MARK: 3}


def test_background_sweeping_goes_by_allocation_whatever_k_is() -> None:
    found = account(
        samples((-1, Role.BACKGROUND_SWEEP | Role.SWEEP, Role.NONE, 12)),
        weights((1, 2), live=(5, 0), share=0.0),
        2,
    )
    assert found.collector.tolist() == [4, 8]


def test_rows_of_nobodys() -> None:
    found = account(
        samples(
            (-1, Role.SCAVENGER, Role.NONE, 1),
            (-1, Role.SCHEDULER, Role.NONE, 2),
            (-1, Role.NONE, Role.NONE, 4),
            (-1, Role.WORKER, Role.NONE, 8),
            (-1, Role.WORKER | Role.STACKS, Role.NONE, 16),
        ),
        weights((0, 0)),
        2,
    )
    assert found.others == {SCAVENGER: 1, SCHEDULER: 2, OTHER: 4, COLLECTOR: 8, STACK_SCAN: 16}


ROWS = st.lists(
    st.tuples(st.integers(-1, 1), st.integers(0, 2**15 - 1), st.sampled_from([0, 1]),
              st.integers(0, 2**50)),
    max_size=40,
)  # fmt: skip
AMOUNTS = st.tuples(*[st.integers(0, 2**50)] * 3)


@given(ROWS, AMOUNTS, AMOUNTS, AMOUNTS, st.floats(0, 1), st.integers(0, 2**60))
def test_nothing_is_lost(
    rows: list[tuple[int, int, int, int]],
    allocated: tuple[int, int, int],
    live: tuple[int, int, int],
    stacks: tuple[int, int, int],
    share: float,
    counted: int,
) -> None:
    shares = Weights(
        np.array(allocated[:2]), np.array(live[:2]), np.array(stacks[:2]), share,
        nobodys=(allocated[2], live[2]),
    )  # fmt: skip
    found = account(samples(*rows), shares, 2)
    whole = sum(row[3] for row in rows)
    assert found.total == whole
    even = int((found.own + found.runtime + found.collector_even).sum())
    assert even + sum(found.others_even.values()) == whole
    assert scaled(found, counted).total == counted
    for key in range(2):
        low, high = found.interval(key)
        assert 0 <= low <= high or whole == 0


def counted(*rows: tuple[int, int, int]) -> Samples:
    """Rows of (payer, nanoseconds, samples) in user code."""
    hits = samples(*((payer, Role.USER, Role.USER, value) for payer, value, _ in rows))
    counts = np.array([count for _, _, count in rows])
    return Samples(hits.payer, hits.roles, hits.leaf_roles, hits.values, counts)


def test_a_share_of_many_samples_has_the_interval_of_a_normal_distribution() -> None:
    found = account(counted((JSON, 25_000, 2500), (WEB, 75_000, 7500)), weights((0, 0)), 2)
    low, high = found.interval(JSON)
    # 0.25 +- 1.96 * sqrt(0.25 * 0.75 / 10,000), and the score's shift of 1.92 samples' half.
    assert low == pytest.approx(24151, abs=12)
    assert high == pytest.approx(25849, abs=12)


def test_few_samples_say_little() -> None:
    found = account(counted((JSON, 30, 3)), weights((0, 0)), 2)
    low, high = found.interval(JSON)
    # Three of three: at least 3 / (3 + 1.96**2) of the time.
    assert (low, high) == (int(30 * 3 / (3 + 1.96**2)), 30)
    assert found.interval(WEB) == (0, round(30 * 1.96**2 / (3 + 1.96**2))), "unseen is not nothing"


def test_what_is_charged_for_the_collector_adds_its_own_uncertainty() -> None:
    rows = [(JSON, Role.USER, Role.USER, 500), (-1, Role.WORKER, Role.NONE, 500)]
    hits = samples(*rows)
    many = Samples(hits.payer, hits.roles, hits.leaf_roles, hits.values, np.array([500, 500]))

    def width(allocations: float) -> int:
        shares = Weights(np.array([1, 1]), np.zeros(2, np.int64), np.zeros(2, np.int64),
                         allocations=allocations)  # fmt: skip
        low, high = account(many, shares, 2).interval(JSON)
        return high - low

    assert width(10) > width(1000) > width(0), "without a count nothing is known of it"


def test_what_is_measured_is_exact() -> None:
    found = account(counted((JSON, 30, 0), (WEB, 70, 0)), weights((0, 0)), 2)
    assert [found.interval(key) for key in (JSON, WEB)] == [(30, 30), (70, 70)]
