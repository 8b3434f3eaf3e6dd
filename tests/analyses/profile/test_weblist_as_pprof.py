"""Lines with their machine code beneath have the costs that pprof's `-weblist` shows.

But for three things, in which ours are the costs of pprof's own `-list` and `-disasm`: in recursion
pprof's page counts a line as often as it stands in a stack, a line that calls what was inlined has
its cost in the inlined function's file, and a function that is only ever inlined is not there.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gocost
from gocost.formats.pprof.decoding import decode
from tests.analyses.profile.peer import UNITS
from tests.analyses.profile.test_symbols import run, shaped
from tests.fixtures.profiles import pprof

Listing = dict[tuple[str, str], dict[int | str, tuple[int, int]]]
"""By function and file, the costs of lines (by number) and of instructions (by address)."""
_PART = re.compile(r'<h2>(.*?)</h2><p class="filename">(.*?)</p>\n(.*?)</pre>', re.DOTALL)
_COST = r" *(\.|-?\d+)[a-zA-Z]* +(\.|-?\d+)[a-zA-Z]* "
_LINE = re.compile(r"<span class=line> *(\d+)</span> <span class=\w+>" + _COST)
_INSTRUCTION = re.compile(r"(?:^|<span class=asm>)" + _COST + r" *([0-9a-f]+): ", re.MULTILINE)


def theirs(program: Path, path: Path, expression: str, unit: str, home: Path) -> Listing:
    page = home / "listing.html"
    page.unlink(missing_ok=True)
    subprocess.run(
        [pprof(), f"-weblist={expression}", f"-unit={unit}", f"-output={page}", program, path],
        env={**os.environ, "HOME": str(home), "PPROF_TMPDIR": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found: Listing = {}
    for function, file, body in _PART.findall(page.read_text() if page.exists() else ""):
        costs = found.setdefault((shaped(html.unescape(function)), html.unescape(file)), {})
        for number, flat, whole in _LINE.findall(body):
            _put(costs, int(number), flat, whole)
        for flat, whole, address in _INSTRUCTION.findall(body):
            _put(costs, address, flat, whole)
    return found


def _put(costs: dict[Any, tuple[int, int]], key: int | str, flat: str, whole: str) -> None:
    own, called = (0 if text == "." else int(text) for text in (flat, whole))
    if own or called:
        costs[key] = own, called


def ours(program: Path, path: Path, expression: str) -> Listing:
    report = gocost.profile(str(path), view="weblist", expression=expression, binary=str(program))
    found: Listing = {}
    for function, file, line, address, flat, whole, *_ in report.tables["listing"].rows:
        costs = found.setdefault((shaped(function), str(file)), {})
        if flat or whole:
            key = int(str(line)) if line else str(address)
            costs[key] = int(flat or 0), int(whole or 0)  # type: ignore[arg-type]
    return found


def recursive(path: Path) -> set[str]:
    """The functions that stand in a stack twice."""
    profile = decode(path.read_bytes())
    stacks = np.split(profile.stack, profile.stack_end[:-1])
    lines = np.split(profile.lines.function, profile.locations.line_end[:-1])
    found: set[str] = set()
    for stack in stacks:
        counted = Counter(int(at) for row in stack for at in lines[row])
        found |= {shaped(profile.strings[int(profile.functions.name[at])])
                  for at, times in counted.items() if times > 1}  # fmt: skip
    return found


def own_lines(path: Path) -> defaultdict[str, set[int]]:
    """The lines of each function that stand in stacks."""
    profile = decode(path.read_bytes())
    found: defaultdict[str, set[int]] = defaultdict(set)
    for function, line in zip(
        profile.lines.function.tolist(), profile.lines.line.tolist(), strict=True
    ):
        found[shaped(profile.strings[int(profile.functions.name[function])])].add(line)
    return found


def calling_inlined(path: Path) -> set[tuple[str, int | str]]:
    """The functions and lines that call what was inlined."""
    profile = decode(path.read_bytes())
    ends = profile.locations.line_end[:-1]
    functions = np.split(profile.lines.function, ends)
    numbers = np.split(profile.lines.line, ends)
    return {
        (shaped(profile.strings[int(profile.functions.name[function])]), int(line))
        for names, lines in zip(functions, numbers, strict=True)
        for function, line in zip(names[1:], lines[1:], strict=True)
    }


@pytest.mark.parametrize("build", ["plain", "pie"])
@pytest.mark.parametrize("kind", ["cpu", "heap", "mutex"])
def test_lines_and_instructions_cost_what_pprof_says(build: str, kind: str, tmp_path: Path) -> None:
    program, folder = run(build)
    path = folder / f"{kind}.1.pb.gz"
    unit = gocost.profile(str(path)).facts[0].labels["unit"]
    again, lines, callers = recursive(path), own_lines(path), calling_inlined(path)
    compared = 0
    for expression in (r"^main\.", "json", "mallocgc|Unlock"):
        asked = theirs(program, path, expression, UNITS.get(unit, unit), tmp_path)
        mine = ours(program, path, expression) if asked else {}
        for routine in asked.keys() & mine.keys():
            # Code that was inlined from the same file stands there under lines of its own.
            inlined = {key for key in asked[routine] if isinstance(key, int)} - lines[routine[0]]
            for key, (flat, whole) in asked[routine].items():
                if key in inlined or (inlined and key not in mine[routine]):
                    continue
                own, called = mine[routine][key]
                assert own == flat, (routine, key)
                if called > whole:
                    assert (routine[0], key) in callers, (routine, key)
                else:
                    assert called == whole or routine[0] in again, (routine, key)
            compared += len(asked[routine])
        # What pprof has besides is in files that were inlined from.
        named = {function for function, _ in mine}
        assert {function for function, _ in asked} <= named
    assert compared > 2
