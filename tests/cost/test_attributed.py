"""A bill in money: its rows add up to what the whole costs, to the last digit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gocost.cost.attributed import Use, priced, shared_out
from gocost.cost.price_book import load_prices
from gocost.model.quantity import Money, Unit
from gocost.model.report import Column, Table
from gocost.model.service import Deployment
from gocost.model.subject import Subject

BOOK = load_prices()
GRAIN = Decimal("1E-12")
ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2**50), min_size=1)


def bill(use: Use, deployment: Deployment | None = None) -> Table:
    found = priced(use, Column("function", Unit.TEXT), BOOK, deployment, Subject(service="pay"))
    assert found.table is not None
    (month, *_) = found.facts
    assert month.value == float(total(found.table, "month"))
    return found.table


def total(table: Table, column: str) -> Decimal:
    cells = table.column(column)
    return sum((cell.amount for cell in cells if isinstance(cell, Money)), Decimal(0))


@given(cpu=ROWS, memory=ROWS, replicas=st.integers(1, 1000))
def test_rows_add_up_to_what_the_whole_costs(
    cpu: dict[str, int], memory: dict[str, int], replicas: int
) -> None:
    where = Deployment(replicas=replicas, requests_per_month=7e6)
    table = bill(Use(cpu_ns=cpu, collector_ns=cpu, seconds=3.7, memory=memory), where)
    hours = Decimal(730) * replicas
    cores = Decimal(sum(cpu.values())) / Decimal("3.7e9")
    of_cpu = (cores * hours * BOOK.prices["cpu"].amount).quantize(GRAIN)
    gib = Decimal(sum(memory.values())) / 2**30
    of_memory = (gib * hours * BOOK.prices["memory"].amount).quantize(GRAIN)
    assert total(table, "cpu") == of_cpu
    assert total(table, "gc") == of_cpu
    assert total(table, "memory") == of_memory
    assert total(table, "month") == of_cpu + of_memory
    assert total(table, "million") == ((of_cpu + of_memory) / 7).quantize(GRAIN)


def test_what_is_idle_is_of_the_sum() -> None:
    use = Use(cpu_ns={"a": 1, "b": 1, "c": 1}, seconds=3, memory={"a": 1, "b": 1})
    table = bill(use, Deployment(cpu=2, memory=3))
    assert total(table, "cpu") == (2 * 730 * BOOK.prices["cpu"].amount).quantize(GRAIN)
    held = Decimal(3 * 730) / 2**30 * BOOK.prices["memory"].amount
    assert total(table, "memory") == held.quantize(GRAIN)


@given(st.lists(st.decimals(0, 1000, places=14), max_size=9))
def test_no_share_is_off_by_more_than_the_grain(amounts: list[Decimal]) -> None:
    shares = [share for _, share in shared_out(("", amount) for amount in amounts)]
    assert sum(shares, Decimal(0)) == sum(amounts, Decimal(0)).quantize(GRAIN)
    assert all(abs(a - b) <= GRAIN for a, b in zip(shares, amounts, strict=True))


def test_nothing_is_written_as_zero() -> None:
    table = bill(Use(cpu_ns={"a": 10**9, "b": 0}, seconds=1, memory={"b": 5 * 2**30}))
    written = {str(cell.amount) for cell in table.column("gc") if isinstance(cell, Money)}
    assert written == {"0"}
