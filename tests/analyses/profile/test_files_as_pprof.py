"""`--by file` is a row a file: pprof's `-files` once functions have no first line.

pprof makes a row of file, first line of the function and mapping, and prints the file alone
(`nodeInfo` in `internal/graph/graph.go` takes the first line along where a name is missing, and
`-files` takes all names away). Since Go 1.20 profiles tell first lines, so that its rows are
functions without their names.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gocost.analyses.profile.tables import by_name
from gocost.analyses.profile.view import Options, costs, order, view
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Profile
from tests.analyses.profile.peer import UNITS, Row, theirs
from tests.fixtures.profiles import KINDS, recorded, shared

FILES = [f"{kind}.1.pb.gz" for kind in KINDS]


def rows_of(profile: Profile) -> list[Row]:
    """What `gocost profile top --by file` has."""
    options = Options(granularity="files")
    seen = view(profile, options)
    nodes = by_name(seen, options, "file")
    spent, labels = costs(seen, nodes), nodes.labels()
    return [(labels[i], int(spent.flat[i]), int(spent.cumulative[i])) for i in order(nodes, spent)]


def asked(path: Path, profile: Profile) -> list[Row]:
    """What pprof has."""
    unit = view(profile, Options()).type.unit
    found = theirs([path], ["-files"], UNITS.get(unit, unit))
    assert found is not None
    return found[1]


def settled(rows: list[Row]) -> list[Row]:
    """In one order: pprof sorts equal rows as they come."""
    return sorted(rows, key=lambda row: (-abs(row[1]), row[0], row[2]))


@pytest.mark.parametrize("name", FILES)
def test_without_first_lines_every_row_is_pprofs(name: str, tmp_path: Path) -> None:
    profile = decode((recorded() / name).read_bytes())
    lines = np.zeros_like(profile.functions.start_line)
    without = replace(profile, functions=replace(profile.functions, start_line=lines))
    path = tmp_path / "without.pb.gz"
    path.write_bytes(encode(without))

    rows = rows_of(profile)

    assert rows
    assert settled(rows) == settled(asked(path, without))


@pytest.mark.parametrize("name", FILES)
def test_with_first_lines_pprofs_rows_of_a_file_are_parts_of_ours(name: str) -> None:
    path = recorded() / name
    profile = decode(path.read_bytes())
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in asked(path, profile):
        parts[row[0]].append(row)

    rows = rows_of(profile)

    assert len({row[0] for row in rows}) == len(rows)
    assert {row[0] for row in rows} == set(parts)
    for file, flat, cumulative in rows:
        assert flat == sum(part[1] for part in parts[file])
        # A stack through two functions of a file counts once for the file.
        called = [part[2] for part in parts[file]]
        assert max(called) <= cumulative <= sum(called)
    if name.startswith("cpu"):
        assert any(len(each) > 1 for each in parts.values()), "pprof has one row a file now"


def test_a_profile_of_an_older_go_has_no_first_lines() -> None:
    path = shared("large.cpu.pb.gz")
    profile = decode(path.read_bytes())

    assert settled(rows_of(profile)) == settled(asked(path, profile))
