"""Recordings on one clock: when each began and ended, how far that may be off, what overlaps.

The clock is the service's: profiles and traces since Go 1.25 carry its time. What does not (dumps,
pages, older traces) is known by the recorder's clock, between its request and its answer. Whatever
carries the service's time and was asked for says where the two clocks stand to each other: a
recording that lasted from s to e by the service's clock, asked for at a and answered at b by the
recorder's, has e - b <= offset <= s - a. All recordings together bound it, with nothing assumed of
how long a request takes to arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Cell, Column, Table


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a recording is of, in nanoseconds since 1970. None is unknown."""

    what: str
    """`the CPU profile cpu.pb.gz`."""
    start_ns: int | None
    end_ns: int | None
    error_ns: int | None = None
    """How far both may be off."""
    how: str = ""
    """How the times are known."""

    @property
    def seconds(self) -> float | None:
        """Its length."""
        if self.start_ns is None or self.end_ns is None:
            return None
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Asked:
    """When something was asked for and answered, by the recorder's clock."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the service's clock is ahead of the recorder's: from `low` to `high`."""

    low: int
    high: int

    @property
    def middle(self) -> int:
        """The best guess."""
        return (self.low + self.high) // 2

    @property
    def error_ns(self) -> int:
        """How far that may be off."""
        return (self.high - self.low + 1) // 2


_FARTHEST: Final = 1 << 62
"""Nanoseconds."""

SAME: Final = Offset(0, 0)
"""One clock."""


def offset(pairs: Iterable[tuple[int, int, Asked]]) -> Offset | None:
    """Where the clocks stand, from (start, end, request) of what has the service's times.

    None where there is nothing of that kind. Where no offset fits all, a clock was set meanwhile:
    then the bounds are those that leave out no recording.
    """
    bounds = [(end - asked.end_ns, start - asked.start_ns) for start, end, asked in pairs]
    if not bounds:
        return None
    low, high = max(low for low, _ in bounds), min(high for _, high in bounds)
    return Offset(min(low, high), max(low, high))


def within(asked: Asked, length_ns: int, clocks: Offset) -> tuple[int, int]:
    """Start and error of what took `length_ns` between a request and its answer, by the service's
    clock.
    """
    slack = max(0, asked.end_ns - asked.start_ns - length_ns)
    return asked.start_ns + slack // 2 + clocks.middle, (slack + 1) // 2 + clocks.error_ns


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of one recording's time lies in another's."""

    span: Span
    offset_ns: int | None
    """Its start after the reference's start."""
    share: float | None
    """Of its own length that lies in the reference; None where a time is unknown."""


def overlaps(reference: Span, others: Sequence[Span]) -> list[Overlap]:
    """How each lies to the reference; a moment (a snapshot) is in it or not."""
    found = []
    for span in others:
        if None in (reference.start_ns, reference.end_ns, span.start_ns, span.end_ns):
            found.append(Overlap(span, None, None))
            continue
        assert reference.start_ns is not None
        assert reference.end_ns is not None
        assert span.start_ns is not None
        assert span.end_ns is not None
        first = max(reference.start_ns, span.start_ns)
        last = min(reference.end_ns, span.end_ns)
        length = span.end_ns - span.start_ns
        near = first - last <= (span.error_ns or 0) + (reference.error_ns or 0)
        share = max(0, last - first) / length if length else float(near)
        found.append(Overlap(span, span.start_ns - reference.start_ns, share))
    return found


def doubts(reference: Span, found: Sequence[Overlap]) -> list[str]:
    """What a reader should know: recordings of other times, and times that nobody knows."""
    told = []
    for each in found:
        name = each.span.what
        if each.share is None:
            told.append(
                f"when {name} was recorded is not known: it is taken to be of the same load"
            )
        elif each.share == 0:
            apart = format_quantity(abs(each.offset_ns or 0) / 1e9, Unit.SECONDS)
            side = "after" if (each.offset_ns or 0) > 0 else "before"
            told.append(
                f"{name} began {apart} {side} {reference.what} and does not overlap it: "
                "it is taken to be of the same load"
            )
        elif each.share < 0.9:
            told.append(f"{each.share:.0%} of {name} lies within {reference.what}")
    return told


def clock_table(spans: Sequence[Span]) -> Table:
    """All recordings on the clock of the first whose time is known, in their order."""
    known = [span for span in spans if span.start_ns is not None and span.end_ns is not None]
    reference = known[0] if known else Span("", None, None)
    rows: list[Sequence[Cell]] = [
        (
            each.span.what.removeprefix("the "),
            _believed(each.span.start_ns),
            _believed(each.offset_ns),
            _believed(_length(each.span)),
            _believed(each.span.error_ns),
            each.share,
            each.span.how,
        )
        for each in overlaps(reference, spans)
    ]
    what = reference.what.removeprefix("the ") or "first recording"
    return Table(
        title="What was recorded, on one clock",
        columns=(
            Column("recording", Unit.TEXT, "what it is"),
            Column("start", Unit.NANOSECONDS, "since 1970, by the service's clock"),
            Column("after", Unit.NANOSECONDS, f"its start, after that of the {what}"),
            Column("length", Unit.NANOSECONDS, "of its window; 0 for a moment"),
            Column("error", Unit.NANOSECONDS, "how far start and end may be off"),
            Column("within", Unit.RATIO, f"of its time lies in that of the {what}"),
            Column("known_by", Unit.TEXT, "how its time is known"),
        ),
        rows=rows,
    )


def _believed(nanoseconds: int | None) -> int | None:
    """A time that a file claims and that is centuries away is none."""
    known = nanoseconds is not None and abs(nanoseconds) < _FARTHEST
    return nanoseconds if known else None


def _length(span: Span) -> int | None:
    if span.start_ns is None or span.end_ns is None:
        return None
    return span.end_ns - span.start_ns
