"""Saved reports as relations: facts, findings, changes, and each of their tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gocost.analyses.query.relation import (
    FILE,
    Attribute,
    Filled,
    Relation,
    Type,
    Values,
    coded,
    real,
    text,
)
from gocost.formats.recognition import Kind
from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Column, Report, Table

_KINDS: Final = (Kind.REPORT,)
_SUBJECT: Final = text("service", "of the report's subject")
_LABELS: Final = text("labels", "key=value, sorted, joined by spaces")
FACTS: Final = Relation(
    "facts",
    "what a saved report measured",
    _KINDS,
    (
        _SUBJECT,
        text("metric", "its id"),
        _LABELS,
        real("value", "in the unit; NULL where it is a word"),
        text("text", "where it is a word"),
        text("unit", "of value, low and high"),
        real("low", "the lower end of its interval"),
        real("high", "the upper end"),
        text("origin", "what measured it"),
    ),
)
FINDINGS: Final = Relation(
    "findings",
    "what a saved report judged",
    _KINDS,
    (
        _SUBJECT,
        text("rule", "its id"),
        text("metric", "that it limits"),
        text("outcome", "pass, violated, waived, unknown or skipped"),
        text("severity", "info, warning or error"),
        text("message", "what was found"),
        text("reason", "why it is unknown, skipped or waived"),
    ),
)
CHANGES: Final = Relation(
    "changes",
    "what changed from base to head in a saved report",
    _KINDS,
    (
        _SUBJECT,
        text("metric", "its id"),
        _LABELS,
        text("unit", "of base, head and delta"),
        real("base", "NULL where it is a word or not there"),
        real("head", "NULL where it is a word or not there"),
        real("delta", "head less base"),
        text("verdict", "better, worse, changed, same or unknown"),
        real("month_cost", "what the change costs a month, in the price book's currency"),
    ),
)
_WORD: Final = re.compile(r"\W+")
_ASCII: Final = re.compile(r"\W+", re.ASCII)
_SUFFIX: Final = {
    Unit.NANOSECONDS: "_ns",
    Unit.SECONDS: "_seconds",
    Unit.BYTES: "_bytes",
}


def facts(report: Report) -> Filled:
    """The facts."""
    found = report.facts
    return {
        "service": coded([each.subject.service for each in found]),
        "metric": coded([each.metric for each in found]),
        "labels": coded([_labels(each.labels) for each in found]),
        "value": [_number(each.value) for each in found],
        "text": coded([each.value if isinstance(each.value, str) else None for each in found]),
        "unit": coded([each.unit.value for each in found]),
        "low": [each.low for each in found],
        "high": [each.high for each in found],
        "origin": coded([each.origin for each in found]),
    }


def findings(report: Report) -> Filled:
    """The findings."""
    found = report.findings
    return {
        "service": coded([each.subject.service for each in found]),
        "rule": coded([each.rule for each in found]),
        "metric": coded([each.metric for each in found]),
        "outcome": coded([each.outcome.value for each in found]),
        "severity": coded([each.severity.value for each in found]),
        "message": coded([each.message for each in found]),
        "reason": coded([each.reason for each in found]),
    }


def changes(report: Report) -> Filled:
    """The changes."""
    found = report.changes
    return {
        "service": coded([each.subject.service for each in found]),
        "metric": coded([each.metric for each in found]),
        "labels": coded([_labels(each.labels) for each in found]),
        "unit": coded([each.unit.value for each in found]),
        "base": [_number(each.base) for each in found],
        "head": [_number(each.head) for each in found],
        "delta": [each.delta for each in found],
        "verdict": coded([each.verdict.value for each in found]),
        "month_cost": [float(each.money.amount) if each.money else None for each in found],
    }


def table_relation(name: str, table: Table) -> Relation:
    """The relation of one table of a report: `report_functions` of the table `functions`."""
    return Relation(
        f"report_{_ASCII.sub('_', name).lower()}",
        f"the table {name} of a saved report: {table.title}",
        _KINDS,
        tuple(
            Attribute(name, _type(column, table.column(column.name)), column.description)
            for name, column in zip(_names(table), table.columns, strict=True)
        ),
    )


def table(found: Table) -> Filled:
    """Its columns."""
    filled: dict[str, Values] = {}
    for name, column in zip(_names(found), found.columns, strict=True):
        cells = found.column(column.name)
        if _type(column, cells) is Type.TEXT:
            filled[name] = coded([None if v is None else str(v) for v in cells])
        elif _type(column, cells) is Type.YES:
            filled[name] = [None if v is None else bool(v) for v in cells]
        else:
            filled[name] = [_number(v) for v in cells]
    return filled


def _names(table: Table) -> list[str]:
    """The columns' names in SQL, which does not tell capitals from small letters; what is taken,
    as by the column of the file itself, gets a number: `file_2`.
    """
    taken = {FILE}
    found = []
    for column in table.columns:
        name = first = _name(column)
        number = 2
        while name.lower() in taken:
            name, number = f"{first}_{number}", number + 1
        taken.add(name.lower())
        found.append(name)
    return found


def _name(column: Column) -> str:
    name = _WORD.sub("_", column.name)
    suffix = _SUFFIX.get(column.unit, "")
    ends = name.endswith(suffix) or name == suffix.lstrip("_")
    return name if ends else f"{name}{suffix}"


def _type(column: Column, cells: Sequence[Cell]) -> Type:
    if column.unit is Unit.BOOLEAN:
        return Type.YES
    texts = any(isinstance(cell, str) for cell in cells)
    return Type.TEXT if column.unit is Unit.TEXT or texts else Type.REAL


def _number(value: object) -> float | None:
    if isinstance(value, Money):
        return float(value.amount)
    return float(value) if isinstance(value, bool | int | float) else None


def _labels(labels: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(labels.items()))
