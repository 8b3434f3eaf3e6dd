"""Annotated source is pprof's `-list`: the same files, lines, text and costs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.model.errors import UsageError
from tests.analyses.profile.peer import UNITS, arguments_of
from tests.fixtures.binaries import PROGRAMS, Recipe, built
from tests.fixtures.profiles import KINDS, recorded, run_pprof, shared

Line = tuple[int, int, str]
"""Flat, cumulative, source."""
_ROUTINE = re.compile(r"ROUTINE =+ (.*) in (\S+)")
_SUM = re.compile(r" *(-?\d+|0)\D* +(-?\d+|0)\D* \(flat, cum\) .*")
_LINE = re.compile(r" *(\.|-?\d+)[a-zA-Z]* +(\.|-?\d+)[a-zA-Z]* +(\d+):(.*)")


def theirs(path: Path, expression: str, options: dict[str, Any], unit: str) -> dict[Any, Any]:
    done = run_pprof(f"-list={expression}", f"-unit={unit}", *arguments_of(options), path)
    found: dict[Any, Any] = {}
    if done.returncode:
        return found
    for block in re.split(r"^(?=ROUTINE =)", done.stdout, flags=re.MULTILINE)[1:]:
        head, sums, *rest = block.split("\n")
        routine, total = _ROUTINE.fullmatch(head), _SUM.fullmatch(sums)
        assert routine is not None, head
        assert total is not None, sums
        lines = {}
        for line in rest:
            if (parts := _LINE.fullmatch(line)) is not None:
                flat, whole = (0 if text == "." else int(text) for text in parts.group(1, 2))
                lines[int(parts[3])] = flat, whole, parts[4]
        found[routine[1], routine[2]] = (int(total[1]), int(total[2])), lines
    return found


def ours(path: Path, expression: str, options: dict[str, Any]) -> dict[Any, Any]:
    try:
        report = gocost.profile(str(path), view="list", expression=expression, **options)
    except UsageError:
        return {}
    lines: dict[Any, dict[int, Line]] = {}
    for function, file, line, flat, whole, source in report.tables["lines"].rows:
        if source is not None:
            lines.setdefault((function, file), {})[line] = flat or 0, whole or 0, source  # type: ignore[index, assignment]
    return {
        (function, file): ((flat, whole), lines.get((function, file), {}))
        for function, file, flat, whole, _ in report.tables["routines"].rows
        if file
    }


def compared(path: Path, expression: str, **options: Any) -> int:
    unit = gocost.profile(str(path), **options).facts[0].labels["unit"]
    asked = theirs(path, expression, options, UNITS.get(unit, unit))
    mine = ours(path, expression, options)
    assert mine == asked, expression
    return sum(len(lines) for _, lines in asked.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("expression", [r"main\.", "json", "gzip|flate", "Unlock$", "nothing here"])
def test_real_profiles(kind: str, expression: str) -> None:
    compared(recorded() / f"{kind}.1.pb.gz", expression)


def test_with_other_options() -> None:
    cpu, heap = recorded() / "cpu.1.pb.gz", recorded() / "heap.1.pb.gz"
    assert compared(cpu, r"main\.") > 0
    assert compared(cpu, "main", focus="json") > 0
    assert compared(cpu, "main", noinlines=True) > 0
    assert compared(heap, "grow", sample_index="alloc_objects") > 0
    assert compared(heap, r"main\.", show="main") > 0
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True)
    source = f"{goroot.stdout.strip()}/src"
    allocs = recorded() / "allocs.1.pb.gz"
    assert compared(allocs, "json|flate", trim_path=source, source_path=source) > 0


def test_without_the_source(tmp_path: Path) -> None:
    report = gocost.profile(str(shared("large.cpu.pb.gz")), view="list", expression="next$")
    notes = [note.text for note in report.notes if note.level == "warning"]
    assert all("was not found; looked at /" in text for text in notes)
    assert all("name its folder with --source-path" in text for text in notes)
    assert notes
    assert any(row[2] for row in report.tables["lines"].rows)


def test_files_that_go_keeps_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = built(Recipe(program="owned", flags=("-trimpath",)))
    units = tmp_path / "units.pb.gz"
    units.write_bytes(subprocess.run([program], capture_output=True, check=True).stdout)
    monkeypatch.chdir(PROGRAMS / "owned" / "internal")

    report = gocost.profile(str(units), view="list", expression="Charge|insertionSort")

    sources = {row[0]: row[5] for row in report.tables["lines"].rows if row[3] or row[4]}
    assert sources["example.com/shop/internal/pay.Charge"] == (
        "func Charge(units *pprof.Profile, i int) { units.Add(i, 1) }"
    )
    assert any(str(name).startswith("slices.insertionSort") for name in sources)
    assert all(sources.values())
    assert [note.level for note in report.notes] == ["info", "info"]
