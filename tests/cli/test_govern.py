"""The commands that govern, as a user types them; the fast ones that build nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import gocost
from gocost.api.explain import example_rule
from gocost.model.catalogue import all_metrics
from gocost.model.errors import UsageError
from gocost.policy.loading import load_text
from tests.cli.test_main import gocost as run
from tests.policy.texts import with_rules

POLICY = with_rules(
    "{metric: binary.size, max: 12 MiB, growth: 5%}",
    "{id: pauses, metric: gc.pause.p99, max: 15 ms, severity: warning}",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gocost.yaml").write_text(POLICY + "presets: [low-latency]\nteam: checkout\n")
    return tmp_path


def test_explain_says_all_of_a_metric() -> None:
    text = " ".join(run("explain", "gc.pause.p99").stdout.split())
    metric = all_metrics()["gc.pause.p99"]
    for part in (metric.summary, metric.advice, "15 ms", "sampled", "higher is worse"):
        assert part in text


def test_explain_without_a_name_lists_every_metric() -> None:
    done = run("explain", "--format", "json")
    rows = json.loads(done.stdout)["tables"]["metrics"]["rows"]
    assert [row[0] for row in rows] == list(all_metrics())


def test_explain_a_family_a_rule_and_a_wrong_word(folder: Path) -> None:
    assert "gc.pause.p99" in run("explain", "gc.pause", cwd=folder).stdout
    rule = run("explain", "pauses", cwd=folder).stdout
    assert "max 15 ms, warning, from gocost.yaml:6" in " ".join(rule.split())
    wrong = run("explain", "gc.pasue.p99", cwd=folder)
    assert wrong.returncode == 2
    assert "did you mean 'gc.pause.p99'?" in wrong.stderr


@pytest.mark.parametrize("name", list(all_metrics()))
def test_the_example_of_every_metric_is_a_right_rule(name: str) -> None:
    metric = all_metrics()[name]
    rule = example_rule(metric).removeprefix("- ")
    if "WORD" not in rule:
        load_text(with_rules(rule), Path("gocost.yaml"))


def test_policy_lint_says_that_it_is_right(folder: Path) -> None:
    done = run("policy", "lint", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gocost.yaml is right: app" in done.stdout


def test_policy_lint_tells_of_a_waiver_that_expired(folder: Path) -> None:
    waivers = "waivers:\n" + "".join(
        f"  - {{rule: {rule}, owner: me, reason: r, expires: {day}}}\n"
        for rule, day in (("binary.size", "2025-03-31"), ("pauses", "2999-01-01"))
    )
    with (folder / "gocost.yaml").open("a") as policy:
        policy.write(waivers)

    done = run("policy", "lint", cwd=folder)

    assert done.returncode == 0
    told = " ".join(done.stdout.split())
    assert "the waiver of binary.size expired on 2025-03-31; remove it" in told
    assert "the waiver of pauses" not in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            with_rules("{metric: cost.month, max: 20 EUR/month}"),
            "gocost.yaml:5:31: 20 EUR/month is not in USD",
        ),
        (
            "version: 1\nservices:\n  app: {package: ./cmd/ap}\n",
            "gocost.yaml:3:8: app: there is no folder ./cmd/ap",
        ),
    ],
)
def test_what_check_would_refuse_lint_refuses_too(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "gocost.yaml").write_text(text)
    for command in (("policy", "lint"), ("check",)):
        done = run(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert says in done.stderr


def test_policy_schema_is_a_schema() -> None:
    done = run("policy", "schema")
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_policy_show_says_where_each_value_comes_from(folder: Path) -> None:
    report = json.loads(run("policy", "show", "--format", "json", cwd=folder).stdout)
    rules = {(row[1], row[3]): row[5] for row in report["tables"]["rules"]["rows"]}
    assert rules["binary.size", "growth 5%"] == "gocost.yaml:5"
    assert rules["gc.pause.max", "max 2 ms"].startswith("preset low-latency:")
    settings = {row[1]: row[3] for row in report["tables"]["settings"]["rows"]}
    assert settings["team"] == "gocost.yaml:8"


def test_policy_show_cuts_no_name_that_is_typed_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "gocost.yaml").write_text(
        with_rules(
            "{metric: memory.allocation.per_request, max: 24 KiB}",
            "{metric: binary.linkage, one_of: [static, static-pie]}",
        )
        + "presets: [standard]\n"
    )
    text = run("policy", "show", cwd=tmp_path).stdout
    words = text.split()
    assert {"memory.allocation.per_request", "goroutines.per_worker", "static-pie"} <= set(words)
    assert max(map(len, text.splitlines())) <= 80


def test_it_is_told_how_long_and_how_far(tmp_path: Path) -> None:
    (tmp_path / "gocost.yaml").write_text(
        with_rules(
            "{id: pauses, metric: gc.pause.max, max: 15 ms, for: 30 s}",
            "{metric: binary.size, max: 9 MiB}",
        )
        + "waivers:\n"
        + "  - {rule: binary.size, owner: me, reason: big, expires: 2099-01-01, max: 13 MiB}\n"
    )
    text = " ".join(run("policy", "show", cwd=tmp_path).stdout.split())
    assert "pauses max 15 ms for 30 s gocost.yaml:5" in text
    assert "binary.size max 13 MiB me 2099-01-01 gocost.yaml:8 big" in text
    rule = " ".join(run("explain", "pauses", cwd=tmp_path).stdout.split())
    assert "max 15 ms for 30 s, error, from gocost.yaml:5" in rule


def test_policy_show_has_room_for_where_each_rule_comes_from(tmp_path: Path) -> None:
    (tmp_path / "gocost.yaml").write_text(
        with_rules("{metric: binary.size, max: 12 MiB}") + "presets: [standard]\n"
    )
    text = run("policy", "show", cwd=tmp_path).stdout
    assert "binary.size max 12 MiB gocost.yaml:5 error" in " ".join(text.split())
    assert "no room for" not in text
    # what tells nothing here is left to programs, and shown where it does
    assert "metric" not in text
    (tmp_path / "gocost.yaml").write_text(
        with_rules("{id: pauses, metric: gc.pause.max, max: 1 s, where: [live]}")
    )
    text = run("policy", "show", cwd=tmp_path).stdout
    assert " ".join(text.split()).endswith(
        "rule limit from severity where metric pauses max 1 s gocost.yaml:5 error live gc.pause.max"
    )
    # and goes first where there is no room for all
    (tmp_path / "gocost.yaml").write_text(
        with_rules("{id: size-growth, metric: binary.size, growth: 5%}") + "presets: [standard]\n"
    )
    text = run("policy", "show", cwd=tmp_path).stdout
    assert "size-growth growth 5% gocost.yaml:5 error" in " ".join(text.split())
    assert "no room for: metric" in text


@pytest.mark.parametrize("headroom", ["x", "-5%", "5000%"])
def test_a_wrong_headroom_is_a_usage_error(folder: Path, headroom: str) -> None:
    done = run("init", f"--headroom={headroom}", cwd=folder)
    assert done.returncode == 2
    assert "headroom" in done.stderr


def test_the_same_commands_in_python(folder: Path) -> None:
    path = folder / "gocost.yaml"
    assert gocost.explain("binary.size").tables["metric"].rows
    assert gocost.policy_file(path).tables["rules"].rows
    with pytest.raises(UsageError, match="no service 'x'"):
        gocost.check(path, services=["x"])


def test_cost_checker_is_check() -> None:
    def cost_checker(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = "from gocost.cli.main import cost_checker; cost_checker()"
        return subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
        )

    own, other = run("check", "-h").stdout, cost_checker("-h").stdout
    assert "Usage: cost-checker [OPTIONS]" in other
    assert own.partition("\n")[2] == other.partition("\n")[2]
    for option in ("--policy", "--base", "--service", "--save", "--offline", "--rebuild"):
        assert option in other
    wrong = cost_checker("check")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "see `cost-checker --help`" in wrong.stderr
