"""Rules over what was recorded: a CPU profile, an execution trace."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import gocost
from gocost.measures import recorded_goroutines, runtime_metrics
from gocost.model.finding import Outcome
from gocost.model.report import Report
from tests.analyses.goroutines.dumps import written
from tests.fixtures.answering import Files, answering, files_of
from tests.fixtures.collected import pages
from tests.fixtures.services import EXAMPLES, payments_binary
from tests.fixtures.traces import recorded

TOKEN = {"Authorization": "Bearer s3cr3t"}
POLICY = """version: 1
services:
  payments:
    package: ./payments
    rules:
      - {metric: cpu.share, select: {package: net/textproto}, max: 0.1%}
      - {id: nobody, metric: cpu.share, select: {package: runtime}, max: 0.1%}
      - {id: nothing, metric: cpu.share, select: {package: example.com/none}, max: 1%}
      - {metric: scheduler.latency.p99, max: 10 min}
      - {metric: scheduler.utilisation, max: 0.001}
      - {metric: goroutines.count, max: 3}
      - {metric: goroutines.leak.certain, max: 0}
"""

LEAKED = """version: 1
services:
  payments:
    package: ./payments
    goroutines: {allow: %s}
    rules:
      - {metric: goroutines.leaked, max: 0}
"""

DUMP = """goroutine 1 [running]:
main.main()
\t/src/main.go:9 +0x1f

goroutine 7 [chan receive (nil chan), 5 minutes]:
main.wait(...)
\t/src/main.go:20
created by main.main in goroutine 1
\t/src/main.go:12 +0x25
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "gocost.yaml"
    path.write_text(POLICY)
    path.with_name("payments").mkdir()  # nothing is built of it: what was recorded is looked at
    return path


@pytest.fixture(scope="module")
def profile(policy: Path) -> Path:
    """A CPU profile of the payments example's benchmarks."""
    path = policy.with_name("cpu.pb.gz")
    done = subprocess.run(
        ["go", "test", "-run", "^$", "-bench", "Get", "-benchtime", "2s", "-cpuprofile",
         str(path), "-o", str(policy.with_name("api.test")), "./internal/api"],
        cwd=EXAMPLES / "payments", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return path


def outcomes(report: Report) -> dict[str, Outcome]:
    return {finding.rule: finding.outcome for finding in report.findings}


def test_rules_over_what_was_recorded(policy: Path, profile: Path) -> None:
    dump = policy.with_name("dump.txt")
    dump.write_text(DUMP)
    report = gocost.check(
        policy,
        profiles=[str(profile)],
        trace=str(recorded("go", "all")),
        goroutines=[str(dump)],
    )
    assert outcomes(report) == {
        "cpu.share": Outcome.VIOLATED,
        "nobody": Outcome.PASS,  # what the runtime does is the doing of whoever called it
        "nothing": Outcome.PASS,
        "scheduler.latency.p99": Outcome.PASS,
        "scheduler.utilisation": Outcome.VIOLATED,
        "goroutines.count": Outcome.PASS,
        "goroutines.leak.certain": Outcome.VIOLATED,
    }
    shared = [fact for fact in report.facts if fact.metric == "cpu.share"]
    bounded = [fact for fact in shared if fact.low is not None]
    assert bounded, "samples have an interval"
    assert all(fact.low < fact.value < fact.high for fact in bounded)  # type: ignore[operator]
    shares = [fact.value for fact in shared]
    assert sum(shares) == pytest.approx(1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("allow", "dumps", "outcome"),
    [
        ("[]", 3, Outcome.VIOLATED),
        ("['^main[.]leak$']", 3, Outcome.PASS),
        ("['^main[.]other$']", 3, Outcome.VIOLATED),
        ("[]", 1, Outcome.UNKNOWN),
    ],
)
def test_a_rule_over_leaks(tmp_path: Path, allow: str, dumps: int, outcome: Outcome) -> None:
    path = tmp_path / "gocost.yaml"
    path.write_text(LEAKED % allow)
    path.with_name("payments").mkdir()
    for number in range(1, dumps + 1):
        (tmp_path / f"{number}.txt").write_text(written(range(100, 100 + 20 * number)))
    files = [str(tmp_path / f"{number}.txt") for number in range(1, dumps + 1)]
    assert outcomes(gocost.check(path, goroutines=files)) == {"goroutines.leaked": outcome}


def test_a_certain_leak_breaks_the_rule_in_one_dump(tmp_path: Path) -> None:
    path = tmp_path / "gocost.yaml"
    path.write_text(LEAKED % "[]")
    path.with_name("payments").mkdir()
    (tmp_path / "one.txt").write_text(DUMP)
    report = gocost.check(path, goroutines=[str(tmp_path / "one.txt")])
    assert outcomes(report) == {"goroutines.leaked": Outcome.VIOLATED}


def test_without_a_recording_the_rules_are_skipped(policy: Path) -> None:
    report = gocost.check(policy)
    assert set(outcomes(report).values()) == {Outcome.SKIPPED}
    assert any("--trace FILE" in finding.reason for finding in report.findings)


def test_a_recording_that_cannot_be_read_is_unknown(policy: Path, tmp_path: Path) -> None:
    report = gocost.check(policy, trace=str(tmp_path / "none.trace"))
    found = {finding.rule: finding for finding in report.findings}
    assert found["scheduler.utilisation"].outcome is Outcome.UNKNOWN
    assert "does not exist" in found["scheduler.utilisation"].reason


def test_what_a_million_requests_cost_is_a_rule_over_a_recording(
    policy: Path, profile: Path, tmp_path: Path
) -> None:
    """One replica at the profile's load: `cost.per_million_requests` follows from its cores."""
    path = tmp_path / "gocost.yaml"
    path.write_text(
        "version: 1\nservices:\n  payments:\n    package: ./payments\n"
        "    deployment: {requests_per_month: 1 M}\n"
        "    rules:\n      - {metric: cost.per_million_requests, max: 1.20 USD}\n"
    )
    (tmp_path / "payments").mkdir()
    report = gocost.check(path, profiles=[str(profile)])
    cores, cost = report.fact("attribution.cores"), report.fact("cost.per_million_requests")
    assert cores is not None
    assert cost is not None
    assert isinstance(cores.value, float)
    assert cost.value == pytest.approx(cores.value * 730 * 0.031611, rel=1e-6)
    assert outcomes(report) == {"cost.per_million_requests": Outcome.VIOLATED}


METRICS = """version: 1
services:
  payments:
    package: ./payments
    rules:
      - {metric: goroutines.per_worker, max: 50000}
      - {metric: memory.allocation.rate, max: 1 kB/s}
      - {id: closed, metric: scheduler.latency.p99, max: 10 h}
      - {metric: memory.heap.growth, max: 0.3}
"""


def test_rules_over_a_page_of_the_runtime(policy: Path, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.write_bytes(pages().data["txt"][1])
    ruled = policy.with_name("metrics.yaml")
    ruled.write_text(METRICS)
    report = gocost.check(ruled, metrics=[str(page)])
    assert outcomes(report) == {
        "goroutines.per_worker": Outcome.PASS,
        "memory.allocation.rate": Outcome.VIOLATED,
        "closed": Outcome.PASS,
        "memory.heap.growth": Outcome.UNKNOWN,
    }
    found = {finding.rule: finding for finding in report.findings}
    assert "one page does not tell growth" in found["memory.heap.growth"].reason


RATES = """version: 1
services:
  payments:
    package: ./payments
    rules:
      - {metric: memory.allocation.rate, max: 1 kB/s}
      - {id: ample, metric: memory.allocation.rate, max: 1 TB/s}
      - {metric: scheduler.utilisation, max: 100%}
"""


def test_two_pages_without_times_bound_rates_by_their_collections(
    policy: Path, tmp_path: Path
) -> None:
    first, last = (tmp_path / name for name in ("first", "last"))
    for path, page in zip((first, last), pages().data["txt"], strict=True):
        path.write_bytes(page)
    ruled = policy.with_name("rates.yaml")
    ruled.write_text(RATES)
    report = gocost.check(ruled, metrics=[str(first), str(last)])
    assert outcomes(report) == {
        "memory.allocation.rate": Outcome.VIOLATED,
        "ample": Outcome.PASS,
        "scheduler.utilisation": Outcome.PASS,
    }
    for name, page in zip(("first.om", "last.om"), pages().data["om"], strict=True):
        (tmp_path / name).write_bytes(page)  # the same two moments with times
    timed = gocost.runtime(tmp_path / "first.om", tmp_path / "last.om")
    for metric in ("memory.allocation.rate", "scheduler.utilisation"):
        bounded, known = report.fact(metric), timed.fact(metric)
        assert bounded is not None
        assert known is not None
        assert bounded.low is not None
        assert bounded.high is not None
        # By the times that OpenMetrics has; its pages were made a moment after the others.
        assert isinstance(known.value, float)
        assert bounded.low * 0.85 <= known.value <= bounded.high * 1.15


def test_pages_that_tell_no_time_say_what_would(policy: Path, tmp_path: Path) -> None:
    """The same page twice has no collection between."""
    for name in ("first", "last"):
        (tmp_path / name).write_bytes(pages().data["txt"][1])
    ruled = policy.with_name("untimed.yaml")
    ruled.write_text(RATES)
    report = gocost.check(ruled, metrics=[str(tmp_path / "first"), str(tmp_path / "last")])
    found = {finding.rule: finding for finding in report.findings}
    assert found["ample"].outcome is Outcome.UNKNOWN
    assert "gocost runtime FIRST LAST --every 30s" in found["ample"].reason


def test_a_limit_inside_of_a_bucket_is_unknown(policy: Path, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.write_bytes(pages().data["txt"][1])
    ruled = policy.with_name("inside.yaml")
    fact = gocost.check(_limited(ruled, "10 h"), metrics=[str(page)]).fact("scheduler.latency.p99")
    assert fact is not None
    assert fact.low is not None
    assert fact.high is not None
    middle = (fact.low + min(fact.high, fact.low + 1)) / 2
    report = gocost.check(_limited(ruled, f"{middle * 1e9:.0f} ns"), metrics=[str(page)])
    (finding,) = report.findings
    assert finding.outcome is Outcome.UNKNOWN
    assert "lies between them" in finding.reason


def _limited(path: Path, limit: str) -> Path:
    path.write_text(
        "version: 1\nservices:\n  payments:\n    package: ./payments\n    rules:\n"
        f"      - {{metric: scheduler.latency.p99, max: {limit}}}\n"
    )
    return path


class Guarded(Files):
    """Gives its files to whoever has the token."""

    def do_GET(self) -> None:
        if self.headers["Authorization"] != TOKEN["Authorization"]:
            self.send_error(401)
        else:
            super().do_GET()


def test_a_service_that_asks_for_credentials(policy: Path, profile: Path) -> None:
    with answering(files_of(profile.parent, Guarded)) as url:
        asked = [f"{url}/{profile.name}"]

        refused = gocost.check(policy, profiles=asked, rules=["nobody"])
        read = gocost.check(policy, profiles=asked, rules=["nobody"], headers=TOKEN)

    (finding,) = refused.findings
    assert finding.outcome is Outcome.UNKNOWN
    assert "--header" in finding.reason
    assert outcomes(read) == {"nobody": Outcome.PASS}


def test_a_recording_over_the_cap_names_the_option_that_raises_it(
    policy: Path, profile: Path
) -> None:
    report = gocost.check(policy, profiles=[str(profile)], rules=["nobody"], max_bytes=100)

    (finding,) = report.findings
    assert finding.outcome is Outcome.UNKNOWN
    assert "--max-bytes" in finding.reason


TOGETHER = """version: 1
services:
  payments:
    package: ./payments
    rules:
      - {metric: cpu.share, select: {package: runtime}, max: 100%}
      - {metric: goroutines.per_worker, max: 50000}
      - {metric: goroutines.count, max: 100}
      - {metric: attribution.goroutines, max: 100}
"""


def test_a_service_is_looked_at_once_for_all_that_is_judged(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_metrics, "EVERY", 0.1)
    monkeypatch.setattr(recorded_goroutines, "APART", 0.1)
    path = tmp_path / "gocost.yaml"
    path.write_text(TOGETHER)
    (tmp_path / "payments").mkdir()
    (tmp_path / "metrics").write_bytes(pages().data["txt"][1])
    (tmp_path / "dump").write_text(DUMP)
    asked: list[str] = []

    class Counted(Files):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

    with answering(files_of(tmp_path, Counted)) as url:
        report = gocost.check(
            path, profiles=[str(profile)], metrics=[f"{url}/metrics"], goroutines=[f"{url}/dump"]
        )
    reasons = {finding.rule: finding.reason for finding in report.findings}
    # The page is the same at both looks: no time passed for the process.
    assert "are the pages of this process?" in reasons.pop("cpu.share")
    assert reasons == dict.fromkeys(
        ("goroutines.per_worker", "goroutines.count", "attribution.goroutines"), ""
    )
    assert sum(name.startswith("/metrics") for name in asked) == 2, asked
    assert sum(name.startswith("/dump") for name in asked) == 3, asked


RUN_TOO = """version: 1
services:
  payments:
    package: ./payments
    build: {{binary: {binary}}}
    run:
      command: ["{{binary}}", "--listen=127.0.0.1:{{port}}"]
      ready: "http://127.0.0.1:{{port}}/healthz"
      load: {{command: [sleep, "1"]}}
      settle: 0 s
    rules:
      - {{metric: goroutines.leaked, max: 100}}
      - {{metric: memory.rss.peak, max: 1 GiB}}
"""


@pytest.mark.parametrize(
    ("text", "outcome"), [("", Outcome.UNKNOWN), (DUMP, Outcome.PASS)], ids=["empty", "a dump"]
)
def test_no_run_of_the_service_stands_in_for_a_dump_that_cannot_be_read(
    tmp_path: Path, text: str, outcome: Outcome
) -> None:
    path = tmp_path / "gocost.yaml"
    path.write_text(RUN_TOO.format(binary=payments_binary()))
    path.with_name("payments").mkdir()
    (tmp_path / "dump.txt").write_text(text)

    report = gocost.check(path, goroutines=[str(tmp_path / "dump.txt")])

    # The service runs for the other rule, and what it leaks is counted on the way.
    assert outcomes(report) == {"goroutines.leaked": outcome, "memory.rss.peak": Outcome.PASS}
