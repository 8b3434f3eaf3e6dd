"""The label of a stack without labels: what samples under the same calls of pprof.Do have."""

from __future__ import annotations

import numpy as np
import pytest

from gocost.analyses.attribution.keys import Rows
from gocost.analyses.attribution.labelled import Labelling
from gocost.analyses.attribution.roles import roles_of
from gocost.analyses.attribution.stacks import NOBODY, Functions, Stacks
from gocost.analyses.profile.groups import packages_of

DO = "runtime/pprof.Do"


def stacks(*paths: str) -> Stacks:
    """Stacks of functions, root first, parted by blanks."""
    each = [path.split()[::-1] for path in paths]
    names = sorted({name for path in each for name in path})
    files, packages = [""] * len(names), packages_of(names)
    functions = Functions(names, files, packages, roles_of(names, files, packages))
    frames = [names.index(name) for path in each for name in path]
    ends = np.cumsum([len(path) for path in each])
    return Stacks(functions, np.array(frames, np.int32), ends.astype(np.int64))


def charged(sampled: dict[str, str], *waits: str, each: int = 100) -> list[str]:
    """The rows of waits, where `each` CPU samples of these stacks had these labels."""
    rows = Rows()
    labels = np.array([rows.number(label) for label in sampled.values()], np.int32)
    counts = np.full(len(sampled), each, np.int64)
    found = Labelling("endpoint", rows, stacks(*sampled), labels, counts).charged(stacks(*waits))
    return [rows.names[row] if row != NOBODY else "nobody" for row in found.tolist()]


def test_a_wait_under_the_same_calls_has_their_label() -> None:
    sampled = {f"main.main {DO} main.buy main.price": "buy", f"main.main {DO} main.list": "list"}
    assert charged(sampled, f"main.main {DO} main.buy main.store", f"x.y {DO} main.list") == [
        "buy", "list",
    ]  # fmt: skip


def test_where_one_closure_serves_all_the_calls_in_it_tell() -> None:
    sampled = {f"m.m {DO} m.serve m.buy": "buy", f"m.m {DO} m.serve m.list": "list"}
    found = charged(sampled, f"m.m {DO} m.serve m.buy m.lock", f"m.m {DO} m.serve m.read")
    assert found == ["buy", "unattributed"], "reading is common to both"


def test_a_sample_or_two_of_what_all_call_do_not_tell_whose_a_wait_is() -> None:
    sampled = {
        f"m.m {DO} m.serve m.burn m.a": "t1",
        f"m.m {DO} m.serve m.burn m.b": "t2",
        f"m.m {DO} m.serve m.burn m.c": "t3",
        f"m.m {DO} m.serve m.locked": "t2",  # seldom sampled: here once, by chance of t2
    }
    wait = f"m.m {DO} m.serve m.locked sync.(*Mutex).Lock"
    assert charged(sampled, wait, each=1) == ["unattributed"]
    assert charged(sampled, wait, each=8) == ["t2"], "chance would have mixed them"


@pytest.mark.parametrize("each", [-1, 0, -(1 << 60), 1 << 60])
def test_counts_that_cannot_be_are_no_fault(each: int) -> None:
    sampled = {f"m.m {DO} m.buy": "buy", f"m.m {DO} m.list": "list"}
    told = "buy" if each > 0 else "unattributed"
    assert charged(sampled, f"m.m {DO} m.buy", each=each) == [told]


def test_what_is_called_in_telling_calls_is_theirs_however_seldom_sampled() -> None:
    sampled = {f"m.m {DO} m.buy m.price m.f{number}": "buy" for number in range(20)} | {
        f"m.m {DO} m.list m.f{number}": "list" for number in range(20)
    }
    assert charged(sampled, f"m.m {DO} m.buy m.price m.f1 m.lock", each=1) == ["buy"]


def test_what_was_never_sampled_and_what_has_no_label_are_rows() -> None:
    sampled = {f"m.m {DO} m.buy": "buy", "m.m m.other": "(no endpoint)"}
    assert charged(sampled, f"m.m {DO} m.list", "m.m m.buy", "runtime.gopark") == [
        "unattributed", "(no endpoint)", "nobody",
    ]  # fmt: skip


def test_recording_is_the_observers() -> None:
    assert charged({f"m.m {DO} m.buy": "buy"}, f"m.m {DO} m.buy net/http/pprof.Profile") == [
        "observer"
    ]


def test_a_stack_of_a_hundred_thousand_calls_takes_no_more_than_its_length() -> None:
    deep = " ".join(["m.m", DO, *(f"m.f{number % 7}" for number in range(100_000))])
    assert charged({deep: "buy"}, f"m.m {DO} m.f0") == ["buy"]
