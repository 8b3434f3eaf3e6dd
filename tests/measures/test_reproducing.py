"""Builds that are, and are not, the same bytes twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gocost.measures.build import measure
from gocost.measures.interface import Context, Target
from gocost.measures.reproducing import compare
from gocost.model.errors import SourceError
from gocost.model.service import Build, Service
from gocost.sources.go_command import go_in
from gocost.sources.trees import copied
from tests.fixtures.binaries import binary


def workspace(root: Path) -> Path:
    """A module that replaces a dependency by a folder beside it, so that a copy needs both."""
    app, library = root / "app", root / "library"
    for folder in (app, library):
        folder.mkdir(parents=True)
    (library / "go.mod").write_text("module example.com/library\n\ngo 1.21\n")
    (library / "library.go").write_text("package library\n\nfunc One() int { return 1 }\n")
    (app / "go.mod").write_text(
        "module example.com/app\n\ngo 1.21\n\nrequire example.com/library v0.0.0\n\n"
        "replace example.com/library => ../library\n"
    )
    (app / "main.go").write_text(
        'package main\n\nimport "example.com/library"\n\n'
        "func main() {\n\tif library.One() != 1 {\n\t\tpanic(1)\n\t}\n}\n"
    )
    return app


def test_a_build_without_paths_is_reproducible(tmp_path: Path) -> None:
    app = workspace(tmp_path)
    service = Service("app", build=Build(flags=("-trimpath",), env={"CGO_ENABLED": "0"}))

    found = measure(Target(service, app, binary("linux-amd64")), Context(tmp_path, rebuild=True))

    facts = {fact.metric: fact for fact in found.facts}
    assert facts["build.reproducible"].value is True
    assert facts["build.reproducible"].origin == "the same bytes"
    assert any("empty build cache" in text for text in found.assumptions)


def test_a_build_with_paths_is_not_and_says_where(tmp_path: Path) -> None:
    # Given the same module in two folders, built with the paths in
    builds = []
    for name in ("here", "elsewhere"):
        app = workspace(tmp_path / name)
        go = go_in(app, {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"})
        builds.append(go.build(".", tmp_path / f"{name}.out").path)

    found = compare(*builds)

    # Then the code is the same: what names source files differs, and not first the build id
    assert not found.same
    assert found.part in (".gopclntab", ".go.buildinfo", ".rodata", ".debug_line", ".debug_info")


def test_what_is_built_in_another_way_is_unknown(tmp_path: Path) -> None:
    service = Service("app", build=Build(command=("make", "{output}")))

    found = measure(
        Target(service, tmp_path, binary("linux-amd64")), Context(tmp_path, rebuild=True)
    )

    assert "not built by `go build` alone" in found.unknown["build.reproducible"]


def test_the_first_section_that_differs_is_named(tmp_path: Path) -> None:
    from gocost.formats.executable import open_executable

    first, second = tmp_path / "first", tmp_path / "second"
    data = bytearray(binary("linux-amd64").read_bytes())
    first.write_bytes(data)
    section = open_executable(bytes(data)).section(".rodata")
    assert section is not None
    data[section.offset + 100] ^= 1
    second.write_bytes(data)

    assert compare(first, first).same
    assert compare(first, second).part == ".rodata"


def test_a_copy_leaves_version_control_out_and_is_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / ".git").mkdir(parents=True)
    (tree / ".git" / "config").write_text("x")
    (tree / "main.go").write_text("package main\n")

    with copied(tree) as copy:
        kept = copy
        assert [path.name for path in copy.iterdir()] == ["main.go"]

    assert not kept.exists()


def test_a_copy_has_a_cap(tmp_path: Path) -> None:
    shutil.copy(binary("linux-amd64"), tmp_path / "large")

    with pytest.raises(SourceError, match="cap of 1 MiB"), copied(tmp_path, limit=1 << 20):
        pass
