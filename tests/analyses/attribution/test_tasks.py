"""What goroutines did in tasks: intervals cut where tasks begin and end, to the nanosecond."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.attribution.tasks import ByTask, Changes

moments = st.integers(0, 60)
told = st.dictionaries(
    st.integers(1, 4), st.lists(st.tuples(moments, st.integers(0, 3)), max_size=5), max_size=4
)
intervals = st.lists(st.tuples(st.integers(1, 5), moments, moments), max_size=8)


def made(told: dict[int, list[tuple[int, int]]]) -> Changes:
    first: list[int] = []
    time: list[int] = []
    task: list[int] = []
    for _, changes in sorted(told.items()):
        first.append(len(time))
        time += [-1, *sorted(at for at, _ in changes)]
        task += [0, *(of for _, of in sorted(changes, key=lambda change: change[0]))]
    return Changes(
        np.array(sorted(told), np.int64),
        np.array(first, np.int64),
        np.array(time, np.int64),
        np.array(task, np.int64),
        names=["(no task)", "a", "b", "c"],
        begun=[],
    )


def task_at(told: dict[int, list[tuple[int, int]]], goroutine: int, time: int) -> int:
    """The task in the nanosecond after `time`, nanosecond by nanosecond."""
    now = 0
    for at, of in sorted(told.get(goroutine, []), key=lambda change: change[0]):
        now = of if at <= time else now
    return now


@given(told, intervals, moments, moments)
def test_every_nanosecond_is_its_tasks(
    told: dict[int, list[tuple[int, int]]],
    intervals: list[tuple[int, int, int]],
    one: int,
    other: int,
) -> None:
    start, end = sorted((one, other))
    taker = ByTask(made(told), start, end)
    who, begun, ended = np.array(intervals, np.int64).reshape(-1, 3).T
    begun = np.clip(begun, start, end)
    ended = np.maximum(np.clip(ended, start, end), begun)
    row, of, took = taker.pieces(who, begun, ended)
    expected: dict[tuple[int, int], int] = {}
    for place, (goroutine, _, _) in enumerate(intervals):
        for time in range(int(begun[place]), int(ended[place])):
            key = place, task_at(told, goroutine, time)
            expected[key] = expected.get(key, 0) + 1
    found: dict[tuple[int, int], int] = {}
    for task, place, length in zip(row.tolist(), of.tolist(), took.tolist(), strict=True):
        if length:
            found[place, task] = found.get((place, task), 0) + length
    assert found == expected
