"""Orders of columns, against numpy's own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.size.ordering import descending, first_of_each

SMALL = st.lists(st.integers(-3, 3), max_size=60)
WIDE = st.lists(st.integers(-(2**62), 2**62), max_size=60)


@given(SMALL | WIDE)
def test_the_largest_stand_first_and_equal_ones_in_their_order(values: list[int]) -> None:
    order = descending(np.array(values, np.int64))

    assert order.tolist() == sorted(range(len(values)), key=lambda k: -values[k])


@given(SMALL | WIDE)
def test_each_value_is_found_where_it_stands_first(values: list[int]) -> None:
    distinct, first = first_of_each(np.array(values, np.int64))

    assert distinct.tolist() == sorted(set(values))
    assert first.tolist() == [values.index(value) for value in sorted(set(values))]
