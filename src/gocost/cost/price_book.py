"""Prices with their source and date: the file that comes with gocost, or one that a policy names.

A price book is YAML: `name`, `currency`, and `prices`, each with `amount` (as text), `per` (the
unit it is for), `source` and `date`. A book of one's own needs `cpu` and `memory` at least; the
prices it leaves out have no price, they are not taken from somewhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from gocost.model.catalogue import nearest
from gocost.model.errors import SourceError, UsageError
from gocost.sources.files import read_bounded

MAX_BYTES: Final = 1 << 18

UNITS: Final = {
    "cpu": "vCPU-hour",
    "memory": "GiB-hour",
    "storage": "GiB-hour",
    "registry": "GB-month",
    "transfer.zone": "GiB",
    "transfer.region": "GiB",
    "transfer.internet": "GiB",
    "lambda.x86": "GB-second",
    "lambda.arm": "GB-second",
    "lambda.requests": "million-requests",
}
"""The prices gocost knows, and what each is for. Other units would be conversions of ours."""

REQUIRED: Final = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of something costs."""

    amount: Decimal
    per: str
    source: str
    date: date

    def shown(self, currency: str) -> str:
        """`0.031611 USD/vCPU-hour`."""
        return f"{self.amount:f} {currency}/{self.per}"


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by name, in one currency."""

    name: str
    currency: str
    prices: Mapping[str, Price]

    def price(self, name: str) -> Price | None:
        """The price of that name, or None where this book has none."""
        return self.prices.get(name)


def default_path() -> Path:
    """The book that comes with gocost, as a file that a reader can open."""
    return Path(__file__).with_name("prices") / "default.yaml"


def load_prices(path: Path | None = None) -> PriceBook:
    """The price book of that file, or the default one. Raises UsageError naming file and key."""
    path = path or default_path()
    try:
        data = read_bounded(path, MAX_BYTES)
    except SourceError as error:
        raise UsageError(f"the price book: {error.message}", hint=error.hint) from error
    return parse_prices(data, str(path))


def parse_prices(data: bytes, name: str) -> PriceBook:
    """A price book's text. Pure. Raises UsageError."""
    import yaml

    try:
        document = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = f"{name}:{line + 1}" if line is not None else name
        raise UsageError(f"{place} is not YAML", hint="check indentation and quotes") from error
    book = _mapping(document, name, ("name", "currency", "prices"))
    currency = book.get("currency")
    if not isinstance(currency, str) or not re.fullmatch("[A-Z]{3}", currency):
        raise UsageError(f"{name}: currency is three letters", hint="write currency: USD")
    prices = _mapping(book.get("prices"), f"{name}: prices", tuple(UNITS))
    found = {key: _price(value, key, f"{name}: prices.{key}") for key, value in prices.items()}
    for key in REQUIRED:
        if key not in found:
            raise UsageError(f"{name} has no price of {key}", hint=f"add prices.{key}")
    title = book.get("name")
    if not isinstance(title, str) or not title.strip():
        raise UsageError(f"{name} has no name", hint="add `name:`, it is printed with each figure")
    return PriceBook(title.strip(), currency, found)


def _price(value: object, key: str, place: str) -> Price:
    entry = _mapping(value, place, ("amount", "per", "source", "date"))
    for field in ("amount", "per", "source", "date"):
        if field not in entry:
            raise UsageError(f"{place} has no {field}", hint="a price has a source and a date")
    try:
        amount = Decimal(str(entry["amount"]))
    except InvalidOperation as error:
        raise UsageError(
            f"{place}.amount is no number: {entry['amount']!r}", hint='write amount: "0.10"'
        ) from error
    if not amount.is_finite() or amount < 0 or abs(amount.adjusted()) > 15:
        raise UsageError(f"{place}.amount is no price: {amount}", hint='write amount: "0.10"')
    if entry["per"] != UNITS[key]:
        raise UsageError(
            f"{place}.per is {entry['per']!r}, and {key} is priced per {UNITS[key]}",
            hint=f"convert the amount and write per: {UNITS[key]}",
        )
    day = entry["date"]
    if not isinstance(day, date):
        raise UsageError(f"{place}.date is no day: {day!r}", hint="write it like 2026-11-23")
    return Price(amount, str(entry["per"]), str(entry["source"]), day)


def _mapping(value: object, place: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{place} has keys and values", hint="see `prices: default` for the form")
    for key in value:
        if key not in known:
            near = nearest(str(key), known)
            hint = f"did you mean {near!r}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"{place} has no key {key!r}", hint=hint)
    return value
