"""The performance linters over a real module, by the real program where it is installed."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from gocost.measures.interface import Context, Target
from gocost.measures.lint import METRIC, MISSING, measure
from gocost.model.errors import SourceError
from gocost.model.report import Table
from gocost.model.service import Service

needs_linter = pytest.mark.skipif(
    shutil.which("golangci-lint") is None,
    reason="golangci-lint is not on PATH: "
    "go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0",
)

SLOW = """\
package main

import "fmt"

func main() {
	var names []string
	for _, n := range []int{1, 2, 3} {
		names = append(names, fmt.Sprintf("%d", n))
	}
	fmt.Println(names)
}
"""


@pytest.fixture
def target(tmp_path: Path) -> Target:
    folder = tmp_path / "cmd" / "slow"
    folder.mkdir(parents=True)
    (tmp_path / "go.mod").write_text("module example.com/slow\n\ngo 1.23\n")
    (folder / "main.go").write_text(SLOW)
    service = Service("slow", str(tmp_path), package="./cmd/slow")
    return Target(service, tmp_path)


def context(tmp_path: Path) -> Context:
    return Context(cache=tmp_path / "cache")


def lint_table(target: Target, tmp_path: Path) -> Table:
    return measure(target, context(tmp_path)).tables["lint"]


@needs_linter
def test_issues_are_counted_and_placed_relative_to_the_policy(
    target: Target, tmp_path: Path
) -> None:
    measured = measure(target, context(tmp_path))
    (fact,) = measured.facts
    table = measured.tables["lint"]
    assert fact.metric == METRIC
    assert fact.value == len(table.rows) == 2
    assert "golangci-lint" in fact.origin
    assert table.column("path") == ["cmd/slow/main.go"] * 2
    assert sorted(map(str, table.column("linter"))) == ["perfsprint", "prealloc"]


@needs_linter
def test_the_project_s_own_configuration_does_not_change_the_count(
    target: Target, tmp_path: Path
) -> None:
    (tmp_path / ".golangci.yml").write_text("version: '2'\nlinters: {default: none}\n")
    assert len(lint_table(target, tmp_path).rows) == 2


@needs_linter
def test_code_that_does_not_compile_is_not_measured(target: Target, tmp_path: Path) -> None:
    (tmp_path / "cmd" / "slow" / "main.go").write_text("package main\n\nfunc main() { nope() }\n")
    with pytest.raises(SourceError, match="nope"):
        measure(target, context(tmp_path))


def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program in the linter's place, to see what we do with what it may say."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "golangci-lint"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_where_it_is_not_installed_it_is_skipped_with_how_to_get_it(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert measure(target, context(tmp_path)).skipped == {METRIC: MISSING}


def test_version_1_gets_its_own_arguments(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(
        tmp_path,
        monkeypatch,
        'if [ "$1" = --version ]; then echo "golangci-lint has version v1.62.2 built"; exit; fi\n'
        'case "$*" in *--out-format=json*) echo \'{"Issues":null}\';; *) exit 3;; esac',
    )
    measured = measure(target, context(tmp_path))
    assert measured.facts[0].value == 0
    assert "1.62.2" in measured.facts[0].origin


def test_a_linter_that_fails_is_told_with_its_words(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(
        tmp_path,
        monkeypatch,
        'if [ "$1" = --version ]; then echo "golangci-lint has version 2.15.0 built"; exit; fi\n'
        "echo 'level=error msg=\"out of disk\"' >&2; exit 7",
    )
    with pytest.raises(SourceError, match="out of disk"):
        measure(target, context(tmp_path))
