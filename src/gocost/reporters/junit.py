"""The findings as JUnit XML: a suite a service, a case a rule.

There is no standard, only the schema that Jenkins and JUnit itself use; this keeps to it. A
violated rule of severity error is a failure, an unknown one an error (the test could not be carried
out), waived and skipped ones are skipped. A violated warning does not block, so its case passes and
says so in its output. There is no time of day in it: the same report gives the same bytes.
"""

from __future__ import annotations

import re
from typing import Final, TextIO
from xml.etree import ElementTree as ET

from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.report import Report
from gocost.reporters import wording
from gocost.reporters.interface import Settings
from gocost.reporters.outline import Outline, outline

# What XML 1.0 has no way to write, beyond what `plain` has made visible already.
_NOT_XML = re.compile("[\ufffe\uffff]")
_SKIPPED: Final = (Outcome.WAIVED, Outcome.SKIPPED)


class JUnitReporter:
    """`testsuites` with counts that CI systems add up."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the XML."""
        content = outline(report, settings)
        suites: dict[str, list[Finding]] = {}
        for finding in report.findings:
            suites.setdefault(finding.subject.service or report.subject.service, []).append(finding)
        root = ET.Element("testsuites", _counts(f"gocost {report.command}", report.findings))
        for service, findings in suites.items() or [("", [])]:
            root.append(_suite(service or f"gocost {report.command}", findings, content))
        ET.indent(root)
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        stream.write(ET.tostring(root, encoding="unicode"))
        stream.write("\n")


def _suite(name: str, findings: list[Finding], content: Outline) -> ET.Element:
    counts = _counts(name, findings)
    counts["skipped"] = str(sum(f.outcome in _SKIPPED for f in findings))
    suite = ET.Element("testsuite", counts)
    for finding in findings:
        suite.append(_case(name, finding, content))
    return suite


def _counts(name: str, findings: list[Finding]) -> dict[str, str]:
    return {
        "name": _safe(name),
        "tests": str(len(findings)),
        "failures": str(sum(map(_fails, findings))),
        "errors": str(sum(f.outcome is Outcome.UNKNOWN for f in findings)),
        "time": "0",
    }


def _case(service: str, finding: Finding, content: Outline) -> ET.Element:
    name = content.name(finding)
    if finding.fact is not None and finding.fact.labels:
        name += f" {wording.labels(finding.fact.labels)}"
    case = ET.Element("testcase", {"classname": _safe(service), "name": _safe(name), "time": "0"})
    message = _safe(finding.message)
    if _fails(finding):
        _outcome(case, "failure", message, finding.severity.value).text = _details(finding)
    elif finding.outcome is Outcome.UNKNOWN:
        reason = _safe(finding.reason or finding.message)
        _outcome(case, "error", reason, "unknown").text = _details(finding)
    elif finding.outcome in _SKIPPED:
        reason = _safe(finding.reason or finding.message)
        # The schema gives `skipped` a text and no attributes.
        ET.SubElement(case, "skipped").text = f"{finding.outcome.value}: {reason}"
    elif finding.outcome is Outcome.VIOLATED:
        ET.SubElement(case, "system-out").text = f"{finding.severity.value}\n{_details(finding)}"
    return case


def _fails(finding: Finding) -> bool:
    return finding.outcome is Outcome.VIOLATED and finding.severity is Severity.ERROR


def _outcome(case: ET.Element, tag: str, message: str, kind: str) -> ET.Element:
    return ET.SubElement(case, tag, {"message": message, "type": kind})


def _details(finding: Finding) -> str:
    lines = [finding.message, finding.reason]
    if finding.money is not None:
        lines.append(f"costs {wording.monthly(finding.money)}")
    if finding.advice:
        lines.append(f"do: {finding.advice}")
    if where := wording.location(finding.location):
        lines.append(f"at: {where}")
    return "\n".join(_safe(part) for line in lines for part in wording.lines(line))


def _safe(text: str) -> str:
    return _NOT_XML.sub("\ufffd", wording.plain(text))
