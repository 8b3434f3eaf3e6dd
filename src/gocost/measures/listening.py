"""Whether a service that is being recorded is still there.

A profile or a trace that is being recorded tells by itself: its connection breaks. Where none is,
the service is looked at now and then: it is gone when none of its addresses answers, some times in
a row. What is between goes on listening for a service that is dead: a proxy answers 502, 503 or
504, a tunnel ends the connection, and that is no answer. A service may answer so to some pages, and
is there as long as it gives one that it gave before; and to all of them for a moment, while it has
too much to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gocost.sources.endpoints import Absence

LOOKS: Final = 3
"""In a row, none of them answered: one that is started again at once is not missed."""
APART: Final = 0.5
"""Seconds between those."""
LASTING: Final = 5.0
"""Seconds for which what does answer must do so as one that stands before a dead service does."""
EVERY: Final = 2.0
"""Seconds between looks at a service of which nothing is heard."""
_WITHIN: Final = 1.0
"""Seconds for an answer; a service that takes longer is there."""


class Listening:
    """Pages of one service: at each of its addresses one, and those that it gave."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._urls = tuple(dict.fromkeys(urls))
        self._headers = headers
        self._sleep = sleep
        self._clock = clock
        self._due = 0.0

    def add(self, url: str) -> None:
        """A page that the service gave: as long as it answers the service is there, also where
        another answers as a proxy does.
        """
        self._urls = tuple(dict.fromkeys((*self._urls, url)))

    def is_due(self) -> bool:
        """Whether the last look is long enough ago."""
        return self._clock() >= self._due

    def gone(self) -> str:
        """Why the service is not there any more; empty where it is, or may be."""
        self._due = self._clock() + EVERY
        until = self._clock() + LASTING
        looks = 1
        while (found := self._absent()) is not None:
            if looks >= LOOKS and (found.sure or self._clock() >= until):
                return found.why
            self._sleep(APART)
            looks += 1
        return ""

    def _absent(self) -> Absence | None:
        """Why none of the pages is there; not sure where one of them is not."""
        from gocost.sources.endpoints import absent  # HTTP and TLS: only to record

        first = None
        for url in self._urls:
            found = absent(url, headers=self._headers, within=_WITHIN)
            if found is None:
                return None
            if first is None or (first.sure and not found.sure):
                first = found
        return first
