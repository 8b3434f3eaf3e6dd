"""What a Go runtime tells of itself, from saved pages, gctrace logs and running services.

A URL of a service is asked for /metrics, then /debug/vars, then /debug/pprof/heap?debug=1: the
first that tells of the collector is read again after the time between readings. A URL of a page is
that page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from gocost.analyses.runtime.recorded import Recorded
from gocost.formats import gctrace, runtime_page
from gocost.formats.recognition import HEAD, Kind, recognise
from gocost.formats.runtime_page import RuntimePage
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.sources.naming import check_named_once, is_url, listed, shown, shown_url
from gocost.sources.recordings import check_length, read_recording
from gocost.sources.service_urls import page_of, service_url

T = TypeVar("T")
PAGES: Final = ("/metrics", "/debug/vars", "/debug/pprof/heap?debug=1")
MAX_BYTES: Final = 256 << 20
EVERY: Final = 10.0
"""Seconds between two readings of a service."""
MOST: Final = 100
"""Readings of a service in one command."""
_OTHER: Final = "give the URL of its metrics page"
_KINDS: Final = (Kind.METRICS, Kind.VARS, Kind.HEAP)


@dataclass(frozen=True, slots=True)
class Reading:
    """How pages are read. `sleep`, `clock` and `now` are the time that passes meanwhile."""

    headers: Mapping[str, str] | None = None
    max_bytes: int = MAX_BYTES
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time

    def read(
        self,
        names: Sequence[str],
        *,
        every: float | None = None,
        count: int = 2,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Recorded:
        """Files of one process in turn, or one service `count` times, `every` seconds apart.

        Raises UsageError for names that do not go together, SourceError, FormatError.
        """
        if not names:
            raise UsageError("nothing is named to read", hint="name a page, a log, or a URL")
        check_named_once(names)
        if any(map(is_url, names)):
            if len(names) > 1:
                raise UsageError(
                    "a service is read by itself", hint="name its URL alone, or only saved pages"
                )
            return self._service(names[0], EVERY if every is None else every, count, progress)
        return self._files(names, every)

    def _files(self, names: Sequence[str], every: float | None) -> Recorded:
        pages: list[RuntimePage] = []
        for name in names:
            data = read_recording(name, headers=self.headers, max_bytes=self.max_bytes)
            if recognise(data[:HEAD]).kind is Kind.GCTRACE:
                if len(names) > 1:
                    raise UsageError(
                        f"{shown(name)} is a gctrace log, which tells of a window by itself",
                        hint="name it alone",
                    )
                return _of_log(_decoded(gctrace.decode, data, name), shown(name))
            pages.append(self._page(data, name))
        return Recorded(pages, seconds=_seconds(pages, every), names=listed(names))

    def _service(
        self, url: str, every: float, count: int, progress: Callable[[str], None]
    ) -> Recorded:
        check_length(every * (count - 1))
        where, first = self._found(url)
        pages, times, notes = [first], [self.clock()], list[str]()
        for number in range(2, count + 1):
            progress(f"reading {shown_url(where)}: {number} of {count}")
            self.sleep(max(0.0, times[0] + every * (number - 1) - self.clock()))
            try:
                pages.append(self._asked(where))
            except SourceError as error:  # of a service that ended what came before counts
                notes.append(f"reading {number} of {count} is lost: {error}")
                break
            times.append(self.clock())
        seconds = times[-1] - times[0] if len(pages) > 1 else None
        return Recorded(pages, seconds=seconds, names=shown_url(where), notes=tuple(notes))

    def _found(self, url: str) -> tuple[str, RuntimePage]:
        """The first page of a service that tells of the collector, and what it tells."""
        parts = service_url(url)
        if parts.path.rstrip("/") not in ("", "/debug/pprof"):
            return url, self._asked(url)
        base = shown_url(parts._replace(path="", query="", fragment="").geturl())
        refusals, hint = [], _OTHER
        for path in PAGES:
            asked = page_of(url, path)
            try:
                return asked, self._asked(asked)
            except (SourceError, FormatError) as error:
                page, _, query = shown_url(asked).partition("?")
                refusals.append(error.message.removeprefix(page).removeprefix(f"?{query}"))
                hint = error.hint if isinstance(error, SourceError) else _OTHER
                if "nothing listens" in error.message:
                    raise
        if len(set(refusals)) == 1:  # of credentials or TLS, and not of one page
            raise SourceError(f"{base}{refusals[0]} ({', '.join(PAGES)})", hint=hint)
        told = "; ".join(
            f"{path}: {why.lstrip(': ')}" for path, why in zip(PAGES, refusals, strict=True)
        )
        raise SourceError(
            f"{base} has no page that tells of the Go runtime ({told[:400]})", hint=_OTHER
        )

    def _asked(self, url: str) -> RuntimePage:
        data = read_recording(url, headers=self.headers, max_bytes=self.max_bytes)
        return replace(self._page(data, url), at=self.now())

    def _page(self, data: bytes, name: str) -> RuntimePage:
        found = recognise(data[:HEAD])
        if found.kind not in _KINDS:
            raise FormatError(
                f"{shown(name)} is {found}, and not a metrics page, /debug/vars or a gctrace log",
                hint=found.hint,
            )
        return _decoded(runtime_page.decode, data, name)


def _decoded(decode: Callable[[bytes], T], data: bytes, name: str) -> T:
    """What a page or log holds; a fault is said of its file or URL, with what to do next."""
    try:
        return decode(data)
    except FormatError as error:
        hint = error.hint or "it is damaged, or was cut off: record or copy it again"
        raise FormatError(f"{shown(name)}: {error.message}", hint=hint) from error


def _of_log(cycles: Sequence[gctrace.Cycle], name: str) -> Recorded:
    """The process of a log that collected most: a log may hold several, one after the other."""
    runs: list[list[gctrace.Cycle]] = []
    for cycle in cycles:
        if not runs or cycle.number <= runs[-1][-1].number:
            runs.append([])
        runs[-1].append(cycle)
    if len(runs) <= 1:
        return Recorded(cycles=cycles, names=name)
    longest = max(runs, key=len)
    note = (
        f"the log is of {len(runs)} processes; this is of the one that collected most, "
        f"{len(longest):,} of {len(cycles):,} times"
    )
    return Recorded(cycles=longest, names=name, notes=(note,))


def _seconds(pages: Sequence[RuntimePage], every: float | None) -> float | None:
    """Between first and last: as the user says, or as the pages' own timestamps say."""
    if len(pages) < 2:
        return None
    if every is not None:
        return every * (len(pages) - 1)
    first, last = pages[0].at, pages[-1].at
    return last - first if first is not None and last is not None and last > first else None
