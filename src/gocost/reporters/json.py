"""The report as JSON: the contract `gocost.report/1`, for programs."""

from __future__ import annotations

from typing import TextIO

import msgspec

from gocost.model.report import Report, contract
from gocost.reporters.interface import Settings


class JsonReporter:
    """Raw numbers in base units, in one line a member so that large reports stay quick to write."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the report's public form; `--top` applies where it was asked for."""
        if settings.top:
            tables = {name: table.top(settings.top) for name, table in report.tables.items()}
            report = msgspec.structs.replace(report, tables=tables)
        stream.write(msgspec.json.encode(contract(report)).decode())
        stream.write("\n")
