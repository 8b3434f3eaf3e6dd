"""Machine code has the costs that pprof's `-disasm` shows, instruction by instruction."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import gocost
from gocost.formats.executable import open_executable
from gocost.formats.pclntab_frames import Symbolizer
from gocost.model.errors import UsageError
from gocost.sources.files import mapped
from tests.analyses.profile.peer import UNITS
from tests.analyses.profile.test_symbols import run
from tests.fixtures.binaries import binary
from tests.fixtures.profiles import pprof, shared

Costs = dict[str, tuple[int, int]]
Routines = dict[str, tuple[tuple[int, int], Costs | None]]
"""By function its sums, and what its addresses cost."""
_SUMS = re.compile(r" *(-?\d+)\D* +(-?\d+)\D* \(flat, cum\)")
_ROW = re.compile(r" *(\.|-?\d+)[a-zA-Z]* +(\.|-?\d+)[a-zA-Z]* +([0-9a-f]+): .*")
_UNREAD = re.compile(r".* [0-9a-f]+: \?( .*)?")


def theirs(program: Path, path: Path, expression: str, unit: str, home: Path) -> Routines:
    """The functions, with the addresses that cost something where pprof can read all of them."""
    done = subprocess.run(
        [pprof(), f"-disasm={expression}", f"-unit={unit}", program, path],
        env={**os.environ, "HOME": str(home), "PPROF_TMPDIR": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found: Routines = {}
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
        # Of a function in assembly pprof shows the linker's name.
        found[name.removesuffix(".abi0")] = (
            (int(total[1]), int(total[2])),
            None if any(_UNREAD.fullmatch(line) for line in lines) else costs,
        )
    return found


def last_bytes(program: Path) -> set[str]:
    """The addresses of the functions' last bytes, at which pprof's `-disasm` sees no samples."""
    command = ["go", "tool", "nm", "-size", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    symbols = re.findall(r"^ *([0-9a-f]+) +(\d+) [Tt] ", done.stdout, re.MULTILINE)
    return {f"{int(start, 16) + int(size) - 1:x}" for start, size in symbols}


def as_pprof(found: Routines, program: Path, asked: Routines) -> Routines:
    """What we found, as far as pprof can know it.

    Without samples on last bytes and functions of which then nothing is left, and without addresses
    where pprof does not know some instruction (of vectors) and is out of step from there on.
    """
    unseen = last_bytes(program)
    left: Routines = {}
    for name, (sums, costs) in found.items():
        assert costs is not None
        seen = {address: cost for address, cost in costs.items() if address not in unseen}
        gone = [cost for address, cost in costs.items() if address in unseen]
        if seen:
            unread = name in asked and asked[name][1] is None
            flat, whole = (sums[i] - sum(cost[i] for cost in gone) for i in (0, 1))
            left[name] = (flat, whole), None if unread else seen
    return left


def ours(program: Path, path: Path, expression: str) -> Routines:
    report = gocost.profile(str(path), view="disasm", expression=expression, binary=str(program))
    costs: dict[str, Costs] = {}
    for name, address, flat, whole, *_ in report.tables["instructions"].rows:
        if flat or whole:
            costs.setdefault(str(name), {})[bare(address)] = int(flat or 0), int(whole or 0)  # type: ignore[arg-type]
    return {
        str(name): ((int(str(flat)), int(str(whole))), costs[str(name)])
        for name, _, flat, whole, _ in report.tables["routines"].rows
    }


def bare(address: object) -> str:
    """As pprof writes it; ours begin with 0x, wherever they stand."""
    text = str(address)
    assert text.startswith("0x")
    return text.removeprefix("0x")


@pytest.mark.parametrize("build", ["plain", "pie"])
@pytest.mark.parametrize("kind", ["cpu", "heap", "mutex"])
def test_instructions_cost_what_pprof_says(build: str, kind: str, tmp_path: Path) -> None:
    program, folder = run(build)
    path = folder / f"{kind}.1.pb.gz"
    unit = gocost.profile(str(path)).facts[0].labels["unit"]
    everything = theirs(program, path, ".", UNITS.get(unit, unit), tmp_path)
    assert everything
    largest = max(everything, key=lambda name: len(everything[name][1] or ()))
    for expression in (".", f"^{re.escape(largest)}", r"^main\."):
        asked = theirs(program, path, expression, UNITS.get(unit, unit), tmp_path)
        mine = as_pprof(ours(program, path, expression), program, asked) if asked else {}
        assert mine == asked, expression


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
    assert row[1] == table.column("address")[0]
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
    path = str(shared("large.cpu.pb.gz"))  # of a program that is not here
    with pytest.raises(UsageError, match="machine code is in the program, which is not named"):
        gocost.profile(path, view="disasm", expression="main")
    with mapped(binary("linux-s390x")) as data:
        from gocost.analyses.profile.machine_code import Code, instructions

        image = open_executable(data)
        symbolizer = Symbolizer(image)
        where = symbolizer.named()[0]
        with pytest.raises(UsageError, match="machine code of s390x is not read here"):
            list(instructions(Code(*where), image, symbolizer))
