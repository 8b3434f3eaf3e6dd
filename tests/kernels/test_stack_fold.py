"""Sums over stacks against sums done plainly, compiled and interpreted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.conftest import LoadKernel, interpreted
from tests.kernels.test_pprof import BOTH_FORMS

NODES = 6
# Frames of a location: innermost first; -1 is left out of the report.
LOCATIONS = st.lists(
    st.lists(st.integers(-1, NODES - 1), min_size=1, max_size=3), min_size=1, max_size=6
)


@st.composite
def profiles(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[list[int], int]]]:
    """Locations by their frames, and stacks of them with values."""
    locations = draw(LOCATIONS)
    stack = st.lists(st.integers(0, len(locations) - 1), max_size=7)
    value = st.integers(-5, 5) | st.integers(-(1 << 40), 1 << 40)
    return locations, draw(st.lists(st.tuples(stack, value), max_size=8))


def columns(locations: list[list[int]], samples: list[tuple[list[int], int]]) -> tuple[Any, ...]:
    """Arguments of the kernel but for the number of nodes."""
    return (
        np.cumsum([len(stack) for stack, _ in samples], dtype=np.int64),
        np.array([row for stack, _ in samples for row in stack], np.int32),
        np.cumsum([len(frames) for frames in locations], dtype=np.int64),
        np.array([node for frames in locations for node in frames], np.int32),
        np.array([value for _, value in samples], np.int64),
    )


def plain_sums(
    locations: list[list[int]], samples: list[tuple[list[int], int]]
) -> tuple[list[int], list[int]]:
    flat, cumulative = [0] * NODES, [0] * NODES
    for stack, value in samples:
        frames = [node for row in stack for node in locations[row]]
        if frames and frames[0] >= 0:
            flat[frames[0]] += value
        for node in set(frames) - {-1}:
            cumulative[node] += value
    return flat, cumulative


def plain_calls(
    locations: list[list[int]], samples: list[tuple[list[int], int]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Weight and flags of each call."""
    calls: dict[tuple[int, int], list[int]] = {}
    for stack, value in samples:
        seen: set[tuple[int, int]] = set()
        parent, left_out = -1, False
        for row in reversed(stack if value else []):
            for k, node in reversed(list(enumerate(locations[row]))):
                if node < 0:
                    left_out = True
                    continue
                call = (parent, node)
                if parent >= 0 and node != parent and call not in seen:
                    seen.add(call)
                    known = calls.setdefault(call, [0, 0])
                    known[0] += value
                    outermost = k == len(locations[row]) - 1
                    known[1] |= (1 if left_out else 0) | (2 if outermost else 0)
                parent, left_out = node, False
    return {call: (weight, flags) for call, (weight, flags) in calls.items()}


@BOTH_FORMS
@given(profiles())
def test_sums(
    kernel: LoadKernel, profile: tuple[list[list[int]], list[tuple[list[int], int]]]
) -> None:
    flat, cumulative = kernel("stack_fold").fold(*columns(*profile), NODES)

    assert (flat.tolist(), cumulative.tolist()) == plain_sums(*profile)


@BOTH_FORMS
@given(profiles())
def test_calls(
    kernel: LoadKernel, profile: tuple[list[list[int]], list[tuple[list[int], int]]]
) -> None:
    callers, callees, weights, flags = (
        column.tolist() for column in kernel("stack_fold").fold_calls(*columns(*profile))
    )

    found = dict(
        zip(
            zip(callers, callees, strict=True), zip(weights, flags, strict=True), strict=True
        )
    )  # fmt: skip
    assert len(found) == len(callers)
    assert found == plain_calls(*profile)


def test_more_calls_than_there_is_room_for_at_first(kernel: LoadKernel) -> None:
    # Each stack calls from a node of its own to another: 20,000 different calls.
    count = 20_000
    locations = [[node] for node in range(2 * count)]
    samples = [([2 * i, 2 * i + 1], i + 1) for i in range(count)]

    callers, callees, weights, _ = kernel("stack_fold").fold_calls(*columns(locations, samples))

    assert sorted(callers.tolist()) == list(range(1, 2 * count, 2))
    assert (callees + 1 == callers).all()
    assert int(weights.sum()) == count * (count + 1) // 2


def _chosen(factors: tuple[int, int], mask: int, nodes: int) -> list[tuple[int, int]]:
    """Calls between so many nodes that all stand in slot 0 of a table, with these factors."""
    left, right = factors
    size = 128 * (mask + 1)
    back = pow(right, -1, size)
    found = []
    for caller in range(nodes):
        callees = (np.arange(128) - caller * left) * back % size - 1
        found += [(caller, callee) for callee in callees.tolist() if 0 <= callee < nodes]
    return found


def test_calls_cannot_be_chosen_to_meet() -> None:
    # Interpreted the function can be looked at; compiled it is the same.
    kernel, mask = interpreted("stack_fold"), (1 << 12) - 1
    guessed, other = kernel._factors(0x1234567890ABCDEF), kernel._factors(0x0FEDCBA098765432)
    calls = _chosen(guessed, mask, 3000)
    assert len(calls) > 1000
    assert {kernel._slot(*call, *guessed, mask) for call in calls} == {0}

    found = Counter(kernel._slot(*call, *other, mask) for call in calls)

    assert max(found.values()) < 10


def test_a_seed_is_drawn_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = interpreted("stack_fold")
    drawn: list[int] = []

    def urandom(count: int) -> bytes:
        drawn.append(count)
        return bytes(count)

    monkeypatch.setattr(kernel.os, "urandom", urandom)
    kernel.fold_calls(*columns([[0], [1]], [([0, 1], 1)]))
    assert drawn == [8]


@pytest.mark.parametrize("row", [1, 7, 1 << 30])
def test_a_row_that_is_not_there_is_an_error(kernel: LoadKernel, row: int) -> None:
    arguments = columns([[0]], [([row], 1)])
    with pytest.raises(IndexError):
        kernel("stack_fold").fold(*arguments, NODES)
