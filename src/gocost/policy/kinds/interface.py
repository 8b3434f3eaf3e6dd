"""What a kind of limit is: its key in the policy, how it is read, how it judges, what it says.

One file a kind and one line in the registry. The schema, the reader and the evaluation walk the
registry and know no kind by its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from gocost.formats.yaml_document import Place
from gocost.model.fact import Fact, Value
from gocost.model.finding import Limit
from gocost.model.metric import Metric
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Change
from gocost.policy.places import Path, Places

Written = str | tuple[str, ...]
"""As it stands in the policy: one value, or the words of a list."""


class Form(Enum):
    """How a limit is written."""

    VALUE = "value"
    """One value, kept as text until its metric's unit is known."""
    WORDS = "words"
    """A list of words."""


class Bound(Enum):
    """Which way `gocost policy tighten` moves a limit towards what was measured."""

    UPPER = "upper"
    LOWER = "lower"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a limit stands in its file, for errors."""

    places: Places
    path: Path

    @property
    def place(self) -> Place:
        """Of the limit."""
        return self.places.of(*self.path)

    def item(self, at: int) -> Place:
        """Of one word of a list."""
        return self.places.of(*self.path, at)


@dataclass(frozen=True, slots=True)
class Show:
    """Values in the words of a finding."""

    currency: str = ""
    """Of the price book, for metrics that are money."""

    def __call__(self, value: Value, unit: Unit, *, signed: bool = False) -> str:
        """`12 MiB`; a difference of ratios in points."""
        if signed and unit is Unit.RATIO and isinstance(value, int | float):
            # `237% by +207%` reads as if it were a share of the base.
            return f"{value * 100:+.3g} points"
        text = format_quantity(value, unit, signed=signed)
        if unit not in (Unit.MONEY, Unit.MONEY_PER_MONTH):
            return text
        amount, slash, per = text.partition("/")
        return f"{amount} {self.currency}{slash}{per}"


@dataclass(frozen=True, slots=True)
class Case:
    """One fact that is held to one limit."""

    metric: Metric
    limit: Limit
    fact: Fact
    show: Show = Show()
    base: Fact | None = None
    """The base's fact, where the kind needs one."""
    base_name: str = ""
    """What people call the base."""
    change: Change | None = None
    """From fact to fact, with its interval, where base and head ran in turn."""

    @property
    def name(self) -> str:
        """`bench.time of Sign, example.com/pay`."""
        return named(self.fact)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a limit says of a case."""

    kept: bool
    says: str
    """One line: what was found, against which limit."""
    amount: float | None = None
    """In the metric's unit: what the money of the finding is the price of."""
    nearness: float = 0.0
    """Among kept cases of one limit the greatest is the one to be shown."""


class Kind(ABC):
    """One kind of limit. Everything but `judge` is known before anything is built."""

    key: ClassVar[str]
    """Its word in a rule, and `Limit.kind`."""
    description: ClassVar[str]
    """Of the key, for editors."""
    form: ClassVar[Form] = Form.VALUE
    json_types: ClassVar[tuple[str, ...]] = ("string", "number")
    """What editors take for the value."""
    alone: ClassVar[bool] = False
    """It says all there is to say: no other limit can stand beside it."""
    needs_base: ClassVar[bool] = False
    """It judges a difference: its cases have a base."""
    absent_keeps: ClassVar[bool] = False
    """A part of a binary that is not there at all keeps it."""
    bound: ClassVar[Bound] = Bound.NONE

    @abstractmethod
    def suits(self, metric: Metric) -> bool:
        """Whether a metric of this unit can be limited so."""

    @abstractmethod
    def example(self, metric: Metric) -> str:
        """The limit as it could be written: `max: 20 MiB`."""

    @abstractmethod
    def read(self, written: Written, metric: Metric, spot: Spot) -> Limit:
        """The limit that was written, in the metric's unit. Raises PolicyError at its place."""

    @abstractmethod
    def tighter(self, new: Limit, old: Limit) -> bool:
        """Whether everything that keeps `new` keeps `old`: whether it may replace a locked one."""

    @abstractmethod
    def judge(self, case: Case) -> Ruling:
        """Whether the case keeps the limit, and what to say of it."""

    def contradiction(self, limit: Limit, others: Mapping[str, Limit]) -> tuple[str, str] | None:
        """What cannot be meant beside the rule's other limits, and what to do; None where it can.

        `others` are by key.
        """
        del limit, others
        return None


def named(fact: Fact) -> str:
    """The metric and its labels as words: `binary.module.size of example.com/heavy`."""
    return fact.metric + (f" of {', '.join(fact.labels.values())}" if fact.labels else "")
