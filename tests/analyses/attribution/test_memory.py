"""Memory by who holds it."""

from __future__ import annotations

import numpy as np
import pytest

from gocost.analyses.attribution.memory import (
    FREE,
    HEADROOM,
    METADATA,
    NOT_RESIDENT,
    STACKS,
    Resident,
    hold,
)
from gocost.analyses.attribution.processor import UNATTRIBUTED


def test_live_bytes_are_scaled_to_the_collectors_and_headroom_follows_them() -> None:
    resident = Resident(total=200, live=80, heap=120, stacks=10, metadata=20, free=5)
    found = hold(np.array([30, 10]), np.array([1, 4]), resident)
    assert found.live.tolist() == [60, 20]
    assert found.headroom.tolist() == [30, 10]
    assert found.stacks.tolist() == [2, 8]
    assert found.others == {METADATA: 20, FREE: 5, UNATTRIBUTED: 45}
    assert found.total == 200


def test_threads_stacks_are_no_goroutines() -> None:
    resident = Resident(total=100, live=40, stacks=20, thread_stacks=8)
    found = hold(np.array([1]), np.array([3]), resident)
    assert found.stacks.tolist() == [20]
    assert found.others == {STACKS: 8, UNATTRIBUTED: 32}


def test_what_is_mapped_and_not_resident_is_said() -> None:
    found = hold(np.array([50]), np.array([0]), Resident(total=40, heap=60, free=10))
    assert found.others == {FREE: 10, NOT_RESIDENT: -30}
    assert found.total == 40


def test_without_figures_of_the_process_the_profile_is_the_whole() -> None:
    found = hold(np.array([50, 7]), np.array([0, 0]), Resident())
    assert (found.total, found.others) == (57, {})


@pytest.mark.parametrize(("live", "scale"), [(None, 1), (400, 4)])
def test_objects_of_nobody_are_a_row_and_no_share_of_anybody(live: int | None, scale: int) -> None:
    heap = 300 * scale
    found = hold(np.array([60, 20]), np.array([0, 0]), Resident(live=live, heap=heap), nobodys=20)

    assert found.live.tolist() == [60 * scale, 20 * scale]
    assert found.headroom.tolist() == [120 * scale, 40 * scale]
    assert found.others == {UNATTRIBUTED: 20 * scale, HEADROOM: 40 * scale}
    assert found.total == heap
