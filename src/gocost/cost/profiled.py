"""A profile's values as money a month, where what they count has a price.

CPU time over its window is cores, and live bytes are memory that is held: both are priced as in a
bill (`attributed`). Waiting, counts and all that was ever allocated have no price of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gocost.cost.attributed import assumptions, cpu_rate, formula, memory_rate, money_of
from gocost.cost.price_book import PriceBook
from gocost.model.quantity import Money, Unit, format_money, format_quantity
from gocost.model.service import Deployment

CPU: Final = "cpu"
LIVE: Final = "inuse_space"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a profile's values are of."""

    type: str
    """The sample type's name."""
    total: int
    size: float | None
    """Nanoseconds, or bytes, that one of the values is; None where it is neither."""
    seconds: float | None
    """The window that they were spent in, where it is known."""
    profiles: int = 1
    """How many were added up to it."""
    unpriced: str = ""
    """Why they have no price whatever they count: they are means, scaled, of unlike windows."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one of a profile's values costs a month."""

    rate: Decimal
    book: PriceBook
    assumptions: tuple[str, ...]
    """The prices with source and date, the formula, and what was assumed."""

    def of(self, amounts: Sequence[int]) -> list[Money]:
        """What each of these costs a month."""
        return money_of(amounts, self.rate, self.book)

    def shown(self, amount: int, *, signed: bool = False) -> str:
        """What it costs, in words: `12.40 USD/month`."""
        money = self.of([amount])[0]
        text = format_money(money, signed=signed) if money.amount else f"0 {money.currency}"
        return f"{text}/month"


def tariff(measured: Measured, book: PriceBook, deployment: Deployment | None) -> Tariff | str:
    """What a value costs, or in one line why there is no price for it."""
    if measured.unpriced:
        return measured.unpriced
    where, size = deployment or Deployment(), measured.size
    if measured.type == CPU and size:
        if not measured.seconds:
            return "CPU time has a price where its window is known: the profile does not say it"
        spent = Decimal(str(size)) * measured.total / (Decimal(str(measured.seconds)) * 10**9)
        said = formula(f"{format_quantity(spent, Unit.CORES)} cores", where, book, "cpu")
        told = assumptions(book, deployment, [said], ("cpu",))
        told += _several(measured, "windows are added up, too")
        rate = cpu_rate(measured.seconds, book, deployment) * Decimal(str(size))
        return Tariff(rate, book, tuple(told))
    if measured.type == LIVE and size:
        if measured.seconds:  # net/http/pprof gives the difference of two then
            return (
                f"live bytes of {measured.seconds:.3g} s are what came and went meanwhile, and "
                "have no price: record the heap without --seconds"
            )
        size /= measured.profiles
        held = round(measured.total * size)
        said = formula(format_quantity(held, Unit.BYTES), where, book, "memory")
        told = assumptions(book, deployment, [said], ("memory",))
        told += _several(measured, "live bytes are divided by their number")
        told.append("live bytes alone: what the heap holds besides, headroom and stacks, is in "
                    "the bill of `gocost attribute`")  # fmt: skip
        return Tariff(memory_rate(book, deployment) * Decimal(str(size)), book, tuple(told))
    return f"there is no price for {measured.type}: {CPU} and {LIVE} (--sample-index) have one"


def _several(measured: Measured, how: str) -> list[str]:
    many = measured.profiles
    return [f"{many} profiles are taken to be of one instance each: {how}"] if many > 1 else []
