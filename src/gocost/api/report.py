"""`gocost.report`: a saved report again, to be printed in another form or read in a notebook."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import msgspec

from gocost.model.report import Report
from gocost.reporters.identity import place
from gocost.sources.saved_reports import read_report


def report(path: str | Path, *, prefix: str = "") -> Report:
    """The report that `--save` or `--format json` wrote to `path`.

    `prefix` is the folder of the repository that the paths in it are relative to: findings then
    point at files from the repository's root, as forges want them. Raises SourceError where the
    file cannot be read and UsageError where it is no report of this gocost.
    """
    found = read_report(Path(path), hint="write one with --save or --format json")
    return _placed(found, prefix)


def _placed(found: Report, prefix: str) -> Report:
    folder = PurePosixPath(prefix.replace("\\", "/"))
    if folder == PurePosixPath("."):
        return found
    findings = []
    for finding in found.findings:
        where = place(finding)
        moved = msgspec.structs.replace(where, path=str(folder / where.path))
        findings.append(msgspec.structs.replace(finding, location=moved))
    return msgspec.structs.replace(found, findings=findings)
