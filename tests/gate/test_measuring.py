"""What several measures say of one metric."""

from __future__ import annotations

import pytest

from gocost.gate.measuring import Findings
from gocost.gate.plan import Step
from gocost.measures.interface import Need
from gocost.measures.registry import SPECS
from gocost.model.errors import SourceError
from gocost.model.fact import Fact
from gocost.model.quantity import Unit

LEAKED = "goroutines.leaked"


@pytest.mark.parametrize("order", ["before", "after"])
def test_what_was_given_and_cannot_be_read_is_unknown_whatever_else_is_measured(order: str) -> None:
    dumps = next(spec for spec in SPECS if Need.DUMPS in spec.needs)
    counted = Findings(facts=[Fact(LEAKED, 0, Unit.COUNT)], unknown={LEAKED: "too short a run"})
    found = Findings()

    if order == "before":
        found.join(counted)
    found.fail("app: dumps", [Step(dumps, frozenset({LEAKED}))], SourceError("it is empty"))
    if order == "after":
        found.join(counted)

    assert found.facts == []
    assert found.unknown == {LEAKED: "it is empty"}


def test_what_failed_of_a_run_leaves_what_another_measured() -> None:
    runs = next(spec for spec in SPECS if Need.RUN in spec.needs)
    found = Findings()

    found.join(Findings(facts=[Fact(LEAKED, 0, Unit.COUNT)]))
    found.fail("app: portrait", [Step(runs, frozenset({LEAKED}))], SourceError("it ended"))

    assert [fact.metric for fact in found.facts] == [LEAKED]
