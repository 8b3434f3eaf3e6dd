"""`min`: the least that is allowed."""

from __future__ import annotations

from gocost.model.finding import Limit
from gocost.policy.kinds.amounts import Amount, held, number
from gocost.policy.kinds.interface import Bound, Case, Ruling


class Min(Amount):
    """The least that is allowed."""

    key = "min"
    description = "The least that is allowed."
    bound = Bound.LOWER

    def tighter(self, new: Limit, old: Limit) -> bool:
        """More is tighter."""
        return number(new.value) >= number(old.value)

    def judge(self, case: Case) -> Ruling:
        """At least the limit."""
        return held(case, most=False)
