"""Load generators under the portrait: what is asked of them, what is taken from their reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.measures.driving import drive, figures
from gocost.measures.portrait import measure
from gocost.measures.serving import plan
from gocost.model.errors import SourceError
from gocost.model.service import Load, Run
from gocost.sources.load.interface import Latency, LoadResult
from gocost.sources.load.vegeta_tool import vegeta_program
from tests.fixtures.watched import LINUX, context_of, target_of


@pytest.fixture(scope="module")
def vegeta() -> Path:
    try:
        return vegeta_program()
    except SourceError as error:
        pytest.skip(f"vegeta cannot be built here: {error}")


def test_what_a_generator_reports_is_taken_over() -> None:
    latency = Latency(300, 0.02, 0.01, 0.03, 0.05, 0.06)
    taken = figures(
        LoadResult(
            "vegeta: a", 3.2, requests=300, failed=3, rate=100.0, latency=latency,
            errors=(("status 500", 3),),
        )
    )  # fmt: skip
    assert (taken.requests, taken.failed, taken.rate) == (300, 3, 100.0)
    assert (taken.p50, taken.p99, taken.max) == (0.01, 0.05, 0.06)
    assert (taken.what, taken.errors) == ("vegeta: a", ("status 500",))


def test_what_it_does_not_know_stays_unknown() -> None:
    taken = figures(LoadResult("`k6`", 3.2))
    assert (taken.requests, taken.failed, taken.rate, taken.p99) == (None, None, None, None)


def test_a_command_runs_where_the_policy_lies(tmp_path: Path) -> None:
    load = Load(command=("sh", "-c", "echo {port} > seen"))
    planned = plan(Run(command=("a",), load=load), None)
    taken = drive(load, planned, tmp_path, context_of(tmp_path))
    assert (tmp_path / "seen").read_text().strip() == planned.values["port"]
    assert taken.what == "`sh`"


@LINUX
def test_vegeta_at_a_rate_gives_latencies_and_the_cost_of_a_request(
    vegeta: Path, tmp_path: Path
) -> None:
    assert vegeta.is_file()
    (tmp_path / "work.targets").write_text("GET http://127.0.0.1:{port}/work\n")
    run = Run(
        command=("{binary}", "-listen=127.0.0.1:{port}", "-pages=vars", "-allocate=1048576"),
        ready="http://127.0.0.1:{port}/healthz",
        load=Load(vegeta="work.targets", rate=200.0, duration=3.0),
        settle=0.2,
    )
    measured = measure(target_of(run, tmp_path), context_of(tmp_path))
    facts = {fact.metric: fact for fact in measured.facts}
    values = {name: float(fact.value) for name, fact in facts.items()}
    # On a busy machine vegeta sends fewer than it was asked for, and never more.
    sent = facts["latency.p99"].n
    assert sent is not None
    assert 100 <= sent <= 600
    assert 0 < values["latency.p50"] <= values["latency.p99"] <= values["latency.max"]
    assert values["process.requests.rate"] > 0
    assert values["process.requests.failed"] == 0
    # Each request allocates a mebibyte and what net/http takes for it.
    assert 1 << 20 < values["memory.allocation.per_request"] < 1.1 * (1 << 20)
    assert values["process.cpu.per_request"] == pytest.approx(values["process.cpu.seconds"] / sent)
    assert not measured.notes


@LINUX
def test_requests_that_fail_are_told(vegeta: Path, tmp_path: Path) -> None:
    assert vegeta.is_file()
    (tmp_path / "some.targets").write_text(
        "GET http://127.0.0.1:{port}/work\n\nGET http://127.0.0.1:{port}/missing\n"
    )
    run = Run(
        command=("{binary}", "-listen=127.0.0.1:{port}"),
        ready="http://127.0.0.1:{port}/healthz",
        load=Load(vegeta="some.targets", rate=50.0, duration=1.0),
        settle=0.1,
    )
    measured = measure(target_of(run, tmp_path), context_of(tmp_path))
    failed = next(fact for fact in measured.facts if fact.metric == "process.requests.failed")
    # The two take turns, and a busy machine may send fewer than the 50 that were asked for.
    assert failed.n is not None
    assert failed.value == (failed.n // 2) / failed.n
    assert any(f"{failed.n // 2} requests failed (" in note.text for note in measured.notes)
