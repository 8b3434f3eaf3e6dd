"""`gocost profile` as it is typed: every form that a report can be had in."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from gocost.api.profile import profile
from gocost.formats.pprof.building import NamedFrame, built
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Header, ValueType
from gocost.reporters.registry import NAMES
from gocost.reporters.schema import PUBLISHED
from tests.fixtures.profiles import recorded, small

GOCOST = str(Path(sys.executable).with_name("gocost"))


def gocost(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GOCOST, "profile", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def cpu(tmp_path: Path) -> Path:
    path = tmp_path / "cpu.pb"
    path.write_bytes(small())
    return path


def test_json_has_whole_numbers_in_the_types_own_unit(cpu: Path) -> None:
    done = gocost("top", cpu, "--format", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(report)
    assert report["tables"]["functions"]["rows"] == [["main.main", 30, 1.0, 30, 1.0]]
    assert report["facts"][0]["value"] == 30


def test_traces_are_blocks_for_a_person_and_rows_for_a_program(cpu: Path) -> None:
    text, rows = gocost("traces", cpu), gocost("traces", cpu, "--format", "csv")
    lines = text.stdout.splitlines()
    assert lines[lines.index("Samples of cpu") + 1 :] == [
        "  20 ns  bytes:4kB",
        "      main.main",
        "",
        "  10 ns  tenant:acme",
        "      main.main",
        "      main.main",
    ]
    assert [row[0] for row in csv.reader(io.StringIO(rows.stdout))] == ["value", "20", "10"]
    assert rows.stdout.splitlines()[2] == "10,tenant:acme,main.main;main.main"


@pytest.mark.parametrize("form", NAMES)
def test_every_form(cpu: Path, form: str) -> None:
    done = gocost("top", cpu, "--format", form)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    if form in ("text", "html", "markdown", "csv"):
        assert "main.main" in done.stdout


@pytest.mark.parametrize(
    ("stacks", "view", "says"),
    [
        ([], "top", "no samples: record it for longer, while the service has work"),
        ([[("main.f", "f.go", 1)]], "tags", "no sample has a label: `pprof.Do` in the service"),
    ],
    ids=["no samples", "no labels"],
)
def test_what_has_nothing_to_show_says_why(
    stacks: list[list[NamedFrame]], view: str, says: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.pb"
    header = Header((ValueType("cpu", "nanoseconds"),))
    empty.write_bytes(encode(built(header, stacks, [(1,) for _ in stacks])))

    told = " ".join(gocost(view, empty).stdout.split())

    assert told.count("note: ") == 1
    assert says in told


def test_csv(cpu: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(gocost("top", cpu, "--format", "csv").stdout)))
    assert [(row["function"], row["flat"]) for row in rows] == [("main.main", "30")]


def test_a_word_that_is_no_granularity(cpu: Path) -> None:
    done = gocost("top", cpu, "--by", "team")
    assert done.returncode == 2
    assert done.stderr == (
        "gocost: there is nothing to sort a profile by named 'team'; choose of function, "
        "filefunction, file, line, address, package, module, owner\n"
    )


@pytest.mark.parametrize("name", ["top", "trend", "folded"])
def test_a_cap_is_named_by_the_option_that_raises_it(cpu: Path, name: str) -> None:
    done = gocost(name, cpu, "--max-bytes", str(cpu.stat().st_size - 1))
    assert done.returncode == 3
    assert done.stderr.endswith("bytes; check the path, or raise --max-bytes\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("top", "--focus", "("), "focus"),
        (("folded", "--hide", "("), "hide"),
        (("top", "--seconds", "-1"), "--seconds"),
    ],
)
def test_a_wrong_option_is_said_before_a_service_is_asked(
    words: tuple[str, ...], told: str
) -> None:
    done = gocost(*words, "http://127.0.0.1:9")
    assert done.returncode == 2
    assert told in done.stderr
    assert "nothing listens" not in done.stderr


def test_a_difference_names_what_it_is_against() -> None:
    head, base = (str(recorded() / f"cpu.{number}.pb.gz") for number in (1, 0))
    for option in ("base", "diff_base"):
        title = profile(head, **{option: [base]}).layout.title  # type: ignore[arg-type]
        assert title.startswith(f"{head} against {base}: cpu, ")
        told = title.rpartition(": ")[2]
        assert " in " not in told, "the length of both together is nobody's"
        assert re.fullmatch(r"cpu, [+-][\d.]+ m?s, shares of [\d.]+ m?s", told), told
