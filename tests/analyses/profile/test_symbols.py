"""Names from the executable are those that the running program knew, and pprof's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gocost
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Functions, Lines, Profile
from gocost.measures.executables import opened
from gocost.measures.symbols import named
from gocost.model.errors import UsageError
from gocost.sources.cache import locked
from tests.analyses.profile.peer import UNITS
from tests.fixtures.binaries import CACHE, Recipe, built, toolchain_version
from tests.fixtures.profiles import described, pprof, recorded

BUILDS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "stripped": ("-ldflags=-s -w", "-trimpath"),
    "pie": ("-buildmode=pie",),
    "pie-stripped": ("-buildmode=pie", "-ldflags=-s -w"),
}
_WRAPPER = re.compile(r"-fm$|\.deferwrap\d+$|\.gowrap\d+$")
"""What the running program leaves out of stacks: code that the compiler made to call another."""


@cache
def run(build: str, toolchain: str = "go") -> tuple[Path, Path]:
    """The program of a build, and the folder of the profiles that it made of itself."""
    program = built(Recipe(program="profiled", flags=BUILDS[build], toolchain=toolchain))
    folder = CACHE / f"{program.name}.profiles"
    if not BUILDS[build] and toolchain == "go":
        return program, recorded()
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            fresh = folder.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            subprocess.run([program, fresh], check=True, timeout=120)
            fresh.rename(folder)
    return program, folder


def stripped(profile: Profile) -> Profile:
    """The profile without functions and lines, as a recorder without symbols writes it."""
    none, whole = np.zeros(0, np.int32), np.zeros(0, np.int64)
    return replace(
        profile,
        locations=replace(profile.locations, line_end=np.zeros_like(profile.locations.line_end)),
        lines=Lines(none, whole, whole),
        functions=Functions(np.zeros(0, np.uint64), none, none, none, whole),
        mappings=replace(profile.mappings, flags=np.zeros_like(profile.mappings.flags)),
    )


def stacks(profile: Profile) -> list[Any]:
    """Values and frames of every sample."""
    found = []
    for values, stack, _ in described(profile)["samples"]:
        frames = [frame for location in stack for frame in location[3:]]
        found.append((values, [frame for frame in frames if not _WRAPPER.search(frame[0][0])]))
    return found


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("kind", ["cpu", "heap", "allocs", "mutex", "block", "goroutine"])
def test_the_frames_that_the_running_program_knew(build: str, kind: str) -> None:
    program, folder = run(build)
    original = decode((folder / f"{kind}.1.pb.gz").read_bytes())
    bare = decode(encode(stripped(original)))
    assert not len(bare.functions.id)

    with opened(program) as binary:
        found, notes = named(bare, binary, program)

    assert stacks(found) == stacks(original)
    assert [note.level for note in notes] == ["info"]
    assert decode(encode(found)).samples == original.samples


@pytest.mark.parametrize(
    "toolchain", ["go1.18.10", "go1.19.13", "go1.21.13", "go1.25.14", "go1.27.4"]
)
def test_other_toolchains(toolchain: str) -> None:
    toolchain_version(toolchain)
    program, folder = run("plain", toolchain)
    original = decode((folder / "heap.1.pb.gz").read_bytes())
    with opened(program) as binary:
        found, _ = named(stripped(original), binary, program)
    assert stacks(found) == stacks(original)


def theirs(program: Path, path: Path, unit: str, home: Path) -> dict[str, tuple[int, int]]:
    """Flat and cumulative by function, symbolised by pprof."""
    done = subprocess.run(
        [pprof(), "-top", "-nodefraction=0", f"-unit={unit}", program, path],
        env={**os.environ, "HOME": str(home), "PPROF_TMPDIR": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^ *(-?\d+)\D*? +\S+% +\S+% +(-?\d+)\D*? +\S+%  (.*)$", done.stdout, re.M)
    return {re.sub(r" \((partial-)?inline\)$", "", name): (int(a), int(b)) for a, b, name in rows}


def shaped(name: object) -> str:
    """Without type arguments: pprof takes what is in parentheses in them for C++ and drops it."""
    return re.sub(r"\[go\.shape\..*\]", "[...]", str(name))


@pytest.mark.parametrize("build", ["plain", "pie"])
@pytest.mark.parametrize("kind", ["cpu", "heap", "mutex"])
def test_pprof_names_the_same(build: str, kind: str, tmp_path: Path) -> None:
    # pprof of the go command knows no inlined frames: a location is the function that holds it.
    program, folder = run(build)
    path = tmp_path / "bare.pb.gz"
    path.write_bytes(encode(stripped(decode((folder / f"{kind}.1.pb.gz").read_bytes()))))
    options: dict[str, Any] = {"binary": str(program), "noinlines": True}
    report = gocost.profile(str(path), **options)
    unit = report.facts[0].labels["unit"]

    asked = theirs(program, path, UNITS.get(unit, unit), tmp_path)

    rows = report.tables["functions"].rows
    assert {shaped(row[0]): (row[1], row[3]) for row in rows} == {
        shaped(name): amounts for name, amounts in asked.items()
    }
    assert len(asked) > 5


@pytest.mark.parametrize("kind", ["heap", "mutex"])
def test_texts_with_addresses_alone(kind: str, tmp_path: Path) -> None:
    program, folder = run("plain")
    path = folder / f"{kind}.1.txt"
    report = gocost.profile(str(path), binary=str(program), noinlines=True)
    unit = report.facts[0].labels["unit"]
    asked = theirs(program, path, UNITS.get(unit, unit), tmp_path)
    rows = report.tables["functions"].rows
    assert {shaped(row[0]): (row[1], row[3]) for row in rows} == {
        shaped(name): amounts for name, amounts in asked.items()
    }
    assert any(name.startswith("main.") for name in asked)


def test_another_build_is_refused(tmp_path: Path) -> None:
    _, folder = run("plain")
    path = tmp_path / "bare.pb.gz"
    path.write_bytes(encode(stripped(decode((folder / "cpu.1.pb.gz").read_bytes()))))
    with pytest.raises(UsageError, match="is not the program that was profiled: its build id"):
        gocost.profile(str(path), binary=str(run("pie")[0]))
    # A copy under another name is known by its build id.
    copied = shutil.copy(run("plain")[0], tmp_path / "renamed")
    rows = gocost.profile(str(path), binary=str(copied)).tables["functions"].rows
    assert any(row[0] == "main.burn" for row in rows)


def test_what_to_do_about_code_without_names(tmp_path: Path) -> None:
    program, folder = run("plain")
    path = tmp_path / "bare.pb.gz"
    path.write_bytes(encode(stripped(decode((folder / "cpu.1.pb.gz").read_bytes()))))
    (note,) = gocost.profile(str(path)).notes
    assert note.text.endswith(
        f"addresses have no names ({program}): name the program with --binary"
    )
