"""A profile in the forms of other tools: nothing is lost on the way."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import gocost
from gocost.api.profile_forms import FORMS, merged, profile_forms
from gocost.cli.main import run
from gocost.formats.pprof.building import built
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Header, ValueType
from gocost.model.errors import NotMeasurableError, UsageError
from tests.fixtures.profiles import recorded


@pytest.fixture(scope="module")
def path() -> str:
    return str(recorded() / "cpu.1.pb.gz")


def total(path: str) -> int:
    fact = gocost.profile(path).fact("profile.total")
    assert fact is not None
    return int(fact.value)


def test_folded_stacks_add_up(path: str) -> None:
    lines = list(profile_forms(path, form="folded"))
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == total(path)
    assert any(line.startswith("main.") and ";" in line for line in lines)
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)


def test_folded_by_what_was_asked(path: str) -> None:
    focused = list(profile_forms(path, form="folded", focus="encoding/json"))
    assert focused
    assert all("encoding/json" in line for line in focused)


def test_speedscope(path: str) -> None:
    (text,) = profile_forms(path, form="speedscope")
    document = json.loads(text)
    (profile,) = document["profiles"]
    assert sum(profile["weights"]) == profile["endValue"] == total(path)
    assert profile["unit"] == "nanoseconds"
    frames = document["shared"]["frames"]
    assert max(max(stack) for stack in profile["samples"]) < len(frames)
    assert frames[profile["samples"][0][0]]["name"]


def test_callgrind_costs_add_up(path: str) -> None:
    lines = list(profile_forms(path, form="callgrind"))
    assert lines[0] == "positions: instr line"
    own = 0
    calls = False
    for line in lines:
        if line.startswith("calls="):
            calls = True  # what follows is the cost of the call, and no cost of its own
        elif re.match(r"[*0+-]", line):
            own += 0 if calls else int(line.split()[2])
            calls = False
    assert own == total(path)
    named = [line for line in lines if line.startswith("fn=(")]
    numbers = [re.match(r"fn=\((\d+)\) .", line) for line in named]
    assert len({match[1] for match in numbers if match}) == sum(
        match is not None for match in numbers
    )


def test_dot(path: str) -> None:
    lines = list(profile_forms(path, form="dot"))
    nodes = {match[1] for line in lines if (match := re.match(r"  (n\d+) \[", line))}
    edges = [match for line in lines if (match := re.match(r"  (n\d+) -> (n\d+) \[", line))]
    assert 5 < len(nodes) <= 80
    assert edges
    assert {end for match in edges for end in match.groups()} <= nodes
    boxes = [match[1] for line in lines if (match := re.match(r'  n\d+ \[label="([^"]*)"', line))]
    told = [box.split("\\n")[-2:] for box in boxes]
    assert all(share.endswith("%") for _, share in told), "as pprof has it, and no fraction"
    for cost, share in told:
        assert (" of " in cost) == (" of " in share), (cost, share)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("net/http.(*conn).serve", r"http\n(*conn)\nserve"),
        ("example.com/x/store.(*Map[go.shape.int,a/b.T]).Put", r"store\n(*Map[…])\nPut"),
        ("slices.Sort[...]", r"slices\nSort[…]"),
        ("memeqbody", "memeqbody"),
        ("std::vector<int>::push", "std::vector<int>::push"),
        ("a/b c/main.f", "a/b c/main.f"),
        pytest.param("a[" * 100_000, "a[" * 100_000, id="types without an end"),
        pytest.param("a.a/" * 50_000 + " ", "a.a/" * 50_000 + " ", id="folders without an end"),
    ],
)
def test_a_box_of_a_graph_is_narrow_and_its_tooltip_whole(
    name: str, shown: str, tmp_path: Path
) -> None:
    path = tmp_path / "cpu.pb"
    path.write_bytes(
        encode(built(Header((ValueType("cpu", "nanoseconds"),)), [[(name, "a.go", 1)]], [(5,)]))
    )

    (box,) = [line for line in profile_forms(str(path), form="dot") if "tooltip" in line]

    assert box.startswith(f'  n0 [label="{shown}\\n5 ns\\n100%", tooltip="{name}",')


def test_merged_is_what_pprof_reads(path: str, tmp_path: Path) -> None:
    target = tmp_path / "merged.pb.gz"
    assert run(["profile", "merge", path, path, "-o", str(target)]) == 0
    assert total(str(target)) == 2 * total(path)
    done = subprocess.run(
        ["go", "tool", "pprof", "-top", "-unit=ns", "-symbolize=none", str(target)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"of {2 * total(path)}ns total" in done.stdout
    less = decode(merged(path, base=[path]))
    assert less.samples == 0


def test_a_form_that_does_not_exist(path: str) -> None:
    with pytest.raises(UsageError, match="choose of folded"):
        profile_forms(path, form="png")
    with pytest.raises(UsageError, match="folded has no means"):
        profile_forms(path, form="folded", mean=True)
    assert FORMS == ("folded", "speedscope", "callgrind", "dot", "svg")


def test_a_picture(path: str) -> None:
    if shutil.which("dot") is None:
        pytest.skip("no dot on PATH: apt-get install graphviz")
    text = "\n".join(profile_forms(path, form="svg", nodecount=5))
    dot = "\n".join(profile_forms(path, form="dot", nodecount=5))
    assert text.startswith("<?xml")
    boxes = re.findall(r'class="node"', text)
    assert 1 < len(boxes) == len(re.findall(r"^  n[0-9_]+ \[", dot, re.MULTILINE))
    # Labels take places too, where they weigh as much.
    assert 1 < len(re.findall(r"^  n\d+ \[", dot, re.MULTILINE)) <= 5


def test_a_picture_without_graphviz(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotMeasurableError) as caught:
        profile_forms(path, form="svg")
    assert caught.value.hint == (
        "install graphviz, or take the graph to where it is: "
        f"gocost profile dot {path} | dot -Tsvg -o graph.svg"
    )


def test_nothing_is_left_of_a_file_that_cannot_be_written(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, told in (("no/out.pb.gz", "there is no folder"), ("x" * 300, "cannot be written")):
        assert run(["profile", "merge", path, "-o", str(tmp_path / name)]) == 2
        assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
