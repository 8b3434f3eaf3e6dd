"""Traces of a long time: what Go could write is read, and what 64 bits do not hold is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.small_traces import clock_text, tables_text

from gocost.measures.trace import read_trace
from gocost.model.errors import FormatError
from tests.fixtures.forged_traces import BEGUN
from tests.fixtures.trace_text import trace_bytes

TICK = 64
"""Nanoseconds."""
NOBODY = (1 << 64) - 1


def generation(number: int, time: int, events: str) -> str:
    begin = f"EventBatch gen={number} m=7 time={time} size=?\n"
    return f"{begin}{events}{tables_text(number, time)}{clock_text(22, number)}"


def written(folder: Path, *generations: str) -> Path:
    path = folder / "long.trace"
    path.write_bytes(trace_bytes("Trace Go1.22\n" + "".join(generations)))
    return path


def test_many_events_in_a_long_time_are_no_fault(tmp_path: Path) -> None:
    """Five times 1,500 events in two weeks: events times nanoseconds pass 2^62."""
    length, events = 1 << 44, 1_500
    labels = "GoLabel dt=1 label_string=3\n" * (events - 1)
    labels += f"GoLabel dt={length - 2 * events} label_string=3\n"
    path = written(tmp_path, *(
        generation(number, (number - 1) * length + 1, BEGUN + labels) for number in range(1, 6)
    ))  # fmt: skip
    found = read_trace(path)
    assert found.generations == 5
    assert (found.end - found.start) * found.events > 1 << 62
    (group,) = found.groups.values()
    assert sum(group.sums) == pytest.approx(found.end - found.start, abs=10 * TICK)


def silent(folder: Path, count: int) -> Path:
    """Goroutines that wait from the beginning of 36 years to their end, and say nothing more."""
    others = "".join(f"GoStatus dt=1 g={g} m={NOBODY} gstatus=4\n" for g in range(2, count + 2))
    return written(
        folder, generation(1, 1, BEGUN + others), generation(2, (1 << 54) - 9_000, BEGUN)
    )


def test_what_waits_in_silence_counts(tmp_path: Path) -> None:
    found = read_trace(silent(tmp_path, 2))
    assert sum(sum(group.sums) for group in found.groups.values()) > 1 << 61


def test_what_waits_in_silence_for_too_long_is_refused(tmp_path: Path) -> None:
    """Where its sum wrapped: no event adds it."""
    with pytest.raises(FormatError, match="the trace: its times come to more than 64 bits hold"):
        read_trace(silent(tmp_path, 20))
