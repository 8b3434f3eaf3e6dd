"""What a timeline needs while generations are put together is counted before it is made."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from gocost.analyses.trace.timeline import Spread
from gocost.formats.exectrace.index import each_generation, read_format
from gocost.formats.exectrace.ordered import Window, carry_out
from gocost.formats.exectrace.room import Room
from gocost.sources.files import positioned
from tests.fixtures.forged_traces import forged, ready, taken_over

WINDOW = Window(0, 1 << 20, 1)


class Watched(Room):
    """Notes by how much what is in use passes what is counted, since `begin`."""

    uncounted = _besides = 0

    def begin(self) -> None:
        """What there is now is as it should be."""
        self._besides = tracemalloc.get_traced_memory()[0] - self._held
        self.uncounted = 0
        tracemalloc.reset_peak()

    def note(self) -> None:
        """Looks at the time since it did so last, in which as much was counted as is now."""
        most = tracemalloc.get_traced_memory()[1] - self._besides - self._held
        self.uncounted = max(self.uncounted, most)
        tracemalloc.reset_peak()

    def take(self, size: int) -> None:
        self.note()
        super().take(size)

    def give(self, size: int) -> None:
        self.note()
        super().give(size)


@pytest.mark.parametrize(
    "trace",
    [forged(ready, 1_500_000, 2), taken_over(2, 100_000)],
    ids=["goroutines that are ready", "goroutines that ran"],
)
def test_copies_of_what_is_open_are_counted(trace: bytes, tmp_path: Path) -> None:
    path = tmp_path / "forged.trace"
    path.write_bytes(trace)
    room = Watched()
    spread = Spread(WINDOW, room)
    with positioned(path) as file:
        version = read_format(file.head(16))
        tracemalloc.start()
        try:
            for generation in each_generation(file.read_into, file.size, version):
                first = generation.number == 1
                recorder = spread.recorder(room)
                carried = carry_out(
                    file.read_into, generation, version, WINDOW, first=first,
                    record=recorder, room=room,
                )  # fmt: skip
                room.begin()
                spread.add(recorder, carried)
                room.note()
                assert carried.live.nbytes > 12 << 20
                # Lists of some rows at once, and the ids of goroutines twice.
                assert room.uncounted < 8 << 20, "no copy of whole rows"
                room.give(carried.live.nbytes + carried.intervals.nbytes)
                del carried, recorder
        finally:
            tracemalloc.stop()
