"""What linters find in a module's source."""

from __future__ import annotations

from gocost.model.metric import Metric
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="lint.performance.issues",
        summary="places in the source that performance linters complain of",
        unit=Unit.COUNT,
        exact=True,
        how=(
            "golangci-lint, where it is installed, over the whole module with its performance "
            "linters (bodyclose, fatcontext, noctx, perfsprint, prealloc) and no configuration "
            "of its own; //nolint comments count"
        ),
        advice="each issue is listed with its file and line; bodyclose and fatcontext are leaks",
    ),
)
"""Facts of a rule that names it are one count; the issues are the table `lint`."""
