"""The contract `gocost.report/1` and its published schema."""

from __future__ import annotations

import json

import jsonschema
import pytest

from gocost.reporters import schema
from gocost.reporters.interface import Settings
from tests.reporters.conftest import rendered
from tests.reporters.reports import REPORTS


def test_the_published_schema_is_the_one_the_types_make() -> None:
    assert schema.PUBLISHED.read_text(encoding="utf-8") == schema.render(), (
        "stale: run python -m gocost.reporters.schema"
    )


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_keeps_to_the_published_schema(name: str) -> None:
    published = json.loads(schema.PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)

    report = json.loads(rendered("json", REPORTS[name]()))

    jsonschema.Draft202012Validator(published).validate(report)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "gocost.report/2"),
        (("findings", 0, "outcome"), "maybe"),
        (("findings", 0, "money", "amount"), 1.82),
        (("changes", 0, "verdict"), None),
        (("facts", 0, "unit"), "bananas"),
    ],
)
def test_the_schema_refuses_what_the_contract_does_not_say(
    path: tuple[str | int, ...], value: object
) -> None:
    report = json.loads(rendered("json", REPORTS["check"]()))
    *way, last = path
    place = report
    for step in way:
        place = place[step]
    place[last] = value

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema.schema()).validate(report)


def test_the_contract_has_these_parts_in_this_order() -> None:
    report = json.loads(rendered("json", REPORTS["size"]()))

    assert list(report) == [
        "schema",
        "command",
        "gocost",
        "subject",
        "facts",
        "tables",
        "series",
        "changes",
        "findings",
        "notes",
        "assumptions",
        "layout",
    ]
    assert list(schema.schema()["properties"]) == list(report)


def test_numbers_are_raw_and_money_is_a_decimal_string() -> None:
    report = json.loads(rendered("json", REPORTS["check"]()))

    assert report["facts"][0]["value"] == 14_050_304
    assert report["findings"][1]["money"]["amount"] == "0.0004"
    assert report["findings"][1]["money"]["currency"] == "USD"


def test_tables_still_add_up_and_top_keeps_their_sums() -> None:
    whole = json.loads(rendered("json", REPORTS["size"]()))
    cut = json.loads(rendered("json", REPORTS["size"](), Settings(top=2)))

    for report in (whole, cut):
        for table in report["tables"].values():
            place = [column["name"] for column in table["columns"]].index("bytes")
            assert sum(row[place] for row in table["rows"]) == report["facts"][0]["value"]


def test_hostile_names_and_numbers_stay_json() -> None:
    report = json.loads(rendered("json", REPORTS["hostile"]()))

    rows = {row[0]: row[1] for row in report["tables"]["names"]["rows"]}
    assert rows["nan"] is None
    assert rows["big"] == pytest.approx(2**70)
