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
from typing import Final

from gocost.formats.yaml_document import Node, compose, text_of
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
    """A price book's text. Pure. Raises PolicyError with the place."""
    root = compose(text_of(data, name), name)
    book = _mapping(root, "the price book", ("name", "currency", "prices"))
    currency = _text(book, "currency", root)
    if not re.fullmatch("[A-Z]{3}", currency):
        raise book["currency"].place.error(
            f"currency is three letters, and here is {currency!r}", hint="write currency: USD"
        )
    title = _text(book, "name", root)
    if "prices" not in book:
        raise root.place.error("the price book has no 'prices'", hint="add `prices:`")
    prices = _mapping(book["prices"], "prices", tuple(UNITS))
    for key in REQUIRED:
        if key not in prices:
            raise book["prices"].place.error(f"there is no price of {key}", hint=f"add `{key}:`")
    found = {key: _price(node, key) for key, node in prices.items()}
    return PriceBook(title.strip(), currency, found)


def _price(node: Node, key: str) -> Price:
    entry = _mapping(node, key, ("amount", "per", "source", "date"))
    text, per, source, day = (
        _text(entry, field, node) for field in ("amount", "per", "source", "date")
    )
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise entry["amount"].place.error(
            f"amount is no number: {text!r}", hint='write amount: "0.10"'
        ) from error
    if not amount.is_finite() or amount < 0 or abs(amount.adjusted()) > 15:
        raise entry["amount"].place.error(
            f"amount is no price: {text!r}", hint='write amount: "0.10"'
        )
    if per != UNITS[key]:
        raise entry["per"].place.error(
            f"{key} is priced per {UNITS[key]}, and here is {per!r}",
            hint=f"convert the amount and write per: {UNITS[key]}",
        )
    try:
        taken = date.fromisoformat(day)
    except ValueError as error:
        raise entry["date"].place.error(
            f"date is no day: {day!r}", hint="write it like 2026-11-23"
        ) from error
    return Price(amount, per, source, taken)


def _mapping(node: Node, name: str, known: tuple[str, ...]) -> dict[str, Node]:
    if node.kind != "map":
        raise node.place.error(
            f"{name} has keys and values", hint="see the book that comes with gocost"
        )
    found: dict[str, Node] = {}
    for key, value in node.entries:
        if key.text not in known:
            near = nearest(key.text, known)
            hint = f"did you mean {near!r}?" if near else f"known: {', '.join(known)}"
            raise key.place.error(f"{name} has no key {key.text!r}", hint=hint)
        if key.text in found:
            raise key.place.error(f"{key.text!r} stands twice in {name}", hint="keep one")
        found[key.text] = value
    return found


def _text(entry: Mapping[str, Node], field: str, around: Node) -> str:
    node = entry.get(field)
    if node is None:
        raise around.place.error(f"there is no {field!r} here", hint=f"add `{field}:`")
    if node.kind != "text" or node.null or len(node.text) > 500:
        raise node.place.error(f"{field} is one text", hint=f"write `{field}: VALUE`")
    return node.text
