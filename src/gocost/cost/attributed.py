"""A bill's accounts as money: what each row costs in a month, by use, at list price.

The instance that was recorded stands for all replicas, and the load while it was recorded for the
month's. Where a deployment requests more than is used, the rest is the row `idle`, so that the
whole is what a cluster bills: the larger of request and use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from gocost.cost.price_book import PriceBook
from gocost.cost.pricing import GIB, HOURS, MILLION, grained
from gocost.model.fact import Fact
from gocost.model.quantity import HOURS_PER_MONTH, Money, Unit, format_money, format_quantity
from gocost.model.report import Cell, Column, SumsTo, Table
from gocost.model.service import Deployment
from gocost.model.subject import Subject

IDLE: Final = "idle"
MONTH: Final = "cost.month"
PER_MILLION: Final = "cost.per_million_requests"


@dataclass(frozen=True, slots=True)
class Use:
    """What rows use. The rows of both accounts are put together by name."""

    cpu_ns: Mapping[str, int] = field(default_factory=dict)
    """CPU nanoseconds in the window, by row."""
    collector_ns: Mapping[str, int] = field(default_factory=dict)
    """Of them, the collector's."""
    even_ns: Mapping[str, int] = field(default_factory=dict)
    """The collector's where half goes by what is live: the other assumption."""
    seconds: float | None = None
    """The window."""
    memory: Mapping[str, int] = field(default_factory=dict)
    """Bytes by row."""


@dataclass(frozen=True, slots=True)
class Priced:
    """The bill in money."""

    table: Table | None
    facts: tuple[Fact, ...] = ()
    assumptions: tuple[str, ...] = ()


@dataclass(slots=True)
class _Line:
    cpu: Decimal = Decimal(0)
    collector: Decimal = Decimal(0)
    even: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)

    @property
    def whole(self) -> Decimal:
        return self.cpu + self.memory

    @property
    def some(self) -> bool:
        return bool(self.whole or self.collector or self.even)


def priced(
    use: Use, named: Column, book: PriceBook, deployment: Deployment | None, subject: Subject
) -> Priced:
    """The rows in money, the most expensive first; they add up to `cost.month`.

    `named` is the column that names rows. Without a deployment it is one instance's. Nothing is
    priced where neither CPU in a window nor memory is known.
    """
    where = deployment or Deployment()
    lines: dict[str, _Line] = {}
    of_cores = _core_rate(book, where)
    of_bytes = memory_rate(book, where)
    formulas: list[str] = []
    if use.seconds and use.cpu_ns:
        window = Decimal(str(use.seconds)) * 10**9
        rate = of_cores / window
        cores = Decimal(sum(use.cpu_ns.values())) / window
        formulas.append(formula(f"{format_quantity(cores, Unit.CORES)} cores", where, book, "cpu"))
        used = [(name, amount * rate) for name, amount in use.cpu_ns.items()]
        if where.cpu is not None:
            idle = max(Decimal(0), Decimal(str(where.cpu)) - cores)
            used.append((IDLE, idle * of_cores))
        for name, money in shared_out(used):
            lines.setdefault(name, _Line()).cpu += money
        for name, money in shared_out((n, a * rate) for n, a in use.collector_ns.items()):
            lines.setdefault(name, _Line()).collector = money
        for name, money in shared_out((n, a * rate) for n, a in use.even_ns.items()):
            lines.setdefault(name, _Line()).even = money
    if use.memory:
        held = sum(use.memory.values())
        formulas.append(formula(format_quantity(held, Unit.BYTES), where, book, "memory"))
        kept = [(name, size * of_bytes) for name, size in use.memory.items()]
        if where.memory is not None:
            idle = max(Decimal(0), Decimal(str(where.memory)) - held)
            kept.append((IDLE, idle * of_bytes))
        for name, money in shared_out(kept):
            lines.setdefault(name, _Line()).memory += money
    if not lines:
        return Priced(None)
    total = sum((line.whole for line in lines.values()), Decimal(0))
    requests = where.requests_per_month
    each = total * MILLION / Decimal(str(requests)) if requests else None
    facts = [_fact(MONTH, total, Unit.MONEY_PER_MONTH, book, subject)]
    if each is not None:
        facts.append(_fact(PER_MILLION, each, Unit.MONEY, book, subject))
    return Priced(
        _table(named, lines, book, total, each, requests),
        tuple(facts),
        tuple(assumptions(book, deployment, formulas)),
    )


def cpu_money(
    amounts: Sequence[int], seconds: float, book: PriceBook, deployment: Deployment | None
) -> list[Money]:
    """What CPU nanoseconds in a window of `seconds` cost a month, each."""
    return money_of(amounts, cpu_rate(seconds, book, deployment), book)


def cpu_rate(seconds: float, book: PriceBook, deployment: Deployment | None) -> Decimal:
    """What a nanosecond of CPU in a window of `seconds` costs a month, of all replicas."""
    return _core_rate(book, deployment or Deployment()) / (Decimal(str(seconds)) * 10**9)


def memory_rate(book: PriceBook, deployment: Deployment | None) -> Decimal:
    """What a byte that is held costs a month, in all replicas."""
    replicas = Decimal((deployment or Deployment()).replicas)
    return book.prices["memory"].amount * HOURS * replicas / GIB


def money_of(amounts: Sequence[int], rate: Decimal, book: PriceBook) -> list[Money]:
    """What amounts cost at a rate, each."""
    return [Money(grained(amount * rate), book.currency, book.name) for amount in amounts]


def shared_out(amounts: Iterable[tuple[str, Decimal]]) -> Iterator[tuple[str, Decimal]]:
    """Amounts of money to the grain, so that they add up to their sum to the grain: what is cut off
    one is given to those after it.
    """
    exact = told = Decimal(0)
    for name, amount in amounts:
        exact += amount
        reached = grained(exact)
        yield name, reached - told
        told = reached


def _core_rate(book: PriceBook, where: Deployment) -> Decimal:
    return book.prices["cpu"].amount * HOURS * Decimal(where.replicas)


def _table(
    named: Column,
    lines: Mapping[str, _Line],
    book: PriceBook,
    total: Decimal,
    each: Decimal | None,
    requests: float | None,
) -> Table:
    def money(amount: Decimal) -> Money:
        return Money(grained(amount), book.currency, book.name)

    ordered = sorted(lines.items(), key=lambda item: (-item[1].whole, item[0]))
    # Each to the grain and their sum as well: rows rounded for themselves would miss it.
    per_month = Decimal(str(requests)) if requests else Decimal(1)
    millions = dict(shared_out((n, line.whole * MILLION / per_month) for n, line in ordered))

    def row(name: str, line: _Line) -> list[Cell]:
        share = float(line.whole / total) if total else None
        amounts = (line.cpu, line.collector, line.even, line.memory)
        cells: list[Cell] = [name, money(line.whole), share, *map(money, amounts)]
        return [*cells, money(millions[name])] if requests else cells

    month = Unit.MONEY_PER_MONTH
    title = f"{format_money(money(total))} a month by {named.name}"
    if each is not None:
        title += f", {format_money(money(each))} per million requests"
    return Table(
        title=title,
        columns=(
            named,
            Column("month", month, "CPU and memory of all replicas for a month", additive=True),
            Column("share", Unit.RATIO, "of the whole", additive=True),
            Column("cpu", month, "CPU, the collector's work included", additive=True),
            Column("gc", month, "of cpu: the collector's work that it causes", additive=True),
            Column("gc_even", month, "the same, half by what is live and half by what is allocated",
                   additive=True),
            Column("memory", month, "memory that it holds, headroom included", additive=True),
            *((Column("million", Unit.MONEY, "per million requests", additive=True),)
              if requests else ()),
        ),
        rows=[row(name, line) for name, line in ordered if line.some],
        sums_to=SumsTo("month", MONTH),
    )  # fmt: skip


def formula(amount: str, where: Deployment, book: PriceBook, name: str) -> str:
    """How an amount became money: `0.5 cores x 12 x 730 h x 0.031611 USD/vCPU-hour`."""
    price = book.prices[name].shown(book.currency)
    return f"{amount} x {where.replicas} x {HOURS_PER_MONTH} h x {price}"


def assumptions(
    book: PriceBook,
    deployment: Deployment | None,
    formulas: Sequence[str],
    names: Sequence[str] = ("cpu", "memory"),
) -> list[str]:
    """What a reader has to know of amounts: the prices of these names, and what was assumed."""
    prices = [book.prices[name] for name in names]
    sources = dict.fromkeys(f"{price.source}, {price.date}" for price in prices)
    said = [
        f"prices: {book.name}, list price ({'; '.join(sources)}): {'; '.join(formulas)}",
        "the load while it was recorded is taken to be the month's",
    ]
    if deployment is None:
        said.append("one instance: no policy says how many replicas there are (--policy)")
    elif deployment.replicas > 1:
        said.append("each replica is taken to use as much as the one that was recorded")
    return said


def _fact(metric: str, amount: Decimal, unit: Unit, book: PriceBook, subject: Subject) -> Fact:
    origin = f"price book {book.name}, {book.currency}"
    return Fact(metric, float(amount), unit, subject, origin=origin)
