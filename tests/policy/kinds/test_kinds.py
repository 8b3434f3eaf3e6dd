"""Each kind of limit against its own cases, KEY.yaml, and what every kind must have.

judged:   a metric's value (and the base's) held to a limit: kept or not, and what is said
refused:  a limit that cannot be meant, with the error and what to type
tighter:  whether a limit may stand in place of a locked one
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gocost.model.catalogue import all_metrics
from gocost.model.errors import PolicyError
from gocost.model.fact import Fact
from gocost.model.finding import Limit
from gocost.policy.json_schema import schema
from gocost.policy.kinds.interface import Case, Show
from gocost.policy.kinds.registry import KINDS
from gocost.policy.loading import load_text
from tests.policy.texts import with_rules

HERE = Path(__file__).parent
CASES: dict[str, dict[str, list[dict[str, Any]]]] = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted(HERE.glob("*.yaml"))
}


def cases(sort: str) -> list[Any]:
    return [
        pytest.param(key, case, id=f"{key}-{case['metric']}-{number}")
        for key, sorts in CASES.items()
        for number, case in enumerate(sorts[sort])
    ]


def rule(key: str, metric: str, limit: object) -> str:
    value = limit
    if isinstance(limit, list):
        value = f"[{', '.join(limit)}]"
    elif isinstance(limit, bool):
        value = str(limit).lower()
    return f"{{metric: {metric}, {key}: {value}}}"


def read(key: str, metric: str, limit: object) -> Limit:
    """The limit as the whole reader of policies reads it."""
    policy = load_text(with_rules(rule(key, metric, limit)), Path("gocost.yaml"))
    return policy.services[0].rules[0].limits[key]


@pytest.mark.parametrize(("key", "case"), cases("judged"))
def test_a_case_is_judged(key: str, case: dict[str, Any]) -> None:
    metric = all_metrics()[case["metric"]]
    limit = read(key, metric.id, case["limit"])
    base = Fact(metric.id, case["base"], metric.unit) if "base" in case else None
    fact = Fact(metric.id, case["value"], metric.unit)

    ruling = KINDS[key].judge(Case(metric, limit, fact, Show("EUR"), base, "main"))

    assert ruling.kept is case["kept"]
    assert case["says"] in ruling.says


@pytest.mark.parametrize(("key", "case"), cases("refused"))
def test_what_cannot_be_meant_is_refused_at_its_place(key: str, case: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as caught:
        read(key, case["metric"], case["limit"])
    assert case["says"] in caught.value.message
    assert case["hint"] in caught.value.hint
    assert caught.value.line == 5
    assert caught.value.column > len("  - {metric: , ") + len(case["metric"])


@pytest.mark.parametrize(("key", "case"), cases("tighter"))
def test_tighter_than_a_locked_limit(key: str, case: dict[str, Any]) -> None:
    new, old = (read(key, case["metric"], case[which]) for which in ("new", "old"))
    assert KINDS[key].tighter(new, old) is case["tighter"]


@pytest.mark.parametrize("key", KINDS)
def test_a_kind_has_what_every_kind_has(key: str) -> None:
    kind = KINDS[key]
    assert kind.key == key
    assert kind.description.endswith(".")
    # cases of its own, kept and not
    assert {case["kept"] for case in CASES[key]["judged"]} == {True, False}
    assert CASES[key]["refused"]
    assert {case["tighter"] for case in CASES[key]["tighter"]} == {True, False}
    # a key in the schema (and so in the reference page), with its description
    described = schema()["$defs"]["RuleEntry"]["properties"][key]
    assert described["description"] == kind.description
    # an example that the reader and the schema take, for every metric that it suits
    validator: Any = jsonschema.Draft202012Validator(schema())
    suited = [metric for metric in all_metrics().values() if kind.suits(metric)]
    assert suited
    for metric in suited:
        text = with_rules(f"{{metric: {metric.id}, {kind.example(metric)}}}")
        policy = load_text(text, Path("gocost.yaml"))
        assert list(policy.services[0].rules[0].limits) == [key]
        validator.validate(yaml.safe_load(text))
