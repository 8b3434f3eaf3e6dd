"""What a check says on stderr while it works, and how it is told to judge less."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gate.modules import needs_go
from tests.gate.test_bad_input import gocost, one_line
from tests.sources.repositories import LARGER, commit, git, module, policy

pytestmark = needs_go

LOADED = """\
services:
  app:
    package: ./cmd/app
    run:
      command: ["{binary}"]
      LOAD
rules:
  - {metric: memory.rss.peak, max: 64 MiB}
  - {metric: binary.size, max: 20 MiB, growth: 5%}
"""


def loaded(folder: Path, load: str) -> Path:
    """A module whose program ends at once, so that none of its long loads is ever put on."""
    root = module(folder)
    policy(root, LOADED.replace("LOAD", load))
    commit(root)
    return root


@pytest.mark.parametrize(
    ("load", "base", "says"),
    [
        (
            "load: {command: [cat, /dev/null], duration: 60 s}",
            ("--base", "main"),
            "running app 10 times, base and head in turn, at least 11.1 min",
        ),
        ("load: {command: [cat, /dev/null], duration: 60 s}", (), "running app at least 66.5 s"),
        ("", ("--base", "main"), "running app 10 times, base and head in turn, about 115 s"),
    ],
)
def test_what_takes_long_is_said_off_a_terminal_once_and_with_its_time(
    load: str, base: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    app = loaded(tmp_path / "app", load)

    done = gocost(app, "check", *base, "--format", "json")

    assert done.stderr == f"gocost: {says}\n"
    assert json.loads(done.stdout)["command"] == "check"


def test_what_is_quick_is_not_announced(tmp_path: Path) -> None:
    app = loaded(tmp_path / "app", "load: {command: [cat, /dev/null], duration: 3 s}")

    assert gocost(app, "check").stderr == ""


def test_some_rules_alone_measure_no_more_than_they_need(tmp_path: Path) -> None:
    # given a branch that breaks one rule, and a service that cannot be run
    app = loaded(tmp_path / "app", "")
    git(app, "checkout", "--quiet", "-b", "topic")
    (app / "cmd/app/main.go").write_text(LARGER)
    commit(app)

    # when only the rules about the file are judged
    done = gocost(app, "check", "--base", "main", "--rule", "binary.*", "--format", "json")

    # then it is blocked by them, nothing was started, and what was left out is said
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert {each["rule"] for each in report["findings"]} == {"binary.size"}
    assert not [fact for fact in report["facts"] if fact["metric"].startswith("memory.")]
    assert "1 rule was left out" in " ".join(note["text"] for note in report["notes"])


def test_a_rule_that_is_not_there_is_an_error_and_not_a_pass(tmp_path: Path) -> None:
    app = loaded(tmp_path / "app", "")

    one_line(
        gocost(app, "check", "--rule", "binary.siez"),
        *(2, "gocost.yaml has no rule 'binary.siez'", "did you mean 'binary.size'?"),
    )
    one_line(gocost(app, "check", "--rule", "vulns.*"), 2, "no rule 'vulns.*'", "policy show")
