"""Heap samples are scaled up as pprof scales them, to the last byte."""

from __future__ import annotations

import math
import platform
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.formats.pprof.legacy.unsampling import _fused, exponential, unsampled
from tests.fixtures.profiles import pprof_reads, we_read

NUMBERS = st.floats(-1e60, 1e60).filter(lambda x: x == 0 or abs(x) > 1e-60)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_fused_multiplication_is_rounded_once(a: float, b: float, c: float) -> None:
    found = _fused(np.array([a]), np.array([b]), np.array([c]))[0]
    assert found == float(Fraction(a) * Fraction(b) + Fraction(c))


@given(st.floats(-800, 720))
def test_the_exponential_is_right_but_for_its_last_bits(x: float) -> None:
    found = float(exponential(np.array([x]))[0])
    try:
        wanted = math.exp(x)
    except OverflowError:
        wanted = math.inf
    assert found == pytest.approx(wanted, rel=1e-15, abs=1e-307)


def test_what_is_not_scaled() -> None:
    counts, sizes = np.array([3, 0, 5]), np.array([30, 40, 0])
    for rate in (-1, 0, 1):
        scaled = unsampled(counts, sizes, rate)
        assert [column.tolist() for column in scaled] == [[3, 0, 0], [30, 0, 0]]


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"),
    reason="pprof's exponential has other last bits on this processor",
)
@pytest.mark.parametrize("sampling", ["heap/1048576", "heap_v2/3", "heapz_v2/99999999999999"])
def test_pprof_scales_to_the_same_bytes(sampling: str, tmp_path: Path) -> None:
    rng = random.Random(sampling)
    lines = [f"heap profile: 1: 2 [3: 4] @ {sampling}"]
    for i in range(5000):
        count = rng.randrange(1, 1 << rng.randrange(1, 40))
        size = rng.choice(
            (count * rng.randrange(1, 1 << rng.randrange(1, 23)), rng.getrandbits(62))
        )
        count *= rng.choice((1, 1, 1, -1))
        lines.append(f"{count}: {size} [{abs(count)}: {size // 2}] @ {0x400000 + i:#x}")
    data = "\n".join([*lines, ""]).encode()

    ours = we_read(data)

    assert ours is not None
    assert ours == pprof_reads(data, tmp_path)
