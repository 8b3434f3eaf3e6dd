"""A whole execution trace: headers, tables, events in order, generations put together."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, main
from fuzz.small_traces import TRACES
from gocost.analyses.trace.joining import Joiner
from gocost.analyses.trace.tables import facts, tables
from gocost.analyses.trace.timeline import Spread
from gocost.analyses.trace.timeline_series import timeline_series
from gocost.formats.exectrace.index import HEADER, read_format, read_index
from gocost.formats.exectrace.ordered import Window, carry_out
from gocost.formats.exectrace.room import Room
from gocost.model.subject import Subject

WINDOW = Window(0, 10**9, 16)


def decode(data: bytes) -> None:
    """Every table of every generation; the goroutines of groups are those that there were."""

    def read_into(buffer: memoryview, offset: int) -> int:
        part = data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    version = read_format(data[:HEADER])
    room = Room()
    joiner, spread = Joiner(keep=None, room=room), Spread(WINDOW, room)
    for place, generation in enumerate(read_index(read_into, len(data), version).generations):
        record = spread.recorder(room)
        carried = carry_out(
            read_into, generation, version, WINDOW, first=place == 0, keep=None, record=record,
            room=room,
        )  # fmt: skip
        joiner.add(carried)
        spread.add(record, carried)
    found = joiner.result()
    timeline_series(spread.result(found.end), found.start)
    assert sum(group.count for group in found.groups.values()) == len(found.goroutines)
    tables(found)
    facts(found, Subject(), "")


HARNESS = Harness("exectrace", decode, TRACES)

if __name__ == "__main__":
    main(HARNESS)
