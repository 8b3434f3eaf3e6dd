"""`one_of`: the words that are allowed."""

from __future__ import annotations

from gocost.formats.yaml_document import Place
from gocost.model.finding import Limit
from gocost.model.metric import Metric
from gocost.model.quantity import Unit
from gocost.policy.kinds.interface import Case, Form, Kind, Ruling, Spot, Written
from gocost.policy.places import unknown_word

EMPTY = "''"
"""An empty text as it is written in YAML: build.goflags where none are set."""


class OneOf(Kind):
    """One of some words, for metrics that are text."""

    key = "one_of"
    description = "The words that are allowed."
    form = Form.WORDS
    alone = True

    def suits(self, metric: Metric) -> bool:
        """Text."""
        return metric.unit is Unit.TEXT

    def example(self, metric: Metric) -> str:
        """Two of the metric's own words, where it has some."""
        return f"{self.key}: [{', '.join(metric.values[:2]) or 'WORD'}]"

    def read(self, written: Written, metric: Metric, spot: Spot) -> Limit:
        """The list of words."""
        if not written:
            raise spot.place.error("one_of allows nothing", hint="name a word")
        for at, word in enumerate(written):
            check_word(word, metric, spot.item(at))
        return Limit(self.key, list(written), ", ".join(word or EMPTY for word in written))

    def tighter(self, new: Limit, old: Limit) -> bool:
        """Fewer words are tighter."""
        assert isinstance(new.value, list)
        assert isinstance(old.value, list)
        return set(new.value) <= set(old.value)

    def judge(self, case: Case) -> Ruling:
        """Among the words."""
        assert isinstance(case.limit.value, list)
        found = f"{case.name} is {case.show(case.fact.value, case.metric.unit) or EMPTY}"
        if case.fact.value in case.limit.value:
            return Ruling(True, f"{found}, allowed: {case.limit.text}")
        return Ruling(False, f"{found}, must be one of {case.limit.text}")


def check_word(word: str, metric: Metric, place: Place) -> None:
    """Raises PolicyError for a word that the metric can never be."""
    if metric.values and word not in metric.values:
        raise unknown_word(place, f"{metric.id} cannot be", word, metric.values)
