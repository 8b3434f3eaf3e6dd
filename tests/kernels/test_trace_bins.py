"""Intervals spread over bins: each bin has what of them lies in it, in whatever order they come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gocost.kernels import trace_fields as fields
from tests.kernels.conftest import LoadKernel

BINS, SHIFT, START = 7, 4, 1_000
times = st.integers(START - 50, START + (BINS << SHIFT) + 50)
intervals = st.lists(st.tuples(st.integers(0, 3), times, times), max_size=20)


def expected(given: list[tuple[int, int, int]], lanes: int) -> list[list[int]]:
    """The plain sum, bin by bin."""
    found = [[0] * BINS for _ in range(lanes)]
    for lane, begin, end in given:
        for number in range(BINS):
            low = START + (number << SHIFT)
            high = low + (1 << SHIFT)
            found[lane][number] += max(0, min(end, high) - max(begin, low))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(intervals)
def test_each_bin_has_what_lies_in_it(
    kernel: LoadKernel, given: list[tuple[int, int, int]]
) -> None:
    bins = kernel("trace_bins")
    sums = np.zeros((4, bins.FIELDS * BINS), np.int64)
    ordered = [(lane, min(a, b), max(a, b)) for lane, a, b in given]

    for lane, begin, end in ordered:
        bins.interval(sums[lane], begin, end, START, SHIFT)

    assert bins.spread(sums.reshape(-1), SHIFT, BINS).tolist() == expected(ordered, 4)


def record(kind: int, who: int, begin: int, end: int, of: int = 0) -> list[int]:
    row = [0] * fields.RECORD_FIELDS
    row[fields.R_KIND], row[fields.R_WHO], row[fields.R_OF] = kind, who, of
    row[fields.R_START], row[fields.R_END] = begin, end
    return row


def test_records_go_to_the_lanes_that_they_belong_to(kernel: LoadKernel) -> None:
    bins = kernel("trace_bins")
    proc = fields.R_PROC
    rows = [
        record(fields.RUNNABLE, 9, START, START + 3),
        record(fields.RUNNING, 9, START, START + 5, of=2),
        record(fields.RUNNING, 9, START + 20, START + 21, of=-2),
        record(fields.RUNNING, 9, START, START + 7, of=1),  # a stack without a lane
        record(fields.RUNNING, 9, -1, START + 7, of=2),  # began before its generation
        record(fields.WAITING, 9, START, START + 100, of=2),
        record(proc + fields.P_RUNNING, 0, START, START + 11),
        record(proc + fields.P_SYSCALL, 0, START, START + 13),
        record(proc + fields.P_IDLE, 0, START, START + 17),
        record(proc + fields.P_RUNNING, 5, START, START + 19),  # a P without a lane
        record(fields.RUNNING, 9, START, START + 7, of=1 << 62),
    ]
    sums = np.zeros(4 * bins.FIELDS * BINS, np.int64)

    bins.add(
        np.array(rows, np.int64).reshape(-1), np.array([-1, -1, 1], np.int32),
        np.array([2, 3], np.int32), 0, sums, START, SHIFT, BINS,
    )  # fmt: skip

    found = bins.spread(sums, SHIFT, BINS)
    assert found.sum(axis=1).tolist() == [3, 6, 11, 13]
    assert found[1].tolist() == [5, 1, 0, 0, 0, 0, 0]


def test_a_lane_beyond_the_sums_is_refused(kernel: LoadKernel) -> None:
    bins = kernel("trace_bins")
    none = np.zeros(0, np.int32)

    for of_stack, waiting in ((np.array([1], np.int32), 0), (none, 1)):
        with pytest.raises(ValueError, match="beyond the sums"):
            bins.add(
                np.zeros(0, np.int64), of_stack, none, waiting,
                np.zeros(bins.FIELDS * BINS, np.int64), START, SHIFT, BINS,
            )  # fmt: skip
