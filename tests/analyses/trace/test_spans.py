"""Tasks and regions from columns, against the rules carried out one event after the other."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.trace.account import Joined, Local
from gocost.analyses.trace.marks import REGION_BEGIN, REGION_END, TASK_BEGIN, TASK_END
from gocost.analyses.trace.spans import Span, regions, tasks
from gocost.measures.trace import read_trace
from tests.fixtures.traces import TOOLCHAINS, recorded

Event = tuple[int, int, int, int]
"""Time, type, goroutine or task, and a name's number, beyond the names too."""

NAMES = 3


@cache
def whole() -> Joined:
    return read_trace(recorded(TOOLCHAINS[-1], "all", 1.5))


def trace_of(events: list[Event], kinds: tuple[int, int]) -> Joined:
    """A real trace whose marks are these, in two generations."""
    local = with_names(whole().marks[0][1])
    rows = [
        np.array([row_of(event, kinds) for event in part], np.int64).reshape(-1, 10)
        for part in halves(events)
    ]
    return replace(whole(), marks=[(each, local) for each in rows], clipped=False)


def with_names(local: Local) -> Local:
    """Of the texts only the first."""
    found = object.__new__(Local)
    found.texts = local.texts[:NAMES]
    return found


def row_of(event: Event, kinds: tuple[int, int]) -> list[int]:
    time, kind, key, name = event
    if kinds[0] == TASK_BEGIN:
        return [time, kinds[kind], 1, 7, 0, key, 0, name, 0, 0]
    return [time, kinds[kind], 1, key, 0, 0, name, 0, 0, 0]


def name_of(trace: Joined, number: int) -> str:
    local = trace.marks[0][1]
    return trace.stacks.texts[int(local.texts[number])] if 0 <= number < NAMES else ""


def halves(events: list[Event]) -> list[list[Event]]:
    """Each generation is in order of time."""
    half = len(events) // 2
    return [sorted(part, key=lambda event: event[0]) for part in (events[:half], events[half:])]


events = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(0, 1), st.integers(0, 3), st.sampled_from([0, 1, 2, 5, -3])
    ),
    max_size=40,
)


@given(events)
def test_a_region_ends_the_last_one_of_its_goroutine_that_has_its_name(found: list[Event]) -> None:
    trace = trace_of(found, (REGION_BEGIN, REGION_END))

    open_: dict[int, list[tuple[str, int]]] = {}
    expected = []
    for time, kind, goroutine, number in chain(*halves(found)):
        name, stack = name_of(trace, number), open_.setdefault(goroutine, [])
        if kind == 0:
            stack.append((name, time))
        elif stack and stack[-1][0] == name:
            expected.append(Span(*stack.pop(), time))
    assert list(regions(trace)) == expected


@given(events)
def test_a_task_goes_from_its_last_beginning_to_the_end_that_follows(found: list[Event]) -> None:
    trace = trace_of(found, (TASK_BEGIN, TASK_END))

    open_: dict[int, tuple[str, int]] = {}
    expected = []
    for time, kind, task, number in chain(*halves(found)):
        if kind == 0:
            open_.pop(task, None)
            open_[task] = name_of(trace, number), time
        elif task in open_:
            expected.append(Span(*open_.pop(task), time))
    expected += [Span(name, begin, trace.end, whole=False) for name, begin in open_.values()]
    assert list(tasks(trace)) == expected


def test_spans_of_a_name_are_all_of_them() -> None:
    trace = whole()

    for spans in (tasks(trace), regions(trace)):
        by_name = {name: sorted(map(repr, some)) for name, some in spans.by_name()}

        assert by_name
        assert by_name == {
            name: sorted(repr(span) for span in spans if span.name == name) for name in by_name
        }
        assert sum(map(len, by_name.values())) == len(spans)
