"""gocost.attribute: what was recorded on one clock, held to the clock of this very machine."""

from __future__ import annotations

import shutil
import urllib.request
from pathlib import Path

import msgspec
import pytest

import gocost
from gocost.measures.attribution import Files, folder_files, gather
from gocost.measures.manifest import MANIFEST, Manifest, Part, read_manifest
from gocost.measures.profiles import Reading
from gocost.measures.trace import trace_time
from tests.fixtures.attributed import attributed, number, rows

OLD, NEW = "go1.23.12", "go"
HOUR = 3600 * 10**9


@pytest.fixture(scope="module", params=[OLD, NEW])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of a Go whose traces have no wall clock, and of one whose have."""
    folder = tmp_path_factory.mktemp("recorded") / "recording"
    with attributed(toolchain=request.param) as service:
        gocost.record(service.origin, 3, folder, pid=service.pid)
    return folder


def placed(folder: Path) -> dict[str, dict[str, object]]:
    return rows(gocost.attribute(folder).tables["clocks"])


def changed(folder: Path, to: Path, *, ahead: int = 0, paired: bool = True) -> Path:
    """A copy as a recorder would have made it whose clock is `ahead`, on another machine."""
    shutil.copytree(folder, to)
    manifest = read_manifest(folder)
    parts = tuple(
        msgspec.structs.replace(
            part, asked_ns=part.asked_ns + ahead, answered_ns=part.answered_ns + ahead
        )
        for part in manifest.parts
    )
    clocks = manifest.clocks if paired else ()
    fresh = msgspec.structs.replace(manifest, parts=parts, clocks=clocks, moments=())
    (to / MANIFEST).write_bytes(msgspec.json.encode(fresh))
    return to


def part(manifest: Manifest, kind: str) -> Part:
    return next(each for each in manifest.parts if each.kind == kind)


def test_every_recording_lies_where_this_machines_clock_says(recorded: Path) -> None:
    manifest, found = read_manifest(recorded), placed(recorded)
    assert {"CPU profile", "heap profiles", "trace", "goroutine dump"} <= {*found}
    for name, kind in (
        ("CPU profile", "cpu"),
        ("trace", "trace"),
        ("goroutine dump", "goroutines"),
    ):
        asked, row = part(manifest, kind), found[name]
        start, error = number(row["start"]), number(row["error"])
        assert asked.asked_ns <= start + error, name
        assert start + number(row["length"]) - error <= asked.answered_ns, name
        assert row["within"] == 1.0
    assert number(found["trace"]["error"]) < 10**6, "two looks at one machine's clocks"


def test_two_ways_to_place_a_trace_agree_within_their_errors(
    recorded: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(recorded)
    time = trace_time(recorded / "app.trace")
    pair = manifest.clocks[0]
    row = placed(recorded)["trace"]
    if time.wall_start_ns is not None:
        # The trace's own wall clock beside CLOCK_MONOTONIC, which its snapshot has too.
        clock = time.clock
        assert clock.monotonic_ns is not None
        assert clock.snapshot_ns is not None
        monotonic = clock.monotonic_ns + time.start - clock.snapshot_ns
        ours = monotonic + pair.at_ns - pair.monotonic_ns
    else:
        ours = number(row["start"])
    other = placed(changed(recorded, tmp_path / "unpaired", paired=False))["trace"]
    for way in (row, other):
        # The clip to the CPU profile's window is of the same trace.
        assert abs(number(way["start"]) - ours) <= number(way["error"]) + 10**6
    if time.wall_start_ns is None:
        assert other["known_by"] == "between request and answer"
        assert number(other["error"]) > number(row["error"])


def test_a_recorders_wrong_clock_moves_nothing(recorded: Path, tmp_path: Path) -> None:
    here = placed(changed(recorded, tmp_path / "here", paired=False))
    there = placed(changed(recorded, tmp_path / "there", ahead=HOUR, paired=False))
    assert {*here} == {*there}
    for name, row in here.items():
        apart = number(row["after"]) - number(there[name]["after"])
        assert abs(apart) <= 1, name
        assert row["error"] == there[name]["error"]


def test_an_old_trace_is_clipped_by_the_recorded_pair_of_clocks(recorded: Path) -> None:
    files, manifest = folder_files(recorded)
    cpu = next(name for name in files.profiles if name.endswith("cpu.pb.gz"))
    alone = Files(profiles=(cpu,), trace=files.trace)
    with_pair = gather(alone, Reading(), manifest)
    without = gather(alone, Reading(), None)
    known = [span for span in with_pair.spans if span.what == "the trace"]
    assert known[0].start_ns is not None
    unknown = [text for text in without.notes if "the trace was recorded is not known" in text]
    old = trace_time(recorded / "app.trace").wall_start_ns is None
    assert bool(unknown) == old, "files alone do not say when an old trace was recorded"


def test_a_program_may_say_the_time_of_an_old_trace_itself(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with attributed("-tasks", toolchain=OLD) as service:
        gocost.record(service.origin, 2, folder)
    known = placed(folder)["trace"]
    report = gocost.attribute(profiles=[str(folder / "cpu.pb.gz")], trace=str(folder / "app.trace"))
    found = {str(row[0]): row for row in report.tables["clocks"].rows}
    _, start, _, length, error, within, how = found["trace"]
    assert how == "its logs gocost.clock"
    assert abs(number(start) - number(known["start"])) <= number(error) + 10**6
    assert number(length) == known["length"]
    assert within == 1.0
    assert not any("is not known" in note.text for note in report.notes)


@pytest.fixture
def delta(tmp_path: Path) -> Path:
    """What the service itself calls the difference of two block profiles."""
    path = tmp_path / "block.pb.gz"
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/block?seconds=2"
        with urllib.request.urlopen(page, timeout=20) as answer:
            path.write_bytes(answer.read())
    return path


def test_a_difference_of_seconds_is_of_its_own_window(delta: Path) -> None:
    report = gocost.attribute(profiles=[str(delta)])
    (row,) = report.tables["clocks"].rows
    assert 1.9e9 < number(row[3]) < 3e9
    assert not any("since the service started" in text for text in report.assumptions)
    waited = sum(map(number, report.tables["waiting"].column("blocked")))
    assert 0 < waited < 60e9, "some goroutines for two seconds"
