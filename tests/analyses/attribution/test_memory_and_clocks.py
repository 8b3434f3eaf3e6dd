"""Memory by who holds it, and recordings on one clock."""

from __future__ import annotations

import numpy as np

from gocost.analyses.attribution.clocks import Span, doubts, overlaps
from gocost.analyses.attribution.memory import (
    FREE,
    METADATA,
    NOT_RESIDENT,
    Resident,
    hold,
)
from gocost.analyses.attribution.processor import UNATTRIBUTED

SECOND = 10**9


def test_live_bytes_are_scaled_to_the_collectors_and_headroom_follows_them() -> None:
    resident = Resident(total=200, live=80, heap=120, stacks=10, metadata=20, free=5)
    found = hold(np.array([30, 10]), np.array([1, 4]), resident)
    assert found.live.tolist() == [60, 20]
    assert found.headroom.tolist() == [30, 10]
    assert found.stacks.tolist() == [2, 8]
    assert found.others == {METADATA: 20, FREE: 5, UNATTRIBUTED: 45}
    assert found.total == 200


def test_what_is_mapped_and_not_resident_is_said() -> None:
    found = hold(np.array([50]), np.array([0]), Resident(total=40, heap=60, free=10))
    assert found.others == {FREE: 10, NOT_RESIDENT: -30}
    assert found.total == 40


def test_without_figures_of_the_process_the_profile_is_the_whole() -> None:
    found = hold(np.array([50, 7]), np.array([0, 0]), Resident())
    assert (found.total, found.others) == (57, {})


def test_recordings_of_other_times_and_unknown_ones_are_said() -> None:
    cpu = Span("the CPU profile", 10 * SECOND, 40 * SECOND)
    within = Span("the trace", 20 * SECOND, 25 * SECOND)
    half = Span("the heap profiles", 30 * SECOND, 50 * SECOND)
    later = Span("the dump", 100 * SECOND, 100 * SECOND)
    unknown = Span("the old trace", None, None)
    found = overlaps(cpu, [within, half, later, unknown])
    assert [each.share for each in found] == [1.0, 0.5, 0.0, None]
    assert [each.offset_ns for each in found[:3]] == [10 * SECOND, 20 * SECOND, 90 * SECOND]
    told = doubts(cpu, found)
    assert told[0] == "50% of the heap profiles lies within the CPU profile"
    assert told[1].startswith("the dump began 90 s after the CPU profile and does not overlap it")
    assert told[2].startswith("when the old trace was recorded is not known")
    assert len(told) == 3


def test_a_moment_within_the_error_bound_is_within() -> None:
    cpu = Span("the CPU profile", 10 * SECOND, 40 * SECOND)
    moment = Span("the heap profile", 41 * SECOND, 41 * SECOND, error_ns=2 * SECOND)
    assert overlaps(cpu, [moment])[0].share == 1.0
