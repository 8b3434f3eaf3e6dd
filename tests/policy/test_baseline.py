"""Reports saved by one run as the base of another."""

from __future__ import annotations

import msgspec
import pytest

from gocost.model.errors import UsageError
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Report
from gocost.model.subject import Subject
from gocost.policy.baseline import SAMPLED_ELSEWHERE, saved

PAY, LOG = Subject(service="pay", commit="abc"), Subject(service="log")


def document(*facts: Fact) -> bytes:
    return msgspec.json.encode(Report("check", "0.1", facts=list(facts)))


def test_exact_facts_are_taken_by_service_and_sampled_ones_skipped_with_the_reason() -> None:
    found = saved(
        document(
            Fact("binary.size", 5, Unit.BYTES, PAY),
            Fact("memory.rss.peak", 9, Unit.BYTES, PAY),
            Fact("binary.size", 6, Unit.BYTES, LOG),
            Fact("future.metric", 6, Unit.BYTES, LOG),
        ),
        "base.json",
    )
    assert set(found) == {"pay", "log"}
    assert [fact.value for fact in found["pay"].facts] == [5]
    assert found["pay"].commit == "abc"
    assert found["pay"].skipped["memory.rss.peak"] == SAMPLED_ELSEWHERE
    assert [fact.metric for fact in found["log"].facts] == ["binary.size"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a saved report"),
        (b"{", "not a saved report"),
        (b"[" * 100_000, "not a saved report"),
        (b'{"facts": []}', "schema"),
        (b'{"schema": "gocost.report/9"}', "'gocost.report/9'"),
        (b'{"schema": "gocost.report/1", "facts": [{"metric": 3}]}', "not a saved report"),
        (b"\xff\xfe", "not a saved report"),
    ],
)
def test_other_files_are_refused_with_what_makes_one(data: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        saved(data, "base.json")
    assert "--save REPORT.json" in caught.value.hint


@pytest.mark.parametrize(
    "fact",
    [
        Fact("binary.size", "x", Unit.BYTES, PAY),
        Fact("binary.size", True, Unit.BYTES, PAY),
        Fact("binary.size", 5, Unit.SECONDS, PAY),
        Fact("binary.linkage", 5, Unit.TEXT, PAY),
        Fact("binary.cgo", "yes", Unit.BOOLEAN, PAY),
        Fact("binary.size", -5, Unit.BYTES, PAY),
        Fact("binary.linkage", "somehow", Unit.TEXT, PAY),
        Fact("gc.cpu.share", 1.5, Unit.RATIO, PAY),
    ],
)
def test_a_value_that_its_metric_cannot_have_is_refused(fact: Fact) -> None:
    with pytest.raises(UsageError, match=f"base.json says that {fact.metric} is"):
        saved(document(fact), "base.json")
