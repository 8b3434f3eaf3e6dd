"""The go command: modules, workspaces, vendoring, compilers' messages; on real modules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.sources.go_command import (
    MISSING,
    first_complaint,
    go_in,
    module_of,
    module_root,
    place_of,
)
from tests.sources.repositories import module

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason=f"no go on PATH: {MISSING}")

SLEEPS = 'package main\n\nimport "time"\n\nfunc main() { time.Sleep(time.Hour) }\n'


@needs_go
def test_a_build_writes_the_file_and_says_how_long_it_took(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    built = go_in(root, {"CGO_ENABLED": "0"}).build(
        "./cmd/app", tmp_path / "out", flags=["-trimpath"]
    )
    assert built.path.read_bytes()[:4] == b"\x7fELF"
    assert built.wall_seconds > 0
    assert built.arguments == ("go", "build", "-o", str(tmp_path / "out"), "-trimpath", "./cmd/app")


@needs_go
def test_a_build_that_fails_carries_the_compiler_s_own_message(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    (root / "cmd/app/main.go").write_text("package main\n\nfunc main() {\n\tx := 1\n\tnope()\n}\n")
    with pytest.raises(BuildError) as caught:
        go_in(root).build("./cmd/app", tmp_path / "out")
    assert "cmd/app/main.go:4:2: declared and not used: x" in caught.value.output
    assert "cmd/app/main.go:5:2: undefined: nope" in caught.value.output
    assert "main.go:4:2" in caught.value.message
    assert "go build" in caught.value.hint


@needs_go
def test_what_a_failed_build_says_to_type_fails_alike(tmp_path: Path) -> None:
    # given a program that does not build for one platform alone
    root = module(tmp_path / "app")
    (root / "cmd/app/only_windows.go").write_text("package main\n\nvar x int = nope\n")
    with pytest.raises(BuildError) as caught:
        go_in(root, {"GOOS": "windows", "CGO_ENABLED": "0"}).build(
            "./cmd/app", tmp_path / "out", flags=["-ldflags=-s -w"]
        )

    # when a user types what the hint holds
    _, typed, where = caught.value.hint.split("`")
    assert where == f" in {root}"
    done = subprocess.run(
        ["sh", "-c", typed], cwd=root, capture_output=True, text=True, check=False
    )

    # then they see what gocost saw
    assert done.stderr == caught.value.output
    assert done.returncode != 0


@needs_go
def test_a_module_that_is_not_there_offline_is_to_be_downloaded(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    with (root / "go.mod").open("a") as file:
        file.write("\nrequire example.com/absent v1.0.0\n")
    (root / "cmd/app/main.go").write_text(
        'package main\n\nimport _ "example.com/absent"\n\nfunc main() {}\n'
    )
    with pytest.raises(BuildError) as caught:
        go_in(root, {"GOPROXY": "off", "GOFLAGS": "-mod=mod"}).build("./cmd/app", tmp_path / "out")
    assert "GOPROXY=off" in caught.value.message
    assert caught.value.hint == f"run `go mod download` in {root}, which needs the network, first"


@needs_go
def test_packages_are_listed_with_the_fields_asked_for(tmp_path: Path) -> None:
    root = module(tmp_path / "app", mains=("cmd/a", "cmd/b"))
    listed = list(go_in(root).packages("./...", fields="Name,ImportPath"))
    assert listed == [
        {"ImportPath": "example.com/app/cmd/a", "Name": "main"},
        {"ImportPath": "example.com/app/cmd/b", "Name": "main"},
    ]


@needs_go
def test_the_module_s_root_and_the_environment(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    assert module_root(root / "cmd" / "app").resolve() == root.resolve()
    values = go_in(root, {"GOOS": "windows"}).environment("GOOS", "GOMOD")
    assert values["GOOS"] == "windows"
    assert set(values) == {"GOOS", "GOMOD"}
    with pytest.raises(UsageError, match=r"not in a Go module.*go mod init"):
        module_root(tmp_path)


@needs_go
def test_a_workspace_is_built_with_its_own_modules(tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "go.mod").write_text("module example.com/lib\n\ngo 1.21\n")
    (lib / "lib.go").write_text('package lib\n\nconst Word = "from the workspace"\n')
    root = module(tmp_path / "app")
    (root / "cmd/app/main.go").write_text(
        'package main\n\nimport "example.com/lib"\n\nfunc main() { println(lib.Word) }\n'
    )
    (tmp_path / "go.work").write_text("go 1.21\n\nuse (\n\t./app\n\t./lib\n)\n")
    assert go_in(root).build("./cmd/app", tmp_path / "out").path.is_file()
    with pytest.raises(BuildError, match=r"example\.com/lib"):
        go_in(root, {"GOWORK": "off"}).build("./cmd/app", tmp_path / "out2")


@needs_go
def test_vendored_modules_are_built_from_the_vendor_folder(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    (root / "go.mod").write_text(
        "module example.com/app\n\ngo 1.21\n\nrequire example.com/dep v1.0.0\n"
    )
    vendored = root / "vendor" / "example.com" / "dep"
    vendored.mkdir(parents=True)
    (vendored / "dep.go").write_text('package dep\n\nconst Word = "vendored"\n')
    (root / "vendor" / "modules.txt").write_text(
        "# example.com/dep v1.0.0\n## explicit; go 1.21\nexample.com/dep\n"
    )
    (root / "cmd/app/main.go").write_text(
        'package main\n\nimport "example.com/dep"\n\nfunc main() { println(dep.Word) }\n'
    )
    built = go_in(root, {"GOFLAGS": "-mod=vendor", "GOPROXY": "off"}).build(
        "./cmd/app", tmp_path / "out"
    )
    assert b"vendored" in built.path.read_bytes()


@needs_go
def test_where_the_go_command_runs(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    inner = module(root / "inner")
    assert place_of(root, "./inner/cmd/app") == (inner.resolve(), "./cmd/app")
    assert module_of(root, "./inner/cmd/app") == inner.resolve()
    (root / "go.work").write_text("go 1.21\n\nuse ./inner\n")
    assert place_of(root, "./inner/cmd/app") == (root, "./inner/cmd/app")
    (root / "go.work").unlink()
    module(root, "example.com/outer", mains=())
    assert place_of(root, "./inner/cmd/app")[0] == inner.resolve()
    assert place_of(inner, "./cmd/app") == (inner, "./cmd/app")
    assert place_of(root, "example.com/app/cmd/app") == (root, "example.com/app/cmd/app")
    with pytest.raises(SourceError, match=r"no folder \./nowhere"):
        place_of(root, "./nowhere")
    with pytest.raises(SourceError, match="not in a Go module"):
        place_of(tmp_path, ".")


def test_without_go_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="no program 'go' here; install Go"):
        go_in(tmp_path).output("version")


@needs_go
def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    (root / "cmd/app/main.go").write_text(SLEEPS)
    with pytest.raises(SourceError, match="did not end within 5 s"):
        go_in(root).run("run", "./cmd/app", timeout=5)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("# example.com/app\n./main.go:4:2: undefined: x\n", "./main.go:4:2: undefined: x"),
        ("go: downloading a v1\ngo: a@v1: not found\n", "go: a@v1: not found"),
        ("# only a name\n", "# only a name"),
        ("", "it said nothing"),
        (
            "go: inconsistent vendoring in /a:\n\tb@v1: is not marked\n\n\tTo sync\n",
            "go: inconsistent vendoring in /a: b@v1: is not marked",
        ),
    ],
)
def test_the_first_complaint(text: str, first: str) -> None:
    assert first_complaint(text) == first
