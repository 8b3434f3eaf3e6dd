"""The JSON Schema says what the reader says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from msgspec.structs import fields

from gocost.model.catalogue import all_metrics
from gocost.model.service import Bench, Build, Deployment, Load, Run
from gocost.policy.json_schema import schema
from gocost.policy.loading import preset_path
from gocost.policy.schema import DESCRIPTIONS, PRESETS
from tests.policy.test_errors import CASES
from tests.policy.texts import EXAMPLE, MINIMAL

VALIDATOR: Any = jsonschema.Draft202012Validator(schema())


def plain(text: str) -> Any:
    # Days stay text, as JSON has them.
    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.yaml_implicit_resolvers = {
        key: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader=loader)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", [EXAMPLE, MINIMAL], ids=["example", "minimal"])
def test_right_policies_are_valid(text: str) -> None:
    VALIDATOR.validate(plain(text))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name: str) -> None:
    VALIDATOR.validate(plain(preset_path(name).read_text()))


@pytest.mark.parametrize(
    "text", [case[0] for case in CASES if "no key" in case[3] or "no metric" in case[3]]
)
def test_wrong_words_are_invalid(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(plain(text))


def test_every_metric_is_offered_with_its_meaning() -> None:
    offered = schema()["$defs"]["RuleEntry"]["properties"]["metric"]["oneOf"]
    assert [each["const"] for each in offered] == list(all_metrics())
    assert all(each["description"] for each in offered)


def test_every_field_of_a_service_is_described() -> None:
    for kind in (Build, Run, Load, Bench, Deployment):
        for field in fields(kind):
            assert DESCRIPTIONS[kind.__name__, field.encode_name]


def test_the_reader_and_the_schema_know_the_same_keys(tmp_path: Path) -> None:
    definitions = schema()["$defs"]
    assert set(definitions["PolicyFile"]["properties"]) == {
        *("version", "team", "prices", "extends", "presets", "services", "rules", "waivers"),
        "goroutines",
    }
    assert {"is", "for", "one_of", "growth", "locked"} <= set(
        definitions["RuleEntry"]["properties"]
    )
