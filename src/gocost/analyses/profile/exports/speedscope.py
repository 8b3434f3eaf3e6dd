"""speedscope's own format: one sampled profile.

Specified in https://www.speedscope.app/file-format-schema.json.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gocost._version import VERSION
from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.stacks import folded
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import View
from gocost.model.quantity import Unit

_UNITS = {Unit.NANOSECONDS: "nanoseconds", Unit.BYTES: "bytes"}


def lines(seen: View, nodes: Nodes) -> Iterator[str]:
    """The file, on one line. Stacks of less than nothing (of a difference) are left out: the format
    has no place for them.
    """
    samples: list[list[int]] = []
    weights: list[int] = []
    for stack, value in folded(seen, nodes):
        if value > 0:
            samples.append(stack[::-1])
            weights.append(value)
    name = f"{seen.type.type} of {seen.profile.origin}" if seen.profile.origin else seen.type.type
    document = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": f"gocost {VERSION}",
        "name": name,
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(node.name or node.label, node.file) for node in nodes.nodes]},
        "profiles": [
            {
                "type": "sampled",
                "name": seen.type.type,
                "unit": _UNITS.get(reported(seen.type.unit), "none"),
                "startValue": 0,
                "endValue": sum(weights),
                "samples": samples,
                "weights": weights,
            }
        ],
    }
    yield msgspec.json.encode(document).decode()


def _frame(name: str, file: str) -> dict[str, str]:
    return {"name": name, "file": file} if file else {"name": name}
