"""Machine code has the costs that pprof's `-disasm` shows, instruction by instruction."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.formats.executable import open_executable
from gocost.formats.pclntab_frames import Symbolizer
from gocost.model.errors import UsageError
from gocost.sources.files import mapped
from tests.analyses.profile.peer import UNITS
from tests.analyses.profile.test_symbols import run
from tests.fixtures.binaries import binary
from tests.fixtures.profiles import pprof

Costs = dict[str, tuple[int, int]]
_SUMS = re.compile(r" *(-?\d+)\D* +(-?\d+)\D* \(flat, cum\)")
_ROW = re.compile(r" *(\.|-?\d+)[a-zA-Z]* +(\.|-?\d+)[a-zA-Z]* +([0-9a-f]+): .*")


def theirs(program: Path, path: Path, expression: str, unit: str, home: Path) -> dict[str, Any]:
    """By function its sums, and the addresses that cost something."""
    done = subprocess.run(
        [pprof(), f"-disasm={expression}", f"-unit={unit}", program, path],
        env={**os.environ, "HOME": str(home), "PPROF_TMPDIR": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found: dict[str, Any] = {}
    for block in re.split(r"^ROUTINE =+ ", done.stdout, flags=re.M)[1:]:
        name, sums, *lines = block.splitlines()
        total = _SUMS.match(sums)
        assert total is not None, sums
        costs: Costs = {}
        for line in lines:
            row = _ROW.fullmatch(line)
            if row is not None and row.group(1, 2) != (".", "."):
                flat, whole = (0 if text == "." else int(text) for text in row.group(1, 2))
                costs[row[3]] = flat, whole
        found[name] = (int(total[1]), int(total[2])), costs
    return found


def ours(program: Path, path: Path, expression: str) -> dict[str, Any]:
    report = gocost.profile(str(path), view="disasm", expression=expression, binary=str(program))
    costs: dict[Any, Costs] = {}
    for name, address, flat, whole, *_ in report.tables["instructions"].rows:
        if flat or whole:
            costs.setdefault(name, {})[str(address)] = int(flat or 0), int(whole or 0)  # type: ignore[arg-type]
    return {
        str(name): ((flat, whole), costs[name])
        for name, _, flat, whole, _ in report.tables["routines"].rows
    }


@pytest.mark.parametrize("build", ["plain", "pie"])
@pytest.mark.parametrize("kind", ["cpu", "heap", "mutex"])
def test_instructions_cost_what_pprof_says(build: str, kind: str, tmp_path: Path) -> None:
    program, folder = run(build)
    path = folder / f"{kind}.1.pb.gz"
    unit = gocost.profile(str(path)).facts[0].labels["unit"]
    compared = 0
    for expression in (r"^main\.", "json", "mallocgc|Unlock"):
        asked = theirs(program, path, expression, UNITS.get(unit, unit), tmp_path)
        mine = ours(program, path, expression) if asked else {}
        assert mine == asked, expression
        compared += sum(len(costs) for _, costs in asked.values())
    assert compared > 2


def test_a_stripped_program_has_the_same_instructions() -> None:
    program, folder = run("stripped")
    report = gocost.profile(str(folder / "cpu.1.pb.gz"), view="disasm", expression=r"^main\.burn$",
                            binary=str(program))  # fmt: skip
    table = report.tables["instructions"]
    texts = [str(text) for text in table.column("instruction")]
    assert any(re.fullmatch(r"call 0x[0-9a-f]+ <time\.Now>", text) for text in texts)
    assert "time.Now" in table.column("calls")
    places = [str(place) for place in table.column("line") if place]
    assert places[0].startswith("main.go:")
    (row,) = report.tables["routines"].rows
    assert row[2] == sum(flat for flat in table.column("flat") if isinstance(flat, int))


def test_source_with_machine_code_beneath(tmp_path: Path) -> None:
    program, folder = run("plain")
    path = str(folder / "cpu.1.pb.gz")
    report = gocost.profile(path, view="weblist", expression=r"^main\.burn$", binary=str(program))
    lines = gocost.profile(path, view="list", expression=r"^main\.burn$").tables["lines"]
    rows = report.tables["listing"].rows
    assert [row[:3] for row in rows if row[2]] == [row[:3] for row in lines.rows]
    at = next(i for i, row in enumerate(rows) if "time.Now().Before(end)" in str(row[6]))
    assert any(row[7] == "time.Now" for row in rows[at + 1 : at + 12])


def test_machines_that_are_read() -> None:
    for name, text in (("linux-amd64", "call"), ("linux-386", "call"), ("linux-arm64", "bl")):
        from gocost.analyses.profile.machine_code import Code, instructions

        with mapped(binary(name)) as data:
            image = open_executable(data)
            symbolizer = Symbolizer(image)
            where = next(part for part in symbolizer.named() if part[0] == "main.main")
            found = list(instructions(Code(*where), image, symbolizer))
            assert [each.address for each in found] == sorted({each.address for each in found})
            assert any(each.text.startswith(text) and each.calls for each in found)


def test_what_cannot_be_read() -> None:
    _, folder = run("plain")
    path = str(folder / "cpu.1.pb.gz")
    with pytest.raises(UsageError, match="machine code is in the program, which is not named"):
        gocost.profile(path, view="disasm", expression="main")
    with mapped(binary("linux-s390x")) as data:
        from gocost.analyses.profile.machine_code import Code, instructions

        image = open_executable(data)
        symbolizer = Symbolizer(image)
        where = symbolizer.named()[0]
        with pytest.raises(UsageError, match="machine code of s390x is not read here"):
            list(instructions(Code(*where), image, symbolizer))
