"""The rows and the total of a profile, as we have them and as `go tool pprof -top` prints them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any

import pytest

from gocost.analyses.profile.merging import merge, subtract
from gocost.analyses.profile.view import Options, costs, nodes_in, order, sample_index, view
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.profile import Profile
from gocost.model.errors import FormatError, UsageError
from tests.fixtures.profiles import run_pprof

Row = tuple[str, int, int]
"""Name, flat, cumulative."""
UNITS = {"nanoseconds": "ns", "bytes": "B", "count": "count", "microseconds": "us"}
_ROW = re.compile(r"\s*(-?\d+)(\D*?)\s+\S+%\s+\S+%\s+(-?\d+)(\D*?)\s+\S+%  (.*)")
_TOTAL = re.compile(r" of (-?\d+)\D* total$", re.MULTILINE)


def compared(
    files: Sequence[Path],
    options: dict[str, Any] | None = None,
    *,
    base: Path | None = None,
    of_base: bool = False,
    normalize: bool = False,
) -> int:
    """How many rows there are, which are the same, in the same order; -1 where both refuse."""
    chosen = options or {}
    extra = []
    if base is not None:
        extra.append(f"-diff_base={base}" if of_base else f"-base={base}")
    if normalize:
        extra.append("-normalize")
    found: tuple[int, list[Row]] | None = None
    refused: Exception | None = None
    unit = "count"
    try:
        profile = merge([decode(file.read_bytes(), origin=str(file)) for file in files])
        if base is not None:
            other = decode(base.read_bytes(), origin=str(base))
            profile = subtract(profile, other, of_base=of_base, normalize=normalize)
        given = profile.header.sample_types[sample_index(profile, chosen.get("sample_index", ""))]
        unit = UNITS.get(given.unit, given.unit)
        found = ours(profile, Options(**chosen, unit=unit))
    except (UsageError, FormatError) as error:
        refused = error
    arguments = [*arguments_of(chosen), *extra]
    asked = theirs(files, arguments, unit)
    what = " ".join([*arguments, *(str(file) for file in files)])
    if found is None or asked is None:
        if asked is not None or found is not None:
            pytest.fail(f"one refuses {what}: pprof: {asked is None}, we: {refused}")
        return -1
    if (told := _difference(found, asked)) is not None:
        pytest.fail(f"{what}: {told}")
    return len(asked[1])


def _difference(ours: tuple[int, list[Row]], theirs: tuple[int, list[Row]]) -> str | None:
    """The first that is not the same."""
    if ours[0] != theirs[0]:
        return f"our total is {ours[0]}, pprof's {theirs[0]}"
    for own, asked in zip_longest(_settled(ours[1]), _settled(theirs[1])):
        if own != asked:
            missing = sorted(set(ours[1]) ^ set(theirs[1]))[:4]
            return f"we have {own}, pprof {asked}; not in both: {missing}"
    return None


def _settled(rows: list[Row]) -> list[Row]:
    """Rows of one name and flat cost, which pprof prints in any order, in one order."""
    parts = groupby(rows, key=lambda row: (row[0], abs(row[1])))
    return [row for _, part in parts for row in sorted(part)]


def ours(profile: Profile, options: Options) -> tuple[int, list[Row]]:
    """The total and the rows."""
    seen = view(profile, options)
    nodes = nodes_in(seen, options)
    spent = costs(seen, nodes)
    labels, flat, whole = nodes.labels(), spent.flat.tolist(), spent.cumulative.tolist()
    rows = [(labels[i], flat[i], whole[i]) for i in order(nodes, spent)]
    return seen.total, rows


def theirs(
    files: Sequence[Path], arguments: Sequence[str], unit: str
) -> tuple[int, list[Row]] | None:
    """The total and the rows; None where pprof refuses."""
    done = run_pprof(
        "-top", "-nodefraction=0", "-edgefraction=0", f"-unit={unit}", *arguments, *files
    )
    if done.returncode:
        assert "panic: " not in done.stderr, done.stderr
        return None
    head, _, body = done.stdout.partition("   cum%\n")
    total = _TOTAL.search(head)
    if total is None:
        pytest.fail(f"pprof prints something else: {done.stdout[:1000]}{done.stderr[:1000]}")
    rows: list[Row] = []
    for line in body.splitlines():
        row = _ROW.fullmatch(line)
        assert row is not None, line
        name = re.sub(r" \((partial-)?inline\)$", "", row[5])
        rows.append((name, int(row[1]), int(row[3])))
    return int(total[1]), rows


def arguments_of(options: dict[str, Any]) -> list[str]:
    """The options as pprof's command line has them."""
    found = []
    for name, value in options.items():
        if name == "granularity":
            found.append(f"-{value}")
        else:
            found.append(f"-{name}" if value is True else f"-{name}={value}")
    return found
