"""Graphviz's dot: the call graph of what costs most, for `dot -Tsvg`.

Which nodes and calls are drawn is decided in `call_graph.py`; a call over what was left out is
dashed. The larger the cost, the larger and redder the box, in which a name stands without its
folders and type arguments and in lines, because a graph is as wide as its longest names; the whole
name is its tooltip. What its own samples are labelled with hangs on a node as small boxes.
"""

from __future__ import annotations

from collections.abc import Iterator

from gocost.analyses.profile.call_graph import call_graph
from gocost.analyses.profile.nodes import Node, Nodes
from gocost.analyses.profile.trimming import Limits
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import View, costs
from gocost.analyses.type_arguments import without_types
from gocost.model.quantity import Unit, format_quantity

LIMITS = Limits(node_fraction=0.005, edge_fraction=0.001, node_count=80)
"""pprof's own."""


def lines(seen: View, nodes: Nodes, limits: Limits = LIMITS) -> Iterator[str]:
    """The graph of what the limits leave."""
    found = costs(seen, nodes)
    graph = call_graph(seen, nodes, found, limits)
    edges = graph.calls
    unit = reported(seen.type.unit)
    title = f"{seen.type.type}: {format_quantity(seen.total, unit)}"
    yield 'digraph "profile" {'
    yield '  node [shape=box, style=filled, fillcolor="#f8f8f8", fontname="sans-serif"]'
    yield f"  label={_quoted(title)}; labelloc=t"
    for number in graph.nodes:
        flat, whole = int(found.flat[number]), int(found.cumulative[number])
        node = nodes.nodes[number]
        told = f"{_narrow(node)}\n{format_quantity(flat, unit)}"
        if whole != flat:
            told += f" of {format_quantity(whole, unit)}"
        if seen.total:
            told += f"\n{_share(flat, seen.total)}"
            if whole != flat:
                told += f" of {_share(whole, seen.total)}"
        size = 8 + 40 * (abs(flat) / seen.total) ** 0.5 if seen.total else 8
        yield (
            f"  n{number} [label={_quoted(told)}, tooltip={_quoted(node.label)},"
            f' fontsize={size:.0f}, color="{_color(whole, seen.total)}",'
            f' fillcolor="{_color(flat, seen.total)}22"]'
        )
        for place, (text, cost) in enumerate(graph.labels.get(number, ())):
            told = _quoted(f"{text.strip()}\n{format_quantity(cost, unit)}")
            yield f"  n{number}_{place} [label={told}, fontsize=8, shape=box3d]"
            yield f"  n{number} -> n{number}_{place} [style=dotted, arrowhead=none]"
    rows = zip(
        edges.caller.tolist(),
        edges.callee.tolist(),
        edges.weight.tolist(),
        edges.residual.tolist(),
        strict=True,
    )
    for source, target, weight, residual in sorted(rows, key=lambda row: (-abs(row[2]), row[:2])):
        share = abs(weight) / seen.total if seen.total else 0
        style = ", style=dashed" if residual else ""
        yield (
            f"  n{source} -> n{target} [label={_quoted(' ' + format_quantity(weight, unit))},"
            f" penwidth={1 + 5 * share:.2f}, weight={1 + int(100 * share)},"
            f' color="{_color(weight, seen.total)}"{style}]'
        )
    yield "}"


def _narrow(node: Node) -> str:
    """The node's label in narrow lines."""
    if not node.name:
        return node.label
    before, name, after = node.label.partition(node.name)
    short = without_types(name)
    # Of Go a function is folders, then package, type and name with points between them.
    function = short.rpartition("/")[2]
    package, _, rest = function.partition(".")
    if package and rest and not any(map(str.isspace, short)):
        short = function.replace(".", "\n")
    return "\n".join(filter(None, (before.strip(), short, after.strip())))


def _share(value: int, total: int) -> str:
    return format_quantity(value / total, Unit.RATIO)


def _color(value: int, total: int) -> str:
    """From grey to red with a cost's share, to green with what got less."""
    share = min(1.0, abs(value) / abs(total)) ** 0.5 if total else 0.0
    if value < 0:
        return (
            f"#{int(160 * (1 - share)):02x}{int(160 - 20 * share):02x}{int(160 * (1 - share)):02x}"
        )
    return f"#{int(160 + 50 * share):02x}{int(160 * (1 - share)):02x}{int(160 * (1 - share)):02x}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
