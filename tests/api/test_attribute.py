"""gocost.attribute: a real program's costs, which it counts itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import gocost
from gocost.measures.manifest import read_manifest
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.model.quantity import Money
from gocost.reporters.json import encode
from tests.fixtures.attributed import Recorded, attributed, number, rows
from tests.fixtures.binaries import Recipe, built

SECONDS = 6


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """The program, recorded for some seconds."""
    folder = tmp_path_factory.mktemp("recorded") / "recording"
    with attributed("-memprofilerate=32768") as service:
        before = service.truth()
        gocost.record(service.origin, SECONDS, folder, pid=service.pid)
        yield Recorded(folder, before, service.truth())


def test_every_column_adds_up(recorded: Recorded) -> None:
    for by in ("function", "package", "module", "label:endpoint"):
        report = gocost.attribute(recorded.folder, by=by)
        for name, table in report.tables.items():
            if name == "clocks":
                continue  # times are not added up
            assert table.sums_to is not None, name
            fact = report.fact(table.sums_to.metric)
            assert fact is not None
            column = table.column(table.sums_to.column)
            if name == "bill":
                amounts = [each.amount for each in column if isinstance(each, Money)]
                assert sum(amounts) == pytest.approx(Decimal(str(fact.value)), abs=Decimal("1e-9"))
            else:
                assert sum(map(number, column)) == fact.value, (by, name)
        for row in rows(report.tables["cpu"]).values():
            parts = [number(row[part]) for part in ("own", "runtime", "gc")]
            assert sum(parts) == row["cpu"]
        for row in rows(report.tables["memory"]).values():
            parts = [number(row[part]) for part in ("live", "headroom", "stacks", "rest")]
            assert sum(parts) == row["memory"]


def test_columns_of_cpu_add_up_to_the_same_whatever_the_rows_are(recorded: Recorded) -> None:
    sums = set()
    for by in ("function", "package", "module", "label:endpoint"):
        cpu = gocost.attribute(recorded.folder, by=by).tables["cpu"]
        columns = ("cpu", "own", "runtime", "gc", "gc_even")
        sums.add(tuple(sum(map(number, cpu.column(name))) for name in columns))
    (found,) = sums
    assert found[3] == found[4] > 0


def test_cpu_goes_to_the_function_that_burns_it(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder, by="label:endpoint")
    burned = recorded.rate("burned_ns") * SECONDS
    checkout = rows(report.tables["cpu"])["checkout"]
    # The interval is of sampling alone; the windows differ by the snapshots at both ends.
    assert number(checkout["low"]) * 0.93 < burned < number(checkout["high"]) * 1.07


def test_the_collectors_work_goes_to_whoever_allocates(recorded: Recorded) -> None:
    found = rows(gocost.attribute(recorded.folder, by="label:endpoint").tables["cpu"])
    assert number(found["search"]["gc"]) > 0
    assert number(found["checkout"]["gc"]) < number(found["search"]["gc"]) / 5


def test_waiting_goes_to_whoever_waits(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder)
    found = rows(report.tables["waiting"])
    wait = found["example.com/attributed/work.Wait"]
    share = recorded.rate("waited_ns") / 1e9
    window = number(rows(report.tables["clocks"])["block profiles"]["length"])
    assert number(wait["blocked"]) / window == pytest.approx(share, rel=0.15)
    assert number(wait["lock"]) > 0
    assert number(found["example.com/attributed/work.Block"]["held"]) > 0, "who unlocks is blamed"


def test_what_is_held_is_held_by_whoever_allocated_it(recorded: Recorded) -> None:
    found = rows(gocost.attribute(recorded.folder).tables["memory"])
    held = number(found["example.com/attributed/work.Hold"]["live"])
    # A node takes 64 bytes in its size class, and its slice 8 more with room to grow; some
    # thousand samples of the heap profile tell it to some percent.
    nodes = recorded.after.kept / 56
    assert 0.85 * nodes * (64 + 8) < held < 1.15 * nodes * (64 + 8 * 1.25)


def test_recording_is_a_row_of_its_own(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder)
    assert "observer" in rows(report.tables["goroutines"])
    names = [str(row[0]) for table in report.tables.values() for row in table.rows]
    assert not [name for name in names if name.startswith("net/http/pprof.")]


def test_stacks_are_equal_parts_and_that_is_said(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder)
    found = rows(report.tables["goroutines"])
    each = {number(row["stacks"]) / number(row["count"]) for row in found.values()}
    assert max(each) - min(each) <= 1
    held = sum(number(row["stacks"]) for row in found.values())
    mapped = (recorded.folder / "memstats-2.txt").read_text()
    in_use = int(mapped.split("# Stack = ")[1].split(" ")[0])
    assert held == pytest.approx(in_use, rel=0.5), "what MemStats has as in use, and no more"
    assert any("does not tell how large one's stack is" in text for text in report.assumptions)


def test_files_named_one_by_one_give_the_same(recorded: Recorded) -> None:
    whole = gocost.attribute(recorded.folder)
    profiles = [str(path) for path in sorted(recorded.folder.glob("*.pb.gz"))]
    named = gocost.attribute(
        profiles=profiles,
        trace=str(recorded.folder / "app.trace"),
        goroutines=str(recorded.folder / "goroutines.txt"),
        metrics=[str(path) for path in sorted(recorded.folder.glob("memstats-*"))],
    )
    for name in ("waiting", "goroutines"):
        assert [*named.tables[name].rows] == [*whole.tables[name].rows]
    total = named.fact("attribution.cpu")
    assert total is not None
    assert total.value == sum(map(number, named.tables["cpu"].column("cpu")))
    assert any("operating system" in text for text in named.assumptions)


def test_a_deployment_makes_it_money_and_the_rest_idle(recorded: Recorded, tmp_path: Path) -> None:
    policy = tmp_path / "gocost.yaml"
    policy.write_text(
        "version: 1\nservices:\n  work:\n    deployment: {replicas: 3, cpu: 2, memory: 1 GiB, "
        "requests_per_month: 5 M}\n"
    )
    report = gocost.attribute(recorded.folder, policy=policy)
    bill = rows(report.tables["bill"])
    month = report.fact("cost.month")
    million = report.fact("cost.per_million_requests")
    assert month is not None
    assert million is not None
    asked = 3 * 730 * (2 * 0.031611 + 1 * 0.004237)
    assert month.value == pytest.approx(asked, rel=1e-9), "all that is requested is billed"
    assert million.value == pytest.approx(asked / 5, rel=1e-9)
    assert "idle" in bill
    assert any("each replica" in text for text in report.assumptions)


def test_a_service_without_a_metrics_page_tells_of_its_runtime_all_the_same(
    recorded: Recorded,
) -> None:
    manifest = read_manifest(recorded.folder)
    assert {part.kind for part in manifest.parts if part.lost} == {"metrics"}
    page = (recorded.folder / "memstats-2.txt").read_text()
    assert page.startswith("heap profile: "), "its text has MemStats, and is the last that is asked"
    found = rows(gocost.attribute(recorded.folder).tables["memory"])
    assert number(found["example.com/attributed/work.Hold"]["headroom"]) > 0
    assert number(found["(runtime) metadata"]["rest"]) > 0
    assert number(found["main"]["stacks"] if "main" in found else found["main.main"]["stacks"]) > 0


def test_a_service_that_dies_while_it_is_recorded_leaves_what_there_was(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with attributed() as service:
        threading.Timer(2.0, os.kill, (service.pid, signal.SIGKILL)).start()
        gocost.record(service.origin, 4, folder)
    lost = {part.kind for part in read_manifest(folder).parts if part.lost}
    assert {"cpu", "heap", "trace"} <= lost
    report = gocost.attribute(folder)
    assert "cpu" not in report.tables
    assert "example.com/attributed/work.Hold" in rows(report.tables["memory"])
    assert any("the cpu of the recording is lost" in note.text for note in report.notes)
    assert any("goroutines" in note.text and "ended" in note.text for note in report.notes)
    for all_time in ("the allocations are of all the time", "the mutex profile is of all the time"):
        assert any(text.startswith(all_time) for text in report.assumptions)


def test_whoever_has_had_enough_keeps_what_there_was(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    command = [sys.executable, "-m", "gocost", "attribute", "--for", "60s", "--keep", str(folder)]
    with attributed() as service:
        recording = subprocess.Popen(
            [*command, "--live", service.origin],
            stderr=subprocess.PIPE,
            text=True,
            # A shell that runs the tests in the background has them ignore SIGINT.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while not (folder / "cpu.pb.gz").exists():
            time.sleep(0.05)
            assert recording.poll() is None
        recording.send_signal(signal.SIGINT)
        _, said = recording.communicate(timeout=30)  # and not when the profile would have ended
    assert recording.returncode == 130
    assert f"gocost attribute {folder}" in said
    assert "Traceback" not in said
    lost = {part.kind: part.lost for part in read_manifest(folder).parts if part.lost}
    assert lost["cpu"] == "the recording was interrupted"
    assert "memory" in gocost.attribute(folder).tables


def test_a_profile_that_somebody_else_records_leaves_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/profile?seconds=6"
        other = threading.Thread(target=lambda: urllib.request.urlopen(page).close())
        other.start()
        time.sleep(0.5)  # nothing tells whether a profile is being recorded
        gocost.record(service.origin, 1, folder, trace=False)
        other.join()
    report = gocost.attribute(folder)
    assert any("already in use" in note.text for note in report.notes)
    assert "memory" in report.tables


def refused(**options: object) -> str:
    with pytest.raises((UsageError, SourceError, FormatError)) as caught:
        gocost.attribute(**options)
    return str(caught.value)


def test_what_cannot_be_asked(recorded: Recorded, tmp_path: Path) -> None:
    assert "nothing is named" in refused()
    assert "exclude each other" in refused(folder=recorded.folder, profiles=["x"])
    assert "not sorted by 'colour'" in refused(folder=recorded.folder, by="colour")
    assert "has no recording.json" in refused(folder=tmp_path)
    (tmp_path / "recording.json").write_text('{"schema": "other"}')
    assert "is no recording" in refused(folder=tmp_path)
    (tmp_path / "recording.json").write_text(
        '{"schema": "gocost.recording/1", "url": "", "seconds": 1, "parts": '
        '[{"kind": "cpu", "file": "../../etc/passwd", "asked_ns": 0, "answered_ns": 0}]}'
    )
    assert "outside of its folder" in refused(folder=tmp_path)
    text = tmp_path / "text"
    text.write_text("no profile\n")
    assert "text" in refused(profiles=[str(text)])
    assert "--policy" in refused(profiles=[str(recorded.folder / "cpu.pb.gz")], service="x")


def test_nothing_listens(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing could be recorded"):
        gocost.record("http://127.0.0.1:9", 1, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(UsageError, match="whole seconds"):
        gocost.record("http://127.0.0.1:9", 1.5, tmp_path / "new")


def test_a_base_has_the_change_in_money_of_every_row(recorded: Recorded, tmp_path: Path) -> None:
    saved = tmp_path / "before.json"
    before = gocost.attribute(recorded.folder)
    saved.write_text(encode(before))
    same = gocost.attribute(recorded.folder, base=saved)
    assert [change.delta for change in same.changes] == [0.0]
    assert same.tables["changes"].rows == []
    cpu = str(recorded.folder / "cpu.pb.gz")
    alone = gocost.attribute(profiles=[cpu], base=saved)
    (change,) = alone.changes
    deltas = alone.tables["changes"].column("delta")
    whole = sum(each.amount for each in deltas if isinstance(each, Money))
    assert float(whole) == pytest.approx(change.delta, abs=1e-9)
    held = rows(alone.tables["changes"])["example.com/attributed/work.Hold"]["memory"]
    assert isinstance(held, Money)
    assert held.amount < 0, "without a heap profile nothing is held"
    with pytest.raises(UsageError, match="is by function, and this is by package"):
        gocost.attribute(profiles=[cpu], by="package", base=saved)
    saved.write_text(encode(gocost.size(built(Recipe()))))
    with pytest.raises(UsageError, match="has no bill"):
        gocost.attribute(profiles=[cpu], base=saved)


def test_the_other_assumption_of_the_collector_is_in_money_too(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder)
    bill, cpu = rows(report.tables["bill"]), rows(report.tables["cpu"])
    fact = report.fact("attribution.cores")
    assert fact is not None
    assert isinstance(fact.value, float)
    whole = sum(number(row["cpu"]) for row in cpu.values())
    rate = fact.value * 730 * 0.031611 / whole
    for name, row in cpu.items():
        for column in ("gc", "gc_even"):
            amount = bill[name][column]
            assert isinstance(amount, Money)
            assert float(amount.amount) == pytest.approx(number(row[column]) * rate, abs=1e-6)
    sums = {
        column: sum(each.amount for each in report.tables["bill"].column(column)
                    if isinstance(each, Money))
        for column in ("gc", "gc_even")
    }  # fmt: skip
    assert float(sums["gc"]) == pytest.approx(float(sums["gc_even"]), abs=1e-6)
    held = bill["example.com/attributed/work.Hold"]
    assert isinstance(held["gc_even"], Money)
    assert isinstance(held["gc"], Money)
    assert held["gc_even"].amount > held["gc"].amount, "what is live and allocates nothing"


def test_the_flame_graph_adds_up_to_the_bill(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder, flame=True)
    table = report.tables["stacks"]
    fact = report.fact("attribution.cpu")
    assert fact is not None
    assert sum(map(number, table.column("self"))) == fact.value
    cpu = rows(report.tables["cpu"])
    caused = table.column("function").index("GC, by who causes it")
    charged = {
        str(row[0]): number(row[2])
        for row in table.rows
        if row[1] == caused and "(" not in str(row[0])
    }
    for name, value in charged.items():
        assert value <= number(cpu[name]["gc"]) + 1, "what happened under a function stays there"
    amounts = [each.amount for each in table.column("money") if isinstance(each, Money)]
    bill = [each.amount for each in report.tables["bill"].column("cpu") if isinstance(each, Money)]
    assert float(sum(amounts)) == pytest.approx(float(sum(bill)), abs=1e-6)


def test_by_owner_the_repositorys_code_pays_for_what_it_calls(
    recorded: Recorded, tmp_path: Path
) -> None:
    (tmp_path / "go.mod").write_text("module example.com/attributed\n")
    owners = tmp_path / "CODEOWNERS"
    owners.write_text("* @org/platform\nwork/ @org/work\n")
    found = rows(
        gocost.attribute(recorded.folder, by="owner", codeowners=str(owners)).tables["cpu"]
    )
    assert number(found["@org/work"]["cpu"]) > 0
    others = {name for name in found if not name.startswith(("@", "(", "observer"))}
    assert others == set()
    # sync/atomic and time stand under the work's own functions, which pay for them.
    assert number(found["@org/work"]["cpu"]) > 0.5 * sum(number(r["cpu"]) for r in found.values())
    assert "--by owner" in refused(folder=recorded.folder, codeowners=str(owners))
