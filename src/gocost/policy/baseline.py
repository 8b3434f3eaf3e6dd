"""What growth is measured against: the facts of a base, and why some of them are not there.

A base is the merge base with a git ref, measured by the gate, or a report saved by an earlier run
(`--save`). A saved report serves across jobs and machines for exact facts only: what was sampled
on another machine, or at another time, is no measure for what is sampled here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gocost.model.catalogue import all_metrics
from gocost.model.errors import UsageError
from gocost.model.fact import Fact

MAX_BYTES: Final = 256 << 20
SAMPLED_ELSEWHERE: Final = (
    "sampled figures of a saved report are not comparable with this run; --base REF measures both"
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The base's facts of one service."""

    name: str
    """As people call it: `origin/main (1a2b3c4)`, `base.json`."""
    facts: Sequence[Fact] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Metrics (`*` stands for any text) that should be there and could not be measured, and why."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Metrics that there is nothing to measure with in the base, and why."""
    commit: str = ""


class _Saved(msgspec.Struct, frozen=True):
    """As much of a saved report as a baseline needs; the rest is skipped unread."""

    schema: str
    command: str = ""
    gocost: str = ""
    facts: list[Fact] = []


def saved(data: bytes, name: str) -> dict[str, Baseline]:
    """The baselines in a saved report, by service. Pure; raises UsageError for another file."""
    try:
        report = msgspec.json.decode(data, type=_Saved)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{name} is not a saved report: {error}",
            hint="make one with `gocost check --save REPORT.json`",
        ) from error
    if report.schema != "gocost.report/1":
        raise UsageError(
            f"{name} is of schema {report.schema!r}, and this gocost reads 'gocost.report/1'",
            hint="make it anew with `gocost check --save REPORT.json`",
        )
    metrics = all_metrics()
    for fact in report.facts:
        metric = metrics.get(fact.metric)
        # A saved report may have been edited.
        if metric is not None and (fact.unit is not metric.unit or not metric.can_be(fact.value)):
            raise UsageError(
                f"{name} says that {fact.metric} is {fact.value!r} {fact.unit.value}, which it "
                "cannot be",
                hint="make it anew with `gocost check --save REPORT.json`",
            )
    sampled = {name: SAMPLED_ELSEWHERE for name, metric in metrics.items() if not metric.exact}
    services = dict.fromkeys(fact.subject.service for fact in report.facts)
    found = {}
    for service in services:
        own = [fact for fact in report.facts if fact.subject.service == service]
        found[service] = Baseline(
            name,
            [fact for fact in own if fact.metric in metrics and metrics[fact.metric].exact],
            skipped=sampled,
            commit=next((fact.subject.commit for fact in own if fact.subject.commit), ""),
        )
    return found
