"""What a recorded profile adds up to."""

from __future__ import annotations

from gocost.model.metric import Metric
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="profile.total",
        summary="what the samples of a profile add up to, as far as they were looked at",
        unit=Unit.COUNT,
        exact=False,
        how=(
            "the sum of the samples' values of one sample type, after the filters; the labels "
            "`type` and `unit` say what it counts (`cpu` in `nanoseconds`)"
        ),
        advice="`gocost profile top FILE` shows which functions it is made of",
    ),
)
