"""Locations in terms of merged tables, compiled and interpreted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.conftest import LoadKernel
from tests.kernels.test_pprof import BOTH_FORMS

WORD = st.integers(-(1 << 63), (1 << 63) - 1)
LINE = st.tuples(st.integers(0, 2), WORD, WORD)
LOCATION = st.tuples(WORD, st.integers(-1, 1), st.booleans(), st.lists(LINE, max_size=3))
CALLED = np.array([7, 5, 9])
MAPPED = np.array([3, 4])


@BOTH_FORMS
@given(st.lists(LOCATION, max_size=6), st.tuples(WORD, WORD))
def test_words(
    kernel: LoadKernel,
    locations: list[tuple[int, int, bool, list[tuple[int, int, int]]]],
    begins: tuple[int, int],
) -> None:
    lines = [line for location in locations for line in location[3]]
    words, ends = kernel("pprof_merging").location_words(
        np.array([address for address, *_ in locations], np.int64),
        np.array([mapping for _, mapping, *_ in locations], np.int32),
        np.array([folded for _, _, folded, _ in locations], np.uint8),
        np.cumsum([len(own) for *_, own in locations], dtype=np.int64),
        (
            np.array([function for function, *_ in lines], np.int32),
            np.array([line for _, line, _ in lines], np.int64),
            np.array([column for *_, column in lines], np.int64),
        ),
        np.array(begins, np.int64),
        MAPPED,
        CALLED,
    )

    start = 0
    for (address, mapping, folded, own), end in zip(locations, ends.tolist(), strict=True):
        begin = begins[mapping] if mapping >= 0 else 0
        expected = [(address - begin + (1 << 63)) % (1 << 64) - (1 << 63)]
        expected.append(2 * (int(MAPPED[mapping]) if mapping >= 0 else -1) + folded)
        for function, line, column in own:
            expected += [int(CALLED[function]), line, column]
        assert words[start:end].tolist() == expected
        start = end
    assert start == len(words)


def test_rows_translated(kernel: LoadKernel) -> None:
    module = kernel("pprof_merging")
    table = np.array([4, 0, 9], np.int32)
    rows = np.array([2, 2, 0, 1], np.int32)
    assert module.translated(rows, table).tolist() == [9, 9, 4, 0]
    assert module.translated(rows[:0], table).tolist() == []
    with pytest.raises(IndexError):
        module.translated(rows, table[:2])
