"""The call graph that is drawn has the nodes and the calls of the one that pprof draws."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from gocost.analyses.profile import call_graph
from gocost.analyses.profile.view import Calls
from gocost.api.profile_forms import profile_forms
from tests.analyses.profile.test_trimming_as_pprof import arguments, files, unit_of
from tests.fixtures.profiles import KINDS, recorded, run_pprof

Graph = tuple[list[str], list[tuple[str, str, bool]]]
"""Names of nodes; calls with whether they go over others. Both sorted."""
Edges = frozenset[tuple[str, str, bool]]
Ends = tuple[int, int]
Ways = frozenset[Ends]
LIMITS: list[dict[str, Any]] = [
    {},
    {"nodecount": 10},
    {"nodecount": 25, "edgefraction": 0.02},
    {"nodefraction": 0.02, "edgefraction": 0.01, "nodecount": 1_000_000},
    {"nodefraction": 0.0, "edgefraction": 0.0, "nodecount": 15},
    {"nodecount": 12, "focus": "json"},
    {"nodecount": 12, "hide": "runtime"},
    {"nodecount": 20, "by": "line"},
]
_NAMES = re.compile(r'^N(\d+) \[.*?tooltip="(.*?) \(-?[0-9.]+\S*\)"', re.MULTILINE)
_CALLS = re.compile(r"^N(\d+) -> N(\d+) \[(.*)\]$", re.MULTILINE)


def pprofs(options: dict[str, Any], path: Path, *more: str) -> Graph:
    done = run_pprof("-dot", f"-unit={unit_of(path)}", *arguments(options), *more, path)
    names = {number: html.unescape(name) for number, name in _NAMES.findall(done.stdout)}
    calls = [
        (names[caller], names[callee], "style=" in told and "dotted" in told)
        for caller, callee, told in _CALLS.findall(done.stdout)
        if "0" not in (caller, callee)  # a node that is not drawn, such as one that costs nothing
    ]
    return sorted(names.values()), sorted(calls)


def ours(options: dict[str, Any], path: Path) -> Graph:
    text = "\n".join(profile_forms(str(path), form="dot", **options))
    names = dict(re.findall(r'^  (n\d+) \[label=.*? tooltip="(.*?)"', text, re.MULTILINE))
    calls = [
        (names[caller], names[callee], "style=dashed" in told)
        for caller, callee, told in re.findall(r"^  (n\d+) -> (n\d+) \[(.*)\]$", text, re.MULTILINE)
    ]
    return sorted(names.values()), sorted(calls)


@pytest.mark.parametrize("options", LIMITS, ids=str)
def test_nodes_and_calls(options: dict[str, Any]) -> None:
    cut = 0
    for path in files():
        nodes, calls = pprofs(options, path)

        mine = ours(options, path)

        assert mine[0] == nodes, path
        assert mine[1] == calls, path
        cut += any(over for *_, over in calls)
    assert cut or "nodecount" not in options or options["nodecount"] > 100


@pytest.mark.parametrize("kind", KINDS)
def test_differences(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    base, head = (recorded() / f"{kind}.{number}.pb.gz" for number in (0, 1))
    found: list[set[Edges]] = []

    def seen(every: Calls, rows: list[int], labels: list[str]) -> Calls:
        found.append(answers(every, rows, labels))
        return leave_out(every, rows, labels)

    leave_out = call_graph.without_redundant
    monkeypatch.setattr(call_graph, "without_redundant", seen)
    for more in ({}, {"drop_negative": True}):
        options = {"nodecount": 12, **more}

        mine = ours({**options, "base": [str(base)]}, head)

        asked, allowed = pprofs(options, head, f"-base={base}"), found.pop()
        assert mine[0] == asked[0], more
        assert frozenset(mine[1]) in allowed, more
        assert frozenset(asked[1]) in allowed, more


def answers(every: Calls, rows: list[int], labels: list[str]) -> set[Edges]:
    """The calls that pprof may leave, node by node from the last, and by weight from the least.

    Of two calls of a node whose weights differ by their sign alone its sort says that neither comes
    first, so that the order of a Go map decides which of them is looked at and left out.
    """
    ends = list(zip(every.caller.tolist(), every.callee.tolist(), strict=True))
    weights = dict(zip(ends, every.weight.tolist(), strict=True))
    residual = {call for call, over in zip(ends, every.residual.tolist(), strict=True) if over}
    found: set[Ways] = {frozenset(ends)}
    for node in reversed(rows):
        into = [call for call in ends if call[1] == node]
        ties: list[list[Ends]] = []
        for size in sorted({abs(weights[call]) for call in into}):
            tie = [call for call in into if abs(weights[call]) == size]
            if len({weights[call] for call in tie}) > 1:
                ties.append(tie)
            else:
                by_name = sorted(tie, key=lambda call: labels[call[0]], reverse=True)
                ties += [[call] for call in by_name]
        found = {left for graph in found for left in cut(graph, ties, residual)}
    return {
        frozenset((labels[a], labels[b], (a, b) in residual) for a, b in graph) for graph in found
    }


def cut(graph: Ways, ties: list[list[Ends]], residual: set[Ends]) -> set[Ways]:
    """What may be left of calls of which those of a tie are looked at in any order.

    A call goes where another way leads around it; the first that goes over nothing ends it.
    """
    if not ties:
        return {graph}
    found: set[Ways] = set()
    waiting = {(graph, frozenset(ties[0]))}
    while waiting:
        left, tie = waiting.pop()
        for call in tie:
            if call not in residual:
                found.add(left)
                continue
            fewer = left - {call} if leads_around(left, call) else left
            if len(tie) > 1:
                waiting.add((fewer, tie - {call}))
            else:
                found |= cut(fewer, ties[1:], residual)
    return found


def leads_around(graph: Ways, call: Ends) -> bool:
    """Whether there is another way from the caller to the callee."""
    met = {call[0]}
    while True:
        further = {b for a, b in graph if a in met and (a, b) != call} - met
        if not further:
            return call[1] in met
        met |= further
