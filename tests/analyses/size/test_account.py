"""Every byte of real binaries, stripped and not, on every platform that the fixtures cover."""

from __future__ import annotations

import pytest

from gocost.analyses.size.account import Account
from gocost.analyses.size.account import account as account_by_structure
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.stripping import savings
from gocost.analyses.size.tables import filtered, nested, tables
from gocost.formats.executable import open_executable
from gocost.formats.pclntab_header import locate
from gocost.measures.binary import account_of, opened
from gocost.model.report import Table
from tests.fixtures.binaries import PROGRAMS, RECIPES, RELEASES, Recipe, binary, built

EVERY = (*RECIPES, *RELEASES)
TWINS = {
    "linux-amd64-pie-stripped": "linux-amd64-pie",
    "linux-amd64-cgo-pie-stripped": "linux-amd64-cgo-pie",
    "windows-amd64-stripped": "windows-amd64",
    "darwin-arm64-stripped": "darwin-arm64",
}
MODULE = "example.com/hello"


def account(recipe: str) -> Account:
    with opened(binary(recipe)) as image:
        return account_of(image)


def total(table: Table) -> int:
    return sum(cell for cell in table.column("bytes") if isinstance(cell, int))


@pytest.mark.parametrize("recipe", EVERY)
def test_every_table_adds_up_to_the_file(recipe: str) -> None:
    path = binary(recipe)
    with opened(path) as image:
        found = account_of(image)
        made = tables(found)
    size = path.stat().st_size
    assert found.size == size
    assert found.ledger.total() == size
    for name in ("kinds", "sections", "modules", "packages", "functions"):
        assert total(made[name]) == size, name
        assert made[name].sums_to is not None
    assert found.faults == ()
    assert found.ledger.by_kind()[Kind.UNKNOWN] == 0


@pytest.mark.parametrize("recipe", EVERY)
def test_nearly_all_code_has_a_package(recipe: str) -> None:
    found = account(recipe)
    code = found.ledger.by_package(len(found.packages.names))[:, Kind.CODE]
    assert code[:-1].sum() / code.sum() > 0.995
    explained, area = found.type_bytes
    assert explained / area > 0.97


@pytest.mark.parametrize(("stripped", "whole"), TWINS.items())
def test_stripping_changes_no_package_by_more_than_half_a_percent(
    stripped: str, whole: str
) -> None:
    sides = []
    for recipe in (stripped, whole):
        found = account(recipe)
        code = found.ledger.by_package(len(found.packages.names))[:-1, Kind.CODE]
        sides.append(dict(zip(found.packages.names, code.tolist(), strict=True)))
    one, two = sides
    off = sum(abs(one.get(name, 0) - two.get(name, 0)) for name in {**one, **two})
    assert off / sum(two.values()) < 0.005


@pytest.mark.parametrize(("stripped", "whole"), TWINS.items())
def test_what_stripping_would_save_is_what_it_saves(stripped: str, whole: str) -> None:
    with opened(binary(whole)) as image:
        told = savings(image.image, image.info).both
    with opened(binary(stripped)) as image:
        left = savings(image.image, image.info).both
    real = binary(whole).stat().st_size - binary(stripped).stat().st_size
    assert left == 0
    assert told == pytest.approx(real, rel=0.03)


def test_modules_carry_versions_and_the_toolchain() -> None:
    found = account("linux-amd64")
    versions = {module.path: module for module in found.packages.modules}
    assert found.info is not None
    assert versions["std"].version == found.info.go_version
    assert found.info.main is not None
    assert versions[found.info.main.path].role == "main"


def test_the_compilers_types_for_generic_code_are_the_standard_librarys() -> None:
    packages = account("linux-amd64").packages
    assert packages.has("go.shape")
    assert packages.module_name(packages.number("go.shape")).path == "std"


@pytest.mark.parametrize("recipe", ["linux-amd64", "windows-amd64", "darwin-arm64"])
def test_variables_are_those_of_packages(recipe: str) -> None:
    found = account(recipe)
    matrix = found.ledger.by_package(len(found.packages.names))[:-1]
    data = dict(zip(found.packages.names, matrix[:, Kind.DATA].tolist(), strict=True))
    assert data["runtime"] > 5_000
    # Mach-O's names all start with an underscore, which is no part of the package.
    assert not [name for name in data if name.startswith("_")]


def test_c_code_is_a_row_of_its_own() -> None:
    rows = {row[0]: row for row in tables(account("linux-amd64-cgo"))["modules"].rows}
    size = rows["C code (cgo)"][2]
    assert isinstance(size, int)
    assert size > 500


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(program="assets"),
        Recipe(program="assets", flags=("-ldflags=-s -w",)),
        Recipe(program="assets", flags=("-buildmode=pie",)),
        Recipe(program="assets", flags=("-buildmode=pie", "-ldflags=-s -w")),
        Recipe(program="assets", goos="windows"),
        Recipe(program="assets", goos="darwin"),
    ],
)
def test_embedded_files_are_found(recipe: Recipe) -> None:
    folder = PROGRAMS / "assets" / "files"
    with opened(built(recipe)) as image:
        found = account_of(image)
    assert found.faults == ()
    table = tables(found)["embedded"]
    sizes = {f"files/{path.name}": path.stat().st_size for path in folder.iterdir()}
    assert dict(zip(table.column("file"), table.column("bytes"), strict=True)) == sizes
    assert found.ledger.by_kind()[Kind.EMBEDDED] == sum(sizes.values())
    if not found.stripped:
        owner = found.ledger.by_package(len(found.packages.names))[:-1, Kind.EMBEDDED]
        assert dict(zip(found.packages.names, owner.tolist(), strict=True))[
            "example.com/assets"
        ] == sum(sizes.values())


def test_nesting_keeps_every_byte() -> None:
    found = account("linux-amd64")
    for dimensions in (("module", "package"), ("section", "kind"), ("kind", "module", "function")):
        table = nested(found, dimensions)
        assert total(table) == found.size
        assert table.names() == [*dimensions, "bytes"]
    outer: dict[object, int] = {}
    for module, _, size in nested(found, ("module", "package")).rows:
        assert isinstance(size, int)
        outer[module] = outer.get(module, 0) + size
    modules = tables(found)["modules"]
    assert outer == dict(zip(modules.column("module"), modules.column("bytes"), strict=True))


def test_a_filter_keeps_the_sum() -> None:
    import re

    found = account("linux-amd64")
    table = filtered(tables(found)["packages"], re.compile(r"^encoding/"))
    assert total(table) == found.size
    assert 1 < len(table.rows) < 12


def test_functions_that_move_code_elsewhere() -> None:
    made = tables(account("linux-amd64"))
    names = made["inlined"].column("function")
    assert any(str(name).startswith(("sync/atomic.", "internal/runtime/")) for name in names)
    away = dict(
        zip(made["packages"].column("package"), made["packages"].column("inlined_elsewhere"),
            strict=True)
    )  # fmt: skip
    moved = away["sync"]
    assert isinstance(moved, int)
    assert moved > 100


def test_lazy_rows_are_the_rows_they_write() -> None:
    import json

    table = tables(account("linux-amd64-cgo"))["functions"]
    encoded = table.rows.encoded()  # type: ignore[attr-defined]
    assert encoded is not None
    assert json.loads(b"[" + bytes(encoded) + b"]") == [list(row) for row in table.rows]
    assert len(table.rows[:5]) == 5
    assert table.rows[:5][0] == table.rows[0]


def test_a_file_without_sections_is_accounted_for() -> None:
    """A section table that was cut away leaves segments, pclntab and moduledata."""
    data = bytearray(binary("linux-amd64-pie-stripped").read_bytes())
    data[40:48] = bytes(8)  # e_shoff
    data[58:64] = bytes(6)  # e_shentsize, e_shnum, e_shstrndx
    found = account_by_structure(open_executable(bytes(data)), None, seed=1)
    whole = account("linux-amd64-pie-stripped")
    assert found.ledger.total() == len(data)
    code = [side.ledger.by_kind()[Kind.CODE] for side in (found, whole)]
    assert code[0] == pytest.approx(code[1], rel=0.01)


def test_addresses_beyond_any_machine_cost_attribution_only() -> None:
    """Section and segment addresses of 2^63 and more, and a moduledata that lies."""
    data = bytearray(binary("linux-amd64").read_bytes())
    table = int.from_bytes(data[40:48], "little")
    for number in range(int.from_bytes(data[60:62], "little")):
        at = table + 64 * number
        data[at + 16 : at + 24] = ((1 << 63) + number).to_bytes(8, "little")
    found = account_by_structure(open_executable(bytes(data)), None, seed=1)
    assert found.ledger.total() == len(data)
    image = open_executable(binary("linux-amd64").read_bytes())
    located = locate(image)
    assert located is not None
    assert located.moduledata is not None
    start = image.offset_of(located.moduledata.address)
    assert start is not None
    for word in range(19, 45):
        hostile = bytearray(image.data.tobytes())
        hostile[start + 8 * word : start + 8 * word + 8] = b"\xff" * 8
        found = account_by_structure(open_executable(bytes(hostile)), None, seed=1)
        assert found.ledger.total() == len(hostile)
