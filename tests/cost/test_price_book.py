"""Price books: the default one, and one's own with every way to get it wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gocost.cost.price_book import UNITS, default_path, load_prices, parse_prices
from gocost.model.errors import PolicyError, UsageError

OWN = """\
name: ours
currency: EUR
prices:
  cpu: {amount: "0.02", per: vCPU-hour, source: contract, date: 2026-01-31}
  memory: {amount: "0.003", per: GiB-hour, source: contract, date: 2026-01-31}
"""


def test_the_default_book_has_every_price_with_source_and_date() -> None:
    book = load_prices()
    assert set(book.prices) == set(UNITS)
    assert book.currency == "USD"
    for price in book.prices.values():
        assert price.source
        assert price.date > date(2025, 1, 1)
    cpu = book.price("cpu")
    assert cpu is not None
    assert cpu.amount == Decimal("0.031611")
    assert default_path().read_text().count("#") >= 4


def test_one_s_own_book_has_no_prices_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(OWN)
    book = load_prices(path)
    assert (book.name, book.currency) == ("ours", "EUR")
    assert book.price("registry") is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("currency: EUR", "currency: euro", "three letters"),
        ("name: ours", "nam: ours", "did you mean 'name'"),
        ("name: ours\n", "", "no 'name'"),
        ("  cpu:", "  cpus:", "did you mean 'cpu'"),
        ("per: vCPU-hour", "per: vCPU-month", "priced per vCPU-hour"),
        ('"0.02"', "cheap", "no number"),
        ('"0.02"', '"-1"', "no price"),
        ('"0.02"', '"NaN"', "no price"),
        ('"0.02"', '"1e900"', "no price"),
        ("date: 2026-01-31}\n  mem", "date: soon}\n  mem", "no day"),
        ("source: contract, ", "", "no 'source'"),
        ("  memory:", "  storage:", "no price of memory"),
        ("prices:\n", "prices: [\n", "not YAML"),
    ],
)
def test_a_wrong_book_names_file_and_key(old: str, new: str, says: str) -> None:
    assert old in OWN
    with pytest.raises(UsageError, match=says) as caught:
        parse_prices(OWN.replace(old, new, 1).encode(), "prices.yaml")
    assert "prices.yaml" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\xff", b"3", b"[" * 50_000, b"a: *b", b"\x00"])
def test_hostile_text_is_a_usage_error(data: bytes) -> None:
    with pytest.raises(UsageError):
        parse_prices(data, "prices.yaml")


def test_a_book_in_another_encoding_is_refused_with_what_to_do() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_prices("name: Größe\n".encode("latin-1"), "prices.yaml")
    assert str(caught.value) == "prices.yaml: byte 8 is not UTF-8; save the file as UTF-8"
