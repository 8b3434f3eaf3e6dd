"""A report in which every name that comes from outside is an attack."""

from __future__ import annotations

from decimal import Decimal

from gocost.model.fact import Fact
from gocost.model.finding import Finding, Location, Outcome, Severity
from gocost.model.quantity import Money, Unit
from gocost.model.report import (
    Cell,
    Change,
    Column,
    Layout,
    Note,
    Report,
    Series,
    Table,
    Verdict,
)
from gocost.model.subject import Subject

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>",
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)|`code`|**bold** <details> -->",
    "a\x1b[31mred\x07\x00\r\n::error file=x::owned",
    "::stop-commands::token",
    "\u202eexe.gpj\u2066 ]]> &amp; <!-- gocost:report -->",
    'comma, "quote"; percent %0A 100% \ud800',
    "{{ 7*7 }} {% raw %} ${{ secrets.TOKEN }} @everyone #1 [x](javascript:alert(3))",
)


def hostile() -> Report:
    """Every name that comes from outside is an attack."""
    subject = Subject(service=HOSTILE[0], version=HOSTILE[3])
    text = Column("na|me<b>", Unit.TEXT, HOSTILE[0])
    rows: list[list[Cell]] = [[word, -1] for word in HOSTILE]
    rows += [["nan", float("nan")], ["big", 2**70]]
    return Report(
        command="check",
        gocost="0.1.0",
        subject=subject,
        findings=[
            Finding(
                rule=word,
                metric=word,
                outcome=outcome,
                severity=Severity.ERROR,
                message=word,
                subject=subject,
                fact=Fact(word, word, Unit.TEXT, subject, {word: word}),
                location=Location(word, 3, 1, word, word, word),
                money=Money(Decimal("0.001"), "USD", word),
                advice=word,
                reason=word,
            )
            for word, outcome in zip(HOSTILE, [*Outcome, *Outcome], strict=False)
        ],
        facts=[Fact(word, word, Unit.TEXT, subject, {word: word}, word) for word in HOSTILE],
        changes=[
            Change(word, Unit.TEXT, word, word, None, Verdict.CHANGED, subject, {word: word})
            for word in HOSTILE
        ],
        tables={
            "names": Table(
                HOSTILE[0],
                (text, Column("bytes", Unit.BYTES, additive=True)),
                rows,
            )
        },
        series=[Series(HOSTILE[0], Unit.BYTES, 0, 1, [1.0, float("inf"), None, float("nan"), 2.0])],
        notes=[Note("error", word) for word in HOSTILE],
        assumptions=list(HOSTILE),
        layout=Layout(title=HOSTILE[0], treemap="names"),
    )
