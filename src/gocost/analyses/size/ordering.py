"""Orders of long columns. Sorts of plain integers are several times faster than indirect ones, and
`numpy.unique` imports `numpy.ma`, which takes longer than what is done here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_INDEX_BITS = 24
_MAX_VALUE = 1 << 62 - _INDEX_BITS


def descending(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indexes by falling value; equal values keep their order."""
    if not len(values):
        return np.zeros(0, np.int64)
    low, high = int(values.min()), int(values.max())
    if len(values) >= 1 << _INDEX_BITS or high - low >= _MAX_VALUE:
        return np.argsort(-values, kind="stable")
    key = (high - values) << _INDEX_BITS
    key |= np.arange(len(values))
    key.sort()
    key &= (1 << _INDEX_BITS) - 1
    return key


def first_of_each(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The distinct values, rising, and the index at which each stands first.

    Quick where equal values stand side by side, as those of neighbouring functions do.
    """
    if not len(values):
        return values, np.zeros(0, np.int64)
    fresh = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    order = np.argsort(values[fresh], kind="stable")
    rising = values[fresh[order]]
    kept = np.append(True, rising[1:] != rising[:-1])
    return rising[kept], fresh[order[kept]]
