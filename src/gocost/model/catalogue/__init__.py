"""The metric catalogue: every metric gocost knows, written once.

One file a family, holding `METRICS`, a tuple of entries. `gocost explain`, the policy's schema,
the reference pages and the reports' labels are derived from it and never list a metric again.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from gocost.model.errors import UsageError
from gocost.model.metric import Metric

FAMILIES = (
    "binary",
    "build",
    "bench",
    "memory",
    "gc",
    "goroutines",
    "process",
    "latency",
    "cost",
    "lint",
    "cpu",
    "profile",
    "scheduler",
    "attribution",
)


@cache
def all_metrics() -> dict[str, Metric]:
    """Every metric by id, in the catalogue's order, entries with statistics expanded."""
    metrics: dict[str, Metric] = {}
    for family in FAMILIES:
        entries: tuple[Metric, ...] = import_module(f"{__name__}.{family}").METRICS
        for entry in entries:
            for metric in entry.expand():
                if metric.id in metrics:
                    raise ValueError(f"metric {metric.id} is in the catalogue twice")
                metrics[metric.id] = metric
    return metrics


def find_metric(identifier: str) -> Metric:
    """The metric of that id. Raises UsageError with the nearest ids."""
    metrics = all_metrics()
    if identifier in metrics:
        return metrics[identifier]
    near = nearest(identifier, metrics)
    hint = f"did you mean {near}?" if near else "`gocost explain` lists them all"
    raise UsageError(f"there is no metric {identifier!r}", hint=hint)


def nearest(word: str, words: object) -> str:
    """The known word that `word` was probably meant to be, or an empty string."""
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)  # type: ignore[call-overload]
    return str(found[0]) if found else ""
