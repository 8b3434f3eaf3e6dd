"""Costs by the owner of the code: a program of known costs, built in three ways."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gocost.analyses.ownership import (
    C_CODE,
    RUNTIME,
    STANDARD,
    UNKNOWN,
    UNOWNED,
    Repository,
    module_of_file,
    outside,
    owners_of,
)
from gocost.analyses.profile.groups import NO_NAME
from gocost.api.profile import profile
from gocost.formats.codeowners import decode
from gocost.model.errors import UsageError
from gocost.model.report import Cell
from tests.fixtures.binaries import CACHE, PROGRAMS, Recipe, built

RULES = """\
*
/services/shop/main.go @shop/api
/services/shop/internal/pay/ @shop/payments @alice
generated.go @shop/tools
cart/ @shop/cart
"""
OWNED = {
    STANDARD: 33,
    UNOWNED: 16,
    "@shop/tools": 8,
    "@shop/payments @alice": 4,
    "@shop/cart": 2,
    "@shop/api": 1,
}
"""What programs/owned adds in each package; Sorted's leaf is slices."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the program in a folder of it, and CODEOWNERS where GitHub looks first."""
    root = tmp_path / "repository"
    shutil.copytree(PROGRAMS / "owned", root / "services" / "shop")
    (root / ".github").mkdir()
    (root / ".github" / "CODEOWNERS").write_text(RULES)
    (root / "CODEOWNERS").write_text("* @nobody\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


@pytest.mark.parametrize("flags", [(), ("-trimpath",), ("-trimpath", "-ldflags=-s -w")])
def test_the_owner_of_every_sample(
    flags: tuple[str, ...], repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = built(Recipe(program="owned", flags=flags))
    units = tmp_path / "units.pb.gz"
    units.write_bytes(subprocess.run([program], capture_output=True, check=True).stdout)
    monkeypatch.chdir(repository / "services")

    for binary in (None, str(program)):
        report = profile(str(units), by="owner", binary=binary)

        assert costs(report.tables["owners"].rows) == OWNED
        assert report.fact("profile.total").value == sum(OWNED.values())  # type: ignore[union-attr]
    assert CACHE in program.parents  # built elsewhere than the repository lies


def costs(rows: object) -> dict[Cell, Cell]:
    return {row[0]: row[1] for row in rows if row[1]}  # type: ignore[attr-defined]


def test_a_repository_without_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = built(Recipe(program="owned"))
    units = tmp_path / "units.pb.gz"
    units.write_bytes(subprocess.run([program], capture_output=True, check=True).stdout)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"has no CODEOWNERS \(looked for .github/CODEOWNERS"):
        profile(str(units), by="owner")
    (tmp_path / "CODEOWNERS").write_text(RULES)
    with pytest.raises(UsageError, match=r"has no go\.mod"):
        profile(str(units), by="owner")


def test_what_is_not_the_repositorys_own() -> None:
    found = Repository(decode(b"* @all\n"), {"example.com/m": "", "tools": "tools"},
                       dependencies=("github.com/x/y", "github.com/x/y/v2"))  # fmt: skip
    asked = {
        ("example.com/m/api", "/b/api/a.go"): "@all",
        ("example.com/m/api_test", "/b/api/a_test.go"): "@all",
        ("example.com/more", "/c/more/a.go"): UNKNOWN,
        ("tools/gen", "/b/tools/gen/g.go"): "@all",
        ("github.com/x/y/v2/z", "/v/z.go"): "(module) github.com/x/y/v2",
        ("github.com/A/b", "/go/pkg/mod/github.com/!a/b@v1.0.0/f.go"): "(module) github.com/A/b",
        ("runtime/internal/atomic", ""): RUNTIME,
        ("internal/runtime/maps", ""): RUNTIME,
        ("vendor/golang.org/x/net/idna", ""): STANDARD,
        ("runtime", "/go/src/runtime/proc.go"): RUNTIME,
        (NO_NAME, "/go/src/runtime/memmove_amd64.s"): RUNTIME,
        (NO_NAME, "/go/src/internal/bytealg/compare_amd64.s"): STANDARD,
        (NO_NAME, "/build/sqlite3.c"): C_CODE,
        (NO_NAME, ""): NO_NAME,
        ("main", "/b/cmd/api/main.go"): "@all",
        ("main", "/elsewhere/main.go"): UNKNOWN,
    }
    packages, files = zip(*asked, strict=True)

    owners = owners_of(packages, files, found)

    assert dict(zip(asked, owners, strict=True)) == asked


@pytest.mark.parametrize("main", ["", "example.com/m/cmd/api"])
def test_a_closure_inlined_into_main_is_whose_file_it_is_in(main: str) -> None:
    rules = decode(b"/cmd/ @core\n/internal/ @domain\n")
    found = Repository(rules, {"example.com/m": ""}, main=main)
    asked = {
        ("example.com/m/internal/log", "/b/internal/log/log.go"): "@domain",
        ("main", "/b/internal/log/log.go"): "@domain",
        ("main", "/b/cmd/api/main.go"): "@core",
    }
    packages, files = zip(*asked, strict=True)
    assert owners_of(packages, files, found) == list(asked.values())


def test_modules_by_the_version_in_a_path() -> None:
    assert module_of_file("github.com/x/y@v1.2.3/z/f.go") == "github.com/x/y"
    assert module_of_file("/h/go/pkg/mod/gopkg.in/yaml.v3@v3.0.1/f.go") == "gopkg.in/yaml.v3"
    assert module_of_file("/h/vendor/github.com/x/y/f.go") is None
    assert outside("github.com/x/y", "/h/vendor/github.com/x/y/f.go") == UNKNOWN
