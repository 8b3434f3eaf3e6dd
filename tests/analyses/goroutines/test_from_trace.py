"""What lives at the end of a trace, beside what a dump of the same process says of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gocost.analyses.goroutines.groups import Dumps, group
from gocost.analyses.goroutines.names import entry
from gocost.analyses.goroutines.verdicts import Judged, Verdict, judge
from gocost.formats.goroutine_dump.decoding import decode
from gocost.formats.goroutine_dump.dump import Dump, Form, Traced
from gocost.measures.goroutines import Reading
from tests.analyses.goroutines.dumps import written
from tests.fixtures.dumps import program, recorded

NS = 1_000_000_000


def traced(folder: Path, when: str, toolchain: str = "go") -> tuple[Dump, Dump]:
    """The trace's goroutines and the dump's, of one process."""
    files = recorded(folder, "traced", when, binary=program(toolchain))
    taken = Reading().files([str(folder / "dump.trace")], None)
    return taken.dumps.dumps[0], decode([files["goroutine.debug2"]])


def waiting(found: Dump) -> Counter[tuple[str | None, str, str]]:
    """States, where each began and who created it, of the program's own goroutines that wait."""
    return Counter(
        {
            (
                each.state,
                entry(each.stack),
                each.creator[0].function if each.creator else "",
            ): each.count
            for each in group(Dumps([found]))
            if entry(each.stack).startswith("main.") and each.state != "running"
        }
    )


@pytest.mark.parametrize("toolchain", ["go", "go1.22.12", "go1.25.14"])
def test_a_trace_says_what_a_dump_says(tmp_path: Path, toolchain: str) -> None:
    found, beside = traced(tmp_path, "after", toolchain)
    assert found.form is Form.TRACE
    wanted = waiting(beside)
    # It runs without an end, and a trace has no stack of what never stopped.
    del wanted["runnable", "main.spin", "main.states"]
    # Older dumps do not say of a semaphore whose it is; the stack does.
    for key in [key for key in wanted if key[0] == "semacquire"]:
        wanted["sync.WaitGroup.Wait", key[1], key[2]] = wanted.pop(key)
    assert waiting(found) == wanted


def test_what_waited_before_the_trace_is_told_by_its_stack(tmp_path: Path) -> None:
    found, beside = traced(tmp_path, "before")
    said = {(state, function) for state, function, _ in waiting(beside) if "spin" not in function}
    # Only the moment it blocks tells a nil channel from another.
    said = {((state or "").replace(" (nil chan)", ""), function) for state, function in said}
    seen = {(state, function) for state, function, _ in waiting(found)}
    assert seen >= said
    assert found.traced is not None
    assert not found.traced.arrived[found.id == 1].any()


def leaking(first: int, second: int, went_on: int, seconds: float = 12) -> Judged:
    """The verdict on goroutines that came in the halves of a trace, while so many went on."""
    count = first + second
    base = decode([written(range(10, 10 + count)).encode()])
    waited = np.where(np.arange(count) < first, 0.9, 0.1) * seconds * NS
    made = replace(
        base,
        form=Form.TRACE,
        traced=Traced(
            length_ns=int(seconds * NS),
            waited_ns=waited.astype(np.int64),
            arrived=np.ones(count, np.bool_),
            went_on=np.full(count, went_on),
        ),
    )
    found = Dumps([made])
    return max(judge(found, group(found, older_than=5.0)), key=lambda each: each.group.count)


def test_a_leak_in_one_trace() -> None:
    judged = leaking(20, 25, 0)
    assert judged.verdict is Verdict.PROBABLE
    assert "20 and 25 came and stayed in the halves of a trace of 12 s" in judged.evidence
    assert judged.group.waited == 20, "those of the second half have waited 1.2 s"
    assert judged.group.longest == pytest.approx(10.8)


@pytest.mark.parametrize(
    ("first", "second", "went_on", "seconds"),
    [(20, 25, 20, 12), (7, 25, 0, 12), (25, 7, 0, 12), (20, 25, 0, 9.9)],
    ids=["others go on", "few at first", "few at last", "a short trace"],
)
def test_no_leak_in_one_trace(first: int, second: int, went_on: int, seconds: float) -> None:
    assert leaking(first, second, went_on, seconds).verdict is Verdict.PARKED
