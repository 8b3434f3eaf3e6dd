"""Profiles in the forms of other tools, by what `--by` says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.api.profile_forms import merged, profile_forms
from gocost.cli.main import run
from gocost.formats.pprof.building import built
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from gocost.model.errors import UsageError
from tests.fixtures.profiles import KINDS, recorded


@pytest.fixture(scope="module")
def cpu() -> str:
    return str(recorded() / "cpu.1.pb.gz")


def flat(cpu: str, by: str) -> dict[object, object]:
    """What each row has in itself, of `profile top`."""
    (table,) = gocost.profile(cpu, by=by).tables.values()
    names = table.column(table.columns[0].name)
    assert len({*names}) == len(names), "a row each"
    return {n: value for n, value in zip(names, table.column("flat"), strict=True) if value}


@pytest.mark.parametrize("by", ["function", "package", "module", "file"])
def test_folded_stacks_end_in_the_rows_of_top(cpu: str, by: str) -> None:
    leaves: Counter[object] = Counter()
    for line in profile_forms(cpu, form="folded", by=by):
        path, _, value = line.rpartition(" ")
        leaves[path.rpartition(";")[2]] += int(value)
    assert leaves == flat(cpu, by)


def test_speedscope_has_the_packages(cpu: str) -> None:
    (text,) = profile_forms(cpu, form="speedscope", by="package")
    named = {frame["name"] for frame in json.loads(text)["shared"]["frames"]}
    assert {*flat(cpu, "package")} <= named


def test_a_graph_is_of_packages(cpu: str) -> None:
    text = "\n".join(profile_forms(cpu, form="dot", by="package", nodefraction=0, edgefraction=0))
    nodes = {*re.findall(r'^  n\d+ \[label=.*? tooltip="([^"]+)"', text, re.M)}
    assert {*flat(cpu, "package")} <= nodes


def test_names_that_toolchains_give_closures_are_made_one(cpu: str) -> None:
    told = "\n".join(profile_forms(cpu, form="folded", stable_names=True))
    assert not re.search(r"\.func\d", told)
    with pytest.raises(UsageError, match="--stable-names is about names of functions"):
        [*profile_forms(cpu, form="folded", by="package", stable_names=True)]


def test_what_cannot_be_asked_is_said_before_a_service_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="named 'nothing'"):
        [*profile_forms("http://127.0.0.1:9", form="folded", by="nothing")]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("granularity", "`by` says what rows are"), ("tag_focus", "did you mean tagfocus"),
     ("nothing_like_it", "the options are sample_index, ")],
)  # fmt: skip
def test_an_option_that_is_none_is_named(cpu: str, name: str, hint: str) -> None:
    wrong: dict[str, Any] = {name: "lines"}
    for asked in (
        lambda: profile_forms(cpu, form="folded", **wrong),
        lambda: gocost.profile(cpu, **wrong),
        lambda: gocost.profile_trend(cpu, cpu, cpu, **wrong),
    ):
        with pytest.raises(UsageError) as caught:
            asked()
        assert f"there is no option {name!r}" in str(caught.value)
        assert hint in str(caught.value)


def test_a_profile_is_named_by_its_path_too(cpu: str) -> None:
    assert gocost.profile(Path(cpu)).facts == gocost.profile(cpu).facts
    lines = [*profile_forms(Path(cpu), form="folded")]
    assert lines == [*profile_forms(cpu, form="folded")]
    assert merged(Path(cpu)) == merged(cpu)


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go (go.dev/dl)")
@pytest.mark.parametrize("kind", [*KINDS, "nothing"])
def test_what_the_compiler_refuses_is_not_merged_for_it(kind: str, tmp_path: Path) -> None:
    """Of a profile without samples the compiler does not ask what they are."""
    files = [str(recorded() / f"{kind}.{number}.pb.gz") for number in (0, 1)]
    if kind == "nothing":
        mutex = recorded() / "mutex.0.pb.gz"
        empty = decode(mutex.read_bytes())
        files = [str(tmp_path / "mutex.pb.gz")]
        Path(files[0]).write_bytes(encode(built(empty.header, [], [])))
    asked = tmp_path / "asked.pgo"
    asked.write_bytes(merged(*files))
    command = ["go", "tool", "preprofile", "-i", str(asked), "-o", str(tmp_path / "out")]
    taken = subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert taken == (kind in ("cpu", "nothing"))

    made = tmp_path / "default.pgo"
    if taken:
        assert run(["profile", "merge", *files, "-o", str(made)]) == 0
        assert made.read_bytes() == asked.read_bytes()
        return
    with pytest.raises(UsageError, match="`go build -pgo` refuses these of "):
        merged(*files, pgo=True)
    assert run(["profile", "merge", *files, "-o", str(made)]) == 2
    assert not made.exists()
    assert run(["profile", "merge", *files, "-o", str(tmp_path / "all.pb.gz")]) == 0
