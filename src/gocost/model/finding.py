"""The outcome of one rule on one subject."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gocost.model.fact import Fact
from gocost.model.quantity import Money
from gocost.model.subject import Subject


class Outcome(StrEnum):
    """Unknown is not pass: declared, tried, and not measurable. Skipped: nothing was declared."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    VIOLATED = "violated"
    WAIVED = "waived"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Severity(StrEnum):
    """How much a violated rule matters; only `error` blocks by default."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to look. A finding with no place in code points at its rule's line in the policy."""

    path: str = ""
    line: int = 0
    column: int = 0
    function: str = ""
    module: str = ""
    layer: str = ""


class Limit(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rule allows."""

    kind: str
    """Its key in the rule: max, min, one_of, is, growth."""
    value: int | float | str | bool | list[int | float | str] | None
    text: str = ""
    """As the policy's author wrote it: `12 MiB`, `5%`."""
    relative: bool = False
    """A growth limit as a share of the base instead of in the metric's unit."""


class Finding(msgspec.Struct, frozen=True):
    """One rule on one subject: pass, violated, waived, unknown or skipped, and why."""

    rule: str
    metric: str
    outcome: Outcome
    severity: Severity
    message: str
    """One line: what was found, against which limit."""
    subject: Subject = Subject()
    limit: Limit | None = None
    fact: Fact | None = None
    base: Fact | None = None
    """The base's fact, for a growth limit."""
    location: Location = Location()
    money: Money | None = None
    """What breaking (or keeping) the limit costs a month, where a price is known."""
    advice: str = ""
    reason: str = ""
    """Why it is unknown, skipped or waived (with owner and expiry)."""
