"""`gocost.size`: the report, what it is asked, and what bad input gets."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import gocost
from gocost.model.errors import FormatError, SourceError, UsageError
from tests.fixtures.binaries import PROGRAMS, Recipe, binary, built


def test_the_report_has_every_table_and_fact() -> None:
    report = gocost.size(binary("linux-amd64"))
    assert {"kinds", "sections", "modules", "packages", "functions"} <= set(report.tables)
    size = report.fact("binary.size")
    assert size is not None
    assert size.value == binary("linux-amd64").stat().st_size
    modules = [fact for fact in report.facts if fact.metric == "binary.module.size"]
    assert {"std"} < {fact.labels["module"] for fact in modules}
    loaded = report.fact("binary.size.loaded")
    assert loaded is not None
    assert report.layout.treemap in report.tables


def test_every_metric_is_in_the_catalogue() -> None:
    from gocost.model.catalogue import all_metrics

    report = gocost.size(binary("linux-amd64"))
    for fact in report.facts:
        metric = all_metrics()[fact.metric]
        assert set(fact.labels) <= set(metric.labels)
        assert fact.unit == metric.unit


def test_by_shows_what_was_asked_for() -> None:
    path = binary("linux-amd64")
    assert gocost.size(path, by=["function"]).layout.tables == ("functions",)
    assert gocost.size(path, by="function").layout.tables == ("functions",)
    assert gocost.size(path, by="module,package").layout.tables == ("module_package",)
    report = gocost.size(path, by=["module", "package"])
    assert report.layout.tables == ("module_package",)
    with pytest.raises(UsageError, match="named 'colour'") as unknown:
        gocost.size(path, by=["colour"])
    assert unknown.value.hint == "choose of module, package, function, section, kind"
    with pytest.raises(UsageError, match="named 'modules'") as plural:
        gocost.size(path, by=["modules"])
    assert plural.value.hint == "did you mean module?"
    with pytest.raises(UsageError, match="named ''"):
        gocost.size(path, by=["module", ""])
    with pytest.raises(UsageError, match="--by names module twice"):
        gocost.size(path, by=["module", "kind", "module"])


def test_filter_names_what_is_wrong_with_it() -> None:
    path = binary("linux-amd64")
    report = gocost.size(path, filter="^runtime$")
    assert len(report.tables["packages"].rows) == 2
    with pytest.raises(UsageError, match="no regular expression"):
        gocost.size(path, filter="(")
    nothing = gocost.size(path, by=["package"], filter="no such name")
    assert "--filter 'no such name' matches no row of packages" in nothing.notes[0].text
    assert nothing.notes[0].level == "warning"
    assert not any("matches no row" in note.text for note in report.notes)


def test_why_gives_the_chain_of_imports() -> None:
    path = built(Recipe(program="assets", flags=("-tags=more",)))
    report = gocost.size(path, why="encoding/json", directory=PROGRAMS / "assets")
    assert report.tables["why"].column("package") == ["example.com/assets", "encoding/json"]
    with pytest.raises(UsageError, match="did you mean encoding/json"):
        gocost.size(path, why="encoding/jsn", directory=PROGRAMS / "assets")


def test_why_outside_the_module_says_so(tmp_path: Path) -> None:
    path = built(Recipe(program="assets"))
    with pytest.raises(UsageError, match="not in a Go module"):
        gocost.size(path, why="fmt", directory=tmp_path)


def test_against_another_file() -> None:
    report = gocost.size(
        built(Recipe(program="assets", flags=("-tags=more",))),
        base=built(Recipe(program="assets")),
    )
    (change,) = report.changes
    assert change.delta == sum(map(int, report.tables["growth"].column("delta")))  # type: ignore[arg-type]
    assert change.verdict == "worse"


def test_a_stripped_file_against_one_that_is_not() -> None:
    report = gocost.size(binary("linux-amd64-pie-stripped"), base=binary("linux-amd64-pie"))
    rows = {row[0]: row for row in report.tables["causes"].rows}
    # Variables are attributed by symbols in one of them only: left out of both, nothing moves.
    assert rows["own code"][2] == 0
    assert rows["toolchain and standard library"][2] == 0


def test_against_a_git_ref(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "assets"
    shutil.copytree(PROGRAMS / "assets", repository)
    plain = repository / "plain.go"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(repository)]

    def run(*arguments: str) -> None:
        subprocess.run([*git, *arguments], check=True, capture_output=True)

    run("init", "-q", "-b", "main")
    run("add", ".")
    run("commit", "-q", "-m", "base")
    run("checkout", "-q", "-b", "change")
    plain.write_text(plain.read_text().replace('return ""', 'return fmt.Sprint(files)')
                     .replace("package main\n", 'package main\n\nimport "fmt"\n'))  # fmt: skip
    run("commit", "-q", "-a", "-m", "head")
    head = tmp_path / "head"
    subprocess.run(
        ["go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", str(head), "."],
        cwd=repository, check=True, env={**os.environ, "GOFLAGS": "-mod=mod"},
    )  # fmt: skip
    report = gocost.size(head, base="main", directory=repository)
    causes = dict(
        zip(report.tables["causes"].column("cause"), report.tables["causes"].column("delta"),
            strict=True)
    )  # fmt: skip
    # Built the way build info says, and stripped like the head although -trimpath hides that.
    grown = causes["own code"]
    assert isinstance(grown, int)
    assert 0 < grown < 2000
    assert any("against main (" in note.text for note in report.notes)
    # The folder itself is built the way the base is, without the paths of either.
    folder = gocost.size(repository, base="main", flags=["-ldflags=-s -w"])
    assert [change.delta for change in folder.changes] == [c.delta for c in report.changes]
    with pytest.raises(UsageError, match="nothing is neither a file nor a commit"):
        gocost.size(head, base="nothing", directory=repository)
    # A file that is named as the branch, and a folder: the branch is meant.
    (repository / "main").write_bytes(head.read_bytes())
    (repository / "change").mkdir()
    monkeypatch.chdir(repository)
    report = gocost.size(head, base="main")
    assert any("the git ref, not the file" in note.text for note in report.notes)
    assert gocost.size(head, base="./main").changes[0].delta == 0
    assert any("against change (" in note.text for note in gocost.size(head, base="change").notes)


def test_arrow_for_notebooks() -> None:
    table = gocost.size(binary("linux-amd64")).functions
    assert table.num_rows > 1000
    assert sum(table["bytes"].to_pylist()) == binary("linux-amd64").stat().st_size


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"#!/bin/sh\n", "a script"),
        (b"\x7fELF" + bytes(60), ""),
        (b"\x7fELF\2\1\1" + bytes(9) + b"UPX!" + bytes(300), "UPX-packed"),
        (bytes(range(256)) * 4, ""),
    ],
)
def test_what_is_no_go_binary_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        gocost.size(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.99])
def test_a_file_that_was_cut_off(tmp_path: Path, share: float) -> None:
    data = binary("linux-amd64").read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError):
        gocost.size(path)


def test_data_appended_to_a_binary_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "appended"
    path.write_bytes(binary("linux-amd64").read_bytes() + b"secret" * 1000)
    report = gocost.size(path)
    unknown = report.fact("binary.size.unknown")
    assert unknown is not None
    assert unknown.value == 6000


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        gocost.size(tmp_path / "absent")


def test_the_main_package_of_a_folder_is_built() -> None:
    report = gocost.size(PROGRAMS / "hello", flags=["-ldflags=-s -w"], by="module")
    assert report.layout.title.startswith("hello: ")
    strippable = report.fact("binary.size.strippable")
    assert strippable is not None
    assert strippable.value == 0, "the flags are those of the build"
    built_by = "the file was built by `go build -buildvcs=false '-ldflags=-s -w'`"
    assert report.notes[-1].text == built_by
    plain = gocost.size(PROGRAMS / "hello", base=binary("linux-amd64"))
    assert "--build-flag" in plain.notes[-1].text
    assert plain.changes


def test_a_folder_that_is_no_program_says_what_to_name(tmp_path: Path) -> None:
    hint = "name the folder of a main package, or an executable"
    for message in ("is not in a Go module", "there is no main package"):
        with pytest.raises(UsageError, match=message) as caught:
            gocost.size(tmp_path)
        assert caught.value.hint == hint
        (tmp_path / "go.mod").write_text("module example.com/none\n\ngo 1.21\n")
        (tmp_path / "library.go").write_text("package library\n")
    with pytest.raises(UsageError, match="--build-flag is for builds"):
        gocost.size(binary("linux-amd64"), flags=["-race"])


def test_a_base_that_cannot_be_read_is_named_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(FormatError) as caught:
        gocost.size(binary("linux-amd64"), base=tmp_path / "empty")
    assert caught.value.message.startswith(f"{tmp_path / 'empty'}: this is an empty file")


def test_every_refusal_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(b"\x7fELF\xff" + b"\0" * 100)
    with pytest.raises(FormatError, match="unknown class") as caught:
        gocost.size(path)
    assert "copy or build it again" in caught.value.hint


def test_not_go(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="without Go in it"):
        gocost.size("/bin/true")
