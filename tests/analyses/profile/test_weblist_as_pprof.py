"""Lines with their machine code beneath cost what pprof's `-list` and `-disasm` show.

pprof's own page of both, `-weblist`, has other numbers than its lists: in recursion it counts a
line as often as it stands in a stack, the cost of a line that calls what was inlined is in the
inlined function's file, and a function that is only ever inlined is not there. Its functions we
have.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import gocost
from gocost.formats.pprof.decoding import decode
from tests.analyses.profile import test_disasm_as_pprof as disassembled
from tests.analyses.profile import test_list_as_pprof as listed
from tests.analyses.profile.peer import UNITS
from tests.analyses.profile.test_symbols import run, shaped
from tests.fixtures.profiles import pprof

Lines = dict[tuple[str, str], dict[int, tuple[int, int]]]
"""By function and file, what lines cost."""


def ours(program: Path, path: Path, expression: str) -> tuple[Lines, dict[str, disassembled.Costs]]:
    """What costs something, of lines and of instructions."""
    report = gocost.profile(str(path), view="weblist", expression=expression, binary=str(program))
    lines: Lines = {}
    code: dict[str, disassembled.Costs] = {}
    for function, file, line, address, flat, whole, *_ in report.tables["listing"].rows:
        cost = int(flat or 0), int(whole or 0)  # type: ignore[arg-type]
        if any(cost) and line:
            lines.setdefault((str(function), str(file)), {})[int(str(line))] = cost
        elif any(cost):
            code.setdefault(str(function), {})[str(address).removeprefix("0x")] = cost
    return lines, code


def pages_functions(program: Path, path: Path, expression: str, home: Path) -> set[str]:
    """The functions of pprof's own page."""
    page = home / "listing.html"
    page.unlink(missing_ok=True)
    subprocess.run(
        [pprof(), f"-weblist={expression}", f"-output={page}", program, path],
        env={**os.environ, "HOME": str(home), "PPROF_TMPDIR": str(home)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {shaped(html.unescape(name)) for name in re.findall("<h2>(.*?)</h2>", page.read_text())}


@pytest.mark.parametrize("build", ["plain", "pie"])
@pytest.mark.parametrize("kind", ["cpu", "heap", "mutex"])
def test_lines_and_instructions_cost_what_pprof_says(build: str, kind: str, tmp_path: Path) -> None:
    program, folder = run(build)
    path = folder / f"{kind}.1.pb.gz"
    unit = gocost.profile(str(path)).facts[0].labels["unit"]
    unit = UNITS.get(unit, unit)

    lines, code = ours(program, path, ".")

    assert lines
    assert lines == {
        routine: spent
        for routine, (_, parts) in listed.theirs(path, ".", {}, unit).items()
        if (spent := {at: line[:2] for at, line in parts.items() if any(line[:2])})
    }
    asked = disassembled.theirs(program, path, ".", unit, tmp_path)
    whole = disassembled.ours(program, path, ".")
    assert disassembled.as_pprof(whole, program, asked) == asked
    # Beneath a function's own lines is not what was inlined into it, nor into wrappers, which the
    # compiler makes and stacks leave out.
    only_own = {name for name, _ in lines} - with_inlined(path)
    for name, (_, costs) in whole.items():
        assert costs is not None
        shown = code.get(name, {})
        assert shown.items() <= costs.items(), name
        assert shown == costs or name not in only_own, name
    assert pages_functions(program, path, ".", tmp_path) <= {shaped(name) for name, _ in lines}


def with_inlined(path: Path) -> set[str]:
    """The functions that others were inlined into where samples are."""
    profile = decode(path.read_bytes())
    found = np.split(profile.lines.function, profile.locations.line_end[:-1])
    holding = {int(functions[-1]) for functions in found if len(functions) > 1}
    return {profile.strings[int(profile.functions.name[row])] for row in holding}
