"""Load put on the real payment service with the real vegeta, and with commands."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.model.errors import SourceError
from gocost.sources.load.command import CommandLoad
from gocost.sources.load.interface import LoadResult
from gocost.sources.load.vegeta import (
    VegetaLoad,
    attack_arguments,
    latency_of,
    read_targets,
    tally_of,
)
from gocost.sources.load.vegeta_tool import vegeta_program
from tests.fixtures.binaries import CACHE
from tests.fixtures.services import PAYMENTS, Service, payments

TARGETS = PAYMENTS / "load" / "pay.targets"


@pytest.fixture(scope="module")
def vegeta() -> Iterator[Path]:
    """The program, in a cache that outlives the tests: it takes half a minute to build."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOCOST_CACHE", str(CACHE / "gocost"))
        yield vegeta_program()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with payments("--ttl=5s") as running:
        yield running


def load_on(
    service: Service, targets: Path = TARGETS, *, rate: float = 100, seconds: float = 1
) -> VegetaLoad:
    return VegetaLoad(targets, rate, seconds, PAYMENTS, {"port": str(service.port)})


def whole(load: VegetaLoad, requests: int) -> LoadResult:
    """A run with all of its requests, of at most five: on a busy machine vegeta leaves out those
    that are late at the end of the time.
    """
    for _ in range(5):
        result = load.run()
        if result.requests == requests:
            break
    return result


def written(folder: Path, text: str) -> Path:
    path = folder / "some.targets"
    path.write_text(text)
    return path


def test_the_example_takes_its_load_without_a_failure(vegeta: Path, service: Service) -> None:
    result = whole(load_on(service, rate=200, seconds=2), 400)

    assert result.requests == 400
    assert result.failed == 0
    # The mix has 13 new payments or retries of one, and 7 reads or quotes, in 20 targets.
    assert result.statuses == ((200, 140), (201, 260))
    assert result.errors == ()
    assert result.rate is not None
    assert result.seconds is not None
    assert result.rate == pytest.approx(399 / result.seconds)
    assert result.wall_seconds >= result.seconds
    assert result.latency is not None
    assert result.latency.count == 400
    assert 0 < result.latency.p50 <= result.latency.p90 <= result.latency.p99 <= result.latency.max
    bodies = {"card": 8 * 20, "sepa": 5 * 20, "wallet": 3 * 20}  # of 400 requests
    sizes = {name: (PAYMENTS / "load" / f"{name}.json").stat().st_size for name in bodies}
    assert result.sent_bytes == sum(sizes[name] * count for name, count in bodies.items())
    assert result.received_bytes is not None
    assert result.received_bytes > 400 * 100
    assert not result.received_cut


def test_figures_agree_with_the_report_of_vegeta(
    vegeta: Path, service: Service, tmp_path: Path
) -> None:
    results = tmp_path / "results.bin"
    subprocess.run(
        attack_arguments(vegeta, 300, 2, results, 1 << 16),
        input=read_targets(TARGETS, {"port": str(service.port)}).encode(),
        cwd=PAYMENTS,
        check=True,
    )

    result = tally_of(vegeta, results, 1 << 16).result("", 0, "")

    report = json.loads(
        subprocess.run(
            [vegeta, "report", "-type=json", results], capture_output=True, check=True
        ).stdout
    )
    latency = result.latency
    assert latency is not None
    assert result.requests == report["requests"] > 300
    assert {str(status): count for status, count in result.statuses} == report["status_codes"]
    assert result.sent_bytes == report["bytes_out"]["total"]
    assert result.received_bytes == report["bytes_in"]["total"]
    assert round(latency.max * 1e9) == report["latencies"]["max"]
    assert latency.mean * 1e9 == pytest.approx(report["latencies"]["mean"], abs=1)
    # vegeta's quantiles are a t-digest's: right within a little of the rank.
    every = tally_of(vegeta, results, 1 << 16).latencies_ns
    for percent, estimate in ((50, "50th"), (90, "90th"), (99, "99th")):
        below = sum(value <= report["latencies"][estimate] for value in every)
        assert below / len(every) == pytest.approx(percent / 100, abs=0.01)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300))
def test_quantiles_are_the_nearest_rank(latencies: list[int]) -> None:
    ordered = sorted(latencies)

    result = latency_of(array("q", latencies))

    assert result is not None
    for percent, value in ((50, result.p50), (90, result.p90), (99, result.p99)):
        rank = math.ceil(Fraction(percent, 100) * len(ordered))
        assert value == ordered[rank - 1] / 1e9
    assert result.max == ordered[-1] / 1e9


def test_some_failures_are_counted_and_told(vegeta: Path, service: Service, tmp_path: Path) -> None:
    targets = written(tmp_path, f"GET {service.origin}/healthz\n\nGET {service.origin}/nowhere\n")

    result = whole(load_on(service, targets, rate=40), 40)

    assert (result.requests, result.failed) == (40, 20)
    assert result.statuses == ((200, 20), (404, 20))
    assert result.errors == (("404 Not Found", 20),)


def test_a_long_answer_is_cut_and_that_is_said(
    vegeta: Path, service: Service, tmp_path: Path
) -> None:
    results = tmp_path / "results.bin"
    subprocess.run(
        attack_arguments(vegeta, 10, 1, results, 100),
        input=f"GET {service.origin}/metrics\n".encode(),
        check=True,
    )

    result = tally_of(vegeta, results, 100).result("", 0, "")

    assert result.received_cut
    assert result.requests is not None
    assert result.received_bytes == result.requests * 100


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no targets to attack"),
        ("fetch http://127.0.0.1:1/\n", "bad method: fetch"),
        ("GET\n", "bad target"),
        ("GET http://127.0.0.1:1/\nno colon\n", "bad header: no"),
        ("POST http://127.0.0.1:1/\n@absent.json\n", "bad body: open absent.json"),
    ],
)
def test_targets_that_vegeta_cannot_use_are_told_in_its_words(
    vegeta: Path, tmp_path: Path, text: str, told: str
) -> None:
    load = VegetaLoad(written(tmp_path, text), 10, 1, tmp_path)

    with pytest.raises(SourceError, match=told) as caught:
        load.run()

    assert "METHOD URL" in caught.value.hint
    # The clock of vegeta's log is not part of what is wrong.
    assert caught.value.message.startswith(f"vegeta cannot use {load.targets}: {told[:3]}")


def test_targets_that_cannot_be_read_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.targets cannot be read: No such file"):
        read_targets(tmp_path / "absent.targets", {})
    (tmp_path / "binary").write_bytes(b"GET \xff")
    with pytest.raises(SourceError, match=r"is not text \(byte 4\)"):
        read_targets(tmp_path / "binary", {})


def test_a_placeholder_that_nothing_fills_is_named(tmp_path: Path) -> None:
    targets = written(tmp_path, "GET http://127.0.0.1:{port2}/\n")

    with pytest.raises(SourceError, match=r"wants \{port2\}"):
        read_targets(targets, {"port": "80"})

    assert read_targets(targets, {"port2": "81"}) == "GET http://127.0.0.1:81/\n"


def test_a_refused_connection_is_told_as_one(vegeta: Path, tmp_path: Path) -> None:
    targets = written(tmp_path, "GET http://127.0.0.1:1/\n")

    with pytest.raises(SourceError, match=r"all 5 requests of some\.targets failed") as caught:
        VegetaLoad(targets, 5, 1, tmp_path).run()

    assert "connection refused" in caught.value.message
    assert "nothing listens there" in caught.value.hint


def test_a_load_whose_every_request_is_refused_measures_nothing(vegeta: Path) -> None:
    with (
        payments(env={"PAYMENTS_KEY": "another key"}) as service,
        pytest.raises(SourceError, match=r"all 20 requests .* 401 Unauthorized") as caught,
    ):
        load_on(service, rate=20).run()
    assert "curl" in caught.value.hint


@pytest.mark.parametrize(("rate", "seconds"), [(0, 1), (1, 0), (-1, 1), (1e9, 1e9)])
def test_a_load_of_nothing_or_of_too_much_is_refused(rate: float, seconds: float) -> None:
    with pytest.raises(SourceError, match="a load of"):
        VegetaLoad(TARGETS, rate, seconds, PAYMENTS).run()


@pytest.mark.parametrize(
    ("rate", "flag"), [(500, "-rate=500/1s"), (0.5, "-rate=1/2s"), (2.5, "-rate=5/2s")]
)
def test_a_rate_below_one_is_spread_over_seconds(rate: float, flag: str) -> None:
    assert flag in attack_arguments(Path("vegeta"), rate, 1.5, Path("out"), 0)
    assert "-duration=1500000000ns" in attack_arguments(Path("vegeta"), rate, 1.5, Path("out"), 0)


def test_an_attack_that_takes_too_long_is_ended(vegeta: Path, service: Service) -> None:
    with pytest.raises(SourceError, match=r"did not end within 0\.2 s"):
        load_on(service, seconds=30).run(timeout=0.2)


class TestCommand:
    def test_a_command_gives_its_output_and_no_latency(self, tmp_path: Path) -> None:
        script = "import os; [print('line', i) for i in range(50)]; print(os.environ['TARGET'])"
        load = CommandLoad([sys.executable, "-c", script], tmp_path, {"TARGET": "here"})

        result = load.run(timeout=60)

        assert result.output_tail.splitlines()[-2:] == ["line 49", "here"]
        assert len(result.output_tail.splitlines()) == 20
        assert (result.requests, result.failed, result.latency) == (None, None, None)
        assert result.wall_seconds > 0

    def test_a_command_that_fails_is_told_with_its_last_line(self, tmp_path: Path) -> None:
        script = "import sys; print('warming up'); sys.exit('no route to host')"

        with pytest.raises(SourceError, match="ended with status 1: no route to host") as caught:
            CommandLoad([sys.executable, "-c", script], tmp_path).run()

        assert "by hand" in caught.value.hint

    def test_a_command_that_is_absent_or_empty_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="there is no program 'absent-load-tool' here"):
            CommandLoad(["absent-load-tool"], tmp_path).run()
        with pytest.raises(SourceError, match="the load command is empty"):
            CommandLoad([], tmp_path).run()

    def test_a_command_that_hangs_is_ended_with_all_that_it_started(self, tmp_path: Path) -> None:
        script = "sleep 600 & echo $! > pid; wait"

        with pytest.raises(SourceError, match="did not end within 3 s"):
            CommandLoad(["sh", "-c", script], tmp_path).run(timeout=3)

        sleeper = int((tmp_path / "pid").read_text())
        deadline = time.monotonic() + 20
        while _runs(sleeper) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _runs(sleeper)


def _runs(pid: int) -> bool:
    """Whether a process exists and is more than a status that nobody has asked for."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip()[:1] not in ("", "Z")
