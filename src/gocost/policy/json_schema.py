"""The policy's JSON Schema, for editors: from the types that read it and the metric catalogue."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from gocost.model.catalogue import all_metrics
from gocost.model.metric import Metric
from gocost.model.quantity import Unit, example
from gocost.policy.kinds.interface import Form
from gocost.policy.kinds.registry import KINDS
from gocost.policy.schema import DESCRIPTIONS, PRESETS, UNITS, PolicyFile

SCHEMA_ID: Final = "gocost.policy/1"


def schema() -> dict[str, Any]:
    """The schema as plain values, JSON Schema 2020-12."""
    built = msgspec.json.schema(PolicyFile)
    definitions: dict[str, Any] = built["$defs"]
    for (struct, field), text in DESCRIPTIONS.items():
        properties = definitions[struct]["properties"]
        properties[field] = {"description": text, **properties[field]}
    for (struct, field), unit in UNITS.items():
        properties = definitions[struct]["properties"]
        properties[field] = {"description": DESCRIPTIONS[struct, field], **_quantity(unit)}
    rule = definitions["RuleEntry"]["properties"]
    rule["metric"] = {
        "description": rule["metric"]["description"],
        "oneOf": [_entry(metric) for metric in all_metrics().values()],
    }
    for kind in KINDS.values():
        if kind.form is Form.VALUE:
            rule[kind.key] = {"description": kind.description, "type": list(kind.json_types)}
    rule["for"] = {"description": rule["for"]["description"], **_quantity(Unit.SECONDS)}
    waiver = definitions["WaiverEntry"]["properties"]
    waiver["max"] = {
        "description": waiver["max"]["description"],
        "type": ["string", "number"],
    }
    presets = definitions["PolicyFile"]["properties"]["presets"]
    presets["items"] = {"enum": list(PRESETS)}
    for where in (definitions["RuleEntry"], definitions["WaiverEntry"]):
        where["properties"]["select"]["additionalProperties"] = {"type": "string"}
    rule["where"] = {
        "description": rule["where"]["description"],
        "anyOf": [
            {"type": "array", "items": {"$ref": "#/$defs/Enforcer"}},
            {"$ref": "#/$defs/Enforcer"},
        ],
    }
    definitions["Build"]["properties"]["env"]["additionalProperties"] = _SCALAR
    definitions["Run"]["properties"]["env"]["additionalProperties"] = _SCALAR
    _without_structure_names(built)
    definitions["PolicyFile"]["required"] = ["version"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "gocost policy",
        **built,
    }


_SCALAR: Final = {"type": ["string", "number", "boolean"]}


def _entry(metric: Metric) -> dict[str, Any]:
    return {"const": metric.id, "description": f"{metric.summary} ({metric.unit})"}


def _quantity(unit: Unit) -> dict[str, Any]:
    return {"type": ["string", "number"], "examples": [example(unit)]}


def _without_structure_names(node: Any) -> None:
    """Titles of msgspec are names of our classes, which mean nothing to an author."""
    if isinstance(node, dict):
        title = node.get("title")
        if isinstance(title, str) and re.fullmatch(r"[A-Z]\w+", title):
            del node["title"]
        for value in node.values():
            _without_structure_names(value)
    elif isinstance(node, list):
        for value in node:
            _without_structure_names(value)
