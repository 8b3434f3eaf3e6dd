"""What time of a trace a bill counts: that which its CPU profiles are of."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gocost.formats.pprof.decoding import decode
from gocost.measures.attribution import Files, Gathered, gather
from gocost.measures.billed_times import covered
from gocost.measures.manifest import Manifest, Moment
from gocost.measures.profiles import Reading
from gocost.measures.trace import trace_time
from tests.fixtures.collected import pages
from tests.fixtures.profiles import message, varint
from tests.fixtures.traces import recorded

MILLISECOND = 10**6


def cpu(start_ns: int, length_ns: int) -> bytes:
    """A CPU profile of one sample, taken then."""
    names = ["", "samples", "count", "cpu", "nanoseconds", "main.f"]
    data = message((1, message((1, 1), (2, 2))), (1, message((1, 3), (2, 4))))
    data += message((2, message((1, varint(1)), (2, varint(1) + varint(10 * MILLISECOND)))))
    data += message((4, message((1, 1), (4, message((1, 1))))), (5, message((1, 1), (2, 5))))
    data += b"".join(message((6, name)) for name in names)
    return gzip.compress(data + message((9, start_ns), (10, length_ns), (12, 10 * MILLISECOND)))


def windows(*times: tuple[int, int]) -> list[tuple[int, int]]:
    return covered([decode(cpu(start, length)) for start, length in times])


def test_profiles_in_turn_are_one_stretch_and_others_are_several() -> None:
    second = 1000 * MILLISECOND
    assert windows((second, 10 * second), (12 * second, second)) == [
        (second, 11 * second), (12 * second, 13 * second)
    ]  # fmt: skip
    in_turn = [(second, second), (2 * second + 50 * MILLISECOND, second)]
    assert windows(*in_turn) == [(second, 3 * second + 50 * MILLISECOND)]
    assert windows((5 * second, second), (second, 9 * second)) == [(second, 10 * second)]


def test_a_profile_that_tells_no_time_may_be_of_any() -> None:
    assert windows((1000 * MILLISECOND, 10 * MILLISECOND), (0, 10 * MILLISECOND)) == []


@pytest.fixture(scope="module")
def trace() -> Path:
    return recorded("go", "all")


def joined(trace: Path, folder: Path, *parts: tuple[float, float]) -> Gathered:
    """The bill's evidence with CPU profiles over these parts of the trace's time."""
    when = trace_time(trace)
    assert when.wall_start_ns is not None
    assert when.wall_end_ns is not None
    length = when.wall_end_ns - when.wall_start_ns
    paths = []
    for number, (begin, end) in enumerate(parts):
        path = folder / f"{number}.pb.gz"
        path.write_bytes(
            cpu(when.wall_start_ns + round(begin * length), round((end - begin) * length))
        )
        paths.append(str(path))
    return gather(Files(profiles=tuple(paths), trace=str(trace)), Reading())


def seconds(found: Gathered) -> float:
    assert found.evidence.trace is not None
    return (found.evidence.trace.end - found.evidence.trace.start) / 1e9


def test_a_trace_counts_where_several_profiles_cover_it(trace: Path, tmp_path: Path) -> None:
    """Two profiles far apart: the sum of their lengths, from the first, would be another time."""
    whole = seconds(gather(Files(trace=str(trace)), Reading()))
    found = joined(trace, tmp_path, (-3, 0.1), (0.5, 0.9))
    assert seconds(found) == pytest.approx(0.4 * whole, rel=0.01)
    span = next(span for span in found.spans if span.what == "the trace")
    assert span.start_ns is not None
    assert any("the longest stretch" in text for text in found.assumptions)


def test_a_trace_within_profiles_that_follow_one_another_is_whole(
    trace: Path, tmp_path: Path
) -> None:
    whole = seconds(gather(Files(trace=str(trace)), Reading()))
    found = joined(trace, tmp_path, (-1, 0.5), (0.5, 2))
    assert seconds(found) == pytest.approx(whole)
    assert not any("of the trace" in text for text in found.assumptions)


def test_memory_of_another_process_is_doubted(tmp_path: Path) -> None:
    """A process that holds less than the runtime's objects alone is not the one that was read."""
    page = tmp_path / "metrics"
    page.write_bytes(pages().data["txt"][1])
    manifest = Manifest(
        url="http://127.0.0.1:1",
        seconds=1,
        moments=(Moment(1, 0, 1000), Moment(2, 0, 1000)),
    )
    notes = gather(Files(metrics=(str(page),)), Reading(), manifest).notes
    assert any("of memory, and the runtime's objects" in note for note in notes)
