"""What is written is what is read again, compiled and interpreted."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gocost.kernels import pprof as reading
from tests.fixtures.profiles import field, message
from tests.kernels.conftest import LoadKernel
from tests.kernels.test_pprof import BOTH_FORMS, NUMBERS

SIGNED = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-3, 300)
LABEL = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)


def read(data: Any) -> dict[str, Any]:
    parts = reading.read_parts(data, reading.count_parts(data))
    return {name: column.tolist() for name, column in parts.items()}


def table(rows: list[tuple[int, ...]], fields: int) -> Any:
    """Rows of numbers as columns."""
    return np.array(rows, np.uint64).reshape(-1, fields).T.copy()


def ends(parts: list[list[Any]]) -> Any:
    return np.cumsum([len(part) for part in parts], dtype=np.int64)


@BOTH_FORMS
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=5))
def test_rows(kernel: LoadKernel, rows: list[tuple[int, ...]]) -> None:
    data = kernel("pprof_writing").write_rows(5, table(rows, 5))

    assert data.tobytes() == b"".join(
        field(5, message(*((number, value) for number, value in enumerate(row, 1) if value)))
        for row in rows
    )
    assert list(zip(*read(data)["functions"], strict=True)) == rows


@BOTH_FORMS
@given(
    st.integers(1, 4).flatmap(
        lambda types: st.lists(
            st.tuples(
                st.lists(st.integers(0, (1 << 31) - 2) | st.integers(0, 200), max_size=6),
                st.lists(SIGNED, min_size=types, max_size=types),
                st.lists(LABEL, max_size=3),
            ),
            min_size=1,
            max_size=5,
        )
    )
)
def test_samples(
    kernel: LoadKernel, samples: list[tuple[list[int], list[int], list[tuple[int, ...]]]]
) -> None:
    stacks = [stack for stack, _, _ in samples]
    values = [row for _, row, _ in samples]
    labels = [tags for _, _, tags in samples]
    data = kernel("pprof_writing").write_samples(
        ends(stacks),
        np.array([row for stack in stacks for row in stack], np.int32),
        np.array(values, np.int64).view(np.uint64),
        ends(labels),
        table([label for tags in labels for label in tags], 4),
    )

    parts = read(data)

    assert parts["references"] == [row + 1 for stack in stacks for row in stack]
    written = np.array(parts["values"], np.uint64).view(np.int64)
    assert written.tolist() == [value for row in values for value in row]
    assert list(zip(*parts["labels"], strict=True)) == [label for tags in labels for label in tags]
    assert parts["ends"] == [each.tolist() for each in (ends(stacks), ends(values), ends(labels))]


@BOTH_FORMS
@given(
    st.lists(
        st.tuples(
            st.tuples(NUMBERS, NUMBERS, NUMBERS, st.just(0), NUMBERS),
            st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=3),
        ),
        max_size=5,
    )
)
def test_locations(
    kernel: LoadKernel, locations: list[tuple[tuple[int, ...], list[tuple[int, ...]]]]
) -> None:
    lines = [own for _, own in locations]
    data = kernel("pprof_writing").write_locations(
        table([numbers for numbers, _ in locations], 5),
        ends(lines),
        table([line for own in lines for line in own], 3),
    )

    parts = read(data)

    assert list(zip(*parts["locations"], strict=True)) == [
        (*numbers[:3], numbers[4]) for numbers, _ in locations
    ]
    assert list(zip(*parts["lines"], strict=True)) == [line for own in lines for line in own]
    assert parts["line_ends"] == ends(lines).tolist()


def test_the_longest_of_everything_fits(kernel: LoadKernel) -> None:
    most = (1 << 64) - 1
    module = kernel("pprof_writing")
    rows = np.full((10, 3), most, np.uint64)
    assert read(module.write_rows(3, rows))["mappings"] == rows.tolist()

    data = module.write_samples(
        np.array([40], np.int64), np.full(40, (1 << 31) - 2, np.int32),
        np.full((1, 9), most, np.uint64), np.array([5], np.int64), np.full((4, 5), most, np.uint64),
    )  # fmt: skip
    assert read(data)["references"] == [(1 << 31) - 1] * 40
    assert read(data)["values"] == [most] * 9

    columns = np.full((5, 2), most, np.uint64)
    columns[3] = 0
    lines = np.full((3, 6), most, np.uint64)
    assert read(module.write_locations(columns, np.array([3, 6], np.int64), lines))[
        "lines"
    ] == lines.tolist()  # fmt: skip


def test_nothing_is_no_bytes(kernel: LoadKernel) -> None:
    module = kernel("pprof_writing")
    none, numbers = np.zeros(0, np.int64), np.zeros((0, 1), np.uint64)
    assert not len(module.write_rows(5, np.zeros((5, 0), np.uint64)))
    assert not len(module.write_locations(np.zeros((5, 0), np.uint64), none, np.zeros((3, 0))))
    assert not len(
        module.write_samples(
            none, none.astype(np.int32), numbers, none, np.zeros((4, 0), np.uint64)
        )
    )
