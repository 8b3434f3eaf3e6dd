"""gocost.attribute by task and by label: a program that counts what its tasks did."""

from __future__ import annotations

from pathlib import Path

import pytest

import gocost
from gocost.measures.attribution import Files, gather
from gocost.measures.profiles import Reading
from gocost.measures.trace import read_trace
from gocost.model.errors import UsageError
from tests.fixtures.attributed import Recorded, attributed, number, rows

SECONDS = 6


@pytest.fixture(scope="module", params=["go1.22.12", "go"])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The program with tasks, of a Go with the first traces of this format and of a newer one."""
    folder = tmp_path_factory.mktemp("recorded") / "recording"
    with attributed("-tasks", toolchain=request.param) as service:
        before = service.truth()
        gocost.record(service.origin, SECONDS, folder, pid=service.pid)
        return Recorded(folder, before, service.truth())


def test_waiting_in_a_task_is_what_the_program_counted(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder, by="task")
    found, seconds = rows(report.tables["waiting"]), SECONDS / 2
    order, nested = found["order"], found["nested"]
    slept = number(order["sleep"]) / 1e9
    # The program's sleeps end when it runs again; the trace's when it could.
    assert slept <= recorded.rate("task_slept_ns") / 1e9 * seconds * 1.15
    assert (number(order["sleep"]) + number(order["scheduler"])) / 1e9 > (
        recorded.rate("task_slept_ns") / 1e9 * seconds * 0.85
    )
    began = number(order["count"])
    assert began == pytest.approx(recorded.rate("tasks") * seconds, rel=0.2)
    assert abs(number(nested["count"]) - began) <= 1
    assert order["each"] == pytest.approx(number(order["waiting"]) / began)
    assert number(nested["sleep"]) >= 0.95e6 * (began - 1), "a millisecond in each"
    assert number(nested["channel"]) == 0, "the task in the task is not charged for the outer"
    assert number(order["channel"]) > 0, "it waits for the goroutine of its region"


def test_cpu_in_a_region_on_another_goroutine_is_the_tasks(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder, by="task")
    order = rows(report.tables["cpu"])["order"]
    burned = recorded.rate("task_burned_ns") * SECONDS / 2
    # Running is CPU time and what the operating system took meanwhile: never less.
    assert number(order["own"]) > burned * 0.8
    assert number(order["gc"]) < number(order["own"]) / 10, "it allocates next to nothing"


def test_by_task_everything_adds_up_to_the_trace(recorded: Recorded) -> None:
    report = gocost.attribute(recorded.folder, by="task")
    trace = gather(Files(trace=str(recorded.folder / "app.trace")), Reading()).evidence.trace
    assert trace is not None
    length = trace.end - trace.start
    clipped = read_trace(recorded.folder / "app.trace", between=(0, length), keep=None)
    running = sum(group.sums[1] for group in clipped.groups.values())
    waiting = sum(group.sums[each] for group in clipped.groups.values() for each in (0, 2, 3))
    assert sum(map(number, report.tables["cpu"].column("cpu"))) == running
    assert sum(map(number, report.tables["waiting"].column("waiting"))) == waiting
    for name in ("cpu", "waiting", "memory"):
        table = report.tables[name]
        assert table.sums_to is not None
        fact = report.fact(table.sums_to.metric)
        assert fact is not None
        assert sum(map(number, table.column(table.sums_to.column))) == fact.value
    for row in rows(report.tables["cpu"]).values():
        assert sum(number(row[part]) for part in ("own", "runtime", "gc")) == row["cpu"]


def test_waiting_by_label_is_of_what_runs_under_it(recorded: Recorded) -> None:
    whole = gocost.attribute(recorded.folder)
    report = gocost.attribute(recorded.folder, by="label:endpoint")
    found = rows(report.tables["waiting"])
    assert number(found["checkout"]["sleep"]) > 0, "it burns and sleeps"
    assert number(found["checkout"]["channel"]) == 0
    assert number(found["search"]["channel"]) > 0, "it waits for a ticker"
    assert number(found["search"]["sleep"]) == 0
    # checkout is one goroutine: what it ran and waited is the trace's length.
    assert number(found["checkout"]["waiting"]) < SECONDS / 2 * 1e9
    for name in ("attribution.waiting",):
        one, other = whole.fact(name), report.fact(name)
        assert one is not None
        assert other is not None
        assert one.value == other.value


def test_a_request_waits_its_part_of_the_waiting(recorded: Recorded, tmp_path: Path) -> None:
    policy = tmp_path / "gocost.yaml"
    policy.write_text(
        "version: 1\nservices:\n  work:\n    deployment: {replicas: 2, requests_per_month: 5 M}\n"
    )
    untasked = tmp_path / "untasked"
    with attributed() as service:
        gocost.record(service.origin, 2, untasked)

    report = gocost.attribute(untasked, policy=policy)

    told = report.tables["waiting"]
    # A busy service ends its trace late.
    lasted = number(rows(report.tables["clocks"])["trace"]["length"]) / 1e9
    requests = 5e6 / 2 / (730 * 3600) * lasted
    found = dict(zip(told.names(), told.rows[0], strict=True))
    assert found["request"] == pytest.approx(number(found["waiting"]) / requests, rel=0.02)
    assert "request" not in gocost.attribute(untasked).tables["waiting"].names()


def test_a_request_is_a_task_where_there_are_tasks(recorded: Recorded, tmp_path: Path) -> None:
    policy = tmp_path / "gocost.yaml"
    policy.write_text(
        "version: 1\nservices:\n  work:\n    deployment: {replicas: 2, requests_per_month: 5 M}\n"
    )
    by_task = rows(gocost.attribute(recorded.folder, by="task").tables["waiting"])
    tasks = number(by_task["order"]["count"])
    assert number(by_task["nested"]["count"]) > 0, "they are within the others"

    for named in (None, policy):
        table = gocost.attribute(recorded.folder, policy=named).tables["waiting"]

        found = dict(zip(table.names(), table.rows[0], strict=True))
        assert found["request"] == pytest.approx(number(found["waiting"]) / tasks)
        meaning = next(column.description for column in table.columns if column.name == "request")
        assert f"of the {tasks:,.0f} tasks without a parent" in meaning


def test_what_has_no_tasks_says_so(recorded: Recorded) -> None:
    with pytest.raises(UsageError, match="tasks are of a trace, and there is none"):
        gocost.attribute(profiles=[str(recorded.folder / "cpu.pb.gz")], by="task")
    with attributed() as service:
        folder = recorded.folder.with_name("without")
        gocost.record(service.origin, 1, folder)
    report = gocost.attribute(folder, by="task")
    assert any("runtime/trace.NewTask" in note.text for note in report.notes)
    assert "(no task)" in rows(report.tables["cpu"])
