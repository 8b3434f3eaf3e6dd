"""Findings that have places in code: a lint rule that is broken brings its issues with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gocost.model.finding import Finding, Location, Outcome
from gocost.model.report import Table
from gocost.policy.kinds.registry import KINDS
from gocost.policy.loading import shown

LINTED: Final = "lint.performance.issues"
TABLE: Final = "lint"
MAX_LISTED: Final = 200
"""More issues than this are in the table only."""


def with_places(
    findings: Sequence[Finding], tables: Mapping[str, Table], directory: Path
) -> list[Finding]:
    """The findings, each broken lint limit followed by its issues at their file and line.

    A limit against the base is broken by a difference, and which issues are new is not known: it
    stays alone.
    """
    table = tables.get(TABLE)
    found = []
    for finding in findings:
        found.append(finding)
        broken = finding.outcome in (Outcome.VIOLATED, Outcome.WAIVED)
        absolute = finding.limit is not None and not KINDS[finding.limit.kind].needs_base
        if table is not None and finding.metric == LINTED and broken and absolute:
            found += _issues(finding, table, directory)
    return found


def _issues(finding: Finding, table: Table, directory: Path) -> list[Finding]:
    columns = [table.column(name) for name in ("path", "line", "column", "linter", "text")]
    return [
        msgspec.structs.replace(
            finding,
            message=f"{linter}: {text}",
            location=Location(path=shown(directory / str(path)), line=_int(line), column=_int(at)),
            money=None,
            advice="",
        )
        for path, line, at, linter, text in list(zip(*columns, strict=True))[:MAX_LISTED]
    ]


def _int(cell: object) -> int:
    assert isinstance(cell, int)
    return cell
