"""`max`: the most that is allowed."""

from __future__ import annotations

from collections.abc import Mapping

from gocost.model.finding import Limit
from gocost.policy.kinds.amounts import Amount, held, number
from gocost.policy.kinds.interface import Bound, Case, Ruling


class Max(Amount):
    """The most that is allowed."""

    key = "max"
    description = "The most that is allowed, such as 12 MiB."
    absent_keeps = True
    bound = Bound.UPPER

    def tighter(self, new: Limit, old: Limit) -> bool:
        """Less is tighter."""
        return number(new.value) <= number(old.value)

    def judge(self, case: Case) -> Ruling:
        """At most the limit."""
        return held(case, most=True)

    def contradiction(self, limit: Limit, others: Mapping[str, Limit]) -> tuple[str, str] | None:
        """A max below the min."""
        least = others.get("min")
        if least is not None and number(limit.value) < number(least.value):
            return f"max {limit.text} is below min {least.text}", "swap them"
        return None
