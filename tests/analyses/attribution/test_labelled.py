"""The label of a stack without labels: what samples under the same calls of pprof.Do have."""

from __future__ import annotations

import numpy as np

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


def charged(sampled: dict[str, str], *waits: str) -> list[str]:
    """The rows of waits, where CPU samples had these labels."""
    rows = Rows()
    labels = np.array([rows.number(label) for label in sampled.values()], np.int32)
    found = Labelling("endpoint", rows, stacks(*sampled), labels).charged(stacks(*waits))
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
