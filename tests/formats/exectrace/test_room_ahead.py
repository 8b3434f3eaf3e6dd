"""Whether a trace has room depends on the trace and the cap: not on cores, nor on their timing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gocost.analyses.trace.joining import Joiner
from gocost.analyses.trace.timeline import Spread
from gocost.formats.exectrace import room
from gocost.formats.exectrace.ordered import carry_out
from gocost.formats.exectrace.room import Ahead, Room
from gocost.measures.trace import _opened, read_timeline, read_trace
from gocost.model.errors import FormatError
from gocost.sources.files import positioned
from tests.fixtures.forged_traces import deep, forged, ready, taken_over, tasks

TRACES: dict[str, Callable[[int], bytes]] = {
    "ready": lambda size: forged(ready, 75_000 * size, 6),
    "taken over": lambda size: taken_over(6, 5_000 * size),
    "tasks": lambda size: forged(tasks, 75_000 * size, 6),
    "deep": lambda size: deep(6, 100 * size),
}


class Noted(Room):
    """Knows the most that was ever held."""

    most = 0

    def take(self, size: int) -> None:
        super().take(size)
        self.most = max(self.most, self._held)


def need(path: Path, *, timeline: bool) -> int:
    """The bytes that a trace needs whose generations are read one after the other."""
    noted = Noted()
    joiner = Joiner(room=noted)
    with positioned(path) as file:
        opened = _opened(file, path)
        window = opened.window()
        spread = Spread(window, noted) if timeline else None
        for place, generation in enumerate(opened.generations):
            recorder = spread.recorder(noted) if spread else None
            carried = carry_out(
                file.read_into, generation, opened.version, window, first=place == 0,
                record=recorder, room=noted,
            )  # fmt: skip
            joiner.add(carried)
            if spread and recorder:
                spread.add(recorder, carried)
    joiner.result()
    return noted.most


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("read", [read_trace, read_timeline])
def test_as_much_as_generations_need_one_after_the_other_is_enough(
    trace: str, read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "forged.trace"
    path.write_bytes(TRACES[trace](1))
    enough = need(path, timeline=read is read_timeline)
    for cores in (1, 2, 3, 8, 8, 8):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, most=cores: range(most))
        monkeypatch.setattr(room, "cap", lambda _: enough)
        read(path)
        monkeypatch.setattr(room, "cap", lambda _: enough - 1)
        with pytest.raises(FormatError, match=f"need more than {enough - 1:,} bytes"):
            read(path)


def test_what_is_wrong_later_is_not_told_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, other = forged(tasks, 75_000, 4), forged(tasks, 75_000, 6)
    path = tmp_path / "forged.trace"
    path.write_bytes(head + other[len(forged(tasks, 75_000, 5)) :])  # 6 follows on 4
    for cores in (1, 8):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, most=cores: range(most))
        with pytest.raises(FormatError, match="generation 6 starts within 4"):
            read_trace(path)
        with monkeypatch.context() as patched:
            patched.setattr(room, "cap", lambda _: 1 << 20)
            with pytest.raises(FormatError, match="need more than 1,048,576 bytes"):
                read_trace(path)


class Made:
    """Something that holds so many bytes, and how often it was begun with ahead and in its turn."""

    def __init__(self, whole: Room, size: int) -> None:
        self._whole, self._size = whole, size
        self.ahead = self.in_turn = 0
        self.holds, self.may_end = threading.Event(), threading.Event()

    def __call__(self, held: Room) -> str:
        self.ahead += held is not self._whole
        self.in_turn += held is self._whole
        held.take(self._size)
        self.holds.set()
        assert self.may_end.wait(20)
        return "made"


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(room, "cap", lambda _: 100)
    return Room()


def test_what_is_made_ahead_goes_where_what_is_in_order_needs_its_room(whole: Room) -> None:
    made = Made(whole, 60)
    made.may_end.set()
    coming = Ahead(whole, made)
    with ThreadPoolExecutor(1) as pool:
        coming.begin(pool)
    with whole.lent(41):
        assert whole.crowded
    assert coming.taken() == "made"
    assert (made.ahead, made.in_turn) == (1, 1)
    whole.take(40)
    with pytest.raises(FormatError):
        whole.take(1)


def test_what_is_under_way_ahead_is_waited_for(whole: Room) -> None:
    made = Made(whole, 60)
    coming = Ahead(whole, made)
    with ThreadPoolExecutor(1) as pool:
        coming.begin(pool)
        assert made.holds.wait(20)
        whole.take(40)
        threading.Timer(0.1, made.may_end.set).start()
        whole.take(1)
        assert made.may_end.is_set()
    with pytest.raises(FormatError):
        coming.taken()


def test_what_has_no_room_ahead_is_made_in_its_turn(whole: Room) -> None:
    made = Made(whole, 60)
    made.may_end.set()
    whole.take(41)
    coming = Ahead(whole, made)
    with ThreadPoolExecutor(1) as pool:
        coming.begin(pool)
    assert not made.holds.is_set()
    whole.give(1)
    assert coming.taken() == "made"
    assert (made.ahead, made.in_turn) == (1, 1)


def test_what_had_its_peak_ahead_is_refused_as_if_it_had_it_in_its_turn(whole: Room) -> None:
    def high(held: Room) -> str:
        with held.lent(60):
            return "made"

    coming = Ahead(whole, high)
    with ThreadPoolExecutor(1) as pool:
        coming.begin(pool)
    whole.take(41)
    assert not whole.crowded
    with pytest.raises(FormatError, match="need more than 100 bytes"):
        coming.taken()


def test_other_errors_are_told_in_their_turn(whole: Room) -> None:
    def failing(held: Room) -> str:
        held.take(100)
        raise FormatError("damaged")

    coming = Ahead(whole, failing)
    with ThreadPoolExecutor(1) as pool:
        coming.begin(pool)
    whole.take(0)
    with pytest.raises(FormatError, match="damaged"):
        coming.taken()
