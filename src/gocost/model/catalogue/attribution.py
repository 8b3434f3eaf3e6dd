"""What a bill shares out: the totals of its accounts."""

from __future__ import annotations

from gocost.model.metric import Metric
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="attribution.cpu",
        summary="CPU time of the process in the window of the CPU profile",
        unit=Unit.NANOSECONDS,
        exact=False,
        how=(
            "what the operating system counted, else the sum of the profile's samples; table `cpu` "
            "shares it out by the samples' stacks"
        ),
        advice="`gocost attribute` shows whose it is, the collector's work included",
    ),
    Metric(
        id="attribution.cores",
        summary="cores that the process kept busy while its CPU profile was recorded",
        unit=Unit.CORES,
        exact=False,
        how="attribution.cpu by the seconds that the profile was recorded for",
        advice="`gocost attribute` shows who uses them",
    ),
    Metric(
        id="attribution.memory",
        summary="memory of the process, on average over the window",
        unit=Unit.BYTES,
        exact=False,
        how=(
            "resident memory, else what the heap profiles have live; table `memory` shares it out "
            "by allocation site and by the creators of goroutines"
        ),
        advice="`gocost attribute` shows whose it is, the headroom of GOGC included",
    ),
    Metric(
        id="attribution.waiting",
        summary="what all goroutines waited, for anything but the end of their work",
        unit=Unit.NANOSECONDS,
        exact=False,
        how="intervals of an execution trace that ended in it, by the stack that waited",
        advice="look at the columns of table `waiting`: locks and the scheduler can be helped",
    ),
    Metric(
        id="attribution.goroutines",
        summary="goroutines at the moment of the dump",
        unit=Unit.COUNT,
        exact=False,
        how="the goroutines of a dump; table `goroutines` has them by whoever created them",
        advice="`gocost goroutines URL` says which of them leak",
    ),
)
