"""What is too small to be shown: nodes and calls below a share of the total, and all but the first.

As pprof's `-nodefraction`, `-edgefraction`, `-nodecount` and `-drop_negative` (`newTrimmedGraph` in
its `internal/report/report.go`): shares are of the sum of what the nodes cost themselves after the
filters, a node is judged by its cumulative cost, and a call over nodes that are too small is one
between those that are not. Nodes that got less, or cost nothing, are no rows, but where nothing is
too small their calls stay calls.
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
    drop_negative: bool = False
    """Without nodes that cost less than nothing, in a comparison with a base."""

    def __post_init__(self) -> None:
        """Raises UsageError for what is no share."""
        for name, share in (("nodefraction", self.node_fraction),
                            ("edgefraction", self.edge_fraction)):  # fmt: skip
            if not 0 <= share <= 1:
                raise UsageError(f"--{name} {share} is no share", hint="write one from 0 to 1")


NOTHING = Limits()


def there(found: Costs, limits: Limits) -> Bools:
    """The nodes that cost something, and more than nothing where the others are dropped."""
    flat, whole = found.flat_sum, found.cumulative_sum
    some: Bools = (flat != 0) | (whole != 0)
    if limits.drop_negative:
        some &= (flat > 0) | ((flat == 0) & (whole >= 0))
    return some


def kept(nodes: Nodes, found: Costs, limits: Limits, *, cumulative: bool = False) -> list[int]:
    """The nodes that the limits leave, the most expensive first."""
    some = there(found, limits)
    smallest = least(found, some, limits.node_fraction)
    keep = (some & (np.abs(found.cumulative_sum) >= smallest)).tolist()
    rows = [row for row in order(nodes, found, cumulative=cumulative) if keep[row]]
    return rows[: limits.node_count] if limits.node_count else rows


def kept_calls(seen: View, nodes: Nodes, found: Costs, limits: Limits, rows: list[int]) -> Calls:
    """The calls between the nodes that are kept; those over others are residual.

    A call to a node that is no row, which happens where nothing is too small, is never too small.
    """
    some = there(found, limits)
    every = between(seen, nodes, rows) if len(rows) < some.sum() else calls(seen, nodes)
    heavy = np.abs(every.weight) >= least(found, some, limits.edge_fraction)
    return chosen(every, heavy | ~some[every.callee])


def between(seen: View, nodes: Nodes, rows: list[int]) -> Calls:
    """The calls between some nodes; those over others are residual."""
    keep = np.zeros(len(nodes.nodes) + 1, np.bool_)
    keep[rows] = True
    frames = np.where(keep[nodes.frames], nodes.frames, -1).astype(np.int32)
    return calls(seen, replace(nodes, frames=frames))


def chosen(every: Calls, mask: Bools) -> Calls:
    """The calls of a mask."""
    return Calls(
        every.caller[mask],
        every.callee[mask],
        every.weight[mask],
        every.residual[mask],
        every.inlined[mask],
    )


def least(found: Costs, some: Bools, fraction: float) -> int:
    """The least cost of that share of what those nodes cost, cut to a whole number as pprof's."""
    return abs(int(float(int(found.flat_sum[some].sum())) * fraction))
