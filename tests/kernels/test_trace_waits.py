"""Threads that wait for each other: each is tried again when what it waits for has changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fuzz.small_traces import clock_text, tables_text

from gocost.formats.exectrace import ordered
from gocost.kernels import trace_fields as fields
from gocost.model.errors import FormatError
from tests.fixtures.trace_text import trace_bytes
from tests.kernels.conftest import LoadKernel
from tests.kernels.test_trace import carried, with_kernels

THREADS = 256


def _trace(threads: list[str]) -> bytes:
    text = "Trace Go1.23\n"
    for place, events in enumerate(threads):
        text += f"EventBatch gen=1 m={_m(place)} time=5 size=?\n{events}"
    return trace_bytes(text + tables_text(1, 5) + clock_text(23, 1))


def _m(place: int) -> int:
    """The id of a thread: those of lower ids are tried first, and here wait longest."""
    return 100_000 - place


def _at_a_proc(place: int, threads: int) -> str:
    """One P, which is handed on twice, as by goroutines that are locked to their threads."""
    text = "ProcStatus dt=1 p=0 pstatus=2\n" if place == 0 else ""
    for lap in range(2):
        text += f"ProcStart dt=1 p=0 p_seq={lap * threads + place + 1}\nProcStop dt=1\n"
    return text


def _at_a_goroutine(place: int, threads: int) -> str:
    """One goroutine, which each thread unblocks, runs on its own P and blocks."""
    text = f"ProcStatus dt=1 p={place} pstatus=1\n"
    text += "GoStatus dt=1 g=1 m=18446744073709551615 gstatus=4\n" if place == 0 else ""
    for lap in range(2):
        number = 2 * (lap * threads + place)
        text += f"GoUnblock dt=1 g=1 g_seq={number + 1} stack=0\nGoStart dt=1 g=1"
        text += f" g_seq={number + 2}\nGoBlock dt=1 reason_string=1 stack=2\n"
    return text


def _at_a_switch(place: int, threads: int) -> str:
    """One goroutine, which each thread's own goroutine switches to and back from."""
    text = f"ProcStatus dt=1 p={place} pstatus=1\nGoStatus dt=1 g={place + 2} m={_m(place)} "
    text += "gstatus=2\n"
    text += "GoStatus dt=1 g=1 m=18446744073709551615 gstatus=4\n" if place == 0 else ""
    for lap in range(2):
        text += f"GoSwitch dt=1 g=1 g_seq={lap * threads + place + 1}\n"
        text += f"GoSwitch dt=1 g={place + 2} g_seq={lap + 1}\n"
    return text


def _at_the_collector(place: int, threads: int) -> str:
    """Collections, each of the next thread."""
    text = f"ProcStatus dt=1 p={place} pstatus=1\n"
    text += f"GoStatus dt=1 g={place + 1} m={_m(place)} gstatus=2\n"
    for lap in range(2):
        number = 2 * (lap * threads + place)
        text += f"GCBegin dt=1 gc_seq={number + 1} stack=2\nGCEnd dt=1 gc_seq={number + 2}\n"
    return text


def _at_a_theft(place: int, threads: int) -> str:
    """System calls that end without a P when the thread before has stolen it."""
    text = f"ProcStatus dt=1 p={place} pstatus=1\n"
    text += f"GoStatus dt=1 g={place + 1} m={_m(place)} gstatus=2\n"
    text += "GoSyscallBegin dt=1 p_seq=1 stack=1\nGoSyscallEndBlocked dt=1\n" if place else ""
    if place + 1 < threads:
        text += f"ProcSteal dt=1 p={place + 1} p_seq=2 m={_m(place + 1)}\n"
    return text


def _at_a_status(place: int, threads: int) -> str:
    """System calls of goroutines that the thread before names."""
    text = "GoSyscallEndBlocked dt=1\n" if place else ""
    if place + 1 < threads:
        text += f"GoStatus dt=1 g={place + 1} m={_m(place + 1)} gstatus=3\n"
    return text


def _at_a_goroutine_of_before(place: int, threads: int) -> str:
    """Goroutines that block when their thread goes on, and that the next one unblocks."""
    text = f"ProcStatus dt=1 p={place} pstatus=1\n"
    text += f"GoStatus dt=1 g={place + 1} m={_m(place)} gstatus=2\n"
    text += f"GoUnblock dt=1 g={place} g_seq=1 stack=0\n" if place else ""
    return text + "GoBlock dt=1 reason_string=1 stack=2\n"


def _at_a_proc_of_before(place: int, threads: int) -> str:
    """Ps in system calls that begin when their thread goes on, and that the next one steals."""
    text = f"ProcStatus dt=1 p={place} pstatus=1\n"
    text += f"GoStatus dt=1 g={place + 1} m={_m(place)} gstatus=2\n"
    text += f"ProcSteal dt=1 p={place - 1} p_seq=2 m={_m(place - 1)}\n" if place else ""
    return text + "GoSyscallBegin dt=1 p_seq=1 stack=1\n"


@pytest.mark.parametrize(
    "events",
    [
        _at_a_proc,
        _at_a_goroutine,
        _at_a_switch,
        _at_the_collector,
        _at_a_theft,
        _at_a_status,
        _at_a_goroutine_of_before,
        _at_a_proc_of_before,
    ],
)
def test_who_waits_is_found_by_what_it_waits_for(
    events: Callable[[int, int], str], kernel: LoadKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_kernels(monkeypatch, kernel)
    # Given threads each of which goes on when the one before it has, the last one tried first:
    # all together they would be tried again for each event or two,
    threads = [events(place, THREADS) for place in range(THREADS)]

    # when they are put in order,
    (found,) = carried(_trace(threads))

    # then all that they did is done, and they were not all tried again for each other.
    assert found.events == "".join(threads).count("\n")
    assert found.parks < 32 * THREADS


def test_as_many_locked_threads_as_go_has() -> None:
    threads = [_at_a_proc(place, 10_000) for place in range(10_000)]
    (found,) = carried(_trace(threads))
    assert found.events == 40_001
    assert found.parks < 2 * found.events


def _in_vain(waiting: int, rounds: int) -> bytes:
    """Threads that wait for a P that two others keep on changing, but not to what they wait for."""
    first = "ProcStatus dt=1 p=0 pstatus=3\n"
    other = "ProcStatus dt=1 p=1 pstatus=1\nGoStatus dt=1 g=5 m=18446744073709551615 gstatus=4\n"
    for number in range(rounds):
        first += f"GoUnblock dt=1 g=5 g_seq={2 * number + 1} stack=0\n"
        other += f"GoStart dt=1 g=5 g_seq={2 * number + 2}\nGoBlock dt=1 reason_string=1 stack=2\n"
    return _trace([first, other, *["ProcStart dt=1 p=0 p_seq=1\n"] * waiting])


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        (8, "the events cannot be put in order"),
        (600, "its threads wait for each other over 64 times an event"),
    ],
)
def test_threads_that_wait_for_each_other_without_measure_are_refused(
    waiting: int, told: str, kernel: LoadKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_kernels(monkeypatch, kernel)
    with pytest.raises(FormatError, match=told):
        carried(_in_vain(waiting, 300))


def test_the_few_that_wait_mostly_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[ordered._Run] = []
    carry_out = ordered._Run.carry_out

    def kept(run: ordered._Run) -> None:
        runs.append(run)
        carry_out(run)

    monkeypatch.setattr(ordered._Run, "carry_out", kept)
    carried(_trace([_at_a_proc(place, 3) for place in range(3)]))
    carried(_trace([_at_a_proc(place, 64) for place in range(64)]))
    assert [int(run._scalars[fields.S_WAKING]) for run in runs] == [0, 1]
