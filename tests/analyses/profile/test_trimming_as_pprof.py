"""What is too small to be shown is what pprof leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.model.errors import UsageError
from tests.analyses.profile.peer import UNITS, theirs
from tests.analyses.profile.test_calls_as_pprof import calls_of_pprof
from tests.fixtures.profiles import KINDS, recorded, shared

LIMITS: list[dict[str, Any]] = [
    {"nodefraction": 0.05},
    {"nodefraction": 0.3},
    {"nodecount": 7},
    {"nodecount": 5, "cum": True},
    {"nodefraction": 0.02, "nodecount": 12},
    {"nodefraction": 0.1, "focus": "json"},
]
OF_CALLS: list[dict[str, Any]] = [
    {"nodefraction": 0.05, "edgefraction": 0.0, "nodecount": 1_000_000},
    {"nodefraction": 0.0, "edgefraction": 0.1, "nodecount": 1_000_000},
    {"nodefraction": 0.02, "edgefraction": 0.02, "nodecount": 12},
    {"nodefraction": 0.005, "edgefraction": 0.001, "nodecount": 80},
    {"nodefraction": 0.1, "edgefraction": 0.05, "nodecount": 10, "by": "line"},
]


def arguments(options: dict[str, Any]) -> list[str]:
    found = ["-cum"] if options.get("cum") else []
    found += ["-lines"] if options.get("by") == "line" else []
    left = {k: v for k, v in options.items() if k not in ("cum", "by")}
    return [*found, *(f"-{name}={value}" for name, value in left.items())]


def unit_of(path: Path) -> str:
    unit = gocost.profile(str(path)).facts[0].labels["unit"]
    return UNITS.get(unit, unit)


def files() -> list[Path]:
    return [*(recorded() / f"{kind}.1.pb.gz" for kind in KINDS), shared("large.cpu.pb.gz")]


@pytest.mark.parametrize("options", LIMITS, ids=str)
def test_rows(options: dict[str, Any]) -> None:
    shorter = 0
    for path in files():
        asked = theirs([path], arguments(options), unit_of(path))
        assert asked is not None

        report = gocost.profile(str(path), **options)

        table = report.tables["functions"]
        mine = [(row[0], row[1], row[3]) for row in table.rows]
        key = 2 if options.get("cum") else 1
        assert sorted(mine) == sorted(asked[1]), path
        assert [abs(row[key]) for row in mine] == [abs(row[key]) for row in asked[1]]  # type: ignore[arg-type]
        assert table.sums_to is None or len(mine) == len(asked[1])
        shorter += len(mine) < len(gocost.profile(str(path)).tables["functions"].rows)
    assert shorter > 3


@pytest.mark.parametrize("options", OF_CALLS, ids=str)
def test_calls(options: dict[str, Any]) -> None:
    rows = 0
    for path in files():
        unit = unit_of(path)
        asked = calls_of_pprof([*arguments(options), f"-unit={unit}"], path)

        table = gocost.profile(str(path), view="tree", **options).tables["calls"]

        mine: dict[str, list[Any]] = {}
        for function, role, other, inlined, value, *_ in table.rows:
            mine.setdefault(str(function), []).append((role, other, inlined, value))
        assert {name: sorted(parts) for name, parts in mine.items()} == asked, path
        rows += len(table.rows)
    assert rows > 20


def test_shares_that_are_none() -> None:
    with pytest.raises(UsageError, match="nodefraction 2 is no share"):
        gocost.profile(str(recorded() / "cpu.1.pb.gz"), nodefraction=2)
