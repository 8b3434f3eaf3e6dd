"""gocost.goroutines: reports of files and of running services."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.measures.goroutines import Reading
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.model.report import Report
from tests.analyses.goroutines.dumps import MAIN, written
from tests.fixtures.dumps import program, recorded
from tests.fixtures.leaks import HEALTHY, SIMPLE, expected, leaking_service
from tests.fixtures.traces import recorded as recorded_trace


def saved(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"{number}.txt" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(f"{MAIN}\n{text}")
    return paths


def rows(report: Report, table: str = "groups") -> list[dict[str, object]]:
    names = report.tables[table].names()
    return [dict(zip(names, row, strict=True)) for row in report.tables[table].rows]


@contextmanager
def serving(*, experiment: bool = False) -> Iterator[str]:
    """The program as a service, as its URL."""
    process = subprocess.Popen(
        [program(experiment=experiment), "serve", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def test_groups_of_a_file(tmp_path: Path) -> None:
    report = gocost.goroutines(*saved(tmp_path, written([10, 11], state="select, 3 minutes")))
    first = rows(report)[0]
    assert (first["count"], first["state"], first["oldest_minutes"]) == (2, "select", 3)
    assert first["waits_at"] == "main.leak.func1 main.go:12"
    assert first["created_by"] == "main.leak main.go:7"
    assert first["function"] == "main.leak.func1"
    assert first["stack"] == "main.leak.func1 /src/main.go:12"
    assert first["verdict"] == "parked"
    assert report.tables["groups"].sums_to is not None
    count = report.fact("goroutines.count")
    assert count is not None
    assert count.value == sum(report.tables["groups"].column("count")) == 3  # type: ignore[arg-type]
    assert report.fact("goroutines.leak.probable") is None, "one dump cannot tell"


def test_three_files_find_a_leak(tmp_path: Path) -> None:
    texts = [written(range(100, 100 + 20 * n)) for n in (1, 2, 3)]
    report = gocost.goroutines(*saved(tmp_path, *texts), every=5.0)
    (leak,) = rows(report, "leaks")
    assert (leak["verdict"], leak["count"]) == ("probable", 60)
    assert (leak["waits_in"], leak["created_in"]) == ("/src/main.go:12", "/src/main.go:7")
    assert "room for every send" in str(leak["cure"])
    probable = report.fact("goroutines.leak.probable")
    assert probable is not None
    leaked = report.fact("goroutines.leaked")
    assert leaked is not None
    assert (probable.value, leaked.value) == (60, 60)
    assert any("60 goroutines probably leak" in note.text for note in report.notes)
    assert report.assumptions


@pytest.mark.parametrize(
    ("by", "different"),
    [("creator", 3), ("stack", 3), ("state", 3), ("group", 4)],
)
def test_by(tmp_path: Path, by: str, different: int) -> None:
    text = written([10]) + written([11], creator="main.x")
    text += written([12], state="select", function="main.f")
    report = gocost.goroutines(*saved(tmp_path, text), by=by)
    assert len(rows(report)) == different
    assert sum(report.tables["groups"].column("count")) == 4  # type: ignore[arg-type]


def test_a_worker_that_stood_at_its_place_in_two_dumps_is_not_said_to_have_waited(
    tmp_path: Path,
) -> None:
    text = written([10, 11, 12]) + written([20], state="sleep")
    report = gocost.goroutines(*saved(tmp_path, text, text), older_than=5.0, every=6.0)
    listed = {row["waits_at"]: (row["count"], row["waited"], row["seen"]) for row in rows(report)}
    assert list(listed.values()) == [(3, 0, 6), (1, 0, 6)], "without the one that sleeps"
    (told,) = [note.text for note in report.notes if "same place" in note.text]
    assert told.startswith("4 goroutines stood at the same place in dumps 5 s apart or more")


def test_what_leaks_is_not_said_to_be_a_worker(tmp_path: Path) -> None:
    texts = [written(range(10, 10 + many)) for many in (2, 12, 22)]
    report = gocost.goroutines(*saved(tmp_path, *texts), older_than=5.0, every=6.0)
    assert report.tables["leaks"].column("verdict") == ["probable"]
    (told,) = [note.text for note in report.notes if "same place" in note.text]
    assert told.startswith("1 goroutine stood"), "main, and none of those that leak"


def test_older_than_and_min_count(tmp_path: Path) -> None:
    text = written([10, 11], state="select, 3 minutes") + written([12], state="chan send")
    report = gocost.goroutines(*saved(tmp_path, text), older_than=5.0)
    assert [row["count"] for row in rows(report)] == [2]
    assert report.tables["groups"].sums_to is None
    assert any("minutes only" in note.text for note in report.notes)
    report = gocost.goroutines(*saved(tmp_path, text), min_count=2)
    assert [row["count"] for row in rows(report)] == [2]
    (left,) = [note.text for note in report.notes if "left out" in note.text]
    assert left == "2 groups of fewer than 2 are left out (--min-count): 2 goroutines in all"


def test_what_has_not_waited_for_so_long_is_said_to_be_left_out(tmp_path: Path) -> None:
    text = written([10, 11], state="chan send, 3 minutes") + written([12, 13], state="chan send")
    text += written([14], state="select, 2 minutes")

    def told(**options: Any) -> tuple[str, list[str]]:
        report = gocost.goroutines(*saved(tmp_path, text), **options)
        assert report.layout.title.endswith("6 goroutines in 3 groups")
        notes = [note.text for note in report.notes if "left out" in note.text]
        return report.tables["groups"].title, notes

    assert told(older_than=90.0) == (
        "Goroutines that waited for 90 s or more",
        ["3 goroutines not known to have waited for 90 s are left out (--older-than), "
         "1 whole group among them"],
    )  # fmt: skip
    title, notes = told(older_than=150.0, by="state", min_count=3)
    assert title == "Goroutines that waited for 2.5 min or more by state"
    assert notes == [
        "4 goroutines not known to have waited for 2.5 min are left out (--older-than), "
        "2 whole groups among them",
        "1 group of fewer than 3 is left out (--min-count): 2 goroutines in all",
    ]
    assert told(older_than=0.0) == ("Goroutines", [])


def test_allowed(tmp_path: Path) -> None:
    texts = [written(range(100, 100 + 20 * n)) for n in (1, 2, 3)]
    assert "leaks" not in gocost.goroutines(*saved(tmp_path, *texts), allow=["^main.leak$"]).tables


POLICY = """version: 1
services:
  hub: {goroutines: {allow: ['^main\\.leak$']}}
  web: {}
"""


def test_allowed_by_the_policy(tmp_path: Path) -> None:
    texts = [written(range(100, 100 + 20 * n)) for n in (1, 2, 3)]
    policy = tmp_path / "gocost.yaml"
    policy.write_text(POLICY)
    report = gocost.goroutines(*saved(tmp_path, *texts), policy=policy, service="hub")
    assert "leaks" not in report.tables
    told = [note.text for note in report.notes]
    assert r"60 goroutines whose number grows are not judged: goroutines.allow ^main\.leak$" in told
    other = gocost.goroutines(*saved(tmp_path, *texts), policy=policy, service="web")
    assert "leaks" in other.tables, "the other service's list does not hold here"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "2 services; --service NAME: hub, web"),
        ({"service": "hob"}, "did you mean 'hub'"),
        ({"policy": None, "service": "hub"}, "add --policy gocost.yaml"),
    ],
)
def test_which_service(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    policy = tmp_path / "gocost.yaml"
    policy.write_text(POLICY)
    with pytest.raises(UsageError, match=re.escape(message)):
        gocost.goroutines(*saved(tmp_path, written([1])), **{"policy": policy, **options})


def test_two_dumps_are_compared(tmp_path: Path) -> None:
    first = written([10, 11, 12]) + written([20, 21], state="select", function="main.gone")
    second = written([11, 12, 13, 14, 15])
    report = gocost.goroutines(*saved(tmp_path, first, second))
    changed = {
        str(row["waits_at"]).split()[0]: [row[name] for name in MOVES]
        for row in rows(report, "changes")
    }
    assert changed == {"main.leak.func1": [3, 5, 2, 3, 1], "main.gone": [2, 0, -2, 0, 2]}
    assert report.layout is not None
    assert "changes" in (report.layout.tables or ())
    assert {row["count"] for row in rows(report)} == {1, 5}, "what went is not among the groups"


def test_without_ids_only_the_growth_is_told(tmp_path: Path) -> None:
    page = "goroutine profile: total {0}\n{0} @ 0x1\n#\t0x1\tmain.wait+0x1\t/m.go:1\n\n"
    for name, count in (("a", 2), ("b", 7)):
        (tmp_path / name).write_text(page.format(count))
    report = gocost.goroutines(tmp_path / "a", tmp_path / "b")
    (row,) = rows(report, "changes")
    assert [row[name] for name in MOVES] == [2, 7, 5, None, None]


MOVES = ("before", "after", "growth", "came", "left")


def test_a_trace(tmp_path: Path) -> None:
    report = gocost.goroutines(recorded_trace("go", "all"))
    assert sum(row["count"] for row in rows(report)) > 10  # type: ignore[misc]
    assert any("a trace of at least 10 s: this one has" in note.text for note in report.notes)
    assert report.fact("goroutines.leak.probable") is None
    with pytest.raises(UsageError, match="a trace is looked at by itself"):
        gocost.goroutines(recorded_trace("go", "all"), *saved(tmp_path, written([1])))


def test_doubts_are_told(tmp_path: Path) -> None:
    one, other = written([10, 11, 12]), written([50, 51])

    def told(*texts: str) -> str:
        return " ".join(note.text for note in gocost.goroutines(*saved(tmp_path, *texts)).notes)

    assert "this file holds 2 dumps" in told(one + "\n" + one)
    assert "are in another order than they were taken, or the process restarted" in told(other, one)
    assert "different forms" not in told(one, one)


def test_a_cut_dump_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "cut.txt"
    path.write_text(f"{MAIN}\n{written([10, 11])[:-60]}")
    notes = [note.text for note in gocost.goroutines(path).notes if note.level == "warning"]
    assert any("cut off in goroutine 11" in text for text in notes)


@pytest.mark.parametrize(
    ("files", "options", "error", "message"),
    [
        ([], {}, UsageError, "no dump is named"),
        (["x"], {"by": "colour"}, UsageError, "choose of group, creator, stack, state"),
        (["a", "b", "c", "d"], {}, UsageError, "4 dumps are more than 3"),
        (["http://a", "http://b"], {}, UsageError, "several dumps are files"),
        (["/nope"], {}, SourceError, "/nope does not exist; check the path"),
        (["/"], {}, SourceError, "is a folder"),
        (["http://127.0.0.1:1"], {}, SourceError, "nothing listens there"),
        ([__file__], {}, FormatError, "no goroutine in this text"),
        ([__file__], {"allow": ["("]}, UsageError, "--allow '(' is no regular expression"),
    ],
)
def test_mistakes(
    files: list[str], options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        gocost.goroutines(*files, **options)
    assert message in str(caught.value)


def test_a_service_is_asked_for_several_dumps() -> None:
    """Given a healthy service with a pool, then nothing in it is called a leak."""
    with serving() as url:
        waits: list[float] = []
        now = [0.0]

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            now[0] += seconds

        reading = Reading(sleep=sleep, clock=lambda: now[0])
        report = gocost.goroutines(url, older_than=4.0, reading=reading)
    assert waits == [5.0, 5.0]
    assert "leaks" not in report.tables
    pool = [row for row in rows(report) if row["function"] == "main.receive"]
    assert [(row["count"], row["verdict"]) for row in pool] == [(4, "parked")]
    probable = report.fact("goroutines.leak.probable")
    assert probable is not None
    assert probable.value == 0


def test_the_page_of_a_url_is_taken_with_ids() -> None:
    with serving() as url:
        report = gocost.goroutines(f"{url}/debug/pprof/goroutine")
        assert rows(report)[0]["state"] is not None
        grouped = gocost.goroutines(f"{url}/debug/pprof/goroutine?debug=1")
        assert rows(grouped)[0]["state"] is None
        with pytest.raises(SourceError, match="answered 404"):
            gocost.goroutines(f"{url}/nothing")


def test_every_goroutine_that_the_runtime_calls_leaked_is_certain(tmp_path: Path) -> None:
    """Bar (a): from the leak profile in each form, and from the service's page."""
    dumps = recorded(tmp_path, "states", binary=program(experiment=True))
    if "goroutineleak.debug2" not in dumps:
        pytest.skip("needs Go 1.26 or later, which looks for leaks")
    for name in ("goroutineleak.debug0", "goroutineleak.debug1", "goroutineleak.debug2"):
        report = gocost.goroutines(tmp_path / f"dump.{name}")
        certain = report.fact("goroutines.leak.certain")
        assert certain is not None
        assert certain.value == 7, name
    with leaking_service(SIMPLE, rate=0, experiment=True) as url:
        profile = _settled(f"{url}/debug/pprof/goroutineleak?debug=1")
        report = gocost.goroutines(url)
        certain = report.fact("goroutines.leak.certain")
        assert certain is not None
        assert certain.value == profile >= len(SIMPLE)
        assert any("the service's runtime looked for leaks" in note.text for note in report.notes)


def _settled(page: str) -> int:
    """How many goroutines a page has when it has the same number twice."""
    before = -1
    while True:
        fact = gocost.goroutines(page, every=0.1).fact("goroutines.count")
        assert fact is not None
        if fact.value == before:
            return before
        before = int(fact.value)


def test_what_go_calls_healthy_is_never_flagged() -> None:
    """Bar (c): NoLeakGlobal waits on a channel that a global variable holds."""
    for experiment in (False, True):
        with leaking_service([HEALTHY], rate=0, experiment=experiment) as url:
            report = gocost.goroutines(url, dumps=3, every=0.2)
        assert "leaks" not in report.tables
        assert any("NoLeakGlobal" in str(row["function"]) for row in rows(report))


def test_leaks_under_load_are_found() -> None:
    """Bar (b): at least nine in ten of the patterns, without the runtime's help."""
    with leaking_service(SIMPLE, rate=40) as url:
        report = gocost.goroutines(url, dumps=3, every=1.5)
    flagged = [
        f"{str(row['function']).removeprefix('main.')}( [{row['state']}]"
        for row in rows(report)
        if row["verdict"] != "parked"
    ]
    found = [
        name
        for name in SIMPLE
        if all(any(each.search(text) for text in flagged) for each in expected()[name])
    ]
    assert len(found) >= 0.9 * len(SIMPLE), sorted(set(SIMPLE) - set(found))
