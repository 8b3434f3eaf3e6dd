"""A base that was saved as a report: the facts of one binary, and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gocost._version import VERSION
from gocost.model.errors import FormatError, UsageError
from gocost.model.fact import Fact
from gocost.model.report import Table
from gocost.sources.saved_reports import read_report


class SavedBase(msgspec.Struct, frozen=True):
    """What a report says of one binary."""

    path: Path
    command: str
    """That it is read for."""
    facts: Sequence[Fact]
    tables: Mapping[str, Table]
    """Empty where another command made the report: then they are of other things."""
    notes: Sequence[str]

    def edited(self, fault: FormatError) -> UsageError:
        """The error for figures that the command cannot have written."""
        return UsageError(
            f"{self.path}: {fault.message}", hint=f"it was edited; {_save_one(self.command)}"
        )


def saved_base(path: Path, command: str, metric: str, binary: str) -> SavedBase:
    """The binary of which the report at `path` has the fact `metric`.

    Where there are several (services of a check), the one that is named as `binary`. Raises
    UsageError where there is none, SourceError where the file cannot be read.
    """
    again = _save_one(command)
    report = read_report(path, hint=again)
    services = [
        fact.subject.service for fact in report.facts if fact.metric == metric and not fact.labels
    ]
    if not services:
        raise UsageError(
            f"{path} is a report of `gocost {report.command}`, and has no {metric}", hint=again
        )
    if len(services) > 1 and binary not in services:
        raise UsageError(
            f"{path} has the services {', '.join(services)}, and none is named {binary}",
            hint=f"name the file as its service, or {again}",
        )
    service = binary if binary in services else services[0]
    notes = []
    if report.gocost != VERSION:
        notes.append(
            f"the base was saved by gocost {report.gocost}, which may tell some things otherwise"
        )
    return SavedBase(
        path,
        command,
        [fact for fact in report.facts if fact.subject.service == service],
        report.tables if report.command == command else {},
        notes,
    )


def _save_one(command: str) -> str:
    return f"save one: gocost {command} FILE --format json -o REPORT.json"
