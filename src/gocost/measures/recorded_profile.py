"""A CPU profile that was recorded of a service, for rules over what is found in it."""

from __future__ import annotations

from gocost.analyses.profile.groups import packages_of
from gocost.analyses.profile.nodes import grouped
from gocost.analyses.profile.view import Options, costs, nodes_in, view
from gocost.measures.interface import Context, Measured, Target
from gocost.measures.profiles import Reading
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Note

SHARE = "cpu.share"
TOTAL = "profile.total"


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """Each package's share of a recorded CPU profile. Raises SourceError and FormatError."""
    context.progress("reading the profile")
    options = Options()
    seen = view(Reading().merged(context.profiles), options)
    nodes = nodes_in(seen, options)
    nodes = grouped(nodes, packages_of([node.name for node in nodes.nodes]))
    found = costs(seen, nodes)
    total = int(found.flat.sum())
    origin = f"profile {', '.join(context.profiles)}"
    kind = {"type": seen.type.type, "unit": seen.type.unit}
    facts = [Fact(TOTAL, total, Unit.COUNT, target.subject, labels=kind, origin=origin)]
    if not total:
        return Measured(facts=facts, unknown={SHARE: "the profile has no samples"})
    facts += [
        Fact(
            SHARE,
            flat / total,
            Unit.RATIO,
            target.subject,
            labels={"package": node.name},
            origin=origin,
            n=seen.profile.samples,
        )
        for node, flat in zip(nodes.nodes, found.flat.tolist(), strict=True)
        if flat
    ]
    return Measured(facts=facts, notes=[Note("warning", text) for text in seen.notes])
