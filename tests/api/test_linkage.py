"""`gocost.linkage` and `gocost linkage`, on real binaries and real builds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gocost
from gocost.measures.linkage_matrix import WAYS, reason
from gocost.model.errors import BuildError, NotMeasurableError, UsageError
from tests.fixtures.binaries import PROGRAMS, binary


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gocost", "linkage", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_report_of_a_binary() -> None:
    report = gocost.linkage(binary("linux-amd64-pie"))

    fact = report.fact("binary.linkage")
    assert fact is not None
    assert fact.value == "dynamic"
    assert "names the interpreter" in report.notes[0].text
    assert any("-buildmode=pie" in note.text for note in report.notes)


def test_the_command_prints_json_of_the_same() -> None:
    done = run(str(binary("linux-amd64")), "--format", "json")

    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert {fact["metric"]: fact["value"] for fact in report["facts"]} == {
        "binary.linkage": "static",
        "binary.needed_libraries": 0,
        "binary.glibc": "none",
        "binary.cgo": False,
    }
    assert report["tables"]["platforms"]["rows"][0][:2] == ["scratch", "yes"]


def test_the_three_ways_of_a_program_with_c() -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")

    report = gocost.linkage(PROGRAMS / "cgo", matrix=True)

    table = report.tables["matrix"]
    assert table.column("linkage") == [None, "dynamic", "static"]
    assert table.column("libraries") == [None, 1, 0]
    assert all(size is None or int(str(size)) > 1_000_000 for size in table.column("bytes"))
    failures = report.tables["matrix_failures"].rows
    assert [row[0] for row in failures] == ["pure Go"]
    assert "build constraints exclude all Go files" in str(failures[0][1])
    places = report.tables["matrix_platforms"]
    scratch = next(row for row in places.rows if row[0] == "scratch")
    assert scratch == ("scratch", None, "no", "yes")


def test_a_program_without_c_is_told_that_it_is() -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")

    report = gocost.linkage(PROGRAMS / "hello", matrix=True, flags=["-ldflags=-s -w"])

    assert report.tables["matrix"].column("linkage") == ["static", "static", "static"]
    assert any("nothing in the program uses cgo" in note.text for note in report.notes)
    assert any(
        '`CGO_ENABLED=1 go build -ldflags="-linkmode=external -extldflags=-static"`' in note.text
        for note in report.notes
    )


def test_linker_flags_of_the_user_are_kept() -> None:
    assert WAYS[2].flags(["-trimpath", "-ldflags=-s -w"]) == (
        "-trimpath",
        "-ldflags=-s -w -linkmode=external -extldflags=-static",
    )
    assert WAYS[0].flags(["-trimpath"]) == ("-trimpath",)


def test_the_telling_line_of_a_linker_is_found() -> None:
    output = (
        "# example.com/app\n/usr/lib/go/link: running gcc failed: exit status 1\n"
        "/usr/bin/ld: a.o: in function `f': warning: Using 'getaddrinfo' in statically linked\n"
        "/usr/bin/ld: cannot find -lanswer: No such file or directory\n"
        "collect2: error: ld returned 1 exit status\n"
    )

    assert reason(output) == "/usr/bin/ld: cannot find -lanswer: No such file or directory"


def test_the_main_package_of_a_folder_is_built() -> None:
    report = gocost.linkage(PROGRAMS / "hello", flags=["-buildmode=pie"])

    fact = report.fact("binary.linkage")
    assert fact is not None
    assert fact.value == "dynamic"
    assert report.layout.title.startswith("hello: dynamic")


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A module with main packages below its root."""
    (tmp_path / "go.mod").write_text("module example.com/many\n\ngo 1.21\n")
    for name in ("api", "worker"):
        folder = tmp_path / "cmd" / name
        folder.mkdir(parents=True)
        (folder / "main.go").write_text("package main\n\nfunc main() {}\n")
    return tmp_path


@pytest.mark.parametrize(("matrix", "command"), [(False, "linkage"), (True, "linkage --matrix")])
def test_of_several_main_packages_one_has_to_be_named(
    commands: Path, matrix: bool, command: str
) -> None:
    with pytest.raises(UsageError, match=r"the main packages \./cmd/api, \./cmd/worker") as caught:
        gocost.linkage(commands, matrix=matrix)

    assert caught.value.hint == f"name one: gocost {command} {commands}/cmd/api"


def test_the_only_main_package_below_a_folder_is_taken(commands: Path) -> None:
    shutil.rmtree(commands / "cmd" / "worker")

    assert gocost.linkage(commands).subject.service == "api"
    report = gocost.linkage(commands, matrix=True)
    assert report.layout.title == "api: ways to link it"
    assert report.tables["matrix"].column("linkage")[0] == "static"


def test_many_main_packages_are_named_in_part(commands: Path) -> None:
    for number in range(6):
        shutil.copytree(commands / "cmd" / "api", commands / "cmd" / f"tool{number}")

    with pytest.raises(UsageError, match="and 3 more"):
        gocost.linkage(commands)


def test_a_folder_without_a_main_package_says_so(commands: Path) -> None:
    shutil.rmtree(commands / "cmd")
    (commands / "library.go").write_text("package library\n")

    with pytest.raises(UsageError, match="no main package"):
        gocost.linkage(commands, matrix=True)


def test_a_folder_that_does_not_build_says_what_the_compiler_does(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module broken\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")

    with pytest.raises(BuildError, match="undefined: undefined"):
        gocost.linkage(tmp_path)


def test_an_architecture_that_the_file_has_not() -> None:
    with pytest.raises(UsageError, match="is for amd64 alone"):
        gocost.linkage(binary("linux-amd64"), machine="arm64")


def test_a_module_that_does_not_build(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module broken\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")

    with pytest.raises(NotMeasurableError, match="undefined: undefined"):
        gocost.linkage(tmp_path, matrix=True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["no-such-file"], 3, "does not exist"),
        (["--build-flag=-s", "x"], 2, "--build-flag is for builds"),
        (["--matrix", "no-such-folder"], 2, "is no folder"),
        (["--matrix", "--base", "main"], 2, "and no base"),
        (["--base", "", "{binary}"], 2, "--base names nothing"),
    ],
)
def test_what_bad_input_gets(arguments: list[str], code: int, said: str) -> None:
    done = run(*(word.format(binary=binary("linux-amd64")) for word in arguments))

    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
