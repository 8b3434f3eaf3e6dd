"""Who spends the CPU, by a recorded profile."""

from __future__ import annotations

from gocost.model.metric import Metric
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="cpu.share",
        summary="share of a service's CPU time that a package spends, its garbage included",
        unit=Unit.RATIO,
        exact=False,
        how=(
            "the samples of a recorded CPU profile (--profile): those whose innermost function "
            "outside of the runtime is the package's, and the collector's work by what the package "
            "allocates where a heap profile is given too; what is nobody's is a package "
            "`(runtime) ...`"
        ),
        advice=(
            "`gocost attribute --profile FILE --by package` has them all, `gocost profile peek` "
            "shows who calls an expensive function"
        ),
        labels=("package",),
    ),
)
