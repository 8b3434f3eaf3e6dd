"""How likely so few departures are, where as many leave as come."""

from __future__ import annotations

import math


def at_most(count: int, mean: float) -> float:
    """P(X <= count) of a Poisson variable with this mean."""
    if count < 0:
        return 0.0
    if mean <= 0:
        return 1.0
    if count >= mean:
        return 1.0 - _sum(count + 1, mean, 1)
    return _sum(count, mean, -1)


def _sum(first: int, mean: float, step: int) -> float:
    """The probabilities of `first` and of what lies away from the mean, until they vanish."""
    term = math.exp(first * math.log(mean) - mean - math.lgamma(first + 1))
    total = 0.0
    at = first
    while term > total * 1e-17 and at >= 0:
        total += term
        term *= at / mean if step < 0 else mean / (at + 1)
        at += step
    return total
