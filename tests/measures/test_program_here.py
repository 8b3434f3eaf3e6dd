"""The program of a profile is found where the profile says, if it is that build still."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gocost.analyses.profile.symbols import build_id
from gocost.formats.pprof.decoding import decode
from gocost.measures.executables import opened
from gocost.measures.symbols import program_here
from tests.fixtures.binaries import Recipe, built
from tests.fixtures.profiles import message


def of(file: str, build: str) -> bytes:
    """A profile without samples whose one mapping is this file."""
    names = ("", "cpu", "nanoseconds", file, build)
    mapping = message((1, 1), (2, 0x400000), (3, 0x500000), (5, 3), (6, 4))
    types = message((1, message((1, 1), (2, 2))))
    return types + message((3, mapping), *((6, name) for name in names))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return Path(shutil.copy(built(Recipe(program="profiled")), tmp_path / "server"))


@pytest.fixture
def build(program: Path) -> str:
    with opened(program) as binary:
        found = build_id(binary.image)
    if not found:
        pytest.skip("this Go writes no build id of ELF: it needs 1.24 or newer")
    return found


def test_that_build_at_its_place(program: Path, build: str) -> None:
    assert program_here(decode(of(str(program), build))) == program
    assert program_here(decode(of(str(program), build.upper()))) == program


@pytest.mark.parametrize("other", ["", "0" * 40])
def test_another_build_or_one_that_is_not_said(program: Path, build: str, other: str) -> None:
    assert build != other
    assert program_here(decode(of(str(program), other))) is None


@pytest.mark.parametrize("file", ["server", "[vdso]", "", "/nowhere/server"])
def test_what_is_no_file_here(
    file: str, program: Path, build: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program.parent)  # a name alone says nothing of where it was
    assert program_here(decode(of(file, build))) is None


def test_a_file_of_another_kind_is_passed_over(program: Path, build: str) -> None:
    program.write_text("#!/bin/sh\n")
    assert program_here(decode(of(str(program), build))) is None
