"""Growth against a saved report: to the byte as against the binary, where it tells as much."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gocost.analyses.size.growth import Growth, growth
from gocost.analyses.size.saved import saved_side
from gocost.analyses.size.sides import KEPT, NO_MODULES, NO_MODULES_DATA, NOT_LISTED, OWN, side_of
from gocost.analyses.size.tables import filtered, tables
from gocost.measures.binary import account_of, facts, opened, package_facts, strip_facts
from gocost.model.errors import FormatError
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Report, Table
from gocost.model.subject import Subject
from tests.fixtures.binaries import Recipe, binary, built

PLAIN, MORE = Recipe(program="assets"), Recipe(program="assets", flags=("-tags=more",))
SUBJECT = Subject(service="program")


def file(recipe: str | Recipe) -> Any:
    return opened(binary(recipe) if isinstance(recipe, str) else built(recipe))


def saved(recipe: str | Recipe) -> Report:
    """The report of a binary, written and read again."""
    from gocost.analyses.size.stripping import savings

    with file(recipe) as image:
        found = account_of(image)
        report = Report(
            command="size",
            gocost="0",
            facts=[
                *facts(found, SUBJECT),
                *package_facts(found, SUBJECT),
                *strip_facts(savings(image.image, image.info), SUBJECT),
            ],
            tables={
                name: msgspec.structs.replace(table, rows=[list(row) for row in table.rows])
                for name, table in tables(found).items()
            },
        )
    return msgspec.json.decode(msgspec.json.encode(report), type=Report)


def against_binary(base: str | Recipe, head: str | Recipe) -> Growth:
    with file(base) as before, file(head) as after:
        return growth(side_of(account_of(before)), side_of(account_of(after)))


def against_report(
    base: Report, head: str | Recipe, change: Callable[[Table], Table] = lambda table: table
) -> tuple[Growth, list[str]]:
    with file(head) as image:
        found = account_of(image)
        own = [module.path for module in found.packages.modules if module.role == "main"]
        side, notes = saved_side(
            base.facts, {name: change(table) for name, table in base.tables.items()}, own
        )
        return growth(side, side_of(found)), notes


def sums(table: Table | None) -> list[int]:
    assert table is not None
    return [sum(map(int, table.column(name))) for name in ("delta", "base", "bytes")]  # type: ignore[arg-type]


PAIRS = [
    (PLAIN, MORE),
    ("linux-amd64", "linux-amd64-pie"),
    ("linux-amd64-pie", "linux-amd64-pie-stripped"),
    ("linux-amd64-pie-stripped", "linux-amd64-pie"),
    ("windows-amd64", "windows-amd64-stripped"),
    ("windows-amd64-stripped", "windows-amd64"),
    ("darwin-arm64", "darwin-arm64-stripped"),
    ("go1.17-linux-amd64", "go1.16-linux-amd64"),
    ("linux-amd64-cgo", "linux-amd64-cgo-static"),
]


@pytest.mark.parametrize(("base", "head"), PAIRS)
def test_a_whole_report_tells_what_the_binary_does(base: str | Recipe, head: str | Recipe) -> None:
    wanted = against_binary(base, head)

    found, notes = against_report(saved(base), head)

    for name in ("causes", "growth", "packages", "functions"):
        assert getattr(found, name).rows == getattr(wanted, name).rows, name
    settings = [note for note in wanted.notes if note.startswith("build settings")]
    assert [note for note in wanted.notes if note not in settings] == list(found.notes)
    assert notes == ["whether build settings changed cannot be told: the base has none"]


@pytest.mark.parametrize(
    ("base", "head"), [*PAIRS[:2], ("linux-amd64-stripped", "linux-amd64-pie-stripped")]
)
def test_facts_alone_tell_what_modules_weigh(base: str | Recipe, head: str | Recipe) -> None:
    report = msgspec.structs.replace(saved(base), tables={})
    whole = against_binary(base, head)

    found, notes = against_report(report, head)

    assert sums(found.causes) == sums(found.growth) == sums(found.packages) == sums(whole.causes)
    assert found.functions is None
    told = {row[1]: row[2:5] for row in found.growth.rows}
    for cause, name, *numbers, _, _ in whole.growth.rows:
        if not str(name).startswith("(") or cause == "container":
            assert list(told[name]) == numbers, name
    assert NO_MODULES_DATA[1] in told
    assert KEPT not in found.causes.column("cause")  # std, the own module and unknown ones
    assert OWN in found.causes.column("cause")
    assert any("versions of modules and functions cannot be compared" in note for note in notes)


def test_facts_without_kinds_leave_one_row_for_what_is_no_modules() -> None:
    report = saved(PLAIN)
    kept = [fact for fact in report.facts if fact.metric in ("binary.size", "binary.module.size")]

    found, _ = against_report(msgspec.structs.replace(report, tables={}, facts=kept), MORE)

    assert sums(found.growth) == sums(against_binary(PLAIN, MORE).growth)
    assert NO_MODULES[1] in found.growth.column("module")
    assert found.packages is None


def test_the_total_alone_has_no_modules() -> None:
    size = [fact for fact in saved(PLAIN).facts if fact.metric == "binary.size"]

    side, notes = saved_side(size, {}, [])

    assert side.modules == {}
    assert "the total alone" in notes[0]


@pytest.mark.parametrize(
    "cut",
    [
        lambda table: table.top(3),
        lambda table: table.top(1),
        lambda table: filtered(table, re.compile("^(std|runtime|fmt)$")),
        lambda table: filtered(table, re.compile("no such name")),
        lambda table: filtered(table, re.compile("^std$")).top(1),
    ],
    ids=["top 3", "top 1", "filter", "filter of nothing", "both"],
)
@pytest.mark.parametrize(("base", "head"), PAIRS[:4])
def test_tables_that_were_cut_off_add_up_all_the_same(
    base: str | Recipe, head: str | Recipe, cut: Callable[[Table], Table]
) -> None:
    wanted = against_binary(base, head)

    found, notes = against_report(saved(base), head, cut)

    assert sums(found.causes) == sums(found.growth) == sums(found.packages) == sums(wanted.causes)
    assert NOT_LISTED[1] in found.growth.column("module")
    assert "added module" not in found.causes.column("cause")
    assert any("cut off" in note for note in notes)


def test_modules_of_another_program_are_told_by_its_development_version() -> None:
    side, _ = saved_side(saved(PLAIN).facts, saved(PLAIN).tables, ["example.com/other"])

    assert side.modules["example.com/assets", ""].cause == OWN


def changed(report: Report, table: str, row: list[Any]) -> dict[str, Table]:
    rows = [row, *report.tables[table].rows[1:]]
    edited = msgspec.structs.replace(report.tables[table], rows=rows)
    return {**report.tables, table: edited}


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        ("modules", ["std", "", 5, 0, 0, 0, 0, 0], "does not add up"),
        ("packages", ["std", "x", 1 << 40, 0, 0, 0, 0, 0], "does not add up"),
        ("modules", ["std", "", -5, 0, 0, 0, 0, 0], "no number of bytes"),
        ("modules", ["std", "", True, 0, 0, 0, 0, 0], "no number of bytes"),
        ("kinds", ["code", "many", 0, ""], "no number of bytes"),
        ("modules", ["std"], "is cut off"),
    ],
)
def test_an_edited_table_is_refused(table: str, row: list[Any], said: str) -> None:
    report = saved(PLAIN)

    with pytest.raises(FormatError, match=said):
        saved_side(report.facts, changed(report, table, row), [])


@pytest.mark.parametrize("value", [0, -1, 1.5, "large", True])
def test_a_size_that_no_binary_has_is_refused(value: Any) -> None:
    report = saved(PLAIN)
    size = next(fact for fact in report.facts if fact.metric == "binary.size")

    with pytest.raises(FormatError, match=r"binary\.size is no number of bytes"):
        saved_side([msgspec.structs.replace(size, value=value)], report.tables, [])


def test_modules_larger_than_the_file_are_refused() -> None:
    report = saved(PLAIN)
    more: list[Fact] = [
        msgspec.structs.replace(fact, value=1 << 40)
        if fact.metric == "binary.module.size"
        else fact
        for fact in report.facts
    ]

    with pytest.raises(FormatError, match="larger than its"):
        saved_side(more, {}, [])


def test_tables_of_something_else_are_refused() -> None:
    report = saved(PLAIN)
    other = {**report.tables, "modules": report.tables["sections"]}

    with pytest.raises(FormatError, match="has no column module"):
        saved_side(report.facts, other, [])


def test_a_module_whose_version_is_not_told_is_upgraded_or_not() -> None:
    with file(PLAIN) as image:
        head = side_of(account_of(image))
    part = head.modules["std", ""]
    dependency = msgspec.structs.replace(part, cause="", version="v1.2.0")
    modules = {**head.modules, ("example.com/dependency", ""): dependency}
    size = head.size + part.bytes
    head = msgspec.structs.replace(head, modules=modules, size=size, packages=None)
    told = [
        Fact("binary.size", size, Unit.BYTES),
        *(
            Fact("binary.module.size", each.bytes, Unit.BYTES, labels={"module": module})
            for (module, _), each in modules.items()
            if module
        ),
    ]

    found = growth(saved_side(told, {}, ["example.com/assets"])[0], head)

    causes = dict(zip(found.growth.column("module"), found.growth.column("cause"), strict=True))
    assert causes["example.com/dependency"] == KEPT
    assert causes["std"] == "toolchain and standard library"
