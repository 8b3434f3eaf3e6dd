"""Names of functions are the same for every toolchain once its own numbers are gone."""

from __future__ import annotations

import pytest

import gocost
from gocost.analyses.profile.closures import stable
from gocost.formats.pclntab_frames import Symbolizer
from gocost.measures.executables import opened
from gocost.model.errors import UsageError
from tests.fixtures.binaries import Recipe, built
from tests.fixtures.profiles import recorded

TOOLCHAINS = ("go1.20.14", "go1.23.12", "go1.25.14", "go1.27.4")


def names(toolchain: str) -> list[str]:
    """The program's own functions as a toolchain names them."""
    with opened(built(Recipe(program="closures", toolchain=toolchain))) as binary:
        every = [name for name, _, _ in Symbolizer(binary.image).named()]
    return [name for name in every if name.startswith("main.")]


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_toolchains_agree(toolchain: str) -> None:
    here, there = names("go"), names(toolchain)
    inlined = {"main.inl"}  # has code of its own in Go 1.20 only
    assert set(stable(there)) - inlined == set(stable(here)) - inlined
    assert len(set(stable(here))) < len(here)


def test_toolchains_disagree_otherwise() -> None:
    assert set(names("go1.20.14")) != set(names("go1.27.4"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("main.outer", "main.outer"),
        ("main.outer.func1.2", "main.outer.func"),
        ("main.outer.func2.func1", "main.outer.func"),
        ("main.(*T).Run.func1", "main.(*T).Run.func"),
        ("main.(*T).Run-fm", "main.(*T).Run"),
        ("main.T.Run.func1", "main.T.Run.func"),
        ("main.outer-range1", "main.outer"),
        ("main.outer.func1-range2", "main.outer.func"),
        ("main.outer.gowrap2", "main.outer.func"),
        ("main.outer·dwrap·1", "main.outer.func"),
        ("main.glob..func3", "main.init.func"),
        ("example.com/a.b/c.F.func1", "example.com/a.b/c.F.func"),
        ("slices.SortFunc[go.shape.[]int,go.shape.int].func1", "slices.SortFunc[...].func"),
        ("main.Gen[go.shape.struct { a.B }]", "main.Gen[...]"),
        ("runtime.memmove", "runtime.memmove"),
        ("aeshashbody", "aeshashbody"),
        ("main.func1", "main.func1"),
    ],
)
def test_one_name(name: str, expected: str) -> None:
    assert stable([name]) == [expected]


def test_closures_of_what_was_inlined() -> None:
    assert stable(["main.outer", "main.outer.inl.func5"])[1] == "main.inl.func"
    assert stable(["main.T.Run", "main.T", "main.T.Run.func1"])[2] == "main.T.Run.func"
    assert stable(["main.(*T).Run", "main.(*T).Run.inl.func2"])[1] == "main.inl.func"


def test_in_a_profile() -> None:
    path = str(recorded() / "cpu.1.pb.gz")
    plain, merged = gocost.profile(path), gocost.profile(path, stable_names=True)
    functions = merged.tables["functions"].column("function")
    assert "main.serve.func" in functions
    assert "main.serve.func1" not in functions
    for report in (plain, merged):
        total = sum(int(str(flat)) for flat in report.tables["functions"].column("flat"))
        assert total == report.facts[0].value
    with pytest.raises(UsageError, match="names of functions"):
        gocost.profile(path, by="package", stable_names=True)
