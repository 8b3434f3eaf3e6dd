"""Times of made-up traces that add up to more than 64 bits: both forms of the kernel refuse."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gocost.formats.exectrace import ordered
from tests.fixtures.trace_text import trace_bytes
from tests.kernels.conftest import compiled, interpreted
from tests.kernels.test_trace_programs import outcome

NOBODY = (1 << 64) - 1
CLOCK = f"EventBatch gen=1 m={NOBODY} time=0 size=?\nFrequency freq=15625000\n"
FAR = (1 << 54) - 1000
"""Ticks of 64 ns: just below the latest time that there is."""


def batch(thread: int, time: int, lines: Sequence[str]) -> str:
    return f"EventBatch gen=1 m={thread} time={time} size=?\n" + "".join(f"{x}\n" for x in lines)


def many(later: int) -> str:
    """Twenty goroutines that wait for so long, side by side."""
    lines = ["ProcStatus dt=1 p=0 pstatus=1"]
    lines += [f"GoStatus dt=1 g={g} m={NOBODY} gstatus=4" for g in range(1, 21)]
    lines += [f"GoUnblock dt={later if g == 1 else 1} g={g} g_seq=1 stack=0" for g in range(1, 21)]
    return batch(1, 0, lines)


def to_and_fro(later: int) -> str:
    """One goroutine that a thread of a later clock wakes up, and one of an earlier clock runs."""
    runs = [f"GoStart dt=1 g=1 g_seq={2 * i + 2}\nGoBlock dt=1 reason_string=0 stack=0"
            for i in range(20)]  # fmt: skip
    wakes = [f"GoUnblock dt=1 g=1 g_seq={2 * i + 1} stack=0" for i in range(20)]
    begin = ["ProcStatus dt=1 p=0 pstatus=1", f"GoStatus dt=1 g=1 m={NOBODY} gstatus=4"]
    return batch(1, 0, [*begin, *runs]) + batch(2, later, ["ProcStatus dt=1 p=1 pstatus=1", *wakes])


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("made", [many, to_and_fro])
def test_sums_beyond_64_bits_are_refused_by_both_forms(
    made: object, first: bool, recording: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered, "_multiplier", lambda: 0x5DEECE66D1CE4E5B)
    assert callable(made)
    for later, refused in ((FAR, True), (1_000_000_000, False)):
        data = trace_bytes("Trace Go1.23\n" + made(later) + CLOCK)
        for form in (compiled("trace_run"), interpreted("trace_run")):
            found = outcome(data, form, monkeypatch, first=first, clip=None, recording=recording)
            if refused:
                assert found == (
                    "generation 1: its times come to more than 64 bits hold; record the trace "
                    "again, or see whether `go tool trace` reads it"
                )
            else:
                assert isinstance(found, list)
