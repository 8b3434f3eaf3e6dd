"""How large the values of a profile may be, so that no sum of them passes 64 bits unseen."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.model.errors import FormatError

MOST: Final = 2.0**62
"""Values that add up to more could pass 64 bits on the way."""


def check_sums(values: npt.NDArray[Any], origin: str) -> None:
    """Raises FormatError where the values of a column, a row a sample, could come to too much.

    `origin` is where they are from, which may be nothing.
    """
    if len(values) and float(np.abs(values.astype(np.float64)).sum(axis=0).max()) > MOST:
        of = f"{origin}: " if origin else ""
        raise FormatError(
            f"{of}the profile's values add up to more than 64 bits hold",
            hint="it is damaged: record it again, or merge fewer",
        )
