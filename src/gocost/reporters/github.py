"""The findings as GitHub workflow commands: annotations on the lines of a pull request.

A command is `::error file=F,line=L,col=C,title=T::message`. In the message `%`, CR and LF are
escaped, in the properties `:` and `,` too (actions/toolkit, core/src/command.ts), so that no name
ends a command and begins another. GitHub shows ten of each level a step: the gravest come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TextIO

from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.report import Report
from gocost.reporters import wording
from gocost.reporters.identity import place
from gocost.reporters.interface import Settings
from gocost.reporters.outline import Outline, headline, outline, told_once

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class GitHubReporter:
    """One command a finding that is violated or unknown, and the headline for the log."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the commands."""
        content = outline(report, settings)
        for findings in told_once([*content.violated, *content.unknown]):
            stream.write(_command(findings, content))
        for note in report.notes:
            if note.level in ("warning", "error"):
                said = _data("\n".join(wording.lines(note.text)))
                stream.write(f"::{note.level} title=gocost::{said}\n")
        stream.write(f"{headline(content)}\n")


def _command(findings: Sequence[Finding], content: Outline) -> str:
    """The annotation of one finding, or of several that have one reason, at the first; a line."""
    finding, *others = findings
    where = place(finding)
    level = _LEVELS[finding.severity]
    if finding.outcome is Outcome.UNKNOWN:
        level = "notice" if finding.severity is Severity.INFO else "warning"
    properties = {"file": where.path, "line": str(where.line)}
    if where.column:
        properties["col"] = str(where.column)
    service = f" ({finding.subject.service})" if finding.subject.service else ""
    more = f" and {len(others)} more" if others else ""
    properties["title"] = f"gocost: {content.name(finding)}{more}{service}"
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {written}::{_data(_message(finding))}\n"


def _message(finding: Finding) -> str:
    lines = [finding.message]
    if finding.outcome is Outcome.UNKNOWN:
        lines = [f"unknown: {finding.reason or finding.message}"]
    if finding.money is not None:
        lines.append(f"costs {wording.monthly(finding.money)}")
    if finding.advice:
        lines.append(finding.advice)
    return "\n".join(part for line in lines for part in wording.lines(line))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(wording.plain(text)).replace(":", "%3A").replace(",", "%2C")
