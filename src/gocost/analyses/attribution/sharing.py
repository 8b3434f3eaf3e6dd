"""A whole number shared out by weights, so that the parts add up to it exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]


def shared(total: int, weights: Sequence[int] | Int64s) -> Int64s:
    """The parts of `total` by non-negative whole weights, by largest remainder.

    A part differs from its exact share by less than one; equal remainders go to the earlier part.
    All parts are 0 where no weight is above 0: then `total` is the caller's to place.
    """
    amounts = [int(weight) for weight in weights]
    whole = sum(amounts)
    if not whole or not total:
        return np.zeros(len(amounts), np.int64)
    # Python's integers: a nanosecond times a byte passes 64 bits.
    parts = np.array([abs(total) * amount // whole for amount in amounts], np.int64)
    left = abs(total) - int(parts.sum())
    if left:
        remainders = np.array([abs(total) * amount % whole / whole for amount in amounts])
        parts[np.argsort(-remainders, kind="stable")[:left]] += 1
    return parts if total > 0 else -parts


def blended(first: Int64s, second: Int64s, share: float) -> list[int]:
    """Weights that are `share` of the first's shares and the rest of the second's.

    Each is scaled to whole numbers of 2**53 in all, so that `shared` can cut them exactly. Where
    one has no weight at all the other stands for both.
    """
    sums = int(first.sum()), int(second.sum())
    if not sums[0] or not sums[1]:
        return [int(each) for each in (first if sums[0] else second)]
    scale = 1 << 53
    portion = round(share * scale)
    return [
        a * portion * sums[1] + b * (scale - portion) * sums[0]
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
