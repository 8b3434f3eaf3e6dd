"""Recordings on one clock: bounds that hold whatever the requests took, and what overlaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.attribution.clocks import (
    Asked,
    Offset,
    Span,
    clock_table,
    doubts,
    offset,
    overlaps,
    within,
)

SECOND = 10**9


def test_recordings_of_other_times_and_unknown_ones_are_said() -> None:
    cpu = Span("the CPU profile", 10 * SECOND, 40 * SECOND)
    inside = Span("the trace", 20 * SECOND, 25 * SECOND)
    half = Span("the heap profiles", 30 * SECOND, 50 * SECOND)
    later = Span("the dump", 100 * SECOND, 100 * SECOND)
    unknown = Span("the old trace", None, None)
    found = overlaps(cpu, [inside, half, later, unknown])
    assert [each.share for each in found] == [1.0, 0.5, 0.0, None]
    assert [each.offset_ns for each in found[:3]] == [10 * SECOND, 20 * SECOND, 90 * SECOND]
    told = doubts(cpu, found)
    assert told[0] == "50% of the heap profiles lies within the CPU profile"
    assert told[1].startswith("the dump began 90 s after the CPU profile and does not overlap it")
    assert told[2].startswith("when the old trace was recorded is not known")
    assert len(told) == 3


def test_a_moment_within_the_error_bound_is_within() -> None:
    cpu = Span("the CPU profile", 10 * SECOND, 40 * SECOND)
    moment = Span("the heap profile", 41 * SECOND, 41 * SECOND, error_ns=2 * SECOND)
    assert overlaps(cpu, [moment])[0].share == 1.0


times = st.integers(0, 10**13)
recordings = st.lists(st.tuples(times, times, times, times), min_size=1, max_size=8)


@given(recordings, st.integers(-(10**15), 10**15))
def test_the_true_offset_is_always_within_the_bounds(
    parts: list[tuple[int, int, int, int]], ahead: int
) -> None:
    # When each was asked for by the recorder's clock, how long the request took to arrive, the
    # recording took, and the answer took.
    pairs = [
        (asked + there + ahead, asked + there + length + ahead,
         Asked(asked, asked + there + length + back))
        for asked, there, length, back in parts
    ]  # fmt: skip
    found = offset(pairs)
    assert found is not None
    assert found.low <= ahead <= found.high
    assert abs(found.middle - ahead) <= found.error_ns + 1
    for (start, end, asked), (_, there, _, back) in zip(pairs, parts, strict=True):
        placed, error = within(asked, end - start, found)
        assert abs(placed - start) <= error + 1
        assert error <= (there + back) / 2 + found.error_ns + 2, "and no wider than it must be"


def test_where_no_offset_fits_all_a_clock_was_set() -> None:
    early = (1_000, 1_000, Asked(990, 1_010))
    late = (9_000, 9_000, Asked(8_490, 8_510))
    assert offset([early, late]) == Offset(10, 490), "from the one's bounds to the other's"
    assert offset([]) is None


def test_times_that_cannot_be_are_not_told() -> None:
    spans = [Span("the trace", -(1 << 70), 1 << 70, 1 << 70), Span("the dump", 5, 5)]
    rows = [tuple(row) for row in clock_table(spans).rows]
    assert rows[0][1:5] == (None, 0, None, None)
    assert rows[1][1:5] == (5, None, 0, None)


def test_the_table_counts_from_the_first_whose_time_is_known() -> None:
    spans = [
        Span("the trace", None, None),
        Span("the CPU profile", 10 * SECOND, 14 * SECOND, 100, "its own time"),
        Span("the dump", 12 * SECOND, 12 * SECOND, 7, "between request and answer"),
    ]
    rows = [tuple(row) for row in clock_table(spans).rows]
    assert rows == [
        ("trace", None, None, None, None, None, ""),
        ("CPU profile", 10 * SECOND, 0, 4 * SECOND, 100, 1.0, "its own time"),
        ("dump", 12 * SECOND, 2 * SECOND, 0, 7, 1.0, "between request and answer"),
    ]
