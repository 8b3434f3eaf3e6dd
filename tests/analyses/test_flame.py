"""The tree of call stacks: it adds up to what was measured, and so does what is left of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses import flame
from gocost.analyses.flame import DEEPER, NO_STACK, SMALL, Tree, cut, flame_table, grown
from gocost.model.quantity import Unit
from gocost.model.report import SumsTo, Table

Stacks = list[tuple[str, int, int]]
"""A stack as a word, a letter a frame, root first; what it cost, and what before."""

stacks = st.lists(
    st.tuples(st.text("abcd", max_size=6), st.integers(0, 99), st.integers(0, 99)), max_size=30
)


def tree_of(given: Stacks) -> Tree:
    letters = "abcd"
    frames = [letters.index(letter) for word, *_ in given for letter in reversed(word)]
    ends = np.cumsum([len(word) for word, *_ in given], dtype=np.int64)
    own, before = (np.array([each[i] for each in given], np.int64) for i in (1, 2))
    return grown(letters, np.array(frames, np.int64), ends, own, before)


def table_of(tree: Tree) -> Table:
    return flame_table(tree, title="t", level="function", unit=Unit.COUNT, told="samples")


def paths(tree: Tree) -> dict[tuple[str, ...], tuple[int, int]]:
    """What each path of names cost itself, now and before; those that cost nothing are left out."""
    names: list[tuple[str, ...]] = []
    found: Counter[tuple[str, ...]] = Counter()
    gone: Counter[tuple[str, ...]] = Counter()
    for name, parent, own, before in zip(
        tree.name.tolist(), tree.parent.tolist(), tree.own.tolist(), tree.before.tolist(),
        strict=True,
    ):  # fmt: skip
        names.append((*(names[parent] if parent >= 0 else ()), tree.names[name]))
        found[names[-1]] += own
        gone[names[-1]] += before
    return {path: (found[path], gone[path]) for path in found if found[path] or gone[path]}


@given(stacks)
def test_a_tree_has_every_path_with_what_it_cost(given: Stacks) -> None:
    wanted: dict[tuple[str, ...], tuple[int, int]] = {}
    for word, own, before in given:
        path = tuple(word) or (NO_STACK,)
        now, was = wanted.get(path, (0, 0))
        wanted[path] = (now + own, was + before)

    found = paths(tree_of(given))

    assert found == {path: costs for path, costs in wanted.items() if any(costs)}


@given(stacks, st.floats(0, 0.5), st.integers(1, 12))
def test_what_is_cut_stands_as_small_so_that_sums_hold(
    given: Stacks, least: float, most: int
) -> None:
    tree = tree_of(given)

    short, share = cut(tree, least, most)

    assert (short.own.sum(), short.before.sum()) == (tree.own.sum(), tree.before.sum())
    whole = max(tree.own.sum(), tree.before.sum())
    if share:
        now, before = short.totals()
        named = np.array([short.names[name] != SMALL for name in short.name.tolist()], np.bool_)
        assert (np.maximum(now, before)[named] >= share * whole * (1 - 1e-9)).all()
        assert named.sum() <= max(most, (tree.totals()[0] >= least * whole).sum())


@given(stacks)
def test_callers_stand_before_what_they_call(given: Stacks) -> None:
    table = table_of(cut(tree_of(given), 0.05, 10)[0])

    for row, parent in enumerate(table.column("parent")):
        assert parent is None or (isinstance(parent, int) and 0 <= parent < row)


def test_stacks_deeper_than_the_cap_end_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flame, "DEEPEST", 3)

    found = paths(tree_of([("abcda", 5, 0), ("abc", 2, 0), ("abcd", 1, 0)]))

    assert found == {("a", "b", "c"): (2, 0), ("a", "b", "c", DEEPER): (6, 0)}


def test_a_difference_has_base_and_delta_that_sum_to_the_metric() -> None:
    tree = tree_of([("ab", 5, 2), ("ac", 0, 7)])

    table = flame_table(
        tree, title="t", level="function", unit=Unit.BYTES, told="x", sums_to="profile.total"
    )

    assert table.names() == ["function", "parent", "self", "base", "delta"]
    assert list(map(tuple, table.rows)) == [
        ("a", None, 0, 0, 0), ("c", 0, 0, 7, -7), ("b", 0, 5, 2, 3)
    ]  # fmt: skip
    assert table.sums_to == SumsTo("delta", "profile.total")


def test_the_beginning_of_a_table_is_a_tree_and_keeps_its_sums() -> None:
    table = table_of(tree_of([("ab", 50, 0), ("ac", 7, 0), ("d", 1, 0)])).top(2)

    assert list(map(tuple, table.rows)) == [("a", None, 0), ("b", 0, 50), ("(2 others)", None, 8)]
