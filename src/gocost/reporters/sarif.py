"""The findings as SARIF 2.1.0 (OASIS), for code scanning.

Violated and waived rules are results (the waived with a suppression), unknown ones are results of
kind `open`: the standard's word for "there was not enough information to decide". What passed is
left out, because consumers show every result as a problem; what was skipped is a notification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TextIO
from urllib.parse import quote

from gocost.model.catalogue import all_metrics
from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Report
from gocost.reporters import wording
from gocost.reporters.identity import fingerprints, place
from gocost.reporters.interface import Settings
from gocost.reporters.json import encode

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_RESULTS: Final = (Outcome.VIOLATED, Outcome.WAIVED, Outcome.UNKNOWN)
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


class SarifReporter:
    """One run of one tool; rules carry the catalogue's help."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the SARIF log; everything in it is about findings and notes."""
        del settings
        stream.write(encode(log(report), indent=2))
        stream.write("\n")


def log(report: Report) -> dict[str, Any]:
    """The SARIF log as plain data."""
    shown = [finding for finding in report.findings if finding.outcome in _RESULTS]
    rules = list(dict.fromkeys(finding.rule for finding in report.findings))
    index = {rule: number for number, rule in enumerate(rules)}
    first = {finding.rule: finding for finding in reversed(report.findings)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "gocost",
                        "semanticVersion": report.gocost,
                        "rules": [_rule(first[rule]) for rule in rules],
                    }
                },
                "automationDetails": {"id": f"gocost/{report.command}/"},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    "SRCROOT": {"description": {"text": "The root of the repository."}}
                },
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": list(_notifications(report, index)),
                    }
                ],
                "results": [
                    _result(finding, index[finding.rule], fingerprint)
                    for finding, fingerprint in zip(shown, fingerprints(shown), strict=True)
                ],
            }
        ],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    metric = all_metrics().get(finding.metric)
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": _message(metric.summary if metric else finding.rule),
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"metric": finding.metric, "tags": ["cost"]},
    }
    if metric is not None:
        rule["fullDescription"] = _message(f"{metric.summary}; measured as {metric.how}")
        rule["help"] = {
            "text": f"{metric.advice}\n\n`gocost explain {metric.id}` says more.",
            "markdown": f"**What to do:** {metric.advice}\n\n**Measured as** {metric.how}.",
        }
        rule["properties"]["unit"] = metric.unit.value
    return rule


def _result(finding: Finding, index: int, fingerprint: str) -> dict[str, Any]:
    unknown = finding.outcome is Outcome.UNKNOWN
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "kind": "open" if unknown else "fail",
        "level": "none" if unknown else _LEVELS[finding.severity],
        "message": _message(_text(finding)),
        "locations": [_location(finding)],
        "partialFingerprints": {"gocost/v1": fingerprint},
        "properties": _properties(finding),
    }
    if finding.outcome is Outcome.WAIVED:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": finding.reason}
        ]
    return result


def _text(finding: Finding) -> str:
    words = [finding.message]
    if finding.subject.service:
        words[0] = f"{finding.subject.service}: {finding.message}"
    if finding.reason:
        words.append(finding.reason)
    if finding.money is not None:
        words.append(f"costs {wording.money(finding.money, Unit.MONEY_PER_MONTH)}")
    if finding.advice:
        words.append(finding.advice)
    return "\n".join(words)


def _message(text: str) -> dict[str, str]:
    """A message string; braces and links have a meaning there that names must not have."""
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", text).replace("](", "] (")}


def _location(finding: Finding) -> dict[str, Any]:
    where = place(finding)
    artifact: dict[str, Any] = {"uri": _uri(where.path)}
    if ":" not in artifact["uri"].partition("/")[0]:
        artifact["uriBaseId"] = "SRCROOT"
    region = {"startLine": where.line}
    if where.column:
        region["startColumn"] = where.column
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": artifact, "region": region}
    }
    logical = [
        {"fullyQualifiedName": name, "kind": kind}
        for name, kind in ((where.function, "function"), (where.module, "module"))
        if name
    ]
    if logical:
        location["logicalLocations"] = logical
    return location


def _uri(path: str) -> str:
    """A relative reference, or `file:` for an absolute path; never a scheme made up by a name."""
    quoted = quote(path.encode("utf-8", "replace"), safe="/@+,=~!$&'()*;")
    if path.startswith("/"):
        return f"file://{quoted}"
    if re.match(r"[A-Za-z]:/", path):
        return f"file:///{path[0]}:{quoted[4:]}"
    return quoted


def _properties(finding: Finding) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "outcome": finding.outcome,
        "metric": finding.metric,
        "subject": finding.subject,
    }
    if finding.fact is not None:
        properties |= {"value": finding.fact.value, "unit": finding.fact.unit}
        properties |= {"labels": finding.fact.labels} if finding.fact.labels else {}
    if finding.base is not None:
        properties["base"] = finding.base.value
    if finding.limit is not None:
        properties["limit"] = finding.limit
    if finding.money is not None:
        properties["money"] = finding.money
    return properties


def _notifications(report: Report, index: dict[str, int]) -> Iterable[dict[str, Any]]:
    for finding in report.findings:
        if finding.outcome is Outcome.SKIPPED:
            service = f"{finding.subject.service}: " if finding.subject.service else ""
            yield {
                "level": "note",
                "message": _message(f"{service}skipped: {finding.reason or finding.message}"),
                "associatedRule": {"id": finding.rule, "index": index[finding.rule]},
            }
    for note in report.notes:
        level = note.level if note.level in ("error", "warning") else "note"
        yield {"level": level, "message": _message(note.text)}
