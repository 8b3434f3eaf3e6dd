"""What a profile costs a month: its values as money, and what has to be said of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import structs

from gocost.analyses.profile.tables import MONEY, in_money
from gocost.analyses.profile.units import size_of
from gocost.cost.profiled import CPU, Measured, Tariff, tariff
from gocost.model.report import Note, Report
from gocost.model.subject import Subject

if TYPE_CHECKING:
    from gocost.analyses.profile.view import View
    from gocost.api._governed import Governed
    from gocost.api._profile_views import Look
    from gocost.measures.profiles import Recorded

_ALIKE: Final = 0.01
"""Windows that differ by less are one: Go's profiles of 30 s are some milliseconds apart."""
_FIRST: Final = ("flat", "money", "flat_share", "cumulative", "money_cumulative")


@dataclass(frozen=True, slots=True)
class Money:
    """The tariff of a profile, or why it has none, and whose it is."""

    tariff: Tariff | str
    total: int
    service: str
    compared: bool
    """The whole is more or less than a base's."""

    def said(self, report: Report, paid: Mapping[str, tuple[str, ...]]) -> Report:
        """The report with the service, the whole in money, the prices, and what was assumed.

        The tables that `paid` names get their columns of money, and the person sees those it names.
        """
        subject = Subject(service=self.service)
        if isinstance(self.tariff, str):
            notes = [*report.notes, Note("info", self.tariff)]
            return structs.replace(report, subject=subject, notes=notes)
        layout = report.layout
        tables = {
            name: in_money(table, self.tariff.of) if name in paid else table
            for name, table in report.tables.items()
        }
        columns = {
            name: (*table.names()[: table.names().index(_FIRST[0])], *_FIRST)
            for name, table in report.tables.items()
            if table.columns[-len(MONEY) :] == MONEY and name not in paid
        }
        return structs.replace(
            report,
            subject=subject,
            tables=tables,
            assumptions=[*report.assumptions, *self.tariff.assumptions],
            layout=structs.replace(
                layout,
                title=f"{layout.title}, {self.tariff.shown(self.total, signed=self.compared)}",
                columns={**layout.columns, **columns, **paid},
            ),
        )


def priced(recorded: Recorded, look: Look, prices: Governed) -> Money:
    """What the profile costs; the look's tables then have it, too."""
    seen, header = look.seen, recorded.head.header
    size = size_of(seen.type.unit, "ns" if seen.type.type == CPU else "B")
    seconds = header.duration_ns / 1e9 if header.duration_ns > 0 else None
    why = _unpriced(recorded, seen)
    total = seen.total if recorded.base is None else int(seen.values().sum())
    measured = Measured(
        seen.type.type, total, size, seconds, profiles=len(recorded.files), unpriced=why
    )
    found = tariff(measured, prices.book, prices.deployment)
    if isinstance(found, Tariff):
        look.money = found.of
    name = prices.service.name if prices.service is not None else ""
    return Money(found, total, name, recorded.base is not None)


def _unpriced(recorded: Recorded, seen: View) -> str:
    """Why no value of the profile has a price, whatever it counts; empty where that is not so."""
    if seen.mean:
        return "means have no price: --mean shows no amounts"
    if recorded.normalize:
        return "there is no price for what was scaled to another's total: drop --normalize"
    if recorded.base is None:
        return ""
    if seen.type.type != CPU:
        many, others = len(recorded.files), len(recorded.bases)
        return (
            "" if many == others else f"{many} profiles less {others} have no price: name as many"
        )
    windows = [each.header.duration_ns for each in (recorded.head, recorded.base)]
    if min(windows) <= 0:
        return "CPU time has a price where both windows are known: a profile does not say its own"
    if max(windows) - min(windows) > _ALIKE * max(windows):
        return (
            f"CPU time of {windows[0] / 1e9:.3g} s less that of {windows[1] / 1e9:.3g} s has no "
            "price: compare profiles of equal windows, or see each by itself"
        )
    return ""
