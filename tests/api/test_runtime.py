"""`gocost runtime`: of a real program's pages, log and live pages; and what bad input gets."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gocost
from gocost.measures.runtime_metrics import Reading
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.model.report import Report
from tests.fixtures.binaries import Recipe, built
from tests.fixtures.collected import pages
from tests.fixtures.watched import eventually, free_port


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with first.* and last.* of every kind of page, and log."""
    folder = tmp_path_factory.mktemp("pages")
    for kind, (first, last) in pages().data.items():
        (folder / f"first.{kind}").write_bytes(first)
        (folder / f"last.{kind}").write_bytes(last)
    (folder / "log").write_bytes(b"starting\n" + pages().log)
    return folder


@contextmanager
def serving() -> Iterator[str]:
    """The program with its pages served; their base URL."""
    port = free_port()
    words = [str(built(Recipe(program="collected"))), f"-listen=127.0.0.1:{port}", "-live=8388608",
             f"-rate={32 << 20}"]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: _answers(url))
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        Reading().read([f"{url}/metrics"], count=1)
    except SourceError:
        return False
    return True


def verdicts(report: Report) -> dict[str, str]:
    table = report.tables["health"]
    return dict(zip(table.column("metric"), table.column("verdict"), strict=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["txt", "om"])
def test_two_pages_tell_everything(saved: Path, kind: str) -> None:
    report = gocost.runtime(saved / f"first.{kind}", saved / f"last.{kind}", every=2.0)
    told = verdicts(report)
    assert set(told) == {
        "scheduler.utilisation",
        "goroutines.per_worker",
        "scheduler.latency.p99",
        "gc.pause.p99",
        "memory.allocation.rate",
        "gc.forced",
        "memory.heap.growth",
    }
    for metric in ("goroutines.per_worker", "gc.forced"):
        assert told[metric] == "ok"
    assert told["memory.allocation.rate"] == "over", "400 MiB in 2 s"
    fact = report.fact("scheduler.latency.p99")
    assert fact is not None
    assert fact.low is not None
    assert fact.high is not None
    assert fact.low < fact.high
    assert not report.tables["settings"].rows or report.fact("gc.cpu.share") is not None


@pytest.mark.parametrize("kind", ["txt", "om", "usual", "vars"])
def test_the_heap_adds_up_to_what_is_mapped(saved: Path, kind: str) -> None:
    report = gocost.runtime(saved / f"last.{kind}")
    table = report.tables["heap"]
    assert table.sums_to is not None
    fact = report.fact(table.sums_to.metric)
    assert fact is not None
    assert sum(table.column("bytes")) == fact.value  # type: ignore[arg-type]


def test_the_usual_page_says_what_it_does_not_tell(saved: Path) -> None:
    report = gocost.runtime(saved / "last.usual")
    assert verdicts(report)["scheduler.latency.p99"] == "unknown"
    texts = [note.text for note in report.notes]
    assert any("WithGoCollectorRuntimeMetrics" in text for text in texts)
    # Its summary has no p99, and what stands beside it bounds the p99 where there are 100 cycles.
    assert report.fact("gc.pause.max") is not None


def test_a_page_without_all_classes_of_memory_says_where_they_are(
    saved: Path, tmp_path: Path
) -> None:
    pages = [tmp_path / "first", tmp_path / "last"]
    for page in pages:
        lines = (saved / f"{page.name}.usual").read_text().splitlines(keepends=True)
        page.write_text("".join(line for line in lines if "heap_idle" not in line))
    report = gocost.runtime(*pages, limit=256 * 2**20)
    (told,) = [note.text for note in report.notes if note.text.startswith("nothing is recommended")]
    assert "gctrace" not in told
    assert told.endswith("give /debug/vars, or a page with all of go_memstats_* or "
                         "go_memory_classes_*")  # fmt: skip


def test_pages_of_unknown_time_bound_the_rate_by_their_last_collections(saved: Path) -> None:
    report = gocost.runtime(saved / "first.usual", saved / "last.usual")
    fact = report.fact("memory.allocation.rate")
    assert fact is not None
    assert fact.low is not None
    assert fact.value == fact.high
    assert fact.high is not None
    assert 0.5 < fact.low / fact.high < 1


def test_a_log_among_other_lines(saved: Path) -> None:
    report = gocost.runtime(saved / "log")
    assert report.fact("gc.pause.max") is not None
    assert verdicts(report)["goroutines.per_worker"] == "unknown"
    assert "GOGC was 100: a gctrace log does not say it" in report.assumptions
    other = gocost.runtime(saved / "log", gogc=50.0)
    assert other.tables["settings"].column("gogc").count("50 (now)") == 1


def test_a_running_service_is_read_twice() -> None:
    with serving() as url:
        began = time.monotonic()
        report = gocost.runtime(url, every=1.0, limit=256 * 2**20)
    assert time.monotonic() - began >= 1.0
    assert report.subject.service == url
    rate = report.fact("memory.allocation.rate")
    assert rate is not None
    assert 8 << 20 < rate.value < 64 << 20  # type: ignore[operator]
    assert report.fact("scheduler.utilisation") is not None


def test_a_service_without_pages_says_what_was_asked() -> None:
    with pytest.raises(SourceError, match="nothing listens there"):
        gocost.runtime(f"http://127.0.0.1:{free_port()}")


def test_limits_are_the_presets_or_the_policys(saved: Path, tmp_path: Path) -> None:
    words = [str(saved / "first.txt"), str(saved / "last.txt")]

    def limit(report: Report, metric: str) -> object:
        table = report.tables["health"]
        return dict(zip(table.column("metric"), table.column("limit"), strict=True))[metric]

    assert limit(gocost.runtime(*words), "gc.pause.p99") == 0.015
    assert limit(gocost.runtime(*words, preset="low-latency"), "gc.pause.p99") == 0.005
    policy = tmp_path / "gocost.yaml"
    policy.write_text(
        "version: 1\nservices:\n  a:\n    package: ./a\n    deployment: {memory: 512 MiB}\n"
        "    rules:\n      - {metric: gc.forced, max: 0}\n"
    )
    (tmp_path / "a").mkdir()
    report = gocost.runtime(*words, policy=policy)
    assert limit(report, "gc.forced") == 0
    assert any("container of 512 MiB" in note.text for note in report.notes)

    policy.write_text(f"{policy.read_text()}  b:\n    package: ./b\n")
    (tmp_path / "b").mkdir()
    with pytest.raises(UsageError, match="has several services: a, b") as caught:
        gocost.runtime(*words, policy=policy)
    assert "--service NAME" in caught.value.hint
    assert limit(gocost.runtime(*words, policy=policy, service="a"), "gc.forced") == 0


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (gzip.compress(b"\x0a\x02\x08\x01", mtime=0), "is a profile", "gocost profile top"),
        (b"go 1.26 trace\0\0\0", "is an execution trace", "gocost trace summary"),
        (b"goroutine 1 [running]:\n", "is a goroutine dump", "gocost goroutines"),
        (b"", "is empty", "check the path"),
        (b"\x7fELF", "is an executable", "gocost size"),
        (b"<!doctype html>", "is a web page", "/metrics"),
    ],
)
def test_another_kind_of_file_is_named(
    tmp_path: Path, data: bytes, message: str, hint: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=message) as caught:
        gocost.runtime(path)
    assert hint in caught.value.hint


def test_what_does_not_go_together(saved: Path) -> None:
    first, last = saved / "first.txt", saved / "last.txt"
    with pytest.raises(UsageError, match="not in the order"):
        gocost.runtime(last, first)
    with pytest.raises(UsageError, match="tells of a window by itself"):
        gocost.runtime(first, saved / "log")
    with pytest.raises(UsageError, match="read by itself"):
        gocost.runtime(first, "http://127.0.0.1:1")
    with pytest.raises(UsageError, match="different kinds"):
        gocost.runtime(first, saved / "last.vars")


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    gocost = Path(sys.executable).with_name("gocost")
    return subprocess.run([gocost, "runtime", *words], capture_output=True, text=True, check=False)


def test_the_command_prints_each_row_in_its_unit(saved: Path) -> None:
    words = [str(saved / "first.txt"), str(saved / "last.txt"), "--every", "2s"]
    text = typed(*words).stdout
    assert "memory.allocation.rate" in text
    assert "122 MiB/s" in text
    assert "1.2 ms" in text
    assert max(map(len, text.splitlines())) <= 80
    found = json.loads(typed(*words, "--format", "json").stdout)
    health = found["tables"]["health"]
    names = [column["name"] for column in health["columns"]]
    row = dict(zip(names, health["rows"][4], strict=True))
    assert row["limit"] == 128_000_000
    assert row["unit"] == "bytes/second"


def test_the_command_refuses_sizes_that_are_none(saved: Path) -> None:
    done = typed(str(saved / "last.txt"), "--limit", "0")
    assert done.returncode == 2
    assert "--limit 0 is not above 0" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("limit", "told", "meant"),
    [
        ("12", "a container of 12 B holds no Go program", "12MiB"),
        ("2", "a container of 2 B holds no Go program", "256MiB"),
        ("300kB", "a container of 293 KiB holds no Go program", "256MiB"),
    ],
)
def test_a_container_that_no_go_program_fits_in_is_a_unit_forgotten(
    saved: Path, limit: str, told: str, meant: str
) -> None:
    done = typed(str(saved / "last.txt"), "--limit", limit)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.rstrip().endswith(f"such as {meant}")
    assert len(done.stderr.splitlines()) == 1


def test_standard_input_is_called_so(saved: Path) -> None:
    words = [str(Path(sys.executable).with_name("gocost")), "runtime", "-"]
    done = subprocess.run(
        words, input=(saved / "log").read_bytes(), capture_output=True, check=True
    )
    assert re.match(rb"standard input: \d+ collections\n", done.stdout)


def test_a_log_of_two_processes_is_read_as_one_of_them(saved: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = (saved / "log").read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:4] + lines))
    report = gocost.runtime(log)
    assert any("the log is of 2 processes" in note.text for note in report.notes)
    known = gocost.runtime(saved / "log").fact("gc.cycles")
    found = report.fact("gc.cycles")
    assert known is not None
    assert found is not None
    assert found.value == known.value


def test_a_heap_of_few_mib_has_no_trend_in_a_log(saved: Path) -> None:
    report = gocost.runtime(saved / "log")
    assert report.fact("memory.heap.growth") is None


def page(path: Path, **values: float) -> str:
    """A metrics page of a program that runs with GOGC=10 and 100 MiB of live heap."""
    told = {
        "go_gc_heap_allocs_bytes_total": 200 << 20,
        "go_gc_cycles_total_gc_cycles_total": 20,
        "go_gc_heap_goal_bytes": 110 << 20,
        "go_gc_heap_live_bytes": 100 << 20,
        "go_gc_gogc_percent": 10,
        "go_sched_gomaxprocs_threads": 2,
    } | values
    path.write_text("".join(f"{name} {value}\n" for name, value in told.items()))
    return str(path)


def test_settings_are_refused_by_their_own_reasons(tmp_path: Path) -> None:
    notes = [note.text for note in gocost.runtime(page(tmp_path / "page")).notes]
    refused = [text for text in notes if text.startswith("not predicted")]
    assert len(refused) == 2
    assert refused[0].startswith("not predicted, GOGC=10: that leaves less than a quarter")
    assert refused[1].startswith("not predicted, GOGC=50, 75")
    assert "that is 5.0 times the headroom" in refused[1]


def test_a_first_page_without_cpu_time_tells_no_utilisation(tmp_path: Path) -> None:
    first = page(tmp_path / "first")
    more = {"go_gc_heap_allocs_bytes_total": 400 << 20, "go_gc_cycles_total_gc_cycles_total": 40}
    last = page(tmp_path / "last", process_cpu_seconds_total=1000, **more)
    assert verdicts(gocost.runtime(first, last, every=10.0))["scheduler.utilisation"] == "unknown"


def test_a_damaged_page_ends_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "metrics"
    path.write_bytes(b"go_goroutines 5\ngo_gc_gogc_percent \xff\n")
    with pytest.raises(FormatError, match=r"metrics: .*; it is damaged.* copy it again"):
        gocost.runtime(str(path))


@pytest.mark.parametrize("url", ["http://[::1/x?token=secret", "http://[::1"])
def test_what_is_no_url_is_refused_as_none(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a service") as refused:
        gocost.runtime(url)
    assert "secret" not in str(refused.value)
