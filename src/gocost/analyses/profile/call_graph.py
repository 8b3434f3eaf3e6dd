"""Which nodes and calls a picture of the call graph has: those that tell most.

As pprof chooses them for its own picture (`newTrimmedGraph` in `internal/report/report.go` and
`internal/graph/graph.go` of github.com/google/pprof). What is below a share of the total goes
first. A node's score then is its cumulative cost times how much its calls branch (the entropy of
what came in and of what went out, where nothing came or went it is 1), plus its own cost, so that a
mere link of a chain goes before a fork. Labels of a node's samples take places too, of which
Graphviz draws up to four. At last a call over left-out nodes goes where another way leads around.
"""

from __future__ import annotations

import functools
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.stacks import frames_of
from gocost.analyses.profile.texts import check_labels
from gocost.analyses.profile.trimming import Limits, between, chosen, least, there
from gocost.analyses.profile.units import label
from gocost.analyses.profile.view import Calls, Costs, View, calls
from gocost.formats.pprof.profile import Int64s, starts_of

_LABELS: Final = 4
"""As many labels of a node take a place each."""
_NUMBERED: Final = "bytes"
"""The only key of numbers whose labels pprof draws."""
_NO_NUMBER: Final = -(1 << 63)
"""What Go makes of a float that is none, as an integer: such a node comes last."""


@dataclass(frozen=True, slots=True)
class CallGraph:
    """Nodes by their score, the highest first, and the calls between them."""

    nodes: list[int]
    calls: Calls
    labels: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """What a node's own samples are labelled with and cost, the most expensive first."""


def call_graph(seen: View, nodes: Nodes, found: Costs, limits: Limits) -> CallGraph:
    """The graph that the limits leave."""
    some = there(found, limits)
    least_node, least_call = (
        least(found, some, share) for share in (limits.node_fraction, limits.edge_fraction)
    )
    rows = np.flatnonzero(some & (np.abs(found.cumulative_sum) >= least_node)).tolist()
    # Where no node is too small, calls of those that are not shown count in the others' scores.
    every = between(seen, nodes, rows) if len(rows) < some.sum() else calls(seen, nodes)
    rows = _by_score(nodes, found, rows, every)
    labels_of = _labels_of_nodes(seen, nodes, least_node)
    if limits.node_count > 0:
        first = _first(rows, limits.node_count, labels_of)
        if len(first) < len(rows):
            every = between(seen, nodes, first)
            rows = _by_score(nodes, found, first, every)
    shown = np.zeros(len(nodes.nodes), np.bool_)
    shown[rows] = True
    heavy = np.abs(every.weight) >= least_call
    every = chosen(every, heavy & shown[every.caller] & shown[every.callee])
    labelled = {node: labels_of(node) for node in rows} if limits.node_count > 0 else {}
    return CallGraph(rows, without_redundant(every, rows, nodes.labels()), labelled)


def _by_score(nodes: Nodes, found: Costs, rows: list[int], every: Calls) -> list[int]:
    count = len(nodes.nodes)
    flat, whole = found.flat_sum.tolist(), found.cumulative_sum.tolist()
    into = _entropies(every.callee, every.weight, np.zeros(count, np.int64))
    out = _entropies(every.caller, every.weight, found.flat_sum)
    labels = nodes.labels()

    def key(node: int) -> tuple[int, str, int]:
        branching = into[node] + out[node]
        scored = _NO_NUMBER if math.isnan(branching) else int(branching * whole[node])
        score = scored + flat[node]
        if scored == _NO_NUMBER and flat[node] < 0:
            score += 1 << 64  # as 64 bits overflow
        # The least integer has no absolute value.
        return (-abs(score) if score != _NO_NUMBER else 1, labels[node], -abs(flat[node]))

    return sorted(rows, key=key)


def _entropies(ends: np.ndarray, weights: Int64s, own: Int64s) -> list[float]:
    """How much the calls at each node branch, with its own cost as one of the ways; 1 without."""
    count = len(own)
    weight = weights.astype(np.float64)
    total = own.astype(np.float64)
    np.add.at(total, ends, np.where(weight > 0, weight, 0.0))
    met = np.zeros(count, np.bool_)
    met[ends] = True
    found = np.zeros(count)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.abs(weight) / total[ends]
        terms = np.where(total[ends] == 0, 0.0, -share * np.log2(share))
        np.add.at(found, ends, terms)
        share = own / total
        found += np.where((own > 0) & (total != 0), -share * np.log2(share), 0.0)
    return np.where(met, found, 1.0).tolist()  # type: ignore[no-any-return]


_LabelsOf = Callable[[int], list[tuple[str, int]]]


def _first(rows: list[int], most: int, labels_of: _LabelsOf) -> list[int]:
    """The first nodes that together with their labels take that many places."""
    used = 0
    for place, node in enumerate(rows, 1):
        used += 1 + len(labels_of(node))
        if used >= most:
            return rows[:place]
    return rows[:most]


def _labels_of_nodes(seen: View, nodes: Nodes, least_cost: int) -> _LabelsOf:
    """Tells a node's labels, as many as are drawn, without what costs too little."""
    profile = seen.profile
    if not len(profile.labels.key):
        return lambda _: []
    labelled = _labels_of_samples(seen)
    frames, ends = frames_of(seen, nodes)
    sample = np.repeat(np.arange(len(ends)), ends - starts_of(ends))
    leaf = np.full(len(ends), -1)
    some = ends > starts_of(ends)
    leaf[some] = frames[starts_of(ends)[some]]
    values = seen.values().tolist()

    @functools.cache
    def labels_of(node: int) -> list[tuple[str, int]]:
        flat: Counter[tuple[str, str]] = Counter()
        whole: Counter[tuple[str, str]] = Counter()
        for row in np.unique(sample[frames == node]).tolist():
            for each in labelled.get(row, ()):
                whole[each] += values[row]
                if leaf[row] == node:
                    flat[each] += values[row]
        told = [
            ("".join(each), cost)
            for each, cost in flat.items()
            if cost and (abs(cost) >= least_cost or abs(whole[each]) >= least_cost)
        ]
        return sorted(told, key=lambda each: (-abs(each[1]), each[0]))[:_LABELS]

    return labels_of


def _labels_of_samples(seen: View) -> dict[int, list[tuple[str, str]]]:
    """What is drawn of each sample's labels: its texts as one, and numbers of bytes beside it."""
    profile = seen.profile
    check_labels(profile)
    labels, strings = profile.labels, profile.strings
    found: dict[int, list[tuple[str, str]]] = {}
    start = 0
    for sample, end in enumerate(profile.label_end.tolist()):
        texts: list[str] = []
        numbers: list[str] = []
        for row in range(start, end):
            key = strings[int(labels.key[row])]
            if labels.text[row]:
                texts.append(f"{key}:{strings[int(labels.text[row])]}")
            elif key == _NUMBERED:
                numbers.append(label(int(labels.number[row]), seen.units.get(key, ""), "minimum"))
        joined = "\n".join(sorted(texts))
        made = [(joined, "")] if joined else []
        if start < end:
            found[sample] = made + [(joined, f" {number}") for number in numbers]
        start = end
    return found


def without_redundant(every: Calls, rows: list[int], labels: list[str]) -> Calls:
    """Without residual calls whose caller leads to the callee by another way, lightest first."""
    kept = np.ones(len(every.weight), np.bool_)
    into: dict[int, dict[int, int]] = {}
    ends = zip(every.caller.tolist(), every.callee.tolist(), strict=True)
    for number, (caller, callee) in enumerate(ends):
        into.setdefault(callee, {})[caller] = number
    weights, residual = every.weight.tolist(), every.residual.tolist()
    for node in reversed(rows):
        callers = into.get(node, {})
        heaviest = sorted(callers, key=lambda other: (-abs(weights[callers[other]]), labels[other]))
        for caller in reversed(heaviest):
            number = callers[caller]
            if not residual[number]:
                break  # a call that is heavier than one that stays would be missed
            if _leads_around(into, caller, node):
                kept[number] = False
                del callers[caller]
    return chosen(every, kept)


def _leads_around(into: dict[int, dict[int, int]], caller: int, callee: int) -> bool:
    """Whether the callee is reached from the caller but for the call between them."""
    met, waiting = {callee}, deque([callee])
    while waiting:
        node = waiting.popleft()
        for other in into.get(node, {}):
            if other in met or (node == callee and other == caller):
                continue
            if other == caller:
                return True
            met.add(other)
            waiting.append(other)
    return False
