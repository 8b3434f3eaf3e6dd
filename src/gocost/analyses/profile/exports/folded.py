"""Folded stacks, as Brendan Gregg's flamegraph.pl and many others take them.

A line a stack: frames from the root to the leaf, joined by `;`, a space, and the value.
"""

from __future__ import annotations

from collections.abc import Iterator

from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.stacks import folded
from gocost.analyses.profile.view import View


def lines(seen: View, nodes: Nodes) -> Iterator[str]:
    """The stacks in the order of their names. A `;` or a line break in a name becomes a space."""
    labels = [_plain(label) for label in nodes.labels()]
    stacks = ((";".join(labels[node] for node in reversed(stack)), value)
              for stack, value in folded(seen, nodes))  # fmt: skip
    for path, value in sorted(stacks):
        yield f"{path} {value}"


def _plain(name: str) -> str:
    return name.replace(";", " ").replace("\n", " ")
