"""Where binaries run, decided from the file and then really tried: in roots that hold only so much.

A root with nothing in it but the file is what `scratch` is; one with musl is what Alpine is to a
loader; one with glibc is distroless base.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gocost.analyses.linkage import Linked
from gocost.analyses.portability import platforms
from gocost.measures.interface import Context, Target
from gocost.measures.linkage import examine, measure, measured
from gocost.model.errors import FormatError, NotMeasurableError
from gocost.model.service import Service
from gocost.model.subject import Subject
from tests.fixtures.binaries import RECIPES, RELEASES, Recipe, binary, built

needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="needs root, for chroot"
)
MUSL = Recipe(
    program="cgo", cgo=True, env={"CC": "musl-gcc"}, flags=("-ldflags=-linkmode=external",)
)


def musl_binary() -> Path:
    return built(MUSL)


def starts_in(root: Path, program: Path) -> bool:
    """Whether the kernel and the loader start a copy of the program in that root."""
    shutil.copy(program, root / "program")

    def enter() -> None:  # chroot(8) is not on everybody's PATH
        os.chroot(root)
        os.chdir("/")

    try:
        done = subprocess.run(
            ["/program"], preexec_fn=enter, capture_output=True, text=True, timeout=60
        )
    except FileNotFoundError:  # the program is there, its loader is not
        return False
    if done.returncode:
        assert re.search(r"No such file|not found|cannot open", done.stderr), done.stderr
    return done.returncode == 0


def with_glibc(root: Path) -> Path:
    """The loader and the libraries of this machine's glibc, at their places."""
    for name in ("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"):
        if not Path(name).exists():
            pytest.skip(f"needs {name}")
        place = root / name.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(name).resolve(), place)
    return root


def with_musl(root: Path) -> Path:
    loader = Path("/lib/ld-musl-x86_64.so.1")
    if not loader.exists():
        pytest.skip("needs musl: apt-get install musl")
    (root / "lib").mkdir()
    shutil.copy(loader.resolve(), root / "lib" / loader.name)
    return root


NATIVE = [
    "linux-amd64",
    "linux-amd64-stripped",
    "linux-amd64-pie",
    "linux-amd64-cgo",
    "linux-amd64-cgo-pie",
    "linux-amd64-cgo-static",
    "linux-amd64-static-pie",
    "musl",
]


@needs_root
@pytest.mark.parametrize("name", NATIVE)
@pytest.mark.parametrize(
    ("platform", "furnish"),
    [
        ("scratch", lambda root: root),
        ("Alpine", with_musl),
        ("distroless base deb12", with_glibc),
    ],
)
def test_it_runs_where_the_table_says(
    name: str, platform: str, furnish: object, tmp_path: Path
) -> None:
    path = musl_binary() if name == "musl" else binary(name)
    assert callable(furnish)

    told = {row.name: row.runs == "yes" for row in platforms(examine(path).program)}

    assert starts_in(furnish(tmp_path), path) == told[platform]


@pytest.mark.parametrize(
    ("name", "linked"),
    [
        ("linux-amd64", "static"),
        ("linux-amd64-stripped", "static"),
        ("linux-amd64-pie", "dynamic"),
        ("linux-amd64-cgo", "dynamic"),
        ("linux-amd64-cgo-static", "static"),
        ("linux-amd64-static-pie", "static-pie"),
        ("linux-amd64-c-shared", "dynamic"),
        ("linux-arm64-pie", "dynamic"),
        ("windows-amd64", "static"),
        ("darwin-arm64", "static"),
    ],
)
def test_how_it_is_linked(name: str, linked: str) -> None:
    assert examine(binary(name)).linkage.linked == Linked(linked)


@pytest.mark.parametrize("name", [*RECIPES, *RELEASES])
def test_c_code_is_seen_in_stripped_files_too(name: str) -> None:
    with_c = name in RECIPES and RECIPES[name].cgo

    assert examine(binary(name)).linkage.cgo is with_c


def test_the_facts_of_a_cgo_program() -> None:
    path = binary("linux-amd64-cgo")
    needs = subprocess.run(
        ["readelf", "-V", str(path)], capture_output=True, text=True, check=True
    ).stdout
    versions = {tuple(map(int, part.split("."))) for part in re.findall(r"GLIBC_([0-9.]+)", needs)}

    found = measured(examine(path), Subject())

    facts = {fact.metric: fact.value for fact in found.facts}
    assert facts["binary.linkage"] == "dynamic"
    assert facts["binary.needed_libraries"] == 1
    assert facts["binary.glibc"] == ".".join(map(str, max(versions)))
    assert facts["binary.cgo"] is True
    assert found.tables["libraries"].column("provider") == ["glibc"]


def test_packed_relocations_need_the_glibc_that_brought_them() -> None:
    linkage = examine(binary("linux-amd64-cgo-pie-relr")).linkage

    assert linkage.glibc_version >= (2, 36)
    assert linkage.libraries[0].version == "GLIBC_ABI_DT_RELR"


def test_distributions_that_are_too_old_are_named() -> None:
    table = measured(examine(binary("linux-amd64-cgo")), Subject()).tables["distributions"]

    rows = {row[0]: row for row in table.rows}
    needed = examine(binary("linux-amd64-cgo")).linkage.glibc_version
    glibc = str(rows["Debian"][table.names().index("glibc")])
    assert tuple(map(int, glibc.split("."))) >= needed
    assert rows["Debian"][table.names().index("too_old")] is not None


def test_a_static_program_is_held_back_by_old_kernels_only() -> None:
    table = measured(examine(binary("linux-amd64")), Subject()).tables["distributions"]

    oldest = dict(zip(table.column("distribution"), table.column("oldest"), strict=True))

    # Go 1.24 and later need Linux 3.2, which RHEL 6 (2.6.32) has not.
    assert oldest["RHEL, Alma, Rocky"] == "7"
    assert oldest["Debian"] == "8"
    old = measured(examine(binary("go1.19-linux-amd64")), Subject()).tables["distributions"]
    assert (
        dict(zip(old.column("distribution"), old.column("oldest"), strict=True))[
            "RHEL, Alma, Rocky"
        ]
        == "6"
    )


def test_a_static_glibc_that_resolves_names_is_warned_about(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")
    (tmp_path / "go.mod").write_text("module resolves\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text(
        'package main\n\nimport "net"\n\nfunc main() { net.LookupHost("localhost") }\n'
    )
    subprocess.run(
        ["go", "build", "-buildvcs=false", "-ldflags=-linkmode=external -extldflags=-static", "."],
        cwd=tmp_path,
        env={**os.environ, "CGO_ENABLED": "1"},
        check=True,
        capture_output=True,
    )

    found = measured(examine(tmp_path / "resolves"), Subject())

    assert any("netgo" in note.text for note in found.notes if note.level == "warning")


def test_a_library_that_is_not_part_of_the_system_is_named(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")
    # Given a program that needs a library of its own
    library = tmp_path / "c"
    library.mkdir()
    (library / "answer.c").write_text("int answer(void) { return 42; }\n")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", "libanswer.so", "answer.c"], cwd=library, check=True
    )
    (tmp_path / "go.mod").write_text("module asks\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text(
        "package main\n\n// #cgo LDFLAGS: -L${SRCDIR}/c -lanswer\n// int answer(void);\n"
        'import "C"\n\nfunc main() { println(C.answer()) }\n'
    )
    subprocess.run(
        ["go", "build", "-buildvcs=false", "."],
        cwd=tmp_path,
        env={**os.environ, "CGO_ENABLED": "1"},
        check=True,
    )

    # When it is measured
    found = examine(tmp_path / "asks")

    # Then the library is one to install
    assert [part.name for part in found.linkage.foreign] == ["libanswer.so"]
    runs = {row.name: row for row in platforms(found.program)}
    assert runs["distroless base deb12"].runs == "with libraries"
    assert "libanswer.so" in runs["distroless base deb12"].why
    assert any("libanswer.so" in note.text for note in measured(found, Subject()).notes)


def test_windows_and_macos_say_their_oldest_release() -> None:
    windows = platforms(examine(binary("windows-amd64")).program)
    macos = platforms(examine(binary("darwin-arm64")).program)

    assert [row.name for row in windows] == ["Windows 10, Server 2016 or later"]
    assert [row.name for row in macos] == ["macOS 12.0 or later"]


def test_the_gate_gets_facts_and_warnings_only(tmp_path: Path) -> None:
    target = Target(Service("app"), tmp_path, binary("linux-amd64-pie"))

    found = measure(target, Context(tmp_path))

    assert {fact.metric for fact in found.facts} == {
        "binary.linkage", "binary.needed_libraries", "binary.glibc", "binary.cgo",
    }  # fmt: skip
    assert not found.tables
    assert not found.notes
    with pytest.raises(NotMeasurableError, match="no executable"):
        measure(Target(Service("app"), tmp_path), Context(tmp_path))


def test_openbsd_reaches_its_kernel_through_its_own_libraries() -> None:
    found = examine(built(Recipe(goos="openbsd")))

    assert found.linkage.linked is Linked.DYNAMIC
    assert {part.provider for part in found.linkage.libraries} == {"openbsd"}
    assert [(row.name, str(row.runs)) for row in platforms(found.program)] == [("openbsd", "yes")]


def test_what_is_no_go_binary_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_text("#!/bin/sh\n")

    with pytest.raises(FormatError, match="a script"):
        examine(path)
