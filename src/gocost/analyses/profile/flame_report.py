"""The flame graph of a profile, as a part of its report."""

from __future__ import annotations

from msgspec import structs

from gocost.analyses.flame import LEAST, SMALL, cut, flame_table
from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.stacks import flame
from gocost.analyses.profile.tables import TOTAL, Priced
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import View
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Note, Report

STACKS = "stacks"
_WITHIN = ("package", "module", "owner", "file")
"""What calls itself so much that only calls between are frames."""


def with_flame(
    report: Report,
    seen: View,
    nodes: Nodes,
    by: str,
    nodefraction: float | None = None,
    money: Priced | None = None,
) -> Report:
    """The report with the table `stacks`, to be drawn as a flame graph, and in money where values
    have a price: now, and of a difference also what changed. Raises UsageError.
    """
    if seen.mean:
        raise UsageError("a flame graph has no means: they do not add up", hint="drop --mean")
    tree, share = cut(
        flame(seen, nodes, merged=by in _WITHIN), LEAST if nodefraction is None else nodefraction
    )
    table = flame_table(
        tree,
        title=f"{seen.type.type} by stack",
        level=by,
        unit=reported(seen.type.unit),
        told=f"{seen.type.type} in {seen.type.unit}",
        sums_to=TOTAL,
        money=money(tree.own.tolist()) if money is not None else None,
        money_delta=money((tree.own - tree.before).tolist()) if money is not None else None,
    )
    notes = list(report.notes)
    if share:
        told = format_quantity(share, Unit.RATIO)
        notes.append(
            Note("info", f"frames below {told} of the total are {SMALL} in the flame graph")
        )
    layout = structs.replace(
        report.layout,
        tables=tuple(report.tables) if report.layout.tables is None else report.layout.tables,
        flames=(STACKS,),
    )
    return structs.replace(
        report, tables={**report.tables, STACKS: table}, notes=notes, layout=layout
    )
