"""What every load generator reports, whichever it is.

A generator runs to its end in the foreground, with everything that it started ended with it, and
returns one `LoadResult`. What it cannot know (a command's latencies) is None, never 0. Raises
SourceError where no load could be put on: then nothing about the service has been measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Latency:
    """Time from sending a request to the end of its answer, in seconds.

    Exact quantiles by nearest rank: each is the latency of one of the `count` requests.
    """

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What was put on, and what came back."""

    what: str
    """The load in words, such as `vegeta: pay.targets at 500/s for 10 s`."""
    wall_seconds: float
    """From the start of the generator to its end."""
    output_tail: str = ""
    """The last that the generator wrote on its terminal."""

    requests: int | None = None
    failed: int | None = None
    """Requests without an answer, or with a status other than 200 to 399."""
    seconds: float | None = None
    """From the first request sent to the last one sent."""
    rate: float | None = None
    """Requests a second that were really sent."""
    statuses: tuple[tuple[int, int], ...] = ()
    """(HTTP status, requests) in order of status; 0 stands for no answer."""
    errors: tuple[tuple[str, int], ...] = ()
    """(message, requests), the most frequent first."""
    sent_bytes: int | None = None
    """Of bodies."""
    received_bytes: int | None = None
    """Of bodies; at least this much where `received_cut`."""
    received_cut: bool = False
    """Some answer was longer than what is kept of one."""
    latency: Latency | None = None


class LoadGenerator(Protocol):
    """One load, ready to be put on as often as wanted."""

    def run(self, *, timeout: float | None = None) -> LoadResult:
        """Put the load on until it is through, or `timeout` seconds have passed."""
        ...
