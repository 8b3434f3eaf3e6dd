"""Type arguments of generic functions, which are most of their names and tell the least of them.

They hold words, points and folders of their own: `f[go.shape.struct { a int; b/c.D string }].g`.
"""

from __future__ import annotations

import re
from typing import Final

_BEGIN: Final = re.compile(r"(?<=\w)\[")


def without_types(name: str, instead: str = "[…]") -> str:
    """The name with `instead` for what stands from its first bracket to its last; takes one look
    at each character, for a name is whatever a profile says.
    """
    begin = _BEGIN.search(name)
    end = name.rfind("]")
    if begin is None or end < begin.end():
        return name
    return f"{name[: begin.start()]}{instead}{name[end + 1 :]}"
