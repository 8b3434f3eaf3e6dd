"""A flame graph says what the table of functions says: flat and cumulative, to the unit."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np

from gocost.analyses.flame import Tree
from gocost.analyses.profile.merging import subtract
from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.stacks import flame
from gocost.analyses.profile.tables import by_name
from gocost.analyses.profile.view import Options, View, costs, view
from gocost.formats.pprof.decoding import decode
from gocost.model.errors import GocostError
from tests.fixtures.profiles import recorded, shared
from tests.fixtures.random_profiles import random_options, random_profile


def sums(tree: Tree) -> tuple[Counter[str], Counter[str]]:
    """Flat and cumulative by name, now less before; recursion counts once."""
    flat: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    now, before = tree.totals()
    callers: list[frozenset[str]] = []
    for row, (name, parent) in enumerate(
        zip(tree.name.tolist(), tree.parent.tolist(), strict=True)
    ):
        label = tree.names[name]
        above = callers[parent] if parent >= 0 else frozenset()
        flat[label] += int(tree.own[row] - tree.before[row])
        if label not in above:
            whole[label] += int(now[row] - before[row])
        callers.append(above | {label})
    return flat, whole


def agrees(seen: View, nodes: Nodes) -> int:
    """How many names the tree and the table have with the same numbers."""
    flat, whole = sums(flame(seen, nodes))
    found = costs(seen, nodes)
    labels = nodes.labels()
    wanted: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    for row, label in enumerate(labels):
        wanted[0][label] += int(found.flat[row])
        wanted[1][label] += int(found.cumulative[row])
    for name in set(labels):
        assert flat[name] == wanted[0][name], name
        assert whole[name] == wanted[1][name], name
    return len(labels)


def test_real_profiles() -> None:
    folder = recorded()
    for path in (shared("large.cpu.pb.gz"), folder / "cpu.1.pb.gz", folder / "heap.1.pb.gz"):
        seen = view(decode(path.read_bytes()), Options())
        assert agrees(seen, by_name(seen, Options(), "function")) > 0


def test_random_profiles_under_random_options() -> None:
    rng = random.Random(4)
    compared = 0
    for _ in range(150):
        data, _ = random_profile(rng)
        chosen = {**random_options(rng), "granularity": "functions", "mean": False}
        try:
            seen = view(decode(data), Options(**chosen))
        except GocostError:
            continue
        nodes = by_name(seen, Options(**chosen), "function")
        if len(set(nodes.labels())) == len(nodes.labels()):
            compared += agrees(seen, nodes)
    assert compared > 200


def test_packages_are_no_frames_of_themselves() -> None:
    seen = view(decode((recorded() / "cpu.1.pb.gz").read_bytes()), Options())
    nodes = by_name(seen, Options(), "package")

    tree = flame(seen, nodes, merged=True)

    inner = tree.parent >= 0
    assert inner.any()
    assert (tree.name[inner] != tree.name[tree.parent[inner]]).all()
    assert tree.own.sum() == seen.values().sum()


def test_a_base_is_what_was_before() -> None:
    folder = recorded()
    head, base = (decode((folder / f"heap.{i}.pb.gz").read_bytes()) for i in (1, 0))
    apart = subtract(head, base, of_base=True)
    options = Options(sample_index="alloc_space")

    seen = view(apart, options)
    tree = flame(seen, by_name(seen, options, "function"))

    alone = [view(each, options).values().sum() for each in (head, base)]
    assert [tree.own.sum(), tree.before.sum()] == alone
    assert np.minimum(tree.own, tree.before).any()
