"""Exit codes of judged reports, and measures that do not end."""

from __future__ import annotations

import threading
import time

import pytest

from gocost.gate.deadline import DeadlineError, within
from gocost.gate.measuring import deadline_seconds
from gocost.gate.plan import Step
from gocost.gate.verdict import FailOn, exit_code
from gocost.measures.interface import Target
from gocost.measures.registry import SPECS
from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.report import Report
from gocost.model.service import Load, Run, Service

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def report(*outcomes: tuple[str, Severity]) -> Report:
    findings = [
        Finding("r", "binary.size", Outcome(outcome), severity, "said")
        for outcome, severity in outcomes
    ]
    return Report("check", "0", findings=findings)


@pytest.mark.parametrize(
    ("outcomes", "fail_on", "code"),
    [
        ([], "error", 0),
        ([("pass", ERROR), ("skipped", ERROR), ("waived", ERROR)], "unknown", 0),
        ([("violated", ERROR)], "error", 1),
        ([("violated", WARNING)], "error", 0),
        ([("violated", WARNING)], "warning", 1),
        ([("violated", INFO)], "warning", 0),
        ([("unknown", WARNING)], "error", 3),
        ([("unknown", ERROR)], "warning", 3),
        ([("unknown", ERROR)], "unknown", 1),
        ([("violated", WARNING)], "unknown", 1),
        ([("violated", ERROR), ("unknown", ERROR)], "error", 1),
        ([("violated", WARNING), ("unknown", ERROR)], "error", 3),
    ],
)
def test_exit_codes(outcomes: list[tuple[str, Severity]], fail_on: FailOn, code: int) -> None:
    assert exit_code(report(*outcomes), fail_on) == code


def test_a_measure_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gocost.gate.deadline.GRACE", 0.05)
    ended = []

    def never() -> None:
        try:
            time.sleep(600)
        finally:
            ended.append(True)

    with pytest.raises(DeadlineError, match=r"measure x did not end within 0\.1 s"):  # noqa: SIM117
        with within(0.1, "measure x"):
            never()
    assert ended


def test_nothing_is_left_ticking_and_other_threads_are_trusted() -> None:
    import signal

    with within(100, "x"):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    seen = []

    def elsewhere() -> None:
        with within(0.001, "x"):
            seen.append(True)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen


def test_the_policy_s_own_times_are_added_to_a_portrait_s_deadline(tmp_path: object) -> None:
    spec = next(spec for spec in SPECS if spec.name == "portrait")
    run = Run(ready_within=30, load=Load(command=("x",), duration=60), settle=10)
    from pathlib import Path

    target = Target(Service("a", run=run), Path())
    step = Step(spec, frozenset())
    once = deadline_seconds(step, target, interleaved=False)
    both = deadline_seconds(step, target, interleaved=True)
    assert once == spec.deadline + 100
    assert both == spec.deadline + 2 * spec.rounds * 100
