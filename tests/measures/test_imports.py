"""Why a package is in a binary, asked of real modules: what is there, what is not, and where."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import gocost
from gocost.model.errors import UsageError
from gocost.model.report import Report
from tests.fixtures.binaries import PROGRAMS, Recipe, binary, built

DIRECTORY = PROGRAMS / "hello"


def why(wanted: str, recipe: str = "linux-amd64", directory: Path = DIRECTORY) -> Report:
    return gocost.size(binary(recipe), why=wanted, directory=directory)


def steps(report: Report) -> list[object]:
    return list(report.tables["why"].column("package"))


def notes(report: Report) -> str:
    return "\n".join(note.text for note in report.notes)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of a module that requires two others, of which it imports one."""
    root = tmp_path_factory.mktemp("modules")
    files = {
        "shop/go.mod": "module example.com/shop\n\ngo 1.21\n\n"
        "require (\n\texample.com/used v1.0.0\n\texample.com/unused v1.0.0\n)\n\n"
        "replace example.com/used => ../used\n\nreplace example.com/unused => ../unused\n",
        "shop/main.go": "package main\n\nimport (\n\t_ \"example.com/used/empty\"\n"
        '\t"example.com/used/price"\n)\n\nfunc main() { println(price.Of(len("abc"))) }\n',
        "used/go.mod": "module example.com/used\n\ngo 1.21\n",
        "used/price/price.go": "package price\n\n//go:noinline\n"
        "func Of(n int) int { return n * n }\n",
        "used/empty/empty.go": "package empty\n",
        "unused/go.mod": "module example.com/unused\n\ngo 1.21\n",
        "unused/unused.go": "package unused\n",
    }  # fmt: skip
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(
        ["go", "build", "-o", str(root / "program"), "."],
        cwd=root / "shop",
        check=True,
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off", "CGO_ENABLED": "0"},
    )
    return root


def test_the_standard_library_as_a_whole_is_no_question() -> None:
    with pytest.raises(UsageError, match="std is the standard library") as caught:
        why("std")

    named = caught.value.hint.removeprefix("ask for one of its packages: --why ")
    assert steps(why(named))[-1] == named


def test_runtime_and_what_it_needs_are_in_every_program() -> None:
    assert steps(why("runtime")) == ["example.com/hello", "runtime"]
    assert "every Go program has runtime: no import" in notes(why("runtime"))
    assert steps(why("internal/abi")) == ["example.com/hello", "runtime", "internal/abi"]
    assert "every Go program has internal/abi, because runtime needs it" in notes(
        why("internal/abi")
    )
    assert "every Go program" not in notes(why("fmt"))


def test_what_c_code_and_its_runtime_are_there_for() -> None:
    directory = PROGRAMS / "cgo"

    code = why("C code (cgo)", "linux-amd64-cgo", directory)
    assert len(steps(code)) >= 1
    bridge = why("runtime/cgo", "linux-amd64-cgo", directory)
    assert steps(bridge) == [*steps(code), "runtime/cgo"]
    with pytest.raises(UsageError, match="the binary has no C code"):
        why("C code (cgo)")


def test_what_the_linker_adds_without_an_import() -> None:
    path = built(Recipe(flags=("-race",), cgo=True))

    report = gocost.size(path, why="runtime/race", directory=DIRECTORY)

    assert steps(report) == ["example.com/hello", "runtime/race"]


@pytest.mark.parametrize("wanted", ["main", "example.com/hello/", "example.com/hello@v1.2.3"])
def test_other_ways_to_write_the_main_package(wanted: str) -> None:
    assert steps(why(wanted)) == ["example.com/hello"]


def test_a_package_of_std_may_be_written_with_its_module() -> None:
    assert steps(why("std/fmt")) == steps(why("fmt"))


def test_a_module_that_is_required_and_not_in_the_binary(shop: Path) -> None:
    with pytest.raises(UsageError, match="is in the module graph, and no package of it") as caught:
        gocost.size(shop / "program", why="example.com/unused", directory=shop / "shop")

    assert caught.value.hint.startswith("`go mod why -m example.com/unused`")


def test_a_package_that_is_imported_and_has_no_bytes(shop: Path) -> None:
    report = gocost.size(shop / "program", why="example.com/used/empty", directory=shop / "shop")

    assert steps(report) == ["example.com/shop", "example.com/used/empty"]
    assert "no byte of the binary is known to be example.com/used/empty's" in notes(report)


@pytest.mark.parametrize(
    ("wanted", "said", "hint"),
    [
        ("", "--why names no module", "--why MODULE"),
        ("(anonymous types)", "is no module", "--by module"),
        ("price", "no module or package 'price'", "did you mean example.com/used/price?"),
        ("example.com/usd", "no module or package", "did you mean example.com/used?"),
        ("github.com/far/away", "no module or package", "--by module` lists the modules"),
    ],
)
def test_what_is_not_in_the_binary(shop: Path, wanted: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        gocost.size(shop / "program", why=wanted, directory=shop / "shop")

    assert said in caught.value.message
    assert hint in caught.value.hint


def test_another_module_is_not_asked(shop: Path) -> None:
    with pytest.raises(UsageError, match=r"is in the module example\.com/hello") as caught:
        gocost.size(shop / "program", why="example.com/used", directory=DIRECTORY)

    assert "the folder of example.com/shop" in caught.value.hint


def test_outside_of_modules_the_one_to_ask_is_named(shop: Path) -> None:
    with pytest.raises(UsageError, match="is not in a Go module") as caught:
        gocost.size(shop / "program", why="example.com/used", directory=shop)

    assert "the folder of example.com/shop" in caught.value.hint
    assert "go mod init" not in caught.value.hint


def test_another_commit_is_told_from_a_missing_module(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/shop\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")

    with pytest.raises(UsageError, match="which the binary has") as caught:
        gocost.size(shop / "program", why="example.com/used", directory=tmp_path)

    assert "check out the commit" in caught.value.hint


def test_a_binary_of_single_files_cannot_be_asked_for(tmp_path: Path) -> None:
    program = tmp_path / "program"
    subprocess.run(
        ["go", "build", "-o", str(program), str(DIRECTORY.parent / "watched" / "main.go")],
        cwd=DIRECTORY.parent / "watched",
        check=True,
    )

    with pytest.raises(UsageError, match="built from single files"):
        gocost.size(program, why="fmt", directory=DIRECTORY)
