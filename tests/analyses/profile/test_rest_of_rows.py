"""The row for the rest says what all rows behind say together, without looking at them."""

from __future__ import annotations

import pytest

import gocost
from tests.fixtures.profiles import recorded


@pytest.mark.parametrize("by", ["function", "filefunction", "package"])
@pytest.mark.parametrize("count", [1, 3])
def test_sums(by: str, count: int) -> None:
    table = gocost.profile(str(recorded() / "cpu.1.pb.gz"), by=by).tables[
        "functions" if by != "package" else "packages"
    ]
    rest = list(table.rows)[count:]

    *first, last = table.top(count).rows

    assert [list(row) for row in first] == [list(row) for row in list(table.rows)[:count]]
    for index, column in enumerate(table.columns):
        if column.additive:
            expected = sum(float(str(row[index])) for row in rest)
            assert last[index] == pytest.approx(expected), column.name
    assert last[0] == f"({len(rest)} others)"
