"""The findings as a GitLab code quality report (a subset of the Code Climate format).

GitLab wants of each issue a description, a check name, a unique fingerprint, a severity of info,
minor, major, critical or blocker, and a relative path with a line.
"""

from __future__ import annotations

from typing import Any, TextIO

from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.report import Report
from gocost.reporters import wording
from gocost.reporters.identity import fingerprints, place
from gocost.reporters.interface import Settings
from gocost.reporters.json import encode
from gocost.reporters.outline import outline

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


class GitLabReporter:
    """A list of issues: what is violated, and what is unknown as `major`."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the list."""
        content = outline(report, settings)
        shown = [*content.violated, *content.unknown]
        issues = [
            _issue(finding, fingerprint, content.name(finding))
            for finding, fingerprint in zip(shown, fingerprints(shown), strict=True)
        ]
        stream.write(encode(issues, indent=2))
        stream.write("\n")


def _issue(finding: Finding, fingerprint: str, name: str) -> dict[str, Any]:
    where = place(finding)
    severity = _SEVERITIES[finding.severity]
    if finding.outcome is Outcome.UNKNOWN and finding.severity is Severity.ERROR:
        severity = "major"
    return {
        "description": _description(finding, name),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": where.path.lstrip("/"), "lines": {"begin": where.line}},
    }


def _description(finding: Finding, name: str) -> str:
    text = finding.message
    if finding.outcome is Outcome.UNKNOWN:
        text = f"{name} is unknown: {finding.reason or finding.message}"
    if finding.subject.service:
        text = f"{finding.subject.service}: {text}"
    if finding.money is not None:
        text += f" (costs {wording.monthly(finding.money)})"
    return wording.plain(text)
