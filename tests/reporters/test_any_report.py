"""Whatever is in a report, every reporter prints it, and what it prints can be read."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Limit, Location
from gocost.model.quantity import Money, Unit
from gocost.model.report import Change, Column, Layout, Note, Report, Series, Table
from gocost.model.subject import Subject
from gocost.reporters.interface import Settings
from gocost.reporters.registry import NAMES
from tests.reporters.conftest import rendered

# Lone surrogates are what Python makes of bytes in a binary that are not UTF-8.
words = st.text(st.characters(exclude_categories=()), max_size=40)
numbers = st.one_of(st.integers(-(2**80), 2**80), st.floats())
money = st.builds(Money, st.decimals(allow_nan=False, allow_infinity=False, places=4), words, words)
cells = st.one_of(st.none(), words, numbers, st.booleans(), money)
units = st.sampled_from(list(Unit))
labels = st.dictionaries(words, words, max_size=2)
subjects = st.builds(Subject, words, words, words, words, words)
facts = st.builds(
    Fact,
    words,
    st.one_of(words, numbers, st.booleans()),
    units,
    subjects,
    labels,
    words,
    st.none(),
    st.none() | st.integers(0, 10**9),
    st.none() | st.floats(),
    st.none() | st.floats(),
)
maybe_number = st.one_of(st.none(), numbers, words, st.booleans())


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table with one to four columns."""
    columns = draw(
        st.lists(st.builds(Column, words, units, words, st.just(False)), min_size=1, max_size=4)
    )
    row = st.lists(cells, min_size=len(columns), max_size=len(columns))
    return Table(draw(words), tuple(columns), draw(st.lists(row, max_size=6)))


reports = st.builds(
    Report,
    command=words,
    gocost=words,
    subject=subjects,
    facts=st.lists(facts, max_size=3),
    tables=st.dictionaries(words, tables(), max_size=2),
    series=st.lists(
        st.builds(
            Series,
            words,
            units,
            st.floats(),
            st.floats(),
            st.lists(st.none() | st.floats(), max_size=9),
        ),
        max_size=2,
    ),
    changes=st.lists(
        st.builds(
            Change,
            metric=words,
            unit=units,
            base=maybe_number,
            head=maybe_number,
            delta=st.none() | st.floats(),
            low=st.none() | st.floats(),
            high=st.none() | st.floats(),
            money=st.none() | money,
            subject=subjects,
            labels=labels,
        ),
        max_size=3,
    ),
    findings=st.lists(
        st.builds(
            Finding,
            rule=words,
            metric=words,
            message=words,
            subject=subjects,
            limit=st.none() | st.builds(Limit, words, maybe_number, words),
            fact=st.none() | facts,
            location=st.builds(
                Location, words, st.integers(0, 9), st.integers(0, 9), words, words, words
            ),
            money=st.none() | money,
            advice=words,
            reason=words,
        ),
        max_size=4,
    ),
    notes=st.lists(st.builds(Note, words, words), max_size=2),
    assumptions=st.lists(words, max_size=2),
    layout=st.builds(Layout, title=words, treemap=st.none() | words),
)


@settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking a whole report takes minutes
    suppress_health_check=list(HealthCheck),
)
@given(reports, st.integers(1, 120), st.none() | st.integers(0, 3))
def test_every_reporter_prints_any_report(report: Report, width: int, top: int | None) -> None:
    given_settings = Settings(width=width, color=bool(width % 2), top=top)

    texts = {name: rendered(name, report, given_settings) for name in NAMES}

    for text in texts.values():
        assert text.encode("utf-8")
    for name in ("json", "sarif", "gitlab"):
        json.loads(texts[name])
    ET.fromstring(texts["junit"])
    assert len({len(row) for row in csv.reader(io.StringIO(texts["csv"]))}) <= 1
    for text in (texts["text"], texts["github"]):
        assert [ln for ln in text.split("\n") if any(ord(c) < 32 and c != "\x1b" for c in ln)] == []
