"""The measure `binary`: the account of every byte is made only for who asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.measures import binary as measures
from gocost.measures.interface import Context, Target
from gocost.model.service import Service
from tests.fixtures.binaries import binary

HELLO = "linux-amd64"


def metrics(path: Path, *wanted: str) -> set[str]:
    target = Target(Service(name="hello"), path.parent, path)
    measured = measures.measure(target, Context(cache=path.parent, wanted=frozenset(wanted)))
    (size,) = [fact.value for fact in measured.facts if fact.metric == "binary.size"]
    assert size == path.stat().st_size
    return {fact.metric for fact in measured.facts}


def test_the_size_alone_needs_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the file was accounted for")

    monkeypatch.setattr(measures, "account_of", refuse)
    assert metrics(binary(HELLO), "binary.size") == {"binary.size"}


@pytest.mark.parametrize(
    "wanted",
    ["binary.size.loaded", "binary.kind.size", "binary.module.size", "binary.package.size"],
)
def test_whoever_wants_more_gets_all_of_it(wanted: str) -> None:
    found = metrics(binary(HELLO), "binary.size", wanted)
    assert {wanted, "binary.size.strippable", "binary.module.size"} <= found
    assert metrics(binary(HELLO)) == found
