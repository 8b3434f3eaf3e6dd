"""Formats by name, batches, generations; what is cut off or mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.formats.exectrace.index import HEADER, read_format, read_index
from gocost.formats.exectrace.ordered import Window, carry_out
from gocost.model.errors import FormatError
from tests.fixtures.trace_text import trace_bytes

SHARED = Path(__file__).parents[4] / "shared" / "data" / "traces"
CLOCK = "EventBatch gen={0} m=18446744073709551615 time=0 size=5\nFrequency freq=15625000\n"
ONE = "Trace Go1.22\nEventBatch gen=1 m=7 time=5 size=4\nProcStatus dt=1 p=1 pstatus=1\n"


def reading(data: bytes):  # type: ignore[no-untyped-def]
    def read_into(buffer: memoryview, offset: int) -> int:
        part = data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    return read_into


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"go 1.19 trace\0\0\0", "Go 1.21 and older"),
        (b"go 1.21 trace\0\0\0", "Go 1.21 and older"),
        (b"go 1.99 trace\0\0\0", "does not know"),
        (b"", "empty"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0\0\0\0\0\0\0", "gzip of nothing that gocost reads"),
        (b"\x7fELF\2\1\1\0\0\0\0\0\0\0\0\0", "executable"),
        (b"goroutine 1 [run", "dump"),
        (b"PNG not a trace.", "runtime/trace"),
    ],
)
def test_refused_by_name(head: bytes, told: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_format(head)
    assert told in str(caught.value)


@pytest.mark.parametrize("folder", ["1.19", "1.21"])
def test_old_traces_are_refused(folder: str) -> None:
    if not SHARED.exists():
        pytest.skip("needs ../shared/data beside the checkout")
    for path in (SHARED / folder).iterdir():
        with pytest.raises(FormatError, match=r"format 1\.(19|21)"):
            read_format(path.read_bytes()[:HEADER])


def test_batches_by_generation() -> None:
    data = trace_bytes(ONE + CLOCK.format(1) + CLOCK.format(2))
    index = read_index(reading(data), len(data), 22)
    assert [(g.number, g.batches.shape[1]) for g in index.generations] == [(1, 2), (2, 1)]
    assert index.lost == ""


def test_generations_that_are_mixed_are_refused() -> None:
    data = trace_bytes(ONE + CLOCK.format(3))
    with pytest.raises(FormatError, match="generation 3 starts within 1"):
        read_index(reading(data), len(data), 22)


@pytest.mark.parametrize("missing", [1, 3, 5])
def test_a_cut_batch_is_said_to_be_lost(missing: int) -> None:
    data = trace_bytes(ONE + CLOCK.format(1) + CLOCK.format(2))[:-missing]
    index = read_index(reading(data), len(data), 22)
    assert [g.number for g in index.generations] == [1]
    assert index.lost == "the trace is cut off: generation 2 is lost"


def test_a_header_that_the_file_ends_within_is_cut_off_and_another_byte_is_damage() -> None:
    first = trace_bytes(ONE)
    both = trace_bytes(ONE + CLOCK.format(1))
    for end in range(len(first) + 1, len(both)):
        lost = read_index(reading(both[:end]), end, 22).lost
        assert lost == "the trace is cut off: generation 1 is lost", f"{end} of {len(both)} bytes"
    for wrong in (b"w", b"\1\1\1\1\xff\xff\xff\x7f", b"\1" + 11 * b"\xff"):
        lost = read_index(reading(first + wrong), len(first) + len(wrong), 22).lost
        assert lost.startswith(f"the trace is damaged at byte {len(first)}"), wrong


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ProcStatus dt=1 p=1 pstatus=9", "a status that is not known"),
        ("GoCreate dt=1 new_g=5 new_stack=0 stack=0", "expected a proc"),
        ("GoStart dt=1 g=5 g_seq=1", "cannot be put in order"),
        ("GoDestroy dt=1", "cannot be put in order"),
        ("HeapAlloc dt=1 heapalloc_value=5", "expected a proc"),
        ("ClockSnapshot dt=1 mono=1 sec=1 nsec=1", "not known"),
        ("ProcStart dt=1 p=1152921504606846976 p_seq=1", "beyond the cap"),
        ("ProcStatus dt=1152921504606846976 p=1 pstatus=2", "too large"),
    ],
)
def test_events_that_contradict_each_other(text: str, told: str) -> None:
    line = trace_bytes("Trace Go1.22\n" + text)[HEADER:]
    batch = f"Trace Go1.22\nEventBatch gen=1 m=7 time=5 size={len(line)}\n{text}\n"
    data = trace_bytes(batch + CLOCK.format(1))
    (generation,) = read_index(reading(data), len(data), 22).generations
    with pytest.raises(FormatError, match=told):
        carry_out(reading(data), generation, 22, Window(0, 10**9, 8), first=True)


@pytest.mark.parametrize(
    "text",
    [
        "GoStart dt=1 g=5 g_seq=1",
        "GoUnblock dt=1 g=5 g_seq=1 stack=0",
        "GoSwitch dt=1 g=5 g_seq=1",
        "ProcStart dt=1 p=1 p_seq=1",
        "ProcSteal dt=1 p=1 p_seq=1 m=7",
    ],
)
def test_an_event_that_its_batch_cuts_is_malformed_and_does_not_wait_for_others(text: str) -> None:
    whole = trace_bytes("Trace Go1.22\n" + text)[HEADER:]
    for size in range(1, len(whole)):
        head = trace_bytes(f"Trace Go1.22\nEventBatch gen=1 m=7 time=5 size={size}\n")
        rest = trace_bytes("Trace Go1.22\n" + CLOCK.format(1))[HEADER:]
        data = head + whole[:size] + rest
        (generation,) = read_index(reading(data), len(data), 22).generations
        with pytest.raises(FormatError, match="malformed"):
            carry_out(reading(data), generation, 22, Window(0, 10**9, 8), first=True)
