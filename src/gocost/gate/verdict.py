"""What a judged report says to the shell."""

from __future__ import annotations

from typing import Final, Literal

from gocost.model.errors import ExitCode
from gocost.model.finding import Outcome, Severity
from gocost.model.report import Report

FailOn = Literal["error", "warning", "unknown"]

_FAILING: Final[dict[str, tuple[Severity, ...]]] = {
    "error": (Severity.ERROR,),
    "warning": (Severity.ERROR, Severity.WARNING),
    "unknown": (Severity.ERROR, Severity.WARNING),
}


def exit_code(report: Report, fail_on: FailOn = "error") -> ExitCode:
    """1 where a rule of enough severity is violated, else 3 where one is unknown, else 0.

    `fail_on="unknown"` is the strictest: warnings fail, and so does what could not be measured.
    """
    failing = _FAILING[fail_on]
    if any(f.outcome is Outcome.VIOLATED and f.severity in failing for f in report.findings):
        return ExitCode.VIOLATED
    if any(f.outcome is Outcome.UNKNOWN for f in report.findings):
        return ExitCode.VIOLATED if fail_on == "unknown" else ExitCode.NOT_MEASURABLE
    return ExitCode.CLEAN
