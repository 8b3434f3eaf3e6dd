"""The Mann-Whitney U test with the exact distribution of U, ties included.

The conventions are those of benchstat (golang.org/x/perf): the exact distribution for up to 50
values a side, or 25 where values tie, and above that the normal approximation with continuity and
tie correction; two-sided p is twice the tail of the smaller of the two statistics. In one case
benchstat's figure is not that: where the sides are unequal and values tie, the two statistics have
different distributions and it takes the first sample's tail for both, which gives 0 where the
result is in truth a likely one. `benchstat_p` is that figure, `p` the right one.

The exact distribution counts, for every way of choosing one sample out of the pooled ranks, the
sum of its ranks. Each rank (or group of tied ranks) in turn is either in the sample or not, which
is one shifted addition over a table of (members chosen, sum of ranks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, erfc, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Values = Sequence[float] | Floats

EXACT_LIMIT: Final = 50
"""The largest side for which the exact distribution is used, without ties."""
EXACT_TIES_LIMIT: Final = 25
"""The same where values tie."""


@dataclass(frozen=True, slots=True)
class RankTest:
    """The outcome of the two-sided test of one sample against another."""

    u: float
    """Pairs in which the first sample's value is the larger, ties counting one half."""
    p: float
    """Probability of a result so far from the middle where both come from one distribution."""
    benchstat_p: float
    """What benchstat calls p. It differs where sides are unequal and values tie (see above)."""
    exact: bool
    """From the exact distribution; otherwise from the normal approximation."""


def mann_whitney(first: Values, second: Values) -> RankTest:
    """Tests whether two samples of finite values come from one distribution.

    Samples that are equal throughout have p = 1. Raises ValueError where one is empty.
    """
    n1, n2 = len(first), len(second)
    if n1 == 0 or n2 == 0:
        raise ValueError("a rank test needs at least one value on each side")
    pooled = sorted([(value, 1) for value in first] + [(value, 0) for value in second])
    groups, twice_u = _ranked(pooled, n1)
    ties = len(groups) < n1 + n2
    exact = max(n1, n2) <= (EXACT_TIES_LIMIT if ties else EXACT_LIMIT)
    if len(groups) == 1 or twice_u == n1 * n2:
        p = benchstat_p = 1.0
    elif not exact:
        p = benchstat_p = _normal_p(twice_u / 2, n1, n2, groups)
    else:
        smaller = min(twice_u, 2 * n1 * n2 - twice_u)
        if ties:
            p, benchstat_p = _p_with_ties(smaller, smaller == twice_u, n1, n2, groups)
        else:
            p = benchstat_p = 2 * float(u_cdf(n1, n2)[smaller // 2])
    return RankTest(twice_u / 2, p, benchstat_p, exact)


def smallest_p(n1: int, n2: int) -> float:
    """The p of two samples that do not overlap at all: the least that the exact test can give."""
    return min(1.0, 2 / comb(n1 + n2, n1))


@lru_cache(maxsize=256)
def u_cdf(n1: int, n2: int) -> Floats:
    """P(U <= u) for u = 0 .. n1*n2 where no values tie."""
    small, large = sorted((n1, n2))
    pairs = small * large
    half = pairs // 2
    least = small * (small - 1) // 2  # the sum of the lowest ranks, counted from 0
    ranks = list(range(small + large))
    counts = _choices(ranks, [1] * len(ranks), small)[small, : least + half + 1]
    density = np.empty(pairs + 1)
    density[: half + 1] = counts[least:] / comb(small + large, small)
    density[pairs - half :] = density[half::-1]  # symmetric about its middle
    cdf = np.minimum(np.cumsum(density), 1.0)
    cdf.setflags(write=False)
    return cdf


def _ranked(pooled: list[tuple[float, int]], n1: int) -> tuple[list[int], int]:
    """How many values tie at each rank, and twice U of the values marked 1."""
    groups: list[int] = []
    twice_sum = below = 0
    previous = None
    size = marked = 0
    for value, mark in pooled:
        if value != previous and size:
            groups.append(size)
            # Twice the mean rank of equal values is a whole number; ranks count from 1.
            twice_sum += marked * (2 * below + size + 1)
            below += size
            size = marked = 0
        previous = value
        size += 1
        marked += mark
    groups.append(size)
    twice_sum += marked * (2 * below + size + 1)
    return groups, twice_sum - n1 * (n1 + 1)


def _p_with_ties(
    twice_u: int, first_is_smaller: bool, n1: int, n2: int, groups: list[int]
) -> tuple[float, float]:
    """Two-sided p, and benchstat's, for the smaller of the two U."""
    tail = _tail_with_ties(twice_u, n1, n2, groups)
    benchstat_p = min(1.0, 2 * tail)
    if n1 == n2 or first_is_smaller:
        return benchstat_p, benchstat_p
    return min(1.0, 2 * _tail_with_ties(twice_u, n2, n1, groups)), benchstat_p


def _tail_with_ties(twice_u: int, members: int, others: int, groups: list[int]) -> float:
    """P(U <= u) for a sample of that many members, given how many values tie at each rank.

    The lower and the upper half of the ranks are counted apart and joined: two small tables take
    a fraction of the time of one large one.
    """
    scores, below, middle = [], 0, 0
    for index, size in enumerate(groups):
        scores.append(2 * below + size - 1)  # twice the mean rank, counted from 0
        below += size
        if 2 * below <= members + others or index == 0:
            middle = index + 1
    limit = twice_u + members * (members - 1)
    # Scores of a half count from its first, which adds the same to each of its chosen members.
    first, second = scores[0], scores[middle]
    lower = _choices([score - first for score in scores[:middle]], groups[:middle], members)
    upper = _choices([score - second for score in scores[middle:]], groups[middle:], members)
    # Column s + 1 is how many ways have a sum of at most s; column 0 is none.
    at_most = np.zeros((upper.shape[0], upper.shape[1] + 1))
    upper.cumsum(axis=1, out=at_most[:, 1:])
    chosen = np.arange(max(0, members - len(upper) + 1), min(members + 1, len(lower)))
    rest = members - chosen
    # A sum of `low` among the chosen leaves at most `most - low` for the rest above.
    most = limit - chosen * first - rest * second
    room = most[:, None] - np.arange(-1, lower.shape[1] - 1)
    room.clip(0, upper.shape[1], out=room)
    room += (rest * at_most.shape[1])[:, None]
    # A plain sum: BLAS would start threads for it, which cost more than they save.
    ways = (lower[chosen[0] : chosen[-1] + 1] * at_most.take(room)).sum()
    return float(ways) / comb(members + others, members)


def _choices(scores: list[int], groups: list[int], members: int) -> Floats:
    """In how many ways k of the values have scores that sum to s: a table [k, s].

    `groups` says how many values have each of the (ascending) `scores`. Rows above `members` are
    not all filled. Counts are sums of positive numbers in double precision: exact
    up to 2**53, and accurate to the last digits above.
    """
    total = sum(groups)
    members = min(members, total // 2 if total > 1 else 1)
    largest, left = 0, members
    for score, size in zip(reversed(scores), reversed(groups), strict=True):
        largest += score * min(size, left)
        left -= min(size, left)
    width = largest + 1
    # Flat, because no sum ever leaves its row: one more member and its score is one shift.
    table = np.zeros((members + 1) * width)
    table[0] = 1
    full = len(table)
    reach = width  # the end of what can be other than zero
    for score, size in zip(scores, groups, strict=True):
        shift = width + score
        old = table[:reach] if size == 1 else table[:reach].copy()
        for chosen in range(1, min(size, members) + 1):
            at = chosen * shift
            target = table[at : at + reach]
            ways = old if at + reach <= full else old[: len(target)]
            target += ways if size == 1 else comb(size, chosen) * ways
        reach = min(full, reach + size * width)
    return _with_complements(table.reshape(members + 1, width), scores, groups)


def _with_complements(table: Floats, scores: list[int], groups: list[int]) -> Floats:
    """Choosing k is leaving out the others: the rows above half of the values are known too."""
    highest, largest = table.shape[0] - 1, table.shape[1] - 1
    total = sum(groups)
    everything = sum(score * size for score, size in zip(scores, groups, strict=True))
    full = np.zeros((total + 1, everything + 1))
    full[: highest + 1, : largest + 1] = table
    full[total - highest :, everything - largest :] = table[::-1, ::-1]
    return full


def _normal_p(u: float, n1: int, n2: int, groups: list[int]) -> float:
    """Two-sided p of the normal approximation, with tie and continuity correction."""
    total = n1 + n2
    tied = sum(size**3 - size for size in groups)
    deviation = sqrt(n1 * n2 * ((total + 1) - tied / (total * (total - 1))) / 12)
    distance = max(0.0, abs(u - n1 * n2 / 2) - 0.5)
    return erfc(distance / deviation / sqrt(2))
