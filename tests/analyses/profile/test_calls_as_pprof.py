"""Calls between nodes, and which of them were inlined, are those that `pprof -tree` prints."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gocost.analyses.profile.tables import calls_of
from gocost.analyses.profile.view import Options, calls, costs, nodes_in, order, view
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.profile import Profile
from tests.analyses.profile.peer import UNITS, arguments_of
from tests.fixtures.profiles import KINDS, recorded, run_pprof, shared
from tests.fixtures.random_profiles import random_options, random_profile

Call = tuple[str, str, bool, int]
"""caller, itself or callee; the other's name; inlined; value."""
_EDGE = re.compile(r" +(-?\d+)\D*? +\S+% \|   (.*?)( \(inline\))?")
_NODE = re.compile(r" *(-?\d+)\D*? +\S+% +\S+% +-?\d+\D*? +\S+% +\| (.*)")
OPTIONS: list[dict[str, Any]] = [
    {},
    {"granularity": "lines"},
    {"granularity": "addresses"},
    {"noinlines": True},
    {"hide": "runtime|encoding/json"},
    {"show": "main|flate"},
    {"focus": "main", "show_from": "serve"},
    {"tagroot": "tenant", "tagleaf": "endpoint"},
]


def ours(profile: Profile, options: dict[str, Any]) -> dict[str, list[Call]]:
    chosen = Options(**options)
    seen = view(profile, chosen)
    nodes = nodes_in(seen, chosen)
    spent = costs(seen, nodes)
    table = calls_of(seen, nodes, spent, calls(seen, nodes), order(nodes, spent))
    found: dict[str, list[Call]] = {}
    for function, role, other, inlined, value, *_ in table.rows:
        call = (str(role), str(other), bool(inlined), int(str(value)))
        found.setdefault(str(function), []).append(call)
    return {name: sorted(parts) for name, parts in found.items()}


def theirs(arguments: Sequence[str], path: Path) -> dict[str, list[Call]]:
    everything = ["-nodefraction=0", "-edgefraction=0", "-nodecount=1000000"]
    return calls_of_pprof([*everything, *arguments], path)


def calls_of_pprof(arguments: Sequence[str], path: Path) -> dict[str, list[Call]]:
    done = run_pprof("-tree", *arguments, path)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[Call]] = {}
    for block in re.split(r"-{20,}\+-+\n", done.stdout)[2:]:
        name, calls_ = "", []
        for line in block.splitlines():
            if (edge := _EDGE.fullmatch(line)) is not None:
                role = "callee" if name else "caller"
                calls_.append((role, edge[2], edge[3] is not None, int(edge[1])))
            else:
                node = _NODE.fullmatch(line)
                assert node is not None, line
                name = node[2]
                calls_.append(("itself", name, False, int(node[1])))
        found.setdefault(name, []).extend(calls_)
    return {name: sorted(parts) for name, parts in found.items() if name}


def compared(path: Path, options: dict[str, Any]) -> int:
    profile = decode(path.read_bytes())
    given = view(profile, Options(**options)).type.unit
    unit = UNITS.get(given, given)
    mine = ours(profile, {**options, "unit": unit})
    asked = theirs([*arguments_of(options), f"-unit={unit}"], path)
    assert mine.keys() == asked.keys()
    for name, parts in mine.items():
        assert parts == asked[name], name
    return sum(len(parts) - 1 for parts in mine.values())


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_real_profiles(options: dict[str, Any]) -> None:
    assert sum(compared(recorded() / f"{kind}.1.pb.gz", options) for kind in KINDS) > 0


@pytest.mark.parametrize("name", ["anon.in.pprof", "avg.in.pprof", "labelframes.in.pprof"])
def test_profiles_of_others(name: str) -> None:
    for options in OPTIONS[:4]:
        assert compared(shared(name), options) > 10


def test_random_profiles(tmp_path: Path) -> None:
    path, found = tmp_path / "a", 0
    for seed in range(150):
        rng = random.Random(seed)
        path.write_bytes(random_profile(rng)[0])
        options = {
            name: value
            for name, value in random_options(rng).items()
            if name in ("granularity", "noinlines", "hide", "show", "prune_from", "tagleaf")
        }
        found += compared(path, options)
    assert found > 500
