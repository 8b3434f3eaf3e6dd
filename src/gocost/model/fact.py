"""One measured value."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gocost.model.quantity import Unit
from gocost.model.subject import Subject

Value = int | float | str | bool


class Fact(msgspec.Struct, frozen=True):
    """A value of a metric of the catalogue, of one subject, and where it came from."""

    metric: str
    """An id of the catalogue: `binary.size`, `gc.pause.p99`."""
    value: Value
    """In the base of `unit`; text for enumerations, true or false for yes/no metrics."""
    unit: Unit
    subject: Subject = Subject()
    labels: dict[str, str] = {}
    """What the metric is split by: `{"module": "std"}`."""
    origin: str = ""
    """What measured it, with which settings, in words a person can check."""
    at: datetime | None = None
    """UTC; None where time does not matter (exact facts), so that output is stable."""
    n: int | None = None
    """How many samples a sampled value rests on."""
    low: float | None = None
    high: float | None = None
    """The interval of a sampled value."""
