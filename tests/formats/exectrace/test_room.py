"""What a trace may hold in memory, one by one: a forged one is refused, by every way to read it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gocost.analyses.trace.account import Joined, Stacks
from gocost.analyses.trace.following import Chunk
from gocost.cli.main import run
from gocost.formats.exectrace import room
from gocost.measures.trace import follow_trace, read_timeline, read_trace
from gocost.model.errors import FormatError
from tests.fixtures.forged_traces import (
    created,
    deep,
    forged,
    labels,
    logs,
    ready,
    reasons,
    samples,
    stacks,
    strings,
    taken_over,
    tasks,
    with_tables,
)

CAP = 4 << 20
SIZE = 3 << 19
"""Bytes of a trace whose rows are far more than the cap."""
SAYS = f"more than {CAP:,} bytes of memory; raise the cap with --max-bytes if you trust it"
DOORS = (
    ["trace", "summary", "{file}"],
    ["trace", "summary", "{small}", "--base", "{file}"],
    ["trace", "summary", "{file}", "--format", "html", "-o", "page.html"],
    ["trace", "goroutines", "{file}", "--from", "1ns"],
    ["trace", "users", "{file}"],
    ["trace", "threads", "{file}"],
    ["trace", "mmu", "{file}"],
    ["trace", "profile", "sched", "{file}"],
    ["trace", "profile", "sched", "{file}", "-o", "sched.pb.gz"],
    ["trace", "export", "{file}", "-o", "app.json"],
    ["goroutines", "{file}"],
    ["query", "{file}", "select count(*) from goroutines"],
    ["attribute", "--trace", "{file}"],
    ["attribute", "--trace", "{file}", "--by", "task"],
)


class Nothing:
    """Takes intervals, and keeps none."""

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next ones."""


def followed(path: Path) -> Joined:
    """With somebody who is told of every interval, and so of every stack."""
    return follow_trace(path, Nothing())


def whole(path: Path) -> Joined:
    """Every goroutine that lived."""
    return read_trace(path, keep=None)


@pytest.fixture
def capped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    # What commands allow by default, of which recordings may have a gigabyte, is not the cap here.
    monkeypatch.setattr(room, "cap", lambda given: CAP if (given or 0) <= 1 << 30 else given)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("events", [created, labels, tasks, logs])
@pytest.mark.parametrize("generations", [1, 8])
@pytest.mark.parametrize("keep", [0, None])
def test_what_is_held_is_bounded(
    events: Callable[[], Iterator[bytes]], generations: int, keep: int | None, capped: Path
) -> None:
    path = capped / "forged.trace"
    path.write_bytes(forged(events, SIZE // generations, generations))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=f"need more than {CAP:,} bytes"):
            read_trace(path, keep=keep)
        with pytest.raises(FormatError, match=f"need more than {CAP:,} bytes"):
            follow_trace(path)
        # Twice: a table that grows is there as it was and as it is to be; and what is read ahead.
        assert tracemalloc.get_traced_memory()[1] < 2 * CAP + (16 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("thousands", [40, 60, 80, 120, 160])
@pytest.mark.parametrize("generations", [1, 4])
@pytest.mark.parametrize("read", [read_trace, whole, read_timeline, follow_trace])
def test_copies_that_are_made_while_rows_are_joined_are_counted(
    read: Callable[[Path], object],
    thousands: int,
    generations: int,
    capped: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cap = 16 * CAP
    monkeypatch.setattr(room, "cap", lambda _: cap)
    path = capped / "forged.trace"
    path.write_bytes(forged(ready, 75_000, generations))
    read(path)  # what is small
    path.write_bytes(forged(ready, thousands * 15_000, generations))
    tracemalloc.start()
    try:
        with suppress(FormatError):
            read(path)
        # What is not rows: buffers and lanes of the few generations that are under way.
        assert tracemalloc.get_traced_memory()[1] < cap + (8 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("thousands", [20, 60, 100])
def test_what_a_generation_takes_over_of_the_one_before_is_counted(
    thousands: int, capped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap = 16 * CAP
    monkeypatch.setattr(room, "cap", lambda _: cap)
    path = capped / "forged.trace"
    path.write_bytes(taken_over(4, thousands * 1000))
    tracemalloc.start()
    try:
        with suppress(FormatError):
            read_timeline(path)
        assert tracemalloc.get_traced_memory()[1] < cap + (24 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read", [whole, read_timeline, followed])
def test_stacks_that_generations_add_are_counted(
    read: Callable[[Path], object], capped: Path
) -> None:
    path = capped / "deep.trace"
    path.write_bytes(deep(1, 30))
    read(path)
    path.write_bytes(deep(40, 30))
    with pytest.raises(FormatError, match=f"need more than {CAP:,} bytes"):
        read(path)


def test_reasons_that_many_stacks_wait_for_are_counted(capped: Path) -> None:
    path = capped / "reasons.trace"
    path.write_bytes(reasons(50, 60))
    assert len(read_trace(path).waits.rows) == 6_000, "ready too"
    path.write_bytes(reasons(1_000, 60))
    with pytest.raises(FormatError, match=f"need more than {CAP:,} bytes"):
        read_trace(path)


def test_what_ended_and_is_asked_for_is_held_too(capped: Path) -> None:
    path = capped / "short.trace"
    path.write_bytes(forged(short, SIZE))
    assert read_trace(path).created > 40_000, "one after the other, they need no room"
    with pytest.raises(FormatError, match="need more than"):
        read_trace(path, keep=None)


def short() -> Iterator[bytes]:
    """Goroutines that are created while another runs, and end at once."""
    from itertools import count

    from tests.fixtures.trace_text import NUMBERS, uvarint

    create, start, block, unblock, end = (
        NUMBERS[name] for name in ("GoCreate", "GoStart", "GoBlock", "GoUnblock", "GoDestroy")
    )
    for number in count(2):
        id_, seq = uvarint(number), 2 * number - 3
        yield (
            bytes((create, 1)) + id_ + b"\1\2"
            + bytes((block, 1, 1, 2))
            + bytes((start, 1)) + id_ + b"\1"
            + bytes((unblock, 1, 1)) + uvarint(seq) + b"\0"
            + bytes((end, 1))
            + bytes((start, 1, 1)) + uvarint(seq + 1)
        )  # fmt: skip


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
def test_every_command_says_what_raises_the_cap(
    door: list[str], capped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, small = capped / "forged.trace", capped / "small.trace"
    path.write_bytes(forged(tasks, SIZE))
    small.write_bytes(forged(tasks, 1))
    words = [word.format(file=path, small=small) for word in door]
    assert run(words) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert SAYS in told.err
    assert told.err.count("\n") == 1
    assert not [*capped.glob("*.json"), *capped.glob("*.pb.gz"), *capped.glob("*.html")]
    if "--by" not in door:  # tasks that do not end, and goroutines that do not run, cost nothing
        assert run([*words, "--max-bytes", str(2 << 30)]) in (0, 3)
        assert SAYS not in capsys.readouterr().err


@pytest.mark.parametrize("kind", [stacks, strings, samples])
def test_tables_are_counted_before_they_are_read(
    kind: Callable[[], Iterator[bytes]], capped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gocost.formats.exectrace.tables._USUAL", 100 << 10)
    path = capped / "tables.trace"
    path.write_bytes(with_tables(kind, 300 << 10))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="need more than"):
            read_trace(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20, "nothing of them was read"
    finally:
        tracemalloc.stop()
    if kind is samples:
        return  # which are kept
    path.write_bytes(with_tables(kind, 64 << 10, 8))
    assert follow_trace(path).generations == 8, "they are gone when the next is read"


def test_a_rule_is_unknown_for_it(capped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = capped / "forged.trace"
    path.write_bytes(forged(tasks, SIZE))
    rule = "{metric: scheduler.utilisation, max: 100%}"
    Path("gocost.yaml").write_text(
        f"version: 1\nservices:\n  app: {{package: ./app, rules: [{rule}]}}\n"
    )
    Path("app").mkdir()
    assert run(["check", "--trace", str(path)]) == 3
    assert "raise the cap with --max-bytes" in " ".join(capsys.readouterr().out.split())


def test_a_slice_needs_no_room(capped: Path) -> None:
    path = capped / "forged.trace"
    path.write_bytes(forged(tasks, SIZE))
    assert run(["trace", "slice", str(path), "-o", "part.trace"]) == 0
    assert Path("part.trace").stat().st_size == path.stat().st_size


def test_what_is_given_back_is_free_again() -> None:
    left = room.Room()
    left.take(room.MAX_BYTES)
    with pytest.raises(FormatError):
        left.take(1)
    left.give(2)
    left.take(1)
    room.Room(2 * room.MAX_BYTES).take(room.MAX_BYTES + 1)  # what the user trusts
