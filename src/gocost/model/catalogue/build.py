"""The build family of metrics."""

from __future__ import annotations

from gocost.model.metric import Metric

METRICS: tuple[Metric, ...] = ()
