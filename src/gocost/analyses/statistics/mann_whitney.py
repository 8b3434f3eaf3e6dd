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

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import comb, erfc, sqrt
from operator import mul
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Values = Sequence[float] | Floats
Groups = tuple[int, ...]
"""How many values tie at each rank."""

EXACT_LIMIT: Final = 50
"""The largest side for which the exact distribution is used, without ties."""
EXACT_TIES_LIMIT: Final = 25
"""The same where values tie."""
TOGETHER: Final = 1000
"""Tests that are counted in one go: with 20 runs a side their tables take 30 MB at most."""


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
    (test,) = mann_whitney_family([(first, second)])
    return test


def mann_whitney_family(pairs: Iterable[tuple[Values, Values]]) -> list[RankTest]:
    """Tests each pair as `mann_whitney` does, many in a third of the time that one by one takes.

    Benchmarks tie in few patterns, and ways to choose are counted once for what begins alike.
    """
    ranked = [_ranked(first, second) for first, second in pairs]
    tests = []
    for start in range(0, len(ranked), TOGETHER):
        part = ranked[start : start + TOGETHER]
        ways = _Ways(half for each in part if each.counted for half in each.halves)
        tests += [_tested(each, ways) for each in part]
    return tests


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
    ranks = range(small + large)
    table = np.zeros((small + 1, sum(ranks[large:]) + 1))
    table[0, 0] = 1
    for rank in ranks:
        table = _with_more(table, rank, 1)
    counts = _with_complements(table, ranks, [1] * len(ranks))[small, : least + half + 1]
    density = np.empty(pairs + 1)
    density[: half + 1] = counts[least:] / comb(small + large, small)
    density[pairs - half :] = density[half::-1]  # symmetric about its middle
    cdf = np.minimum(np.cumsum(density), 1.0)
    cdf.setflags(write=False)
    return cdf


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Two samples, of which the test needs no more than their pooled ranks."""

    n1: int
    n2: int
    groups: Groups
    """How many values tie at each rank."""
    twice_u: int

    @property
    def ties(self) -> bool:
        return len(self.groups) < self.n1 + self.n2

    @property
    def exact(self) -> bool:
        return max(self.n1, self.n2) <= (EXACT_TIES_LIMIT if self.ties else EXACT_LIMIT)

    @property
    def certain(self) -> bool:
        """Whether p is 1 without counting."""
        return len(self.groups) == 1 or self.twice_u == self.n1 * self.n2

    @property
    def counted(self) -> bool:
        """Whether the exact distribution with ties has to be counted."""
        return self.ties and self.exact and not self.certain

    @property
    def halves(self) -> tuple[Groups, Groups]:
        """The lower and the upper half of the ranks, neither of them empty."""
        ends = list(accumulate(self.groups))
        middle = max(1, bisect_right(ends, ends[-1] // 2))
        return self.groups[:middle], self.groups[middle:]


def _ranked(first: Values, second: Values) -> _Ranked:
    n1, n2 = len(first), len(second)
    if n1 == 0 or n2 == 0:
        raise ValueError("a rank test needs at least one value on each side")
    marked, pooled = Counter(first), Counter(second)
    pooled.update(first)
    ordered = sorted(pooled)
    groups = tuple(map(pooled.__getitem__, ordered))
    twice_sum = below = 0
    for value, size in zip(ordered, groups, strict=True):
        # Twice the mean rank of equal values is a whole number; ranks count from 1.
        twice_sum += marked.get(value, 0) * (2 * below + size + 1)
        below += size
    return _Ranked(n1, n2, groups, twice_sum - n1 * (n1 + 1))


def _tested(ranked: _Ranked, ways: _Ways) -> RankTest:
    n1, n2 = ranked.n1, ranked.n2
    smaller = min(ranked.twice_u, 2 * n1 * n2 - ranked.twice_u)
    if ranked.certain:
        p = benchstat_p = 1.0
    elif not ranked.exact:
        p = benchstat_p = _normal_p(ranked)
    elif not ranked.ties:
        p = benchstat_p = 2 * float(u_cdf(n1, n2)[smaller // 2])
    else:
        p = benchstat_p = min(1.0, 2 * ways.tail(smaller, n1, ranked))
        if n1 != n2 and smaller != ranked.twice_u:
            p = min(1.0, 2 * ways.tail(smaller, n2, ranked))
    return RankTest(ranked.twice_u / 2, p, benchstat_p, ranked.exact)


class _Ways:
    """In how many ways members are chosen out of the halves of the ranks of some tests.

    The lower and the upper half are counted apart and joined: two small tables take a fraction of
    the time of one large one. Scores of a half count from its first, which adds the same to each
    of its chosen members.
    """

    def __init__(self, halves: Iterable[Groups]) -> None:
        self._tables: dict[Groups, Floats] = {}
        # Sorted, so that neighbours begin alike: only what differs is counted again.
        begun: list[Floats] = []
        previous: Groups = ()
        for groups in sorted(set(halves), key=lambda each: (sum(each), each)):
            if sum(groups) != sum(previous):
                begun, previous = [_nothing_chosen(sum(groups))], ()
            shared = _beginning(previous, groups)
            del begun[shared + 1 :]
            for score, size in list(zip(_scores(groups), groups, strict=True))[shared:]:
                begun.append(_with_more(begun[-1], score, size))
            self._tables[groups] = begun[-1]
            previous = groups

    def tail(self, twice_u: int, members: int, ranked: _Ranked) -> float:
        """P(U <= u) for a sample of that many members."""
        below, above = ranked.halves
        first, second = below[0] - 1, 2 * sum(below) + above[0] - 1
        limit = twice_u + members * (members - 1)
        lower = _with_complements(self._tables[below], _scores(below), below)
        at_most = _at_most(self._tables[above], above)
        chosen = np.arange(max(0, members - len(at_most) + 1), min(members + 1, len(lower)))
        rest = members - chosen
        # A sum of `low` among the chosen leaves at most `most - low` for the rest above.
        most = limit - chosen * first - rest * second
        room = most[:, None] - np.arange(-1, lower.shape[1] - 1)
        room.clip(0, at_most.shape[1] - 1, out=room)
        room += (rest * at_most.shape[1])[:, None]
        # A plain sum: BLAS would start threads for it, which cost more than they save.
        found = (lower[chosen[0] : chosen[-1] + 1] * at_most.take(room)).sum()
        return float(found) / comb(ranked.n1 + ranked.n2, members)


def _scores(groups: Groups) -> list[int]:
    """Twice the mean rank of each group, counted from the first group's."""
    scores, below = [], 0
    for size in groups:
        scores.append(2 * below + size - groups[0])
        below += size
    return scores


def _beginning(one: Groups, other: Groups) -> int:
    """How many of their first groups are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _nothing_chosen(values: int) -> Floats:
    """A table [k, s] for half of so many ranks, none of which has been counted yet."""
    rows = max(1, values // 2)
    largest = rows * (2 * values - rows - 1)  # where nothing ties; with ties it is less
    table = np.zeros((rows + 1, largest + 1))
    table[0, 0] = 1
    return table


def _with_more(table: Floats, score: int, size: int) -> Floats:
    """In how many ways k values have scores that sum to s, with `size` more values of that score.

    Counts are sums of positive numbers in double precision: exact up to 2**53, and accurate to the
    last digits above.
    """
    more = table.copy()
    # Flat, because no sum ever leaves its row: one more member and its score is one shift.
    old, new = table.ravel(), more.ravel()
    shift = table.shape[1] + score
    for chosen in range(1, min(size, table.shape[0] - 1) + 1):
        ways = old[: len(old) - chosen * shift]
        new[chosen * shift :] += ways if size == 1 else comb(size, chosen) * ways
    return more


def _with_complements(table: Floats, scores: Sequence[int], groups: Sequence[int]) -> Floats:
    """Choosing k is leaving out the others: the rows above half of the values are known too."""
    total = sum(groups)
    everything = sum(map(mul, scores, groups))
    highest, largest = table.shape[0] - 1, min(table.shape[1] - 1, everything)
    full = np.zeros((total + 1, everything + 1))
    full[: highest + 1, : largest + 1] = table[:, : largest + 1]
    full[total - highest :, everything - largest :] = table[::-1, largest::-1]
    return full


def _at_most(table: Floats, groups: Groups) -> Floats:
    """In how many ways k of all values have scores that sum to less than s, from the same table."""
    total = sum(groups)
    everything = sum(map(mul, _scores(groups), groups))
    highest, largest = table.shape[0] - 1, min(table.shape[1] - 1, everything)
    sums = np.zeros((total + 1, everything + 2))
    low = sums[: highest + 1]
    table[:, : largest + 1].cumsum(axis=1, out=low[:, 1 : largest + 2])
    low[:, largest + 2 :] = low[:, largest + 1 : largest + 2]
    # What is chosen sums to less than s where what is left out sums to more than the rest of it.
    sums[total - highest :] = (low[:, -1:] - low[:, ::-1])[::-1]
    return sums


def _normal_p(ranked: _Ranked) -> float:
    """Two-sided p of the normal approximation, with tie and continuity correction."""
    n1, n2, total = ranked.n1, ranked.n2, ranked.n1 + ranked.n2
    tied = sum(size**3 - size for size in ranked.groups)
    deviation = sqrt(n1 * n2 * ((total + 1) - tied / (total * (total - 1))) / 12)
    distance = max(0.0, abs(ranked.twice_u / 2 - n1 * n2 / 2) - 0.5)
    return erfc(distance / deviation / sqrt(2))
