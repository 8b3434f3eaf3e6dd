"""Whether this runs in continuous integration, where a tree has no right to be dirty."""

from __future__ import annotations

import os


def in_ci() -> bool:
    """By the variable CI, which every CI service sets; `0`, `false` and nothing say that it is not.

    It is asked here and nowhere else, so that what is said and what blocks agree.
    """
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
