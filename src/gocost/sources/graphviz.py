"""Graphviz's dot as a program: it lays out call graphs."""

from __future__ import annotations

import shutil

from gocost.model.errors import NotMeasurableError, SourceError
from gocost.sources import process

TIMEOUT = 120.0
"""Seconds; a graph of 80 functions takes less than one."""


def svg(graph: str, typed: str) -> str:
    """The graph drawn. `typed` is the command that writes it for a dot elsewhere.

    Raises NotMeasurableError where there is no dot, SourceError where it fails.
    """
    if shutil.which("dot") is None:
        raise NotMeasurableError(
            "there is no `dot` on PATH to draw the graph",
            hint=f"install graphviz, or take the graph to where it is: {typed}",
        )
    done = process.run(["dot", "-Tsvg"], stdin=graph, timeout=TIMEOUT)
    if not done.ok:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise SourceError(f"`dot -Tsvg` failed: {said}", hint="lower --nodecount")
    return done.stdout
