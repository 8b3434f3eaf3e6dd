"""Dumps that real programs of several toolchains wrote of themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from gocost.formats.goroutine_dump.decoding import decode
from gocost.formats.goroutine_dump.dump import ELIDED, LEAKED, LOCKED, Dump
from tests.fixtures.dumps import (
    TOOLCHAINS,
    Key,
    panicked,
    plainly,
    program,
    quit_by_signal,
    recorded,
)
from tests.formats.goroutine_dump.test_stacks import keys


def _still(dump: Dump) -> Counter[Key]:
    """What stays where it is: not the goroutine that writes the dumps, nor the one that runs."""
    moving = {"main.main", "main.spin"}
    found = keys(dump).items()
    return Counter({key: count for key, count in found if not moving & {f for f, _ in key[1]}})


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_every_state_in_every_form(toolchain: str, tmp_path: Path) -> None:
    dumps = recorded(tmp_path, "states", binary=program(toolchain))
    text = dumps["goroutine.debug2"]
    stacks, grouped, profile = (decode([dumps[f"goroutine.debug{n}"]]) for n in (2, 1, 0))
    assert keys(stacks) == plainly(text.decode())
    assert stacks.total == grouped.total == profile.total == 17
    assert _still(profile) == _still(grouped)
    assert stacks.lost == grouped.lost == ""
    states = {stacks.text(number) for number in stacks.state.tolist()}
    assert {"chan receive (nil chan)", "chan send (nil chan)", "select (no cases)"} < states
    assert (stacks.flags & LOCKED != 0).sum() == 1
    creators = [stacks.text(number) for number in stacks.creator.tolist()]
    assert sum(text.startswith("main.states\n") for text in creators) == 16
    newer = b" in goroutine 1" in text  # Go 1.21, which also says what it leaves out
    assert (stacks.flags & ELIDED != 0).sum() == (1 if newer else 0)
    assert (stacks.parent == 1).sum() == (16 if newer else 0)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
@pytest.mark.parametrize("traceback", ["single", "all", "system", "crash"])
def test_a_panic_in_a_log(toolchain: str, traceback: str) -> None:
    text = panicked(program(toolchain), GOTRACEBACK=traceback)
    dump = decode([text])
    headers = re.findall(rb"(?m)^goroutine (\d+) [^\n]*\]:$", text)
    assert dump.id.tolist() == list(map(int, headers))
    first = [frame.function for frame in dump.frames(int(dump.stack[dump.id.tolist().index(1)]))]
    assert "main.fail" in first
    assert "main.main" in first
    assert dump.lost == ""
    if traceback != "single":
        assert dump.total >= 16


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_sigquit(toolchain: str) -> None:
    text = quit_by_signal(program(toolchain))
    dump = decode([text])
    headers = re.findall(rb"(?m)^goroutine (\d+) [^\n]*\]:$", text)
    assert dump.id.tolist() == list(map(int, headers))
    assert len(headers) >= 17
    entries = {frames[-1].function for n in dump.stack.tolist() if (frames := dump.frames(n))}
    assert {"main.receive", "main.lock", "main.nap"} <= entries | {"runtime.goexit"} or (
        "runtime.goexit" in entries
    )


def test_ancestors(tmp_path: Path) -> None:
    dumps = recorded(tmp_path, "states", binary=program(), GODEBUG="tracebackancestors=5")
    dump = decode([dumps["goroutine.debug2"]])
    assert keys(dump) == plainly(dumps["goroutine.debug2"].decode())
    assert sum(number >= 0 for number in dump.ancestors.tolist()) == 16


@pytest.mark.parametrize(
    ("toolchain", "said"),
    [
        ("go", r'{"path": "/x", "tenant": "a \"quoted\" ]:"}'),
        ("go1.27.4", r'{path: /x, tenant: "a \"quoted\" ]:"}'),
    ],
)
def test_labels(tmp_path: Path, toolchain: str, said: str) -> None:
    dumps = recorded(tmp_path, "states", binary=program(toolchain), GODEBUG="tracebacklabels=1")
    text = dumps["goroutine.debug2"]
    if b"labels:{" not in text and b"] {" not in text:
        pytest.skip("needs Go 1.26 or later, whose dumps have labels")
    dump = decode([dumps["goroutine.debug2"]])
    labelled = [dump.text(number) for number in dump.labels.tolist() if number >= 0]
    assert labelled == [said]
    assert dump.total == 17
    assert keys(dump) == plainly(dumps["goroutine.debug2"].decode())


def test_the_leak_profile(tmp_path: Path) -> None:
    dumps = recorded(tmp_path, "states", binary=program(experiment=True))
    if "goroutineleak.debug2" not in dumps:
        pytest.skip("needs Go 1.26 or later, which looks for leaks")
    stacks, grouped, profile = (decode([dumps[f"goroutineleak.debug{n}"]]) for n in (2, 1, 0))
    leaked = (stacks.flags & LEAKED != 0).sum()
    assert leaked == grouped.total == profile.total == 7
    assert grouped.leaks
    assert profile.leaks
    assert not stacks.leaks
    assert keys(grouped) == keys(profile)


def test_many(tmp_path: Path) -> None:
    dumps = recorded(tmp_path, "many", "20000", binary=program())
    text = dumps["goroutine.debug2"]
    dump = decode([text[at : at + 999_983] for at in range(0, len(text), 999_983)])
    assert keys(dump) == plainly(text.decode())
    states = Counter(dump.text(number) for number in dump.state.tolist())
    assert states["chan receive"] == states["sleep"] == states["select"] == 5000
    assert sorted(dump.id.tolist()) == sorted(map(int, re.findall(rb"(?m)^goroutine (\d+) ", text)))


PREFIXES: dict[str, Callable[[int], str]] = {
    "kubectl logs --timestamps": lambda n: f"2026-11-26T14:{n // 60 % 60:02}:{n % 60:02}.{n:09}Z ",
    "kubectl logs --prefix": lambda n: "[pod/payments-7d9f/payments] ",
    "docker compose logs": lambda n: "payments-1  | ",
    "the container runtime's file": lambda n: f"2026-11-26T14:00:{n % 60:02}.{n:09}Z stderr F ",
    "journalctl": lambda n: f"Nov 26 14:{n // 60 % 60:02}:{n % 60:02} host payments[4242]: ",
    "nothing": lambda n: "",
}


@pytest.mark.parametrize("toolchain", ["go", "go1.27.4"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("way", PREFIXES)
def test_what_stands_before_each_line_of_a_log(way: str, ending: str, toolchain: str) -> None:
    text = _quit(toolchain)
    lines = text.decode().split("\n")
    log = ending.join(f"{PREFIXES[way](n)}{line}" for n, line in enumerate(lines))
    assert keys(decode([log.encode()])) == keys(decode([text]))


@cache
def _quit(toolchain: str) -> bytes:
    return quit_by_signal(program(toolchain))
