"""What a Go executable weighs, and what it needs where it runs."""

from __future__ import annotations

from gocost.model.metric import Metric, Worse
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="binary.size",
        summary="size of the executable file",
        unit=Unit.BYTES,
        exact=True,
        how="the length of the file that the build wrote",
        advice=(
            "`gocost size --by module` shows where the bytes are; strip with "
            '`-ldflags="-s -w"`, drop modules that are not worth their weight'
        ),
    ),
    Metric(
        id="binary.linkage",
        summary="how the executable is linked",
        unit=Unit.TEXT,
        worse=Worse.NEITHER,
        exact=True,
        values=("static", "static-pie", "dynamic"),
        how="PT_INTERP, DT_NEEDED and version needs in the file, never an environment variable",
        advice="`gocost linkage` says what it needs; build with CGO_ENABLED=0 for a static file",
    ),
)
