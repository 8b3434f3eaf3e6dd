"""gocost.attribute: what is refused, and what is not believed, of files and recordings."""

from __future__ import annotations

import gzip
import io
import json
import resource
import sys
from pathlib import Path

import pytest

import gocost
from gocost.cli.main import run
from gocost.measures import attribution
from gocost.measures.attribution import Files, folder_files, gather
from gocost.measures.manifest import MANIFEST
from gocost.measures.profiles import Reading
from gocost.model.errors import (
    FormatError,
    GocostError,
    NotMeasurableError,
    SourceError,
    UsageError,
)
from tests.fixtures.answering import Quiet, answering
from tests.fixtures.profiles import message, shared, varint

CPU = (("samples", "count"), ("cpu", "nanoseconds"))
HEAP = (("alloc_objects", "count"), ("alloc_space", "bytes"),
        ("inuse_objects", "count"), ("inuse_space", "bytes"))  # fmt: skip
DELAY = (("contentions", "count"), ("delay", "nanoseconds"))


def profile(
    path: Path,
    types: tuple[tuple[str, str], ...],
    *rows: tuple[int, ...],
    seconds: int = 10,
    period: int = 10_000_000,
    functions: tuple[str, ...] = (),
) -> str:
    """A profile with a sample a row, each of a function of its own."""
    names = ["", *(word for pair in types for word in pair)]
    data = b""
    for at in range(len(types)):
        data += message((1, message((1, 2 * at + 1), (2, 2 * at + 2))))
    for number, values in enumerate(rows, 1):
        names.append(functions[number - 1] if functions else f"main.f{number}")
        packed = b"".join(varint(value % (1 << 64)) for value in values)
        data += message((2, message((1, varint(number)), (2, packed))))
        data += message((4, message((1, number), (4, message((1, number))))))
        data += message((5, message((1, number), (2, len(names) - 1))))
    data += b"".join(message((6, name)) for name in names)
    data += message((9, 1_795_704_969 * 10**9), (10, seconds * 10**9), (12, period))
    path.write_bytes(gzip.compress(data))
    return str(path)


def refused(error: type[GocostError], **options: object) -> str:
    with pytest.raises(error) as caught:
        gocost.attribute(**options)
    assert caught.value.hint, "a refusal ends with what to do next"
    return str(caught.value)


@pytest.mark.parametrize(
    ("types", "row"),
    [(CPU, (-1, -10_000_000)), (HEAP, (1, 100, -5, -500)), (DELAY, (-1, -100))],
)
def test_a_difference_of_profiles_is_no_bill(
    types: tuple[tuple[str, str], ...], row: tuple[int, ...], tmp_path: Path
) -> None:
    path = profile(tmp_path / "p", types, row, tuple(abs(each) for each in row))
    assert "below zero: it is a difference" in refused(FormatError, profiles=[path])


@pytest.mark.parametrize(("types", "width"), [(CPU, 2), (HEAP, 4), (DELAY, 2)])
def test_amounts_that_do_not_fit_64_bits_together(
    types: tuple[tuple[str, str], ...], width: int, tmp_path: Path
) -> None:
    path = profile(tmp_path / "p", types, *[(1 << 60,) * width] * 20)
    assert "than 64 bits hold" in refused(FormatError, profiles=[path])


def test_the_profilers_hits_are_counted_and_not_its_stacks(tmp_path: Path) -> None:
    path = profile(tmp_path / "p", CPU, (3, 30_000_000), (4, 40_000_000))
    assert gather(Files(profiles=(path,)), Reading()).samples == 7


def test_a_function_named_as_a_row_of_nobodys_is_billed_beside_it(tmp_path: Path) -> None:
    named = ("(runtime) scheduler", "runtime.schedule")
    path = profile(tmp_path / "p", CPU, (3, 30_000_000), (4, 40_000_000), functions=named)
    alone = profile(tmp_path / "q", CPU, (7, 70_000_000))
    months = [gocost.attribute(profiles=[each]).fact("cost.month") for each in (path, alone)]
    assert len({month.value for month in months if month is not None}) == 1


def test_units_of_other_profilers_are_converted(tmp_path: Path) -> None:
    path = profile(tmp_path / "p", (("cpu", "milliseconds"),), (100,))
    fact = gocost.attribute(profiles=[path]).fact("attribution.cpu")
    assert fact is not None
    assert fact.value == 100_000_000
    path = profile(tmp_path / "p", (("delay", "bytes"),), (100,))
    assert "delay in bytes" in refused(FormatError, profiles=[path])


def test_a_heap_profile_of_live_objects_alone_has_memory(tmp_path: Path) -> None:
    live = profile(tmp_path / "live", HEAP[2:], (5, 500))
    cpu = profile(tmp_path / "cpu", CPU, (3, 30_000_000))
    report = gocost.attribute(profiles=[cpu, live])
    assert [*report.tables["memory"].column("live")] == [500]
    allocated = profile(tmp_path / "allocated", HEAP[:2], (5, 500))
    assert "memory" not in gocost.attribute(profiles=[cpu, allocated]).tables


@pytest.mark.parametrize("seconds", [0, -5])
def test_without_a_window_there_is_cpu_and_no_money(seconds: int, tmp_path: Path) -> None:
    path = profile(tmp_path / "p", CPU, (3, 30_000_000), seconds=seconds)
    report = gocost.attribute(profiles=[path])
    assert "bill" not in report.tables
    fact = report.fact("attribution.cpu")
    assert fact is not None
    assert fact.value == 30_000_000


@pytest.mark.parametrize("period", [0, -1])
def test_a_heap_profile_without_a_rate(period: int, tmp_path: Path) -> None:
    cpu = profile(tmp_path / "cpu", CPU, (3, 30_000_000))
    heap = profile(tmp_path / "heap", HEAP, (5, 500, 5, 500), period=period)
    assert gocost.attribute(profiles=[cpu, heap]).tables["memory"].rows


def test_profiles_without_samples(tmp_path: Path) -> None:
    path = profile(tmp_path / "p", CPU)
    assert "nothing to bill" in refused(NotMeasurableError, profiles=[path])
    assert "without sample types" in refused(UsageError, profiles=[profile(tmp_path / "q", ())])


def test_a_page_that_says_nothing_of_the_collector_is_passed_over(tmp_path: Path) -> None:
    page = tmp_path / "metrics"
    page.write_text(
        "# TYPE go_goroutines gauge\ngo_goroutines 7\n"
        "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 1e+300\n"
    )
    cpu = profile(tmp_path / "cpu", CPU, (3, 30_000_000))
    report = gocost.attribute(profiles=[cpu], metrics=[str(page)])
    assert "memory" not in report.tables, "no machine has so much"
    assert [
        note.text for note in report.notes if "does not say how much was allocated" in note.text
    ]


def test_a_label_that_no_sample_has_is_said(tmp_path: Path) -> None:
    cpu = profile(tmp_path / "cpu", CPU, (3, 30_000_000))
    report = gocost.attribute(profiles=[cpu], by="label:tenant")
    assert "no sample of the CPU profile has the label tenant" in report.notes[0].text


def test_memory_has_no_labels_and_is_there_all_the_same(tmp_path: Path) -> None:
    cpu = profile(tmp_path / "cpu", CPU, (3, 30_000_000))
    heap = profile(tmp_path / "heap", HEAP, (5, 500, 5, 500))
    whole = gocost.attribute(profiles=[cpu, heap]).fact("attribution.memory")
    report = gocost.attribute(profiles=[cpu, heap], by="label:tenant")
    assert report.fact("attribution.memory") == whole
    assert [row[:2] for row in report.tables["memory"].rows] == [("unattributed", 500)]


def test_owners_of_another_kind_are_named(tmp_path: Path) -> None:
    cpu = profile(tmp_path / "cpu", CPU, (3, 30_000_000))
    said = refused(FormatError, profiles=[cpu], by="owner", codeowners=cpu)
    assert said.startswith(f"{cpu}: ")


def test_a_trace_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.trace"
    path.write_bytes(b"\x7fELF" + bytes(100))
    assert refused(FormatError, trace=str(path)).startswith(f"{path}: ")


@pytest.mark.parametrize("command", [["profile", "top", "-"], ["attribute", "--profile", "-"]])
def test_standard_input_is_where_figures_come_from(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = shared("large.cpu.pb.gz").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run([*command, "--format", "json"]) == 0
    origins = {fact["origin"] for fact in json.loads(capsys.readouterr().out)["facts"]}
    assert "standard input" in origins
    assert "-" not in origins


def test_what_is_no_url(tmp_path: Path) -> None:
    assert "not the URL of a service" in refused(UsageError, profiles=["http://["])
    for url in ("http://[", "ftp://x", "http://", f"http://{'a' * 64}.com", "http://a..b"):
        with pytest.raises(UsageError, match="not the URL of a service"):
            gocost.record(url, 1, tmp_path / "new")
    with pytest.raises(UsageError, match="1 to 86400"):
        gocost.record("http://127.0.0.1:9", 1e12, tmp_path / "new")
    for seconds in ("86401", "9" * 400):
        page = f"http://127.0.0.1:9/debug/pprof/profile?seconds={seconds}"
        told = refused(UsageError, profiles=[page])
        assert told.startswith("a service is recorded for up to 86,400 seconds")
    with pytest.raises(UsageError, match=r"and not for 1e\+06"):
        gocost.profile("http://127.0.0.1:9", seconds=1e6)
    with pytest.raises(UsageError, match="for up to 86,400 seconds, and not for 86402"):
        gocost.goroutines("http://127.0.0.1:9", dumps=3, every=43_201)
    with pytest.raises(UsageError, match="for up to 86,400 seconds, and not for 86401"):
        gocost.runtime("http://127.0.0.1:9", every=86_401)
    assert not (tmp_path / "new").exists()


def recording(folder: Path, **changed: object) -> Path:
    folder.mkdir(exist_ok=True)
    profile(folder / "cpu.pb.gz", CPU, (3, 30_000_000))
    part = {"kind": "cpu", "file": "cpu.pb.gz", "asked_ns": 0, "answered_ns": 1}
    whole = {"schema": "gocost.recording/1", "url": "http://x", "seconds": 1.0, "parts": [part]}
    (folder / MANIFEST).write_text(json.dumps({**whole, **changed}))
    return folder


def moments(*rows: tuple[object, object, object]) -> list[dict[str, object]]:
    return [dict(zip(("at_ns", "cpu_seconds", "resident"), row, strict=True)) for row in rows]


def part(**changed: object) -> list[dict[str, object]]:
    return [{"kind": "cpu", "file": "cpu.pb.gz", "asked_ns": 0, "answered_ns": 1, **changed}]


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://["},
        {"seconds": -5.0},
        {"seconds": 1e308},
        {"parts": part(file="..")},
        {"parts": part(file="")},
        {"parts": part(file="a" * 300)},
        {"parts": part(asked_ns=-1)},
        {"parts": part(answered_ns=10**40)},
        {"moments": moments((0, 0, 2**70), (1, 1, 1))},
        {"moments": moments((0, -1, 1), (1, 1, 1))},
        {"moments": moments((-(10**30), 0, 0), (1, 1, 0))},
    ],
)
def test_a_recording_that_cannot_be(changed: dict[str, object], tmp_path: Path) -> None:
    assert str(tmp_path) in refused(UsageError, folder=recording(tmp_path / "r", **changed))


@pytest.mark.parametrize("spent", [1e300, 1e12])
def test_more_cpu_than_a_machine_has_is_not_believed(spent: float, tmp_path: Path) -> None:
    told = moments((0, 0.0, 100), (10**9, spent, 100))
    fact = gocost.attribute(recording(tmp_path / "r", moments=told)).fact("attribution.cpu")
    assert fact is not None
    assert fact.value == 30_000_000


def test_a_recordings_files_are_no_links(tmp_path: Path) -> None:
    folder = recording(tmp_path / "r")
    (folder / "cpu.pb.gz").rename(tmp_path / "elsewhere")
    (folder / "cpu.pb.gz").symlink_to(tmp_path / "elsewhere")
    assert "has links" in refused(UsageError, folder=folder)


def test_a_recording_that_lost_everything_says_why(tmp_path: Path) -> None:
    folder = recording(tmp_path / "r")
    (folder / "cpu.pb.gz").write_bytes(b"garbage")
    assert "cpu.pb.gz" in refused(NotMeasurableError, folder=folder)


def test_nothing_contended_yet_is_where_a_window_begins(tmp_path: Path) -> None:
    # Given a first mutex profile without samples, which looks like a block profile as well
    parts = part() + [{**part()[0], "kind": "mutex", "file": name} for name in ("m1", "m2")]
    folder = recording(tmp_path / "r", parts=parts)
    profile(folder / "m1", DELAY, seconds=0)
    profile(folder / "m2", DELAY, (1, 500), seconds=0, functions=("sync.(*Mutex).Unlock",))
    # then what the second has is of the time between the two
    files, manifest = folder_files(folder)
    gathered = gather(files, Reading(), manifest)
    assert "the mutex profiles" in [span.what for span in gathered.spans]
    assert not [text for text in gathered.assumptions if "since the service started" in text]


class Echoing(Quiet):
    """Refuses everybody, and repeats what it was sent."""

    def do_GET(self) -> None:
        body = f"\x1b[31mnot {self.headers['Authorization']}, but another".encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_credentials_are_not_repeated_whatever_a_service_says(tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer s3cr3t"}
    with answering(Echoing) as url, pytest.raises(SourceError) as caught:
        gocost.record(url, 1, tmp_path / "new", headers=headers, trace=False)
    assert "s3cr3t" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "--header" in str(caught.value)


class Endless(Quiet):
    """Has a page of a megabyte for everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 20))
        self.end_headers()
        self.wfile.write(bytes(1 << 20))


def test_a_disk_that_takes_no_more_is_said_of_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with answering(Endless) as url:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
        try:
            with pytest.raises(SourceError, match="File too large") as caught:
                gocost.record(url, 1, folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(folder) in str(caught.value)


def test_the_cap_that_is_raised_for_profiles_is_that_of_pages_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "metrics.txt"
    page.write_text(f"# {'x' * 100}\ngo_goroutines 5\nprocess_resident_memory_bytes 1048576\n")
    monkeypatch.setattr(attribution, "PAGE_BYTES", 64)
    files = Files(metrics=(str(page),))
    with pytest.raises(SourceError, match="larger than 100 bytes"):
        gather(files, Reading(max_bytes=100))
    assert gather(files, Reading(max_bytes=1000)).evidence.resident.total == 1048576


def test_live_bytes_that_are_all_that_is_known_are_said_to_be_that(tmp_path: Path) -> None:
    heap = profile(tmp_path / "heap", HEAP, (9, 9 << 20, 3, 3 << 20))
    (told,) = [each for each in gocost.attribute(profiles=heap).assumptions if "memory is" in each]
    assert told.startswith("memory is what the heap profile has as live alone")
    page = tmp_path / "metrics.txt"
    page.write_text("process_resident_memory_bytes 20000000\ngo_goroutines 5\n")
    report = gocost.attribute(profiles=heap, metrics=page)
    assert not [each for each in report.assumptions if "memory is" in each]
    assert sum(number for number in report.tables["memory"].column("memory")) == 20_000_000  # type: ignore[misc]


def test_modules_that_nothing_tells_are_the_program_s_to_tell(tmp_path: Path) -> None:
    cpu = profile(tmp_path / "cpu", CPU, (1, 10**7), functions=("example.com/app/pkg.F",))
    for by, said in (("module", True), ("package", False)):
        notes = [note.text for note in gocost.attribute(profiles=cpu, by=by).notes]
        assert any("add --binary FILE" in text for text in notes) == said
