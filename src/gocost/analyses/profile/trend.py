"""Which sites grow: a robust slope over several profiles of what a service holds, and its meaning.

The slope is Theil and Sen's with Sen's interval (`statistics/slope.py`): a quarter of the profiles
may be outliers. Fewer than five cannot bound it with 95%: what they reach is told.

A heap profile is a sample: a site of V live bytes, profiled every R bytes, is known to about
sqrt(V * R) (one of larger objects to sqrt(V * size)). Growth below twice that is noise.

    leak      the interval lies above 0, the growth above the noise, and it goes on: the slope of
              the later half is at least a quarter of the whole
    plateau   it grew by more than the noise, and has stopped
    noise     neither: it is level, falls, or moves within what sampling explains

What counts since the program's start (allocations, contentions) grows in every program that works.
There the values are rates between two profiles, and one that goes on to grow is `rising`: load that
rises does that too, and nothing is kept by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median_low
from typing import Final

from gocost.analyses.statistics.slope import Slope, theil_sen

LEAST: Final = 3
GOES_ON: Final = 0.25
"""Of the slope of the whole: a later half that rises less has levelled off."""


class Verdict(StrEnum):
    """What a site's growth is."""

    LEAK = "leak"
    RISING = "rising"
    """Of a rate, what of a state would be a leak."""
    PLATEAU = "plateau"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Trend:
    """How one site went."""

    slope: Slope
    first: float
    last: float
    verdict: Verdict


def trend(
    times: Sequence[float], values: Sequence[float], noise: float, *, rates: bool = False
) -> Trend:
    """The trend of values at rising times; `noise` is a standard deviation of the last value.

    With `rates` the values are rates, of which none leaks.
    """
    slope = theil_sen(times, values)
    half = len(values) // 2
    # From the middle on, and never fewer than two.
    later = theil_sen(times[half:], values[half:]).value
    span = times[-1] - times[0]
    # The lower of two in the middle: what came and went again has not grown.
    grown = median_low(values[half:]) - values[0]
    least = 2 * noise
    goes_on = later >= GOES_ON * slope.value
    if slope.low > 0 and slope.value * span > least and goes_on:
        verdict = Verdict.RISING if rates else Verdict.LEAK
    elif grown > least and later * (times[-1] - times[half]) < max(GOES_ON * grown, least):
        verdict = Verdict.PLATEAU
    else:
        verdict = Verdict.NOISE
    return Trend(slope, values[0], values[-1], verdict)


def noise_of(value: float, count: float, period: int) -> float:
    """The standard deviation of a heap profile's bytes: `count` objects, sampled by `period`."""
    size = value / count if count > 0 else 0.0
    return math.sqrt(max(value, 0.0) * max(size, float(period)))
