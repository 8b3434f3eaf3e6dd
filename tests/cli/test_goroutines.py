"""`gocost goroutines` as it is typed: options, formats, errors of one line."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gocost.cli.main import run
from gocost.reporters.registry import NAMES
from tests.analyses.goroutines.dumps import MAIN, written
from tests.fixtures.profiles import recorded as profiles

GOCOST = str(Path(sys.executable).with_name("gocost"))


def gocost(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GOCOST, "goroutines", *arguments], capture_output=True, text=True, check=False, input=stdin
    )


@pytest.fixture
def dump(tmp_path: Path) -> str:
    path = tmp_path / "dump.txt"
    path.write_text(f"{MAIN}\n{written([10, 11], state='chan send (nil chan), 3 minutes')}")
    return str(path)


def test_text(dump: str) -> None:
    done = gocost(dump)
    assert done.returncode == 0
    assert "dump.txt: 3 goroutines in 2 groups" in done.stdout
    assert "warning: 2 goroutines leak, waiting at main.leak.func1 main.go:12" in done.stdout
    assert done.stderr == ""


def test_json_has_the_table_by_its_stable_names(dump: str) -> None:
    groups = json.loads(gocost(dump, "--format", "json").stdout)["tables"]["groups"]
    names = [column["name"] for column in groups["columns"]]
    assert {"count", "state", "waits_at", "created_by", "oldest_minutes", "stack"} < set(names)
    row = dict(zip(names, groups["rows"][0], strict=True))
    assert (row["count"], row["oldest_minutes"]) == (2, 3)


@pytest.mark.parametrize("name", NAMES)
def test_every_format(dump: str, name: str) -> None:
    done = gocost(dump, "--format", name)
    assert done.returncode == 0, done.stderr


def test_csv(dump: str) -> None:
    rows = list(csv.reader(io.StringIO(gocost(dump, "--format", "csv").stdout)))
    assert any("main.leak.func1 main.go:12" in row for row in rows)


def test_standard_input(dump: str) -> None:
    done = gocost("-", stdin=Path(dump).read_text())
    assert "3 goroutines in 2 groups" in done.stdout


@pytest.mark.parametrize("times", [("5s", "5"), ("1 min", "60"), ("0.5 s", "0.5")])
def test_times(dump: str, times: tuple[str, str]) -> None:
    assert gocost(dump, "--older-than", times[0]).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--older-than", "soon"], 2, "--older-than is a time with its unit, and not 'soon'"),
        (["--older-than=-5s"], 2, "--older-than -5s is no time to wait"),
        (["--every", "0s"], 2, "--every 0s is no time to wait"),
        (["--allow", "("], 2, "--allow '(' is no regular expression"),
        (["--max-bytes", "10"], 3, "larger than 10 bytes; raise the cap with --max-bytes"),
    ],
)
def test_mistakes_are_one_line(dump: str, arguments: list[str], code: int, message: str) -> None:
    done = gocost(dump, *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_wrong_file_is_named_as_what_it_is() -> None:
    done = gocost(sys.executable)
    assert done.returncode == 3
    assert done.stderr.endswith("this is an executable, not a goroutine dump; see `gocost size`\n")


@pytest.mark.parametrize("change", [lambda data: data + b"more", lambda data: data[:-9],
                                    lambda data: data[:-8] + bytes(8)])  # fmt: skip
def test_damage_is_said_once_and_as_by_other_commands(
    change: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "goroutine.pb.gz"
    path.write_bytes(change((profiles() / "goroutine.0.pb.gz").read_bytes()))
    told = set()
    for words in (["goroutines"], ["profile", "top"], ["query"]):
        assert run([*words, str(path), *(["select 1"] if words == ["query"] else [])]) == 3
        told.add(capsys.readouterr().err)
    (line,) = told
    assert "gzip stream" in line
    assert "zlib" not in line
    assert "Error" not in line
    assert len(re.findall("damaged|cut off|follows", line)) == 1
