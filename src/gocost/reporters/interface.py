"""What a reporter is."""

from __future__ import annotations

from typing import Protocol, TextIO

import msgspec

from gocost.model.report import Report


class Settings(msgspec.Struct, frozen=True):
    """What a reporter may know about where its output goes."""

    width: int = 80
    color: bool = False
    top: int | None = None
    """Rows of a table before the row for the rest: None is the reporter's own choice, 0 is all."""


class Reporter(Protocol):
    """Writes a report in one format. Output is stable: the same report, the same bytes."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write `report` to `stream`."""
