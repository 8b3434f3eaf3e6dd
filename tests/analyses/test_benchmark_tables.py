"""Benchmarks as tables: what a person reads of their names."""

from __future__ import annotations

import pytest

from gocost.analyses.benchmark_tables import comparison_tables
from gocost.analyses.benchmarks import Settings, compare
from gocost.formats.benchmark_text import decode


@pytest.mark.parametrize(
    ("packages", "shown"),
    [
        (["x.io/pay/internal/api"], ["X"]),
        (["x.io/pay/internal/api", "x.io/pay/internal/store"], ["api.X", "store.X"]),
        (["x.io/pay", "x.io/pay/internal/store"], ["pay.X", "pay/internal/store.X"]),
        (["x.io/pay", "y.io/pay"], ["x.io/pay.X", "y.io/pay.X"]),
        (["a", "a/b"], ["a.X", "a/b.X"]),
    ],
)
def test_a_package_is_shown_as_far_as_it_differs(packages: list[str], shown: list[str]) -> None:
    lines = "".join(f"pkg: {package}\nBenchmarkX 1 100 ns/op\n" for package in packages)
    side = decode(lines.encode())

    tables = comparison_tables(compare(side, side, Settings()))

    assert tables["benchmarks.time"].column("benchmark") == shown
    assert tables["benchmarks"].column("package") == packages
