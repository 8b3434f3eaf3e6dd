"""Building a service: where the go command runs, what is refused, and the comparable form."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.gate.build import build_service, comparable_already
from gocost.model.errors import BuildError, SourceError
from gocost.model.service import Build, Service
from tests.gate.modules import needs_go
from tests.sources.repositories import MAIN, module

pytestmark = needs_go


def service(**build: object) -> Service:
    return Service("app", package="./cmd/app", build=Build(**build))  # type: ignore[arg-type]


def test_the_platform_and_the_environment_are_the_policy_s(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    built = build_service(
        service(platform="windows/amd64", env={"CGO_ENABLED": "0"}), root, tmp_path / "out"
    )
    assert built.path.name == "app.exe"
    assert built.path.read_bytes()[:2] == b"MZ"
    assert built.seconds is not None


def test_the_comparable_form_has_no_paths_and_no_stamp(tmp_path: Path) -> None:
    first, second = (
        build_service(
            service(env={"CGO_ENABLED": "0"}),
            module(tmp_path / name / "app"),
            tmp_path / "out" / name,
            comparable=True,
        ).path.read_bytes()
        for name in ("a", "longer-name")
    )
    assert first == second


@pytest.mark.parametrize(
    ("build", "env", "same"),
    [
        (Build(flags=("-trimpath", "-buildvcs=false")), "", True),
        (Build(flags=("-trimpath",)), "-buildvcs=false", True),
        (Build(flags=("-trimpath",)), "", False),
        (Build(flags=("-trimpath",), env={"GOFLAGS": "-v"}), "-buildvcs=false", False),
        (Build(binary="x"), "-trimpath -buildvcs=false", False),
    ],
)
def test_a_build_that_is_comparable_already_is_not_repeated(
    build: Build, env: str, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", env)
    assert comparable_already(build) is same


def test_packages_that_are_no_program(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    (root / "lib").mkdir()
    (root / "lib" / "lib.go").write_text("package lib\n")
    with pytest.raises(SourceError, match="not a main package"):
        build_service(Service("app", package="./lib"), root, tmp_path / "out")
    (root / "cmd/b").mkdir()
    (root / "cmd/b/main.go").write_text(MAIN)
    with pytest.raises((SourceError, BuildError)):
        build_service(Service("app", package="./cmd/..."), root, tmp_path / "out")


def test_flags_are_words_and_never_a_shell_s(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    hostile = service(flags=("-ldflags=-X main.x=$(touch never)", "; touch never"))
    with pytest.raises(BuildError):
        build_service(hostile, root, tmp_path / "out")
    assert not (root / "never").exists()
