"""A saved report printed in other forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.reporters.conftest import rendered
from tests.reporters.reports import REPORTS


@pytest.mark.parametrize("format_", ["sarif", "markdown", "junit", "github", "gitlab"])
def test_a_saved_check_prints_as_it_would_have_at_once(format_: str, tmp_path: Path) -> None:
    saved = tmp_path / "report.json"
    saved.write_text(rendered("json", REPORTS["check"]()))
    out = tmp_path / "out"

    assert run(["report", str(saved), "--format", format_, "-o", str(out)]) == 0

    assert out.read_text(encoding="utf-8") == rendered(format_, REPORTS["check"]())


@pytest.mark.parametrize(
    ("prefix", "policy"),
    [("", "gocost.yaml"), (".", "gocost.yaml"), ("services/pay", "services/pay/gocost.yaml")],
)
def test_paths_are_put_under_the_folder_that_the_check_ran_in(
    prefix: str, policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "report.json"
    saved.write_text(rendered("json", REPORTS["check"]()))

    assert run(["report", str(saved), "--format", "github", "--prefix", prefix]) == 0

    assert f"::error file={policy},line=21" in capsys.readouterr().out


def test_tables_and_facts_of_other_reports_survive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "report.json"
    saved.write_text(rendered("json", REPORTS["size"]()))

    assert run(["report", str(saved)]) == 0

    assert capsys.readouterr().out == rendered("text", REPORTS["size"]())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        (b"{", "is not a report"),
        (b'{"schema": "gocost.report/9", "command": "x", "gocost": "0"}', "is not a report"),
        (b'{"schema": "gocost.report/1", "command": 7, "gocost": "0"}', "is not a report"),
    ],
)
def test_what_is_no_report_is_said_in_one_line(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "report.json"
    if content is not None:
        saved.write_bytes(content)

    assert run(["report", str(saved)]) == (3 if content is None else 2)

    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
