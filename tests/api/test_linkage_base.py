"""`gocost linkage --base`: against binaries, saved reports and git refs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.analyses.distributions import DISTRIBUTIONS
from gocost.cli.main import run
from gocost.model.errors import UsageError
from gocost.model.report import Report
from tests.fixtures.binaries import PROGRAMS, binary

STATIC, PIE, CGO = "linux-amd64", "linux-amd64-pie", "linux-amd64-cgo"


def changes(report: Report) -> dict[str, tuple[object, object, str]]:
    return {each.metric: (each.base, each.head, each.verdict) for each in report.changes}


def notes(report: Report) -> str:
    return "\n".join(note.text for note in report.notes)


def rows(report: Report, table: str) -> dict[object, list[object]]:
    return {row[0]: list(row[1:]) for row in report.tables[table].rows}


def saved(recipe: str, folder: Path, *options: str) -> Path:
    path = folder / "old.json"
    arguments = ["linkage", str(binary(recipe)), "--format", "json", "-o", str(path), *options]
    assert run(arguments) == 0
    return path


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))
    return path


def test_what_c_code_brings_along() -> None:
    report = gocost.linkage(binary(CGO), base=binary(STATIC))

    found = changes(report)
    glibc = found["binary.glibc"][1]
    assert found["binary.linkage"] == ("static", "dynamic", "changed")
    assert found["binary.needed_libraries"] == (0, 1, "worse")
    assert found["binary.glibc"] == ("none", glibc, "changed")
    assert found["binary.cgo"] == (False, True, "changed")
    assert rows(report, "libraries_changed") == {"libc.so.6": ["added", None, f"GLIBC_{glibc}"]}
    places = rows(report, "platforms_changed")
    assert places["scratch"][:2] == ["yes", "no"]
    assert "/lib64/ld-linux-x86-64.so.2" in str(places["scratch"][2])
    debian = [part for part in DISTRIBUTIONS if part.family == "Debian"]
    assert places["Debian"][0] == f"from {debian[0].release}"
    assert places["Debian"][2] == f"it asks for glibc {glibc}"
    assert "distroless base deb13" not in places
    assert report.layout.tables is not None
    assert report.layout.tables[:2] == ("libraries_changed", "platforms_changed")
    assert f"compared with {binary(STATIC)}" in notes(report)


def test_the_way_back_is_better() -> None:
    report = gocost.linkage(binary(STATIC), base=binary(CGO))

    assert changes(report)["binary.needed_libraries"] == (1, 0, "better")
    assert rows(report, "libraries_changed")["libc.so.6"][0] == "removed"
    assert rows(report, "platforms_changed")["Debian"][2] == "it asks for no glibc"


def test_another_version_of_a_library_is_told() -> None:
    report = gocost.linkage(binary("linux-amd64-cgo-pie-relr"), base=binary("linux-amd64-cgo-pie"))

    (change,) = rows(report, "libraries_changed").values()
    assert change[0] == "other version"
    assert change[2] == "GLIBC_ABI_DT_RELR"


def test_nothing_that_differs_is_said() -> None:
    report = gocost.linkage(binary(CGO), base=binary("linux-amd64-cgo-pie"))

    assert {verdict for _, _, verdict in changes(report).values()} == {"same"}
    assert report.tables["platforms_changed"].rows == []
    assert f"nothing differs from {binary('linux-amd64-cgo-pie')}" in notes(report)


def test_systems_that_have_nothing_in_common_are_not_compared() -> None:
    report = gocost.linkage(binary("windows-amd64"), base=binary(STATIC))

    assert "platforms_changed" not in report.tables
    assert "the base is for another operating system" in notes(report)


@pytest.mark.parametrize(
    ("base", "head"), [(STATIC, CGO), (CGO, STATIC), (PIE, CGO), (STATIC, "windows-amd64")]
)
def test_a_saved_report_tells_what_its_binary_does(base: str, head: str, tmp_path: Path) -> None:
    path = saved(base, tmp_path)

    report = gocost.linkage(binary(head), base=path)

    wanted = gocost.linkage(binary(head), base=binary(base))
    assert report.tables == wanted.tables
    assert report.changes == wanted.changes
    assert notes(report).replace(str(path), str(binary(base))) == notes(wanted)


def test_a_report_of_a_check_has_facts_alone(tmp_path: Path) -> None:
    policy = tmp_path / "gocost.yaml"
    policy.write_text(
        "version: 1\nservices:\n"
        f"  program: {{build: {{binary: {binary(STATIC)}}}, "
        "rules: [{metric: binary.linkage, is: static}]}\n"
    )
    path = tmp_path / "check.json"
    out = str(tmp_path / "out")
    assert run(["check", "--policy", str(policy), "--save", str(path), "-o", out]) == 0

    report = gocost.linkage(binary(CGO), base=path)

    assert changes(report) == changes(gocost.linkage(binary(CGO), base=binary(STATIC)))
    assert "libraries_changed" not in report.tables
    assert "platforms_changed" not in report.tables
    assert "the base does not tell all of which libraries" in notes(report)


def test_tables_that_were_cut_off_are_not_compared(tmp_path: Path) -> None:
    report = gocost.linkage(binary(CGO), base=saved(STATIC, tmp_path, "--top", "1"))

    assert "platforms_changed" not in report.tables
    assert "the base does not tell all of which libraries" in notes(report)


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report["facts"][0].update(value=3),
        lambda report: report["facts"][1].update(value="many"),
        lambda report: report["facts"][3].update(value="no"),
        lambda report: report["tables"].update(platforms=report["tables"]["libraries"]),
        lambda report: report["tables"]["platforms"]["rows"][0].clear(),
    ],
)
def test_an_edited_report_is_refused(
    change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    path = edited(saved(STATIC, tmp_path), change)

    with pytest.raises(UsageError, match=f"^{path}: its ") as caught:
        gocost.linkage(binary(CGO), base=path)

    assert "it was edited; save one: gocost linkage" in caught.value.hint


def test_a_report_of_sizes_is_none(tmp_path: Path) -> None:
    path = tmp_path / "size.json"
    assert run(["size", str(binary(STATIC)), "--format", "json", "-o", str(path)]) == 0

    with pytest.raises(UsageError, match="a report of `gocost size`, and has no binary") as caught:
        gocost.linkage(binary(STATIC), base=path)

    assert "gocost linkage FILE --format json -o" in caught.value.hint


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A program whose last commit brought C code; `main` is where it had none."""
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")
    folder = tmp_path / "repository"
    shutil.copytree(PROGRAMS / "hello", folder / "service")
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "checkout", "-q", "-b", "change")
    (folder / "service" / "bridge.go").write_text(
        "package main\n\n// int one(void) { return 1; }\n"
        'import "C"\n\nfunc init() { println(C.one()) }\n'
    )
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "C code")
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def go_build(folder: Path, output: Path, *flags: str, env: Mapping[str, str] | None = None) -> Path:
    subprocess.run(
        ["go", "build", "-buildvcs=false", *flags, "-o", str(output), "."],
        cwd=folder, check=True, env={**os.environ, "GOFLAGS": "", **(env or {})},
    )  # fmt: skip
    return output


def test_a_folder_against_a_git_ref(repository: Path) -> None:
    report = gocost.linkage(repository / "service", base="main")

    assert changes(report)["binary.linkage"] == ("static", "dynamic", "changed")
    assert "libc.so.6" in rows(report, "libraries_changed")
    assert "compared with main (" in notes(report)


def test_the_flags_of_a_folder_are_for_both_sides(repository: Path) -> None:
    flags = ["-trimpath", "-ldflags=-linkmode=external -extldflags=-static"]

    report = gocost.linkage(repository / "service", base="main", flags=flags)

    assert changes(report)["binary.linkage"] == ("static", "static", "same")
    assert changes(report)["binary.cgo"][1] is True


def test_a_file_against_a_git_ref(repository: Path, tmp_path: Path) -> None:
    head = go_build(repository / "service", tmp_path / "head")

    report = gocost.linkage(head, base="main", directory=repository / "service")

    assert changes(report)["binary.linkage"] == ("static", "dynamic", "changed")
    assert "-trimpath" not in notes(report)


def test_flags_that_the_file_does_not_tell_are_spoken_of(repository: Path, tmp_path: Path) -> None:
    flags = ("-trimpath", "-ldflags=-linkmode=external -extldflags=-static")
    git(repository, "branch", "-f", "main", "change")
    head = go_build(repository / "service", tmp_path / "head", *flags)

    report = gocost.linkage(head, base="main", directory=repository / "service")

    assert changes(report)["binary.linkage"] == ("dynamic", "static", "changed")
    assert "-trimpath hides the -ldflags" in notes(report)


def test_a_package_that_the_base_has_not(repository: Path) -> None:
    (repository / "service").rename(repository / "renamed")

    with pytest.raises(UsageError, match=r"main \([0-9a-f]{12}\) has no renamed") as caught:
        gocost.linkage(repository / "renamed", base="main")

    assert caught.value.hint == "name a later base with --base"


def test_a_module_that_the_binary_is_not_of(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(UsageError, match=r"is in the module example\.com/hello") as caught:
        gocost.linkage(binary(CGO), base="main", directory=repository / "service")

    assert "run it in the folder of example.com/withc" in caught.value.hint
