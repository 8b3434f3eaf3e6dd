"""What is too small to be shown: nodes and calls below a share of the total, and all but the first.

As pprof's `-nodefraction`, `-edgefraction` and `-nodecount` (`newTrimmedGraph` in its
`internal/report/report.go`): shares are of the sum of what the nodes cost themselves after the
filters, a node is judged by its cumulative cost, and a call over nodes that are left out is one
between those that are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.view import Calls, Costs, View, calls, order
from gocost.formats.pprof.profile import Bools
from gocost.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """The least that is shown, as shares of the total, and the most nodes; 0 is no limit."""

    node_fraction: float = 0.0
    edge_fraction: float = 0.0
    node_count: int = 0

    def __post_init__(self) -> None:
        """Raises UsageError for what is no share."""
        for name, share in (("nodefraction", self.node_fraction),
                            ("edgefraction", self.edge_fraction)):  # fmt: skip
            if not 0 <= share <= 1:
                raise UsageError(f"--{name} {share} is no share", hint="write one from 0 to 1")


NOTHING = Limits()


def kept(nodes: Nodes, found: Costs, limits: Limits, *, cumulative: bool = False) -> list[int]:
    """The nodes that the limits leave, the most expensive first."""
    smallest = least(found, limits.node_fraction)
    whole = found.cumulative_sum
    rows = order(nodes, found, cumulative=cumulative)
    if smallest:
        rows = [node for node in rows if abs(int(whole[node])) >= smallest]
    return rows[: limits.node_count] if limits.node_count else rows


def kept_calls(seen: View, nodes: Nodes, found: Costs, limits: Limits, rows: list[int]) -> Calls:
    """The calls between the nodes that are kept; those over others are residual."""
    if len(rows) < len(nodes.nodes):
        nodes = only(nodes, rows)
    every = calls(seen, nodes)
    smallest = least(found, limits.edge_fraction)
    return chosen(every, np.abs(every.weight) >= smallest) if smallest else every


def only(nodes: Nodes, rows: list[int]) -> Nodes:
    """The same nodes, with the frames of all others left out."""
    keep = np.zeros(len(nodes.nodes) + 1, np.bool_)
    keep[rows] = True
    frames = np.where(keep[nodes.frames], nodes.frames, -1).astype(np.int32)
    return replace(nodes, frames=frames)


def chosen(every: Calls, mask: Bools) -> Calls:
    """The calls of a mask."""
    return Calls(
        every.caller[mask],
        every.callee[mask],
        every.weight[mask],
        every.residual[mask],
        every.inlined[mask],
    )


def least(found: Costs, fraction: float) -> int:
    """The least cost of that share, cut to a whole number as pprof's."""
    return abs(int(float(int(found.flat_sum.sum())) * fraction))
