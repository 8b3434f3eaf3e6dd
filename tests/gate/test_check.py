"""The whole gate on real modules: real builds, real repositories, what runs and what does not."""

from __future__ import annotations

import os
import tempfile
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from gocost.gate import measuring
from gocost.gate.check import Request
from gocost.gate.check import check as gate_check
from gocost.gate.verdict import exit_code
from gocost.model.errors import ExitCode, PolicyError, UsageError
from gocost.model.finding import Outcome
from gocost.model.report import Report, Verdict
from gocost.policy.baseline import SAMPLED_ELSEWHERE
from gocost.policy.loading import load
from tests.gate.modules import TODAY, checked, finding, needs_go
from tests.sources.repositories import LARGER, commit, git, module, policy

pytestmark = needs_go

SIZE = """\
services:
  app: {package: ./cmd/app, build: {flags: ["-ldflags=-s -w"], env: {CGO_ENABLED: "0"}}}
rules:
  - {metric: binary.size, max: 20 MiB, growth: 5%}
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCOST_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A module with a policy over its size, committed."""
    root = module(tmp_path / "app")
    policy(root, SIZE)
    commit(root)
    return root


def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The measures that the checks of a test run, in order."""
    names: list[str] = []
    original = measuring.run_steps

    def spy(steps, *args, **kwargs):  # type: ignore[no-untyped-def]
        found = original(steps, *args, **kwargs)
        names.extend(found.ran)
        return found

    monkeypatch.setattr("gocost.gate.sides.run_steps", spy)
    return names


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("-trimpath", "app: reproducible, two builds gave the same bytes"),
        ("-race=false", "two builds differ, first in section "),
    ],
)
def test_rebuild_is_answered_without_a_rule_that_asks(flags: str, told: str, app: Path) -> None:
    policy(app, SIZE.replace('"-ldflags=-s -w"', flags))
    report = checked(app, rebuild=True)
    assert [note.text for note in report.notes if told in note.text]
    assert not [note for note in checked(app).notes if told in note.text]


def test_only_the_measures_of_the_rules_run(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ran(monkeypatch)
    report = checked(app)
    assert names == ["binary"]
    assert finding(report, "binary.size", "max").outcome is Outcome.PASS
    growth = finding(report, "binary.size", "growth")
    assert growth.outcome is Outcome.SKIPPED
    assert exit_code(report) == ExitCode.CLEAN
    fact = report.fact("binary.size")
    assert fact is not None
    assert fact.subject.service == "app"
    assert fact.subject.commit == git(app, "rev-parse", "HEAD")


def test_growth_against_the_merge_base_blocks(app: Path) -> None:
    git(app, "checkout", "--quiet", "-b", "topic")
    (app / "cmd/app/main.go").write_text(LARGER)
    commit(app)
    report = checked(app, "main")
    found = finding(report, "binary.size", "growth")
    assert found.outcome is Outcome.VIOLATED
    assert exit_code(report) == ExitCode.VIOLATED
    (size,) = [c for c in report.changes if c.metric == "binary.size"]
    assert size.verdict is Verdict.WORSE
    assert size.delta is not None
    assert size.delta > 100 << 10
    grown = [c for c in report.changes if c.metric == "binary.module.size" and c.delta]
    assert "std" in {change.labels["module"] for change in grown}


def test_the_same_code_is_the_same_size_on_both_sides(app: Path) -> None:
    report = checked(app, "main")
    (size,) = [c for c in report.changes if c.metric == "binary.size"]
    assert (size.delta, size.verdict) == (0, Verdict.SAME)
    assert not [c for c in report.changes if c.verdict is not Verdict.SAME]


def test_exact_facts_of_a_base_come_from_the_cache(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = checked(app, "main")

    def refuse(*_: object) -> None:
        raise AssertionError("the base was checked out again")

    monkeypatch.setattr("gocost.gate.base.checked_out", refuse)
    assert checked(app, "main").changes == first.changes
    (app / "gocost.yaml").write_text((app / "gocost.yaml").read_text().replace("-s -w", "-s"))
    with pytest.raises(AssertionError, match="again"):
        checked(app, "main")


def test_the_user_s_tree_is_left_alone_and_nothing_stays_behind(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    index = (app / ".git/index").read_bytes()
    checked(app, "main")
    assert git(app, "status", "--porcelain", "--ignored") == ""
    assert (app / ".git/index").read_bytes() == index
    assert list(scratch.iterdir()) == []


def test_a_dirty_tree_is_measured_as_it_lies_and_said(app: Path) -> None:
    (app / "cmd/app/main.go").write_text(LARGER)
    report = checked(app, "HEAD")
    assert finding(report, "binary.size", "growth").outcome is Outcome.VIOLATED
    assert "not committed" in report.notes[0].text


def test_a_policy_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    root = module(tmp_path / "repo" / "services" / "pay")
    policy(root, SIZE)
    (tmp_path / "repo" / "README").write_text("")
    commit(tmp_path / "repo")
    report = checked(root, "HEAD")
    assert finding(report, "binary.size", "growth").outcome is Outcome.PASS


def test_a_service_that_the_base_does_not_have_is_skipped(app: Path) -> None:
    git(app, "checkout", "--quiet", "-b", "topic")
    module(app, mains=("cmd/new",))
    policy(app, SIZE.replace("rules:", "  new: {package: ./cmd/new}\nrules:"))
    commit(app)
    report = checked(app, "main")
    (found,) = [
        f
        for f in report.findings
        if f.subject.service == "new" and f.limit is not None and f.limit.kind == "growth"
    ]
    assert found.outcome is Outcome.SKIPPED
    assert "has no ./cmd/new" in found.reason
    assert exit_code(report) == ExitCode.CLEAN


def test_a_base_that_does_not_build_is_unknown(app: Path) -> None:
    (app / "cmd/app/main.go").write_text("package main\n\nfunc main() { nope() }\n")
    commit(app)
    git(app, "checkout", "--quiet", "-b", "topic")
    (app / "cmd/app/main.go").write_text(LARGER)
    commit(app)
    report = checked(app, "main")
    found = finding(report, "binary.size", "growth")
    assert found.outcome is Outcome.UNKNOWN
    assert "undefined: nope" in found.reason
    assert finding(report, "binary.size", "max").outcome is Outcome.PASS
    assert exit_code(report) == ExitCode.NOT_MEASURABLE
    # Its clone is gone by now.
    assert found.reason.endswith("to see why")
    policy(
        app, "services:\n  app: {package: ./cmd/app, rules: [{metric: binary.cgo, is: false}]}\n"
    )
    report = checked(app, "main")
    assert exit_code(report) == ExitCode.CLEAN
    assert [n.level for n in report.notes if "undefined: nope" in n.text] == ["warning"]


def test_a_policy_without_a_rule_says_so(app: Path) -> None:
    policy(app, "services:\n  app: {package: ./cmd/app}\n")
    (note,) = checked(app).notes
    assert note.level == "warning"
    assert "no rule of the policy acts" in note.text


def test_a_saved_report_is_a_base_for_exact_facts(app: Path, tmp_path: Path) -> None:
    policy(app, SIZE + "  - {metric: memory.rss.peak, growth: 5%}\n")
    saved = tmp_path / "base.json"
    saved.write_bytes(msgspec.json.encode(checked(app)))
    (app / "cmd/app/main.go").write_text(LARGER)
    report = checked(app, str(saved))
    assert finding(report, "binary.size", "growth").outcome is Outcome.VIOLATED
    sampled = finding(report, "memory.rss.peak")
    assert (sampled.outcome, sampled.reason) == (Outcome.SKIPPED, SAMPLED_ELSEWHERE)


def test_money_stands_in_findings_changes_and_the_table(app: Path) -> None:
    deployment = "{replicas: 2, cpu: 500m, memory: 1 GiB, deploys_per_month: 40}"
    policy(
        app,
        SIZE.replace("}}}\n", f"}}}}, deployment: {deployment}}}\n")
        + "  - {metric: cost.month, max: 20 USD/month}\n",
    )
    report = checked(app, "HEAD")
    cost = finding(report, "cost.month")
    assert cost.outcome is Outcome.VIOLATED
    assert "USD/month" in cost.message
    table = report.tables["costs"]
    assert table.column("part")[0] == "memory requested"
    size = finding(report, "binary.size", "max")
    assert size.money is not None
    assert Decimal(0) < size.money.amount < Decimal("0.01")
    assert any("OpenCost" in text for text in report.assumptions)


def test_a_limit_in_another_currency_is_refused(app: Path) -> None:
    policy(app, SIZE + "  - {metric: cost.month, max: 20 EUR/month}\n")
    with pytest.raises(PolicyError, match=r"gocost\.yaml:6:31: 20 EUR/month is not in USD"):
        checked(app)


def test_the_report_reads_back_from_its_json(app: Path) -> None:
    report = checked(app, "HEAD")
    decoded = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    assert decoded.findings == report.findings


def test_base_refs_that_do_not_exist(app: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no commit 'nope'"):
        checked(app, "nope")
    plain = module(tmp_path / "plain")
    policy(plain, SIZE)
    with pytest.raises(UsageError, match="not in a git repository"):
        checked(plain, "main")


def test_a_shallow_clone_gets_the_line_to_type(app: Path, tmp_path: Path) -> None:
    git(app, "checkout", "--quiet", "-b", "topic")
    commit(app, "on topic")
    git(app, "checkout", "--quiet", "main")
    commit(app, "on main")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", app.as_uri(), "shallow")
    git(tmp_path / "shallow", "checkout", "--quiet", "topic")
    with pytest.raises(UsageError, match="git fetch --unshallow origin"):
        checked(tmp_path / "shallow", "origin/main")


def test_a_modified_tree_blocks_in_ci_and_warns_elsewhere(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", "-buildvcs=auto")
    policy(app, SIZE + "  - {metric: build.vcs.clean, is: true}\n")
    for ci, code, says in (
        ("", ExitCode.CLEAN, "commit it before shipping"),
        ("False", ExitCode.CLEAN, "commit it before shipping"),
        ("true", ExitCode.VIOLATED, "in CI: something writes into the checkout"),
    ):
        monkeypatch.setenv("CI", ci)
        report = checked(app)
        assert finding(report, "build.vcs.clean").outcome is Outcome.VIOLATED
        assert exit_code(report) == code
        # and what is said goes with it
        assert any(says in note.text for note in report.notes)


def test_offline_builds_fetch_nothing(app: Path) -> None:
    (app / "go.mod").write_text(
        "module example.com/app\n\ngo 1.21\n\nrequire example.com/absent v1.0.0\n"
    )
    (app / "cmd/app/main.go").write_text(
        'package main\n\nimport _ "example.com/absent"\n\nfunc main() {}\n'
    )
    (app / "go.sum").write_text(
        "example.com/absent v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
        "example.com/absent v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    )
    report = gate_check(Request(load(app / "gocost.yaml"), offline=True, today=TODAY))
    found = finding(report, "binary.size", "max")
    assert found.outcome is Outcome.UNKNOWN
    assert "GOPROXY=off" in found.reason


def test_lint_issues_are_findings_at_their_lines(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Path(__file__).parent.parent / "formats/golangci_lint/v1.62.2.json"
    tools = tmp_path / "tools"
    tools.mkdir()
    linter = tools / "golangci-lint"
    linter.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "golangci-lint has version v1.62.2" && exit\n'
        f"cat {recorded}\n"
    )
    linter.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.chdir(app)
    policy(app, SIZE + "  - {metric: lint.performance.issues, max: 0}\n")
    found = [f for f in checked(app).findings if f.rule == "lint.performance.issues"]
    assert [(f.location.path, f.location.line) for f in found] == [
        *(("gocost.yaml", 6), ("main.go", 9), ("main.go", 11), ("main.go", 17)),
    ]
    assert all(f.outcome is Outcome.VIOLATED for f in found)
    assert found[3].message == "bodyclose: response body must be closed"


def test_a_file_named_like_a_branch_does_not_hide_it(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(app)
    (app / "main").write_bytes(b"\x7fELF")
    assert finding(checked(app, "main"), "binary.size", "growth").outcome is Outcome.PASS
    (app / "other").write_bytes(b"\x7fELF")
    with pytest.raises(UsageError, match="not a saved report"):
        checked(app, "other")


def test_what_was_recorded_and_no_rule_asks_for_is_not_passed_over(app: Path) -> None:
    """A file that does not exist, too: it is not read, and not silently either."""
    recorded = {"trace": str(app / "none.trace"), "profiles": (str(app / "none.pb.gz"),)}
    report = gate_check(Request(load(app / "gocost.yaml"), today=TODAY, **recorded))  # type: ignore[arg-type]
    assert exit_code(report) == ExitCode.CLEAN
    told = [note.text for note in report.notes if note.level == "warning"]
    assert [text.split(" was not read")[0] for text in told] == ["--profile", "--trace"]
