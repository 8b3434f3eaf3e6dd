"""`is`: the one value that is allowed."""

from __future__ import annotations

from gocost.model.finding import Limit
from gocost.model.metric import Metric, Worse
from gocost.model.quantity import Unit, example
from gocost.policy.kinds.amounts import measured, number, read_amount
from gocost.policy.kinds.interface import Case, Kind, Ruling, Spot, Written
from gocost.policy.kinds.one_of import check_word


class Is(Kind):
    """One value, for yes or no, text and numbers alike."""

    key = "is"
    description = "The one value that is allowed."
    json_types = ("string", "number", "boolean")
    alone = True

    def suits(self, metric: Metric) -> bool:
        """Everything."""
        del metric
        return True

    def example(self, metric: Metric) -> str:
        """`is: true`, or a value in the metric's unit."""
        if metric.unit is Unit.BOOLEAN:
            return f"{self.key}: {'false' if metric.worse is Worse.HIGHER else 'true'}"
        return f"{self.key}: {metric.values[0] if metric.values else example(metric.unit)}"

    def read(self, written: Written, metric: Metric, spot: Spot) -> Limit:
        """True or false, a word, or a quantity."""
        assert isinstance(written, str)
        if metric.unit is Unit.TEXT:
            check_word(written, metric, spot.place)
            return Limit(self.key, written, written)
        if metric.unit is not Unit.BOOLEAN:
            return read_amount(self.key, written, metric, spot)
        if written.lower() not in ("true", "false"):
            raise spot.place.error(
                f"{metric.id} is a yes or no, and here is {written!r}",
                hint="write is: true or is: false",
            )
        return Limit(self.key, written.lower() == "true", written.lower())

    def tighter(self, new: Limit, old: Limit) -> bool:
        """Nothing is tighter than one value."""
        return new.value == old.value

    def judge(self, case: Case) -> Ruling:
        """The value itself."""
        limit, unit = case.limit, case.metric.unit
        wanted = case.show(limit.value, unit) if isinstance(limit.value, bool) else limit.text
        found = f"{case.name} is {case.show(case.fact.value, unit)}"
        if case.fact.value == limit.value:
            value = measured(case.fact.value)
            amount = None if isinstance(case.fact.value, bool) else value
            said = f"{found}, allowed: {wanted}"
            return Ruling(True, said, amount, nearness=number(case.fact.value))
        return Ruling(False, f"{found}, must be {wanted}")
