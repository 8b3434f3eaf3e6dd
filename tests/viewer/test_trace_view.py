"""`gocost trace view`: the timeline of a trace, and parts of it told apart more finely."""

from __future__ import annotations

import gzip
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.fixtures.traces import recorded
from tests.viewer.running import DEADLINE, Running, running

pytest.importorskip("litestar", reason="needs Litestar: pip install 'gocost[serve]'")


@pytest.fixture(scope="module")
def file() -> Path:
    return recorded("go", "all", 1.5)


@pytest.fixture(scope="module")
def server(file: Path) -> Iterator[Running]:
    with running("trace", "view", str(file)) as found:
        yield found


def test_the_first_page_is_the_summary_with_its_timeline(server: Running) -> None:
    assert server.ask("/").headers["location"] == "/summary"

    reply = server.ask("/summary")

    assert reply.status == 200
    assert 'id="timeline"' in reply.text
    assert 'data-closer="/summary"' in reply.text


def test_a_compressed_trace_is_unpacked_once_for_all_pages(
    file: Path, server: Running, tmp_path: Path
) -> None:
    packed = tmp_path / "app.trace.gz"
    packed.write_bytes(gzip.compress(file.read_bytes(), 1))
    with running("trace", "view", str(packed)) as found:
        packed.unlink()
        for page in ("/gc?format=json", "/waits?format=json&from=100ms&to=200ms"):
            mine, other = (json.loads(each.ask(page).text) for each in (found, server))
            assert mine["tables"] == other["tables"]
            assert mine["subject"]["service"] == "app.trace.gz"


PAGES = [
    *("goroutines", "scheduler", "waits", "gc", "tasks", "users"),
    *("net", "sync", "syscall", "sched", "threads", "lifetimes", "spikes", "mmu"),
]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_its_tables(page: str, server: Running) -> None:
    reply = server.ask(f"/{page}?from=100ms&to=900ms")

    assert reply.status == 200
    assert f'href="/{page}?from=100ms&amp;to=900ms" aria-current="page"' in reply.text


def test_the_mutators_utilisation_is_a_curve(server: Running) -> None:
    report = json.loads(server.ask("/mmu?format=json").text)

    assert report["layout"]["curves"] == {"mmu": ["window", "mmu"]}
    assert server.ask("/mmu").text.count("<circle") == len(report["tables"]["mmu"]["rows"]) > 10


def test_waits_are_a_flame_graph_that_adds_up(server: Running) -> None:
    report = json.loads(server.ask("/sched?format=json").text)

    assert report["layout"]["flames"] == ["flame"]
    flame, stacks = (report["tables"][name]["rows"] for name in ("flame", "stacks"))
    assert sum(row[2] for row in flame) == sum(row[3] for row in stacks) > 0
    assert stacks[0][0] in {row[0] for row in flame}


def test_a_trace_without_cpu_samples_says_how_to_record_them(server: Running) -> None:
    reply = server.ask("/cpu")

    assert reply.status == 400
    assert "CPU profile runs at the same time" in reply.text


def test_a_part_of_the_time_is_told_apart_as_finely_as_the_whole(server: Running) -> None:
    whole = json.loads(server.ask("/summary?format=json").text)["series"][0]
    part = json.loads(server.ask("/summary?format=json&from=100ms&to=200ms").text)["series"][0]

    assert part["step"] < whole["step"] / 4
    assert part["start"] == pytest.approx(0.1)
    assert len(part["values"]) > 1000


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=soon", "--from is a time with its unit, and not"),
        ("from=2s&to=1s", "--from has to be 0 s or later, and before --to"),
        ("from=1h", "nothing of the trace is then"),
        ("file=/etc/passwd", "there is no option &#39;file&#39;"),
    ],
)
def test_what_cannot_be_shown_is_said_on_the_page(query: str, says: str, server: Running) -> None:
    reply = server.ask(f"/summary?{query}")

    assert reply.status == 400
    assert says in reply.text


def test_a_foreign_name_gets_nothing(server: Running) -> None:
    assert server.ask("/summary", Host="evil.example").status == 421


def test_a_signal_ends_it_cleanly(file: Path) -> None:
    with running("trace", "view", str(file)) as found:
        found.process.send_signal(signal.SIGTERM)

        _, said = found.process.communicate(timeout=DEADLINE)
        assert (found.process.returncode, said) == (0, "")


def test_what_is_no_trace_is_said_before_anything_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "cpu.pb.gz"
    other.write_bytes(gzip.compress(b"\n\4\x08\1"))

    assert run(["trace", "view", str(other), "--no-browser"]) == 3

    assert "not an execution trace" in capsys.readouterr().err
