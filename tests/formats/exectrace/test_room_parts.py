"""Each part of what a trace holds counts for itself: without it a forged one would have room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gocost.formats.exectrace import room
from gocost.measures.trace import read_timeline, read_trace
from gocost.model.errors import FormatError
from tests.fixtures.forged_traces import ending, forged, lasting, names, ready, reasons, with_tables


@dataclass(frozen=True, slots=True)
class Part:
    """A trace for whose cap one part matters."""

    make: Callable[[], bytes]
    read: Callable[..., object]
    refused: int
    """A cap that all the other parts are within."""
    enough: int
    """One that the part is within, too."""


PARTS = {
    "rows that are made of a goroutine while it is joined": Part(
        lambda: forged(ready, 850_000), read_trace, 24_000_000, 29_000_000
    ),
    "goroutines that a generation says nothing of, beside its own": Part(
        lambda: lasting(4, 15_000), read_trace, 24_000_000, 27_200_000
    ),
    "reasons that stacks wait for": Part(
        lambda: reasons(100, 60), read_trace, 3_000_000, 5_400_000
    ),
    "stacks": Part(lambda: reasons(5_000, 1), read_trace, 5_000_000, 5_600_000),
    "texts": Part(lambda: with_tables(names, 400_000), read_trace, 2_000_000, 9_000_000),
    "what is open when a generation ends, while the next is carried out": Part(
        lambda: forged(ready, 300_000, 2), read_timeline, 15_000_000, 17_700_000
    ),
    # Stacks count when they are joined, and only who ended before that is not counted by then.
    "who the goroutines are that ended, once stacks are known": Part(
        lambda: ending(10_000, 1_000), read_timeline, 10_300_000, 11_200_000
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_counted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 0)  # which --max-bytes raises
    part, path = PARTS[name], tmp_path / "forged.trace"
    path.write_bytes(part.make())
    part.read(path, max_bytes=part.enough)
    with pytest.raises(FormatError, match=f"need more than {part.refused:,} bytes"):
        part.read(path, max_bytes=part.refused)
