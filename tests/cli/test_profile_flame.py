"""`gocost profile flame` at the command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.fixtures.profiles import recorded


def test_it_writes_a_page_without_being_told_the_format(tmp_path: Path) -> None:
    page = tmp_path / "flame.html"

    assert run(["profile", "flame", str(recorded() / "cpu.1.pb.gz"), "-o", str(page)]) == 0

    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert 'class="flame"' in text


def test_top_as_a_page_has_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(recorded() / "heap.1.pb.gz")

    assert run(["profile", "top", file, "--format", "html", "--sample-index", "alloc_space"]) == 0

    assert "Flame graph: alloc_space by stack" in capsys.readouterr().out


@pytest.mark.parametrize("by", ["function", "package", "module", "file", "line"])
@pytest.mark.parametrize("compared", [(), ("--base",), ("--diff-base",)])
def test_the_stacks_add_up_to_the_total(
    by: str, compared: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = recorded()
    words = [*compared, str(folder / "cpu.0.pb.gz")] if compared else []

    code = run(["profile", "flame", str(folder / "cpu.1.pb.gz"), *words, "--by", by,
                "--format", "json", "--nodefraction", "0.01"])  # fmt: skip

    report = json.loads(capsys.readouterr().out)
    stacks = report["tables"]["stacks"]
    sums = stacks["sums_to"]
    column = [each["name"] for each in stacks["columns"]].index(sums["column"])
    (total,) = (fact["value"] for fact in report["facts"] if fact["metric"] == sums["metric"])
    assert code == 0
    assert sum(row[column] for row in stacks["rows"]) == total
    assert sums["column"] == ("delta" if compared else "self")
    assert report["layout"]["flames"] == ["stacks"]


def test_means_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "flame", str(recorded() / "heap.1.pb.gz"), "--mean"]) == 2

    assert "do not add up; drop --mean" in capsys.readouterr().err


def test_a_page_does_not_fill_a_terminal() -> None:
    ours, theirs = pty.openpty()
    file = str(recorded() / "cpu.1.pb.gz")
    command = [sys.executable, "-m", "gocost", "profile", "flame", file]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)
    os.close(theirs)

    assert done.returncode == 2
    assert "name a file with -o" in done.stderr
    os.close(ours)
