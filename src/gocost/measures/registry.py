"""The measures that exist, by their light specs. One entry a measure; nothing is imported here."""

from __future__ import annotations

from gocost.measures.interface import Need, Spec

SPECS: tuple[Spec, ...] = (
    Spec(
        name="binary",
        gives=("binary.size", "binary.size.*", "binary.module.*", "binary.package.*"),
        needs=frozenset({Need.BINARY}),
        rank=10,
        deadline=120.0,
        function="gocost.measures.binary:measure",
    ),
)
