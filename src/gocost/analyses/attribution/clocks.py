"""Recordings on one clock: when each began and ended, how far that may be off, what overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gocost.model.quantity import Unit, format_quantity


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a recording is of, in nanoseconds since 1970. None is unknown."""

    what: str
    """`CPU profile cpu.pb.gz`."""
    start_ns: int | None
    end_ns: int | None
    error_ns: int = 0
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
        near = first - last <= span.error_ns + reference.error_ns
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
