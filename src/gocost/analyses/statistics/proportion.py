"""A proportion's interval: what samples say of a share.

Wilson's score interval (E. B. Wilson, 1927): all shares from which what was seen is no further than
1.96 of their own standard deviations. Unlike the share plus and minus 1.96 of the seen share's it
does not collapse where few samples were seen, or none, and stays between 0 and 1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NORMAL_95: Final = 1.959963984540054


def wilson(count: npt.ArrayLike, of: float) -> tuple[Floats, Floats]:
    """The 95% bounds of the share behind `count` of `of` samples, for each of several counts.

    Counts need not be whole. Without samples a share may be anything: 0 to 1.
    """
    counts = np.asarray(count, np.float64)
    if of <= 0:
        return np.zeros(counts.shape), np.ones(counts.shape)
    share, square = np.clip(counts / of, 0.0, 1.0), NORMAL_95**2 / of
    middle = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    # At the ends the bounds are the share itself, which rounding must not miss.
    low = np.where(share <= 0, 0.0, np.clip(middle - reach, 0.0, share))
    high = np.where(share >= 1, 1.0, np.clip(middle + reach, share, 1.0))
    return low, high
