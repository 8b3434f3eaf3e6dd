"""The build standard of real builds: each flag set for real, and read back from the file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gocost.analyses.build_standard import Standard, standard_of
from gocost.analyses.go_releases import RELEASES as GO_RELEASES
from gocost.analyses.go_releases import minor_of, support_of
from gocost.formats.go_binary import open_go_binary
from gocost.measures.build import measure
from gocost.measures.interface import Context, Measured, Target
from gocost.model.errors import NotMeasurableError
from gocost.model.service import Build, Service
from gocost.sources.cache import locked, write_atomically
from tests.fixtures.binaries import CACHE, RECIPES, RELEASES, Recipe, binary, built

METRICS = {
    "build.stripped", "build.toolchain", "build.toolchain.supported", "build.vcs.stamped",
    "build.vcs.clean", "build.trimpath", "build.mode", "build.race", "build.cover", "build.debug",
    "build.pgo",
}  # fmt: skip


def standard(path: Path) -> Standard:
    return standard_of(open_go_binary(path.read_bytes()))


def values(measured: Measured) -> dict[str, object]:
    return {fact.metric: fact.value for fact in measured.facts}


@pytest.mark.parametrize("name", [*RECIPES, *RELEASES])
def test_every_metric_has_a_value_or_a_reason(name: str) -> None:
    found = standard(binary(name))

    assert set(found.values) | set(found.unknown) | set(found.skipped) == METRICS
    assert found.values["build.toolchain"] == str(found.values["build.toolchain"]).split()[0]


@pytest.mark.parametrize(
    ("recipe", "metric", "value"),
    [
        (Recipe(flags=("-trimpath",)), "build.trimpath", True),
        (Recipe(), "build.trimpath", False),
        (RECIPES["go1.16.15-linux-amd64-pie-stripped"], "build.trimpath", True),
        (RECIPES["go1.16.15-linux-amd64"], "build.trimpath", False),
        (RECIPES["go1.18.10-linux-amd64-trimpath"], "build.trimpath", True),
        (RECIPES["go1.18.10-darwin-amd64"], "build.trimpath", False),
        (RECIPES["linux-amd64-stripped"], "build.stripped", True),
        (RECIPES["windows-amd64-stripped"], "build.stripped", True),
        (RECIPES["darwin-arm64-stripped"], "build.stripped", True),
        (Recipe(flags=("-ldflags=-w",)), "build.stripped", False),
        (RECIPES["linux-amd64-pie"], "build.mode", "pie"),
        (RECIPES["go1.19-linux-amd64-pie"], "build.mode", "pie"),
        (RECIPES["linux-amd64-c-shared"], "build.mode", "c-shared"),
        (Recipe(flags=("-cover",)), "build.cover", True),
        (Recipe(), "build.cover", False),
        (Recipe(flags=("-gcflags=all=-N -l",)), "build.debug", True),
        (Recipe(flags=("-gcflags=-N -l", "-trimpath")), "build.debug", True),
        (Recipe(flags=("-gcflags=-B",)), "build.debug", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_flag_that_was_set_is_read_back(recipe: Recipe, metric: str, value: object) -> None:
    assert standard(built(recipe)).values[metric] == value


def test_what_stripping_would_take_out_is_what_it_takes_out() -> None:
    whole, stripped = binary("linux-amd64"), built(Recipe(flags=("-ldflags=-s -w",)))

    told = dict(standard(whole).leftovers)

    assert set(told) == {"symbol table", "DWARF"}
    saved = whole.stat().st_size - stripped.stat().st_size
    assert sum(told.values()) == pytest.approx(saved, rel=0.01)


def test_a_file_is_stripped_where_its_linker_could_leave_out_no_more() -> None:
    # Go before 1.22 keeps the symbols of Mach-O files whatever it is told.
    assert standard(binary("go1.17-darwin-arm64")).values["build.stripped"] is True


def test_the_race_detector_is_seen() -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")

    assert standard(built(Recipe(cgo=True, flags=("-race",)))).values["build.race"] is True
    assert standard(binary("linux-amd64-cgo")).values["build.race"] is False


def test_a_profile_that_guided_the_compiler_is_seen(tmp_path: Path) -> None:
    # Given a CPU profile of a program that really ran
    directory = module(tmp_path / "app")
    shutil.copy(profile_of_a_loop(tmp_path / "busy"), directory / "default.pgo")

    # When a program is built with it (the go command takes default.pgo by itself)
    guided = target(directory).binary
    assert guided is not None

    assert standard(guided).values["build.pgo"] is True
    assert "default.pgo" in standard(guided).origins["build.pgo"]
    assert standard(binary("linux-amd64")).values["build.pgo"] is False


def profile_of_a_loop(busy: Path) -> Path:
    """A CPU profile, kept: with the same one Go's build cache spares compiling the runtime anew."""
    kept = CACHE / "loop.pgo"
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            write_atomically(kept, profiled(busy))
    return kept


def profiled(busy: Path) -> bytes:
    busy.mkdir()
    (busy / "go.mod").write_text("module example.com/busy\n\ngo 1.21\n")
    (busy / "main.go").write_text(
        'package main\n\nimport (\n\t"os"\n\t"runtime/pprof"\n\t"time"\n)\n\n'
        "func main() {\n\tpprof.StartCPUProfile(os.Stdout)\n\tn := 0\n"
        "\tfor start := time.Now(); time.Since(start) < 200*time.Millisecond; n++ {\n\t}\n"
        "\tpprof.StopCPUProfile()\n}\n"
    )
    return subprocess.run(["go", "run", "."], cwd=busy, capture_output=True, check=True).stdout


def test_what_a_file_without_build_info_leaves_unknown() -> None:
    data = binary("linux-amd64").read_bytes().replace(b"\xff Go buildinf:", b"\xff no buildinf:")

    found = standard_of(open_go_binary(data))

    assert set(found.values) == {"build.stripped"}
    assert "no Go build information" in found.unknown["build.trimpath"]


@pytest.mark.parametrize(
    ("version", "supported"),
    [
        (f"go1.{max(GO_RELEASES)}.3", True),
        (f"go1.{max(GO_RELEASES) - 1}", True),
        (f"go1.{max(GO_RELEASES) - 2}.9", False),
        ("go1.16.3", False),
        ("go1.9.7", False),
        (f"go1.{max(GO_RELEASES) + 1}.0", None),
        ("devel go1.28-abcdef", None),
        ("go1.27rc1", None),
        ("go1.26.8-custom", True),
        ("tip", None),
    ],
)
def test_support_is_judged_by_a_dated_table(version: str, supported: bool | None) -> None:
    found = support_of(version)

    assert found.supported is supported
    assert found.why


def test_releases_are_told_from_what_is_none() -> None:
    assert minor_of("go1.26.8 X:nogreenteagc") == 26
    assert minor_of("go1.26rc1") is None


def module(folder: Path, body: str = "println(1)") -> Path:
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/tiny\n\ngo 1.21\n")
    (folder / "main.go").write_text(f"package main\n\nfunc main() {{ {body} }}\n")
    return folder


def target(directory: Path, *flags: str, env: dict[str, str] | None = None) -> Target:
    build = Build(flags=flags, env={"CGO_ENABLED": "0", **(env or {})})
    path = directory / "tiny"
    subprocess.run(
        ["go", "build", "-o", str(path), *flags, "."],
        cwd=directory,
        env={**os.environ, **build.env},
        check=True,
    )
    return Target(Service("tiny", package=".", build=build), directory, path, build_seconds=0.5)


def test_stamps_of_a_clean_and_of_a_modified_tree(tmp_path: Path) -> None:
    # Given a committed module
    directory = module(tmp_path / "app")
    (directory / ".gitignore").write_text("tiny\n")
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "start"],
    ):
        subprocess.run(["git", *arguments], cwd=directory, check=True)
    context = Context(tmp_path)

    # When it is built clean, modified, and without a stamp
    clean = measure(target(directory, "-buildvcs=true"), context)
    (directory / "main.go").write_text("package main\n\nfunc main() { println(2) }\n")
    dirty = measure(target(directory, "-buildvcs=true"), context)
    bare = measure(target(directory, "-buildvcs=false"), context)

    # Then each says so
    assert values(clean)["build.vcs.clean"] is True
    assert values(dirty)["build.vcs.clean"] is False
    assert any("modified tree" in note.text and note.level == "warning" for note in dirty.notes)
    assert not any("modified tree" in note.text for note in clean.notes)
    assert values(bare)["build.vcs.stamped"] is False
    assert "no VCS stamp" in bare.skipped["build.vcs.clean"]


def test_flags_of_the_environment_and_the_time_of_the_build(tmp_path: Path) -> None:
    subject = target(module(tmp_path / "app"), env={"GOFLAGS": "-mod=mod"})

    found = measure(subject, Context(tmp_path))

    assert values(found)["build.goflags"] == "-mod=mod"
    assert values(found)["build.time"] == 0.5
    assert "--rebuild" in found.skipped["build.reproducible"]


def test_a_binary_that_was_built_elsewhere_has_no_build_time(tmp_path: Path) -> None:
    service = Service("hello", build=Build(binary="hello"))

    found = measure(Target(service, tmp_path, binary("linux-amd64")), Context(tmp_path))

    assert "elsewhere" in found.skipped["build.time"]


def test_without_a_binary_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(NotMeasurableError, match="no executable"):
        measure(Target(Service("x"), tmp_path), Context(tmp_path))


@pytest.mark.parametrize(
    ("flags", "env", "outside", "why"),
    [
        (("-buildvcs=false",), {}, "-buildvcs=auto", "the service's build.flags hold"),
        ((), {"GOFLAGS": "-buildvcs=false"}, "", "GOFLAGS in the service's build.env has"),
        ((), {}, "-buildvcs=false -v", "GOFLAGS of the environment has -buildvcs=false"),
        ((), {}, "-buildvcs=auto", "the module is not in a git repository"),
    ],
)
def test_a_missing_stamp_names_what_left_it_out(
    flags: tuple[str, ...],
    env: dict[str, str],
    outside: str,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOFLAGS", outside)

    measured = measure(target(module(tmp_path / "app"), *flags, env=env), Context(tmp_path))

    assert values(measured)["build.vcs.stamped"] is False
    assert why in measured.causes["build.vcs.stamped"]


def test_goflags_of_the_go_command_s_own_file_are_told_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env").write_text("GOFLAGS=-buildvcs=false\n")
    monkeypatch.setenv("GOENV", str(tmp_path / "env"))
    monkeypatch.delenv("GOFLAGS", raising=False)

    measured = measure(target(module(tmp_path / "app")), Context(tmp_path))

    why = measured.causes["build.vcs.stamped"]
    assert why.startswith("GOFLAGS, set with `go env -w`, has -buildvcs=false")
    assert "`go env -u GOFLAGS`" in why
