"""Events of the collector are numbered through: taken and refused as Go's own reader does."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gocost.analyses.trace.spans import collections
from gocost.measures.trace import read_trace
from gocost.model.errors import FormatError
from tests.fixtures.trace_text import trace_bytes
from tests.fixtures.traces import fold

_END = """EventBatch gen={g} m=18446744073709551615 time=0 size=?
Frequency freq=15625000
EventBatch gen={g} m=18446744073709551615 time=0 size=?
Strings
EventBatch gen={g} m=18446744073709551615 time=0 size=?
Stacks
"""


def text_of(generations: list[list[list[str]]]) -> str:
    """A trace: by generation and thread, the collector's events as `Begin 3`, `End 4`, ..."""
    text = "Trace Go1.22\n"
    for number, threads in enumerate(generations, 1):
        for thread, events in enumerate(threads, 1):
            text += f"EventBatch gen={number} m={thread} time={1000 * number + thread} size=?\n"
            text += f"ProcStatus dt=1 p={thread} pstatus=1\n"
            text += f"GoStatus dt=1 g={thread} m={thread} gstatus=2\n"
            for event in events:
                name, seq = event.split()
                stack = "" if name == "End" else " stack=0"
                if name == "Active":
                    stack = ""
                text += f"GC{name} dt=1 gc_seq={seq}{stack}\n"
        text += _END.format(g=number)
    return text


CASES: dict[str, list[list[list[str]]]] = {
    "on one thread": [[["Begin 3", "End 4", "Begin 5", "End 6"]]],
    "over two threads": [[["End 4", "End 6"], ["Begin 3", "Begin 5"]]],
    "under way": [[["End 8"], ["Active 7"]]],
    "over generations": [[["Begin 3"], []], [["Active 4"], ["End 5"]], [["Begin 6"], []]],
    "a generation without": [[["Begin 3", "End 4"]], [[]], [["Begin 5"]]],
    "first in the second generation": [[[]], [["Begin 9"]]],
    "ends before it begins": [[["End 4", "Begin 3"]]],
    "a number left out": [[["Begin 3", "End 5"]]],
    "a number twice": [[["Begin 3"], ["Begin 3"]]],
    "ends twice": [[["Begin 3", "End 4", "End 5"]]],
    "begins twice": [[["Begin 3", "Begin 4"]]],
    "each waits for the other": [[["End 4", "Begin 3"], ["Begin 5"]]],
    "goes on without having begun": [[["Begin 3", "End 4"]], [["Active 5"]]],
    "goes on in the first generation": [[["Begin 3", "Active 4"]]],
    "a number left out between generations": [[["Begin 3"]], [["Active 5"]]],
    "ends in the second generation only": [[[]], [["End 4"]]],
    "begins again in the second generation": [[["Begin 3"]], [["Begin 4"]]],
}


@pytest.mark.parametrize("name", CASES)
def test_as_go_does(name: str, tmp_path: Path) -> None:
    compared(text_of(CASES[name]), tmp_path)


def test_at_random(tmp_path: Path) -> None:
    """Numbers in a row, kinds mostly in turn, dealt out to threads and generations.

    The first event stands on the thread whose time is first: while it has seen no event Go's reader
    takes whichever comes first in time, and refuses the trace when an earlier number follows.
    """
    rng = random.Random(5)
    taken = 0
    for _ in range(80):
        generations: list[list[list[str]]] = []
        seq, running = rng.randrange(1, 9), rng.random() < 0.3
        for _ in range(rng.randrange(1, 4)):
            events = [f"Active {seq}"] if running else []
            seq += running
            for _ in range(rng.randrange(4)):
                running = not running if rng.random() < 0.9 else running
                events.append(f"{'Begin' if running else 'End'} {seq}")
                seq += rng.random() < 0.95
            threads: list[list[str]] = [events[:1], []]
            for event in events[1:]:
                threads[rng.randrange(2)].append(event)
            generations.append(threads)
        taken += compared(text_of(generations), tmp_path)
    assert 20 < taken < 70


def test_a_collection_lasts_from_its_begin_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    path.write_bytes(trace_bytes(text_of(CASES["over generations"])))
    begun, again = collections(read_trace(path))
    assert (begun.whole, again.whole) == (True, False)
    assert (begun.start, begun.end) == (1004 * 64, 2005 * 64)


def compared(text: str, folder: Path) -> bool:
    """Whether it is taken, by both; fails where one takes it and the other does not."""
    path = folder / "a.trace"
    path.write_bytes(trace_bytes(text))
    go = fold(path)
    if isinstance(go, str):
        with pytest.raises(FormatError):
            read_trace(path)
        return False
    read_trace(path)
    return True
