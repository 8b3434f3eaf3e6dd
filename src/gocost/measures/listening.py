"""Whether a service that is being recorded is still there.

A profile or a trace that is being recorded tells by itself: its connection breaks. Where none is,
the service is looked at now and then: it is gone when nothing listens on any of its addresses, some
times in a row. What is between (a tunnel, a proxy) listens for a service that is dead, and then
nothing is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

LOOKS: Final = 3
"""In a row, all of them refused: one that is started again at once is not missed."""
APART: Final = 0.5
"""Seconds between those."""
EVERY: Final = 2.0
"""Seconds between looks at a service of which nothing is heard: a server of TLS complains of each
in its log."""


class Listening:
    """The addresses of one service."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._urls = tuple(dict.fromkeys(urls))
        self._sleep = sleep
        self._clock = clock
        self._due = 0.0

    def gone(self, *, suspected: bool = False) -> bool:
        """Whether nothing listens any more. Looks at once where that is suspected, and else when
        the last look is long enough ago.
        """
        if not suspected and self._clock() < self._due:
            return False
        self._due = self._clock() + EVERY
        for number in range(LOOKS):
            if number:
                self._sleep(APART)
            if not self._refused():
                return False
        return True

    def _refused(self) -> bool:
        from gocost.sources.endpoints import refuses  # HTTP and TLS: only to record

        return all(map(refuses, self._urls))
