"""How long the service's clients wait for an answer."""

from __future__ import annotations

from gocost.model.metric import Metric
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="latency",
        summary="time from request to answer, as the load generator saw it",
        unit=Unit.SECONDS,
        exact=False,
        how=(
            "the load generator's own quantiles over all requests of the load, sent at a fixed "
            "rate, so that a slow answer does not hold back the next request; a p99 of fewer "
            "than 100 requests is unknown"
        ),
        advice="compare with gc.pause.max and process.cpu.cores, then take an execution trace",
        statistics=("p50", "p99", "max"),
    ),
)
