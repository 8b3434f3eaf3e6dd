"""What is too small to be shown is what pprof leaves out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.api.profile_forms import profile_forms
from gocost.formats.pprof.building import built
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Header, ValueType
from gocost.model.errors import UsageError
from gocost.model.report import Table
from tests.analyses.profile.peer import UNITS, theirs
from tests.analyses.profile.test_calls_as_pprof import calls_of_pprof
from tests.fixtures.profiles import KINDS, recorded, run_pprof, shared

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
OF_DIFFERENCES: list[dict[str, Any]] = [
    {"nodefraction": 0.0, "edgefraction": 0.0, "nodecount": 1_000_000},
    {"nodefraction": 0.02, "edgefraction": 0.01, "nodecount": 1_000_000},
    {"nodefraction": 0.0, "edgefraction": 0.0, "nodecount": 10},
    {"nodefraction": 0.05, "edgefraction": 0.0, "nodecount": 6},
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
    assert shorter


@pytest.mark.parametrize("options", OF_CALLS, ids=str)
def test_calls(options: dict[str, Any]) -> None:
    rows = 0
    for path in files():
        unit = unit_of(path)
        asked = calls_of_pprof([*arguments(options), f"-unit={unit}"], path)

        table = gocost.profile(str(path), view="tree", **options).tables["calls"]

        assert by_function(table) == asked, path
        rows += len(table.rows)
    assert rows


@pytest.mark.parametrize("drop_negative", [{}, {"drop_negative": True}], ids=str)
@pytest.mark.parametrize("options", OF_DIFFERENCES, ids=str)
def test_differences(options: dict[str, Any], drop_negative: dict[str, Any]) -> None:
    for kind in KINDS:
        base, head = (recorded() / f"{kind}.{number}.pb.gz" for number in (0, 1))
        chosen = {**options, **drop_negative}
        given = [*arguments(chosen), f"-unit={unit_of(head)}", f"-base={base}"]

        table = gocost.profile(str(head), view="tree", base=[str(base)], **chosen).tables["calls"]

        assert by_function(table) == calls_of_pprof(given, head), kind
        asked = theirs([head], given, unit_of(head))
        if asked is not None:
            rows = gocost.profile(str(head), base=[str(base)], **chosen).tables["functions"].rows
            assert sorted((row[0], row[1], row[3]) for row in rows) == sorted(asked[1]), kind


def test_a_share_is_of_what_is_left_without_what_got_less(tmp_path: Path) -> None:
    # Of 100 that came and 99 that went 1 is 0.01 of what is left, and all of the difference.
    header = Header((ValueType("cpu", "nanoseconds"),))
    values = {"head": {"main.come": 100, "main.small": 1}, "base": {"main.gone": 100}}
    head, base = tmp_path / "head", tmp_path / "base"
    for path in (head, base):
        spent = values[path.name]
        stacks = [[(name, "main.go", 1), ("main.main", "main.go", 9)] for name in spent]
        path.write_bytes(encode(built(header, stacks, [(value,) for value in spent.values()])))
    options: dict[str, Any] = {"nodefraction": 0.02, "edgefraction": 0.02, "drop_negative": True}
    given = [*arguments(options), "-unit=ns", f"-base={base}"]

    table = gocost.profile(str(head), view="tree", base=[str(base)], **options).tables["calls"]
    drawn = "\n".join(profile_forms(str(head), form="dot", base=[str(base)], **options))

    assert by_function(table) == calls_of_pprof(given, head)
    assert {str(row[0]) for row in table.rows} == {"main.come"}
    assert re.findall(r"main\.\w+", drawn) == ["main.come"]
    assert "main.come" in (picture := run_pprof("-dot", *given, head).stdout)
    assert "main.small" not in picture


def by_function(table: Table) -> dict[str, list[Any]]:
    """A table of calls as `calls_of_pprof` has them."""
    found: dict[str, list[Any]] = {}
    for function, role, other, inlined, value, *_ in table.rows:
        found.setdefault(str(function), []).append((role, other, inlined, value))
    return {name: sorted(parts) for name, parts in found.items()}


def test_shares_that_are_none() -> None:
    with pytest.raises(UsageError, match="nodefraction 2 is no share"):
        gocost.profile(str(recorded() / "cpu.1.pb.gz"), nodefraction=2)
