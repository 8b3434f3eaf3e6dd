"""The goroutines that live at the end of an execution trace, grouped and judged as of a dump."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, main
from fuzz.small_traces import TRACES
from gocost.analyses.goroutines.from_trace import from_trace
from gocost.analyses.goroutines.groups import Dumps, group
from gocost.analyses.goroutines.tables import facts, group_table, leak_table
from gocost.analyses.goroutines.verdicts import judge
from gocost.analyses.trace.joining import Joiner
from gocost.formats.exectrace.index import HEADER, read_format, read_index
from gocost.formats.exectrace.ordered import Window, carry_out
from gocost.model.subject import Subject

WINDOW = Window(0, 10**9, 16)


def judged(data: bytes) -> None:
    """Every goroutine that lives at the end is in one group, and no column is short of it."""

    def read_into(buffer: memoryview, offset: int) -> int:
        part = data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    version = read_format(data[:HEADER])
    joiner = Joiner(keep=None)
    for place, generation in enumerate(read_index(read_into, len(data), version).generations):
        carried = carry_out(read_into, generation, version, WINDOW, first=place == 0, keep=None)
        joiner.add(carried)
    dump = from_trace(joiner.result())
    rows = len(dump.id)
    assert len(dump.count) == len(dump.stack) == len(dump.creator) == len(dump.state) == rows
    assert dump.traced is not None
    assert len(dump.traced.waited_ns) == len(dump.traced.went_on) == rows
    found = Dumps([dump])
    groups = group(found, older_than=1.0)
    assert sum(each.count for each in groups) == dump.total
    told = judge(found, groups)
    group_table(told, older_than=1.0)
    leak_table(told)
    facts(found, told, Subject(), "fuzz")


HARNESS = Harness("goroutines_of_trace", judged, TRACES)

if __name__ == "__main__":
    main(HARNESS)
