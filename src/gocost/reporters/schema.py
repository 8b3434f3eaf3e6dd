"""The JSON Schema of the report contract `gocost.report/1`, made from the types themselves.

Run `python -m gocost.reporters.schema` after a change of the model; it writes
`docs/schema/report-1.json`, and a test fails while that is stale.
"""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import msgspec

from gocost.model import finding, report
from gocost.model.report import Report

PUBLISHED: Final = Path(__file__).parents[3] / "docs" / "schema" / "report-1.json"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of what `--format json` writes."""
    (top,), definitions = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    assert top == {"$ref": "#/$defs/Report"}
    definitions = {name: _public(name, part) for name, part in sorted(definitions.items())}
    whole = definitions.pop("Report")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gocost report, version 1",
        **{key: value for key, value in whole.items() if key != "title"},
        "$defs": definitions,
    }


def render() -> str:
    """The text of the published file."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def main() -> None:
    """Write the schema where it is published."""
    PUBLISHED.parent.mkdir(parents=True, exist_ok=True)
    PUBLISHED.write_text(render(), encoding="utf-8")


def _public(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """A definition with the words of the type's own docstrings."""
    if "properties" not in definition:
        return definition
    kind: type[msgspec.Struct] = getattr(report, name, None) or getattr(finding, name)
    said = _field_docstrings(kind)
    properties = {}
    for field, part in definition["properties"].items():
        about = {"description": said[field]} if field in said else {}
        # `default` is how Python fills a field in; it says nothing about what is written.
        properties[field] = {**{k: v for k, v in part.items() if k != "default"}, **about}
    always = not kind.__struct_config__.omit_defaults
    unset = {f.name for f in msgspec.structs.fields(kind) if f.default is msgspec.UNSET}
    every = [name for name in properties if name not in unset]
    required = every if always else definition.get("required", [])
    return {**definition, "properties": properties, "required": required}


def _field_docstrings(kind: type) -> dict[str, str]:
    """The string that stands under a field of a class, by the field's name."""
    body = ast.parse(dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    said = {}
    for field, after in pairwise(body.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            said[field.target.id] = " ".join(str(after.value.value).split())
    return said


if __name__ == "__main__":
    main()
