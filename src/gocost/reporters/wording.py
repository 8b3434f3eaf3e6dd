"""Values of a report in the words that people read; shared by every reporter for people.

Names come from hostile places (symbols of a binary, labels of a metrics page), so `plain` takes
the teeth out of what would drive a terminal or a CI log.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Location
from gocost.model.quantity import Money, Unit, format_money, format_quantity
from gocost.model.report import Cell, Change, Report, Series, Table
from gocost.model.subject import Subject

# Control characters drive a terminal; bidirectional and invisible ones lie about what is shown.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff\ud800-\udfff]"
)
# What a GitHub or Azure runner takes for a command when it stands in a log.
# Also after a blank, where wrapping may put it at the start of a line.
_COMMAND = re.compile(r"(?:^|(?<=\s)):(?=:)|#(?=#\[|#vso\[)")

MONEY = (Unit.MONEY, Unit.MONEY_PER_MONTH)

BARS = "▁▂▃▄▅▆▇█"


def plain(text: str) -> str:
    """`text` on one line, with what a terminal or a CI log would act on made visible instead."""
    if text.isascii() and text.isprintable() and "::" not in text and "##" not in text:
        return text
    return _COMMAND.sub(lambda match: _escape(match[0]), _UNSAFE.sub(_visible, text))


def lines(text: str, most: int = 40) -> list[str]:
    """`text` line by line, each made plain: a compiler's message keeps its form, up to a length."""
    every = [plain(line) for line in text.splitlines() if line.strip()]
    return every if len(every) <= most else [*every[:most], f"... {len(every) - most} more lines"]


def _visible(match: re.Match[str]) -> str:
    return " " if match[0] in "\t\n\r" else _escape(match[0])


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def cell(value: Cell, unit: Unit) -> str:
    """One cell of a table; nothing is an empty string."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return money(value, unit)
    if isinstance(value, str):
        return plain(value.expandtabs(4) if unit is Unit.CODE else value)
    if isinstance(value, float) and not math.isfinite(value):
        return "unknown" if math.isnan(value) else "infinite"
    return format_quantity(value, Unit.COUNT if unit in (Unit.TEXT, Unit.CODE) else unit)


def money(value: Money, unit: Unit = Unit.MONEY, *, signed: bool = False) -> str:
    """An amount; `/month` where the unit says so."""
    text = format_money(value, signed=signed) if value.amount else f"0 {value.currency}"
    return plain(text) + ("/month" if unit is Unit.MONEY_PER_MONTH else "")


def monthly(value: Money | None, *, signed: bool = False) -> str:
    """An amount a month, or an empty string."""
    return "" if value is None else money(value, Unit.MONEY_PER_MONTH, signed=signed)


def quantity(
    value: float | str | None, unit: Unit, *, signed: bool = False, currency: str = ""
) -> str:
    """A fact's value; text from outside made safe. Money is said to be in `currency`."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "unknown" if math.isnan(value) else "infinite"
    text = format_quantity(value, unit, signed=signed)
    if not currency or value is None or unit not in MONEY:
        return text
    amount, slash, per = text.partition("/")
    return f"{amount} {plain(currency)}{slash}{per}"


def interval(low: float | None, high: float | None, unit: Unit, currency: str = "") -> str:
    """`12.1 ms to 13.0 ms`, or an empty string where nothing was sampled."""
    if low is None or high is None:
        return ""
    ends = (quantity(end, unit, currency=currency) for end in (low, high))
    return " to ".join(ends)


def sampled(fact: Fact, currency: str = "") -> str:
    """The interval of a sampled fact and how many samples it rests on."""
    count = f"n={fact.n:,}" if fact.n is not None else ""
    return "  ".join(w for w in (interval(fact.low, fact.high, fact.unit, currency), count) if w)


def labels(pairs: dict[str, str]) -> str:
    """`{module=std, kind=code}`, sorted; an empty string without labels."""
    if not pairs:
        return ""
    return "{" + ", ".join(f"{plain(k)}={plain(v)}" for k, v in sorted(pairs.items())) + "}"


def fact_name(fact: Fact) -> str:
    """The metric and what it is split by."""
    return plain(fact.metric) + labels(fact.labels)


def change_name(change: Change) -> str:
    """The metric and what it is split by."""
    return plain(change.metric) + labels(change.labels)


def told_apart(changes: Sequence[Change]) -> list[list[str]]:
    """What tells rows under one heading apart, then their metric: `CreateQuote`, `bench.time`.

    Of the labels only those that differ between rows, and always the one that differs most.
    """
    different: dict[str, set[str]] = {}
    for change in changes:
        for key, value in change.labels.items():
            different.setdefault(key, set()).add(value)
    order = sorted(different, key=lambda key: (-len(different[key]), key))
    found = []
    for change in changes:
        keys = [key for key in order if key in change.labels]
        said = [key for number, key in enumerate(keys) if not number or len(different[key]) > 1]
        found.append([*(plain(change.labels[key]) for key in said), plain(change.metric)])
    return found


def series_name(series: Series) -> str:
    """The metric and what it is split by."""
    return plain(series.metric) + labels(series.labels)


def subject(value: Subject) -> str:
    """`payments 1.4.0 (3f2c1ab)`; an empty string when nothing is known."""
    words = [value.service, value.version, f"({value.commit[:12]})" if value.commit else ""]
    words += [f"in {value.environment}" if value.environment else "", value.instance]
    return plain(" ".join(word for word in words if word))


def location(place: Location) -> str:
    """`internal/store.go:41:2 in store.(*Memory).Put`; an empty string when there is none."""
    where = place.path
    if place.path and place.line:
        where += f":{place.line}" + (f":{place.column}" if place.column else "")
    for word, name in (("in ", place.function), ("module ", place.module), ("layer ", place.layer)):
        if name:
            where += (" " if where else "") + word + name
    return plain(where)


def percent(change: Change) -> str:
    """The difference as a share of the base, signed; empty where that has no meaning."""
    base, delta = change.base, change.delta
    if delta is None or isinstance(base, bool | str) or not base or change.unit is Unit.BOOLEAN:
        return ""
    share = delta / abs(base)
    if not math.isfinite(share):
        return ""
    if delta and abs(share) < 0.0005:
        return f"{'-' if delta < 0 else '+'}<0.1%"
    return f"{share * 100:+,.1f}%" if abs(share) < 10 else f"{share * 100:+,.0f}%"


def delta(change: Change, currency: str = "") -> str:
    """The difference in the metric's unit, signed; percentage points for ratios."""
    if change.delta is None:
        return ""
    if change.unit is Unit.RATIO:
        return f"{change.delta * 100:+.3g} pp"
    return quantity(change.delta, change.unit, signed=True, currency=currency)


def change_interval(change: Change, currency: str = "") -> str:
    """What bounds the difference, in its unit: `+12 MiB to +14.4 MiB`.

    Empty where nothing does, or both bounds read like the difference itself.
    """
    low, high = change.low, change.high
    if low is None or high is None:
        return ""
    ends = [delta(msgspec.structs.replace(change, delta=end), currency) for end in (low, high)]
    return "" if {*ends} == {delta(change, currency)} else " to ".join(ends)


def short(finding: Finding) -> str:
    """Why it is so, in a line that stands beside the rule's name and need not say it again."""
    text = plain(finding.reason or finding.message)
    return text.removeprefix(f"{plain(finding.metric)} is ")


def price_books(findings: Iterable[Finding], changes: Iterable[Change]) -> list[str]:
    """The price books that the amounts shown were computed from, in order of appearance."""
    amounts = [finding.money for finding in findings] + [change.money for change in changes]
    return list(dict.fromkeys(a.price_book for a in amounts if a is not None and a.price_book))


def heading(table: Table) -> str:
    """A table's title, with what all its amounts are in where that is said once."""
    ending = shared_money(table)
    return plain(table.title) + (f" (amounts in{ending})" if ending else "")


def shared_money(table: Table) -> str:
    """What all amounts of a table with several columns of money end in: ` USD/month`.

    Said once, above the table: amounts then are as narrow as other numbers. Empty where it differs.
    """
    places = [i for i, column in enumerate(table.columns) if column.unit in MONEY]
    if len(places) < 2:
        return ""
    ends = {
        f" {value.currency}{'/month' if table.columns[i].unit is Unit.MONEY_PER_MONTH else ''}"
        for row in table.rows
        for i in places
        if isinstance(value := row[i], Money)
    }
    return ends.pop() if len(ends) == 1 else ""


def currency(report: Report) -> str:
    """The one currency of all the amounts in a report; empty where there is none or several.

    Facts and changes that are money are plain numbers in the currency of the price book.
    """
    amounts: list[Cell] = [finding.money for finding in report.findings]
    amounts += [change.money for change in report.changes]
    for table in report.tables.values():
        places = [i for i, column in enumerate(table.columns) if column.unit in MONEY]
        if places:  # rows may be many, and are made when they are looked at
            amounts += [row[i] for row in table.rows for i in places]
    found = {amount.currency for amount in amounts if isinstance(amount, Money)}
    return found.pop() if len(found) == 1 else ""


def resample(values: Sequence[float | None], width: int) -> list[float | None]:
    """At most `width` values, each the largest of its stretch: a reader looks for peaks."""
    if len(values) <= width:
        return [_finite(value) for value in values]
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    return [
        max((v for v in map(_finite, values[a:b]) if v is not None), default=None)
        for a, b in pairwise(edges)
    ]


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The series as `width` bars from its least to its greatest value; a gap is a blank.

    A series of few values is stretched: the bars of all series of a report are the same time apart.
    """
    points = resample(values, width)
    points = [points[i * len(points) // width] for i in range(width)] if points else []
    known = [point for point in points if point is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = high - low
    return "".join(
        " " if p is None else BARS[int((p - low) / span * (len(BARS) - 1) + 0.5) if span else 0]
        for p in points
    )


def extremes(values: Sequence[float | None]) -> tuple[float, float, float] | None:
    """The least, the greatest and the last value; None when every one is a gap."""
    known = [value for value in map(_finite, values) if value is not None]
    return (min(known), max(known), known[-1]) if known else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
