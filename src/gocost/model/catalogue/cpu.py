"""Who spends the CPU, by a recorded profile."""

from __future__ import annotations

from gocost.model.metric import Metric
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="cpu.share",
        summary="share of a CPU profile's samples that a package spends in its own functions",
        unit=Unit.RATIO,
        exact=False,
        how=(
            "the samples of a recorded CPU profile (--profile) whose leaf is a function of the "
            "package, of all samples; inlined calls count to the function that was inlined"
        ),
        advice=(
            "`gocost profile top FILE --by package` has them all, `gocost profile peek` shows who "
            "calls an expensive function"
        ),
        labels=("package",),
    ),
)
