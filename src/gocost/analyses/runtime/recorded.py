"""What was read of one process's runtime: pages in the order they were taken, or a gctrace log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gocost.analyses.collector.window import CollectorWindow, window_of_cycles, window_of_pages
from gocost.formats.gctrace import Cycle
from gocost.formats.runtime_page import Histogram, RuntimePage
from gocost.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Recorded:
    """Pages, or cycles of a log; one of the two is empty."""

    pages: Sequence[RuntimePage] = ()
    cycles: Sequence[Cycle] = ()
    seconds: float | None = None
    """Between the first page and the last, where it is known."""
    names: str = ""
    """The files or URLs, in words."""
    notes: tuple[str, ...] = ()
    """What is to be said of how it was read."""

    @property
    def first(self) -> RuntimePage | None:
        """The page that the last one is compared with, or None where there is one page."""
        return self.pages[0] if len(self.pages) > 1 else None

    @property
    def last(self) -> RuntimePage:
        """The latest page."""
        return self.pages[-1]

    @property
    def since(self) -> str:
        """What time the differences are over, in words."""
        if self.first is None:
            return "since the process began"
        return "between the pages" if self.seconds is None else f"in {self.seconds:.3g} s"

    def window(self, *, gogc: float = 100.0) -> tuple[CollectorWindow | None, str]:
        """The collector's window, or why there is none; `gogc` is what a log does not say.

        Raises UsageError where two pages do not go together: they tell nothing.
        """
        try:
            if self.cycles:
                return window_of_cycles(self.cycles, gogc=gogc), ""
            return window_of_pages(self.pages, seconds=self.seconds), ""
        except UsageError as error:
            if self.first is not None:
                raise
            return None, str(error)

    def added(self, name: str) -> tuple[Histogram, str] | None:
        """What a histogram gained in the window; None where the page has none of that name."""
        last = self.last.histograms.get(name)
        if last is None:
            return None
        if self.first is None or name not in self.first.histograms:
            return last, "since the process began"
        gained = last.since(self.first.histograms[name])
        return None if gained is None else (gained, self.since)
