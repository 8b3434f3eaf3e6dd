"""Heap samples scaled up to what was allocated.

A block of S bytes is sampled with probability 1 - exp(-S / rate), so that what was seen is divided
by that. For small blocks the difference cancels all but a few digits, and the last bit of the
exponential is worth bytes of the result. Go computes it in its own way (`math/exp_amd64.s`), with
fused multiply-adds; the same steps are taken here, so that sums equal pprof's to the byte. (pprof
itself gives other bytes on another processor.)
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.formats.pprof.profile import Int64s

_Floats = npt.NDArray[np.float64]

_LOG2_E: Final = 1.4426950408889634
_LN2_HIGH: Final = 0.69314718055966295651160180568695068359375
_LN2_LOW: Final = 0.28235290563031577122588448175013436025525412068e-12
_HIGHEST: Final = 709.782712893384
_LOWEST: Final = -745.0
_TERMS: Final = (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0)
"""Of the Taylor series, after the first, 1/8!."""
_LEAST: Final = -(1 << 63)


def unsampled(counts: Int64s, sizes: Int64s, rate: int) -> tuple[Int64s, Int64s]:
    """Counts of blocks and their bytes, as they were before every `rate` bytes one was taken.

    A rate of 1 or less says that all were. A count or size of 0 makes both 0.
    """
    none = (counts == 0) | (sizes == 0)
    if rate > 1:
        amounts, bytes_ = counts.astype(np.float64), sizes.astype(np.float64)
        with np.errstate(all="ignore"):
            mean = np.where(none, 1.0, bytes_ / amounts)
            scale = 1.0 / (1.0 - exponential(-mean / float(rate)))
            counts, sizes = _int64(amounts * scale), _int64(bytes_ * scale)
    return np.where(none, 0, counts), np.where(none, 0, sizes)


def _int64(values: _Floats) -> Int64s:
    """As Go converts on amd64: what does not fit is the least number."""
    fits = np.abs(values) < 2.0**63
    return np.where(fits, np.where(fits, values, 0.0).astype(np.int64), _LEAST)


def exponential(x: _Floats) -> _Floats:
    """exp(x), to the bit what Go's math.Exp gives on amd64."""
    inside = np.clip(x, _LOWEST, _HIGHEST)
    power = np.rint(inside * _LOG2_E)
    rest = _fused(-power, np.full_like(x, _LN2_HIGH), inside)
    rest = _fused(-power, np.full_like(x, _LN2_LOW), rest) * 0.0625
    sum_ = np.full_like(x, 1 / 40320)
    for term in _TERMS:
        sum_ = _fused(rest, sum_, np.full_like(x, term))
    # exp(x) - 1 of a sixteenth of the rest, doubled four times: y (y + 2).
    less_one = rest * sum_
    for _ in range(3):
        less_one = less_one * (less_one + 2.0)
    found = np.ldexp(_fused(less_one, less_one + 2.0, np.ones_like(x)), power.astype(np.int32))
    return np.where(x > _HIGHEST, np.inf, np.where(x < _LOWEST, 0.0, found))


def _fused(a: _Floats, b: _Floats, c: _Floats) -> _Floats:
    """a * b + c, rounded once.

    Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
    rounding to odd", IEEE Transactions on Computers 57 (2008).
    """
    product, product_rest = _product(a, b)
    low, low_rest = _sum(c, product_rest)
    high, high_rest = _sum(product, low)
    return high + _sum_to_odd(low_rest, high_rest)


def _sum_to_odd(a: _Floats, b: _Floats) -> _Floats:
    """a + b; where that is not exact, of the two numbers around it the one with an odd last bit."""
    found, rest = _sum(a, b)
    even = (found.view(np.int64) & 1) == 0
    beside = np.nextafter(found, np.where(rest > 0, np.inf, -np.inf))
    return np.where((rest != 0) & even, beside, found)


def _sum(a: _Floats, b: _Floats) -> tuple[_Floats, _Floats]:
    """The rounded sum, and what it lacks (Knuth)."""
    found = a + b
    of_b = found - a
    return found, (a - (found - of_b)) + (b - of_b)


def _product(a: _Floats, b: _Floats) -> tuple[_Floats, _Floats]:
    """The rounded product, and what it lacks (Dekker)."""
    found = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    rest = ((a_high * b_high - found) + a_high * b_low + a_low * b_high) + a_low * b_low
    return found, rest


def _halves(a: _Floats) -> tuple[_Floats, _Floats]:
    """The upper 26 bits, and the lower."""
    spread = a * 134217729.0  # 2^27 + 1
    high = spread - (spread - a)
    return high, a - high
