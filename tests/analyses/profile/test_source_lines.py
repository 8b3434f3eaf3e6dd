"""Costs by source line of profiles that no compiler wrote."""

from __future__ import annotations

from gocost.analyses.expressions import compiled
from gocost.analyses.profile.source_lines import lines_table, routines
from gocost.analyses.profile.view import Options, costs, nodes_in, view
from gocost.formats.pprof.building import built
from gocost.formats.pprof.profile import Header, ValueType


def test_a_line_that_no_file_has_is_told_without_all_those_before_it() -> None:
    far = 1 << 62
    stacks = [[("main.f", "a.go", line)] for line in (2, far)]
    profile = built(Header((ValueType("cpu", "nanoseconds"),)), stacks, [(1,), (2,)])
    options = Options(granularity="lines")
    seen = view(profile, options)
    nodes = nodes_in(seen, options)
    found = routines(nodes, costs(seen, nodes), compiled("the expression", "main.f"))
    table = lines_table(seen, found, lambda _, line: f"// {line}" if line <= 3 else None)
    assert table.column("line") == [1, 2, 3, far]
    assert table.column("flat") == [None, 1, None, 2]
