"""What the gate's tests build: needs Go, git and the real measures."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from gocost.gate.check import Request, check
from gocost.model.finding import Finding
from gocost.model.report import Report
from gocost.policy.loading import load
from gocost.sources.go_command import MISSING

TODAY = date(2026, 11, 23)
needs_go = pytest.mark.skipif(
    shutil.which("go") is None or shutil.which("git") is None,
    reason=f"no go or no git on PATH: {MISSING}; install git",
)


def checked(folder: Path, base: str | None = None, *, rebuild: bool = False) -> Report:
    """The report of a check of the policy in `folder`."""
    return check(Request(load(folder / "gocost.yaml"), base=base, today=TODAY, rebuild=rebuild))


def finding(report: Report, rule: str, kind: str | None = None) -> Finding:
    """The one finding of a rule (and kind of limit)."""
    (found,) = [
        each
        for each in report.findings
        if each.rule == rule and (kind is None or (each.limit and each.limit.kind == kind))
    ]
    return found
