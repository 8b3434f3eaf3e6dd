"""SARIF 2.1.0: valid, and honest about what was waived, unknown and passed."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from gocost.model.catalogue import find_metric
from gocost.model.finding import Finding, Location, Outcome, Severity
from gocost.model.report import Report
from tests.reporters.conftest import rendered
from tests.reporters.reports import REPORTS


def run_of(report: Report) -> dict[str, Any]:
    """The one run of the report's SARIF log."""
    run: dict[str, Any] = json.loads(rendered("sarif", report))["runs"][0]
    return run


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_valid_against_the_official_schema(
    name: str, sarif_schema: dict[str, Any]
) -> None:
    log = json.loads(rendered("sarif", REPORTS[name]()))

    jsonschema.Draft7Validator(
        sarif_schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    ).validate(log)


def test_the_schema_would_notice_a_wrong_log(sarif_schema: dict[str, Any]) -> None:
    log = json.loads(rendered("sarif", REPORTS["check"]()))
    log["runs"][0]["results"][0]["level"] = "grave"

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(sarif_schema).validate(log)


def test_results_are_what_was_violated_waived_or_unknown() -> None:
    results = {(r["ruleId"], r["kind"], r["level"]) for r in run_of(REPORTS["check"]())["results"]}

    assert results == {
        ("memory.rss.peak", "fail", "error"),
        ("bench.allocations", "fail", "error"),
        ("pauses", "fail", "warning"),
        ("gc.pause.p99", "open", "none"),
        ("build.trimpath", "fail", "error"),
    }


def test_a_waived_result_is_suppressed_with_its_reason() -> None:
    results = run_of(REPORTS["check"]())["results"]

    suppressed = {r["ruleId"]: r["suppressions"] for r in results if "suppressions" in r}
    assert list(suppressed) == ["build.trimpath"]
    assert suppressed["build.trimpath"][0]["status"] == "accepted"
    assert "checkout" in suppressed["build.trimpath"][0]["justification"]


def test_a_skipped_rule_is_a_notification_and_not_a_problem() -> None:
    run = run_of(REPORTS["check"]())

    notes = run["invocations"][0]["toolExecutionNotifications"]
    about = [note for note in notes if "associatedRule" in note]
    assert [note["associatedRule"]["id"] for note in about] == ["lint.performance.issues"]
    assert "golangci-lint is not installed" in about[0]["message"]["text"]


def test_rules_carry_the_catalogues_help_and_results_point_at_them() -> None:
    run = run_of(REPORTS["check"]())
    rules = run["tool"]["driver"]["rules"]
    metric = find_metric("memory.rss.peak")

    assert metric.advice in rules[0]["help"]["text"]
    assert rules[0]["shortDescription"]["text"] == metric.summary
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_finding_in_code_has_its_region_and_function() -> None:
    results = run_of(REPORTS["check"]())["results"]
    place = next(r for r in results if r["ruleId"] == "bench.allocations")["locations"][0]

    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "internal/settle/settle.go", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 41, "startColumn": 7},
    }
    assert place["logicalLocations"][0]["kind"] == "function"


def test_a_finding_without_any_place_points_at_the_policy() -> None:
    finding = Finding("r", "r", Outcome.VIOLATED, Severity.ERROR, "m")

    (result,) = run_of(Report("check", "0", findings=[finding]))["results"]

    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "gocost.yaml"
    assert physical["region"] == {"startLine": 1}


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("./cmd/pay ments/main.go", "cmd/pay%20ments/main.go"),
        ("cmd\\pay\\main.go", "cmd/pay/main.go"),
        ("/abs/main.go", "file:///abs/main.go"),
        ("C:\\src\\main.go", "file:///C:/src/main.go"),
        ("javascript:alert(1)", "javascript%3Aalert(1)"),
        ("größe#1?.go", "gr%C3%B6%C3%9Fe%231%3F.go"),
    ],
)
def test_a_path_is_a_uri_that_nothing_in_it_can_change(path: str, uri: str) -> None:
    finding = Finding(
        "r", "r", Outcome.VIOLATED, Severity.ERROR, "m", location=Location(path, line=2)
    )

    (result,) = run_of(Report("check", "0", findings=[finding]))["results"]

    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == uri
    assert ("uriBaseId" in artifact) == (not uri.startswith("file:"))


def fingerprint_of(finding: Finding) -> str:
    """The fingerprint of the only result."""
    (result,) = run_of(Report("check", "0", findings=[finding]))["results"]
    return str(result["partialFingerprints"]["gocost/v1"])


def test_a_fingerprint_outlives_another_value_and_another_line() -> None:
    finding = REPORTS["check"]().findings[1]
    assert finding.fact is not None
    moved = msgspec.structs.replace(
        finding,
        message="15 times",
        fact=msgspec.structs.replace(finding.fact, value=15),
        location=msgspec.structs.replace(finding.location, line=99),
    )
    elsewhere = msgspec.structs.replace(
        finding, location=msgspec.structs.replace(finding.location, path="other.go")
    )

    assert fingerprint_of(finding) == fingerprint_of(moved)
    assert fingerprint_of(finding) != fingerprint_of(elsewhere)


def test_no_two_results_share_a_fingerprint() -> None:
    findings = REPORTS["check"]().findings * 3

    results = run_of(Report("check", "0", findings=findings))["results"]

    prints = [result["partialFingerprints"]["gocost/v1"] for result in results]
    assert len(set(prints)) == len(prints) == 15


def test_a_name_cannot_be_a_link_or_a_placeholder_of_a_message() -> None:
    finding = Finding("r", "r", Outcome.VIOLATED, Severity.ERROR, "[x](javascript:y) {0}")

    (result,) = run_of(Report("check", "0", findings=[finding]))["results"]

    assert result["message"]["text"] == "[x] (javascript:y) {{0}}"
