"""What made a binary grow: causes that add up, on pairs of real builds."""

from __future__ import annotations

from contextlib import ExitStack

from gocost.analyses.size.account import Account
from gocost.analyses.size.growth import Growth, growth
from gocost.analyses.size.imports import ImportedPackage, chain
from gocost.analyses.size.sides import (
    ADDED,
    CONTAINER,
    OWN,
    REMOVED,
    TOOLCHAIN,
    UNCHANGED,
    UPGRADED,
    side_of,
)
from gocost.formats.buildinfo import BuildInfo, Module
from gocost.measures.binary import account_of, opened
from tests.fixtures.binaries import DEBIAN_GO, Recipe, binary, built


def accounts(*recipes: str | Recipe) -> list[Account]:
    with ExitStack() as stack:
        return [
            account_of(stack.enter_context(opened(binary(r) if isinstance(r, str) else built(r))))
            for r in recipes
        ]


def deltas(split: Growth) -> dict[str, int]:
    return dict(zip(split.causes.column("cause"), split.causes.column("delta"), strict=True))  # type: ignore[arg-type]


def check_sums(split: Growth, base: Account, head: Account) -> None:
    assert split.packages is not None
    for table in (split.causes, split.growth, split.packages):
        for column, wanted in (
            ("delta", head.size - base.size), ("base", base.size), ("bytes", head.size)
        ):  # fmt: skip
            assert sum(map(int, table.column(column))) == wanted  # type: ignore[arg-type]


def test_a_file_against_itself_has_not_changed() -> None:
    base, head = accounts("linux-amd64", "linux-amd64")
    split = growth(side_of(base), side_of(head))
    assert not any(deltas(split).values())
    assert split.functions is not None
    assert split.functions.rows == []
    assert split.notes == ()


def test_a_new_import_of_the_standard_library_and_own_code() -> None:
    plain = Recipe(program="assets")
    more = Recipe(program="assets", flags=("-tags=more",))
    base, head = accounts(plain, more)
    split = growth(side_of(base), side_of(head))
    check_sums(split, base, head)
    found = deltas(split)
    assert found[TOOLCHAIN] > 100_000
    assert 0 < found[OWN] < 20_000
    assert split.packages is not None
    packages = [row[1] for row in split.packages.rows[:8]]
    assert "encoding/json" in packages
    assert any("build settings changed: -tags" in note for note in split.notes)


def test_stripping_is_the_containers() -> None:
    base, head = accounts("linux-amd64-pie", "linux-amd64-pie-stripped")
    split = growth(side_of(base), side_of(head))
    check_sums(split, base, head)
    assert deltas(split)[CONTAINER] < -500_000
    assert any("only this file is stripped" in note for note in split.notes)


def test_two_toolchains() -> None:
    old = Recipe(program="assets", toolchain=DEBIAN_GO)
    base, head = accounts(old, Recipe(program="assets"))
    split = growth(side_of(base), side_of(head))
    check_sums(split, base, head)
    assert any(note.startswith("the toolchain changed from go1.19") for note in split.notes)


def with_modules(account: Account, *modules: tuple[str, str, int]) -> Account:
    """The same account, with bytes of some modules' packages in it and as many less unowned."""
    import msgspec
    import numpy as np

    from gocost.analyses.size.kinds import Kind
    from gocost.analyses.size.ledger import Ledger
    from gocost.analyses.size.packages import Packages

    info = BuildInfo(
        account.info.go_version if account.info else "",
        "example.com/app",
        Module("example.com/app", "(devel)"),
        tuple(Module(path, version) for path, version, _ in modules),
        (),
    )
    packages, ledger = Packages(info), Ledger()
    place = ledger.place(".text")
    size = 0
    for path, _, amount in modules:
        number = packages.number(f"{path}/inner")
        ledger.add(Kind.CODE, place, np.array([amount]), np.array([number], np.int32))
        size += amount
    return msgspec.structs.replace(
        account, size=size, ledger=ledger, packages=packages, info=info, functions=None
    )


def test_modules_are_told_apart_by_version() -> None:
    (one,) = accounts("linux-amd64")
    base = with_modules(
        one, ("a.com/same", "v1", 10), ("a.com/up", "v1", 20), ("a.com/gone", "v1", 5)
    )
    head = with_modules(
        one, ("a.com/same", "v1", 12), ("a.com/up", "v2", 50), ("a.com/new", "v1", 7)
    )
    split = growth(side_of(base), side_of(head))
    check_sums(split, base, head)
    assert deltas(split) == {UPGRADED: 30, ADDED: 7, REMOVED: -5, UNCHANGED: 2}
    assert split.growth.rows[0][:5] == (UPGRADED, "a.com/up", 30, 20, 50)


def test_the_shortest_chain_of_imports() -> None:
    listed = {
        path: ImportedPackage(path, imports, module)
        for path, imports, module in (
            ("main", ("a", "b"), "m"),
            ("a", ("c",), "m"),
            ("b", ("far/x",), "m"),
            ("c", ("far/x",), "m"),
            ("far/x", ("main",), "far"),
        )
    }
    assert [part.path for part in chain(listed, ["main"], "far")] == ["main", "b", "far/x"]
    assert [part.path for part in chain(listed, ["main"], "c")] == ["main", "a", "c"]
    assert chain(listed, ["main"], "nowhere") == []
    assert chain(listed, ["absent"], "far") == []
