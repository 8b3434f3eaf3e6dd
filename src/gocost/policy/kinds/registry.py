"""The kinds of limits by their key in a rule. One line a kind, in the order they are judged in."""

from __future__ import annotations

from typing import Final

from gocost.policy.kinds.growth import Growth
from gocost.policy.kinds.interface import Kind
from gocost.policy.kinds.is_ import Is
from gocost.policy.kinds.max import Max
from gocost.policy.kinds.min import Min
from gocost.policy.kinds.one_of import OneOf

KINDS: Final[dict[str, Kind]] = {
    kind.key: kind
    for kind in (
        Max(),
        Min(),
        OneOf(),
        Is(),
        Growth(),
    )
}
