"""Goroutine dumps from files and services, several of them apart in time; and from a trace."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gocost.analyses.goroutines.groups import Dumps
from gocost.formats.goroutine_dump.decoding import MAX_BYTES, decode_all
from gocost.formats.goroutine_dump.dump import Dump
from gocost.formats.goroutine_dump.grouped import HEAD
from gocost.formats.goroutine_dump.stacks import CAP
from gocost.formats.recognition import is_trace
from gocost.measures.trace_on_disk import trace_of_standard_input, trace_on_disk
from gocost.measures.trace_recording import TraceFile, is_trace_url
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.sources.files import Spooled, is_file, positioned
from gocost.sources.naming import NAME, SHOWN, check_named_once, is_url, shown
from gocost.sources.recordings import MAX_BYTES as RECORDING_BYTES
from gocost.sources.recordings import check_length, page_url, read_recording, recording_pieces
from gocost.sources.standard_input import StandardInput

MOST: Final = 3
"""Dumps that one command compares."""
APART: Final = 5.0
"""Seconds between dumps where nothing else is said."""
_HEAD: Final = 1 << 12
"""Bytes by which a trace is told from a dump, of gzip too."""
_PAGE: Final = "goroutine?debug=2"
_LEAKS: Final = "goroutineleak?debug=2"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read, and what to say about how."""

    dumps: Dumps
    notes: tuple[str, ...] = ()
    lost: str = ""
    """Why there are fewer dumps than were asked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How dumps are read. `sleep` and `clock` are the time that passes between them."""

    headers: Mapping[str, str] | None = None
    max_bytes: int = MAX_BYTES
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    announce: Callable[[str], None] = lambda _: None
    """Told where the trace of a URL is kept."""

    def files(self, files: Sequence[str], every: float | None) -> Taken:
        """Dumps that were taken before, earliest first, or one trace.

        Raises UsageError for a trace among others, SourceError and FormatError.
        """
        check_named_once(files)
        given = StandardInput() if NAME in files else None
        traced = [file for file in files if _is_trace(file, given)]
        if traced and len(files) > 1:
            raise UsageError(
                "a trace is looked at by itself", hint="name one trace, or dumps taken in turn"
            )
        most = max(RECORDING_BYTES, self.max_bytes)
        if traced and given is not None:
            return _of_trace(SHOWN, trace_of_standard_input(given, max_bytes=most), most)
        if traced:
            return _of_trace(shown(files[0]), trace_on_disk(files[0], max_bytes=most), most)
        return _compared([self.several(file, given) for file in files], every)

    def service(
        self, url: str, count: int, every: float, *, leaks: bool, progress: Callable[[str], None]
    ) -> Taken:
        """Dumps of a service, `every` seconds apart.

        With `leaks` the last one is the runtime's goroutineleak page, where the service has it:
        its collection marks what is leaked in the same text. A trace's page is recorded, and kept.
        Of a service that ends meanwhile the dumps before count. Raises SourceError, FormatError.
        """
        if is_trace_url(url):
            most = max(RECORDING_BYTES, self.max_bytes)
            recorded = TraceFile(
                url,
                headers=self.headers,
                max_bytes=most,
                announce=self.announce,
            )
            return _of_trace(shown(url), recorded.path(), most)
        check_length(every * (count - 1))
        where = page_url(url, _PAGE, None) if _is_service(url) else _with_debug(url)
        dumps: list[Dump] = []
        notes: list[str] = []
        lost = ""
        due = self.clock()
        for number in range(1, count + 1):
            progress(f"dump {number} of {count}")
            wait = due - self.clock()
            if wait > 0:
                self.sleep(wait)
            due = self.clock() + every
            last = number == count
            try:
                if last and leaks and _is_service(url):
                    dump, told = self._leaks(page_url(url, _LEAKS, None), where)
                    notes.append(told)
                else:
                    dump = self.one(where)
            except SourceError as error:
                if not dumps:
                    raise
                lost = f"dump {number} of {count} is lost: {error}"
                break
            dumps.append(dump)
        if dumps[-1].size == CAP and (total := self._total(where)):
            notes.append(f"the service had {total:,} goroutines then")
        timed = every if len(dumps) > 1 else None
        return Taken(Dumps(dumps, timed), tuple(filter(None, notes)), lost)

    def one(self, where: str) -> Dump:
        """The dump at a path or URL, the last one of several."""
        return self.several(where)[-1]

    def several(self, where: str, given: StandardInput | None = None) -> list[Dump]:
        """The dumps at a path or URL, in their order; `given` is what `-` is read from."""
        if where == NAME and given is not None:
            pieces = given.pieces()
        else:
            pieces = recording_pieces(
                where, page=_PAGE, headers=self.headers, max_bytes=self.max_bytes
            )
        try:
            return decode_all(
                pieces, origin=shown(where), max_bytes=self.max_bytes, seed=secrets.randbits(31)
            )
        except FormatError as error:
            hint = error.hint or "it is damaged, or was cut off: record or copy it again"
            raise FormatError(f"{shown(where)}: {error.message}", hint=hint) from error

    def _leaks(self, page: str, otherwise: str) -> tuple[Dump, str]:
        """The leak page, or the goroutine page where the service has no other."""
        try:
            return self.one(page), (
                "the service's runtime looked for leaks itself (goroutineleak), in a collection "
                "of its own"
            )
        except (SourceError, FormatError):
            return self.one(otherwise), ""

    def _total(self, where: str) -> int:
        """How many goroutines there are, from the page that is never cut off; 0 where unknown."""
        try:
            page = where.replace("debug=2", "debug=1")
            head = HEAD.match(read_recording(page, headers=self.headers))
        except SourceError:
            return 0
        return int(head[2]) if head else 0


def _of_trace(named: str, path: Path | Spooled, max_bytes: int) -> Taken:
    """What lives at the end of a trace."""
    from gocost.analyses.goroutines.from_trace import from_trace
    from gocost.measures.trace import read_trace

    found = read_trace(path, max_bytes=max_bytes)
    dump = from_trace(found)
    if not dump.total:
        raise FormatError(
            f"{named}: no goroutine lives at the end of this trace",
            hint="see `gocost trace goroutines` for those that ended",
        )
    return Taken(Dumps([dump]))


def _compared(files: Sequence[Sequence[Dump]], every: float | None) -> Taken:
    """What the files hold, as many dumps as are compared."""
    dumps = [dump for found in files for dump in found]
    notes: list[str] = []
    if len(dumps) > len(files):
        there = "this file holds" if len(files) == 1 else "these files hold"
        notes.append(f"{there} {len(dumps):,} dumps, which are taken as one process's in turn")
    if len(dumps) > MOST:
        dumps = [dumps[0], dumps[len(dumps) // 2], dumps[-1]]
        notes[-1] += "; the first, the middle and the last are compared"
    return Taken(Dumps(dumps, every), tuple(notes))


def check_count(files: Sequence[str], count: int) -> None:
    """Raises UsageError for more dumps than are compared."""
    if len(files) > MOST or count > MOST:
        raise UsageError(
            f"{max(len(files), count)} dumps are more than {MOST}",
            hint="name the first, the middle and the last",
        )
    if len(files) > 1 and any(map(is_url, files)):
        raise UsageError(
            "several dumps are files", hint="of one URL, --dumps 3 takes dumps apart in time"
        )


def _is_trace(file: str, given: StandardInput | None) -> bool:
    """Whether a file is an execution trace, of gzip too."""
    if file == NAME and given is not None:
        return is_trace(given.head(_HEAD))
    if is_url(file) or not is_file(Path(file)):
        return False
    with positioned(Path(file)) as opened:
        return is_trace(opened.head(_HEAD))


def _is_service(url: str) -> bool:
    """Whether the URL is a service's, and not one page's."""
    return urlsplit(url).path.rstrip("/") in ("", "/debug/pprof")


def _with_debug(url: str) -> str:
    """A goroutine page in the form that has ids and states, unless another is asked for."""
    parts = urlsplit(url)
    if "debug=" in parts.query or not parts.path.rstrip("/").endswith(
        ("/goroutine", "/goroutineleak")
    ):
        return url
    query = f"{parts.query}&debug=2" if parts.query else "debug=2"
    return parts._replace(query=query).geturl()
