"""An execution trace wherever it comes from: a file, standard input, a running service.

A trace is read at any place, with memory for a part of it at a time. Wherever one is named
(`gocost trace`, `attribute --trace`, `check --trace`, `query`, `goroutines`) it is put on disk here
first: of the URL of a service it is recorded into a file that is kept, of standard input, a pipe or
gzip into one that is gone afterwards. What broke off counts as far as it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import urlsplit

from gocost.formats.recognition import COMMANDS, HEAD, Kind, is_trace, mistaken, recognise
from gocost.measures.trace_on_disk import trace_on_disk
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.sources.files import Spooled, positioned, translated
from gocost.sources.naming import is_url, shown_url
from gocost.sources.recordings import MAX_BYTES, keep_piece, save_recording
from gocost.sources.refusals import ELSEWHERE
from gocost.sources.service_urls import service_url

if TYPE_CHECKING:
    from gocost.sources.endpoints import Endpoint

SECONDS: Final = 5.0
"""A trace is large: megabytes a second of a busy service."""
_HEAD: Final = 16
"""Bytes that a trace begins with."""
_NAMES: Final = ("/trace", ".trace", ".trace.gz")
"""What the URL of a trace ends in."""
_MOST_NAMES: Final = 1000
"""Recordings of one service in one second."""


def record_trace(
    url: str,
    seconds: float = SECONDS,
    *,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    keep: str | Path | None = None,
    opened: Callable[[Endpoint], object] = lambda _: None,
) -> tuple[Path, str]:
    """Records an execution trace of a running service into a new file, `keep` or one of the current
    folder that is named by service and time.

    A URL that says `seconds=` itself is recorded for those. `opened` is given the connection first,
    so that another thread may abort it. Returns the file, and why it is not whole (empty where it
    is). Raises UsageError for what is no URL, SourceError, and FormatError for another answer.
    """
    path, file = _fresh(recording_name(url, "trace")) if keep is None else _new(Path(keep))
    lost = ""
    try:
        with file:
            try:
                save_recording(
                    url,
                    partial(keep_piece, file, path),
                    page="trace",
                    seconds=seconds,
                    headers=headers,
                    max_bytes=max_bytes,
                    opened=opened,
                )
            except SourceError as error:
                if file.tell() <= _HEAD:
                    raise
                lost = str(error)
        _check(path, url)
    except OSError as error:
        raise translated(error, path) from error
    except BaseException:
        path.unlink(missing_ok=True)  # a refusal is in no file
        raise
    return path, lost


def _check(path: Path, url: str) -> None:
    """Raises FormatError where the service answered with something else: a page to log in at."""
    with positioned(path) as file:
        head = file.head(HEAD)
    if not is_trace(head):
        other = mistaken(head, Kind.TRACE)
        told = other.message if other is not None else "this is not an execution trace of Go"
        hint = ELSEWHERE
        if other is not None and recognise(head).kind in COMMANDS:
            hint = other.hint  # no page to log in at, but one that another command reads
        raise FormatError(f"{shown_url(url)}: {told}", hint=hint)


def _fresh(name: str) -> tuple[Path, BinaryIO]:
    """A new file: two traces of one service may begin within a second."""
    for number in range(1, _MOST_NAMES):
        path = Path(f"{name}.trace" if number == 1 else f"{name}-{number}.trace")
        try:
            return path, path.open("xb")
        except FileExistsError:
            continue
        except OSError as error:
            raise translated(error, path) from error
    raise SourceError(f"{name}.trace is there already", hint="record in another folder")


def _new(path: Path) -> tuple[Path, BinaryIO]:
    """The file that was asked for: what was recorded before is not written over."""
    try:
        return path, path.open("xb")
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", hint="name a new file with --keep") from error
    except OSError as error:
        raise translated(error, path) from error


def is_trace_url(where: str) -> bool:
    """Whether a URL names a service's trace page, or a file of a trace."""
    return is_url(where) and service_url(where).path.rstrip("/").endswith(_NAMES)


def recording_name(url: str, what: str = "recording") -> str:
    """A name for a recording of this service, by its host and the time."""
    try:
        # A name and password in it are refused, and are in no file's name before that.
        host = urlsplit(url).netloc.rpartition("@")[2] or shown_url(url)
    except ValueError:  # no URL: who records it says so
        host = shown_url(url)
    named = "".join(c if c.isalnum() else "-" for c in host)
    return f"{what}-{named}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


class TraceFile:
    """A trace by path, `-` or URL. Of a URL it is recorded from when this is made, so that a
    profile may be recorded at the same time; `path` waits for its end.
    """

    def __init__(
        self,
        where: str,
        *,
        seconds: float = SECONDS,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        keep: str | Path | None = None,
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`announce` is told where the recording is kept; the rest is as in `record_trace`."""
        self._where = where
        self._max_bytes = max_bytes
        self._announce = announce
        self._connection: Endpoint | None = None
        self._aborted = False
        self._found: Path | Spooled | None = None
        if is_url(where):
            self._pool = ThreadPoolExecutor(1)
            self._recorded = self._pool.submit(
                record_trace,
                where,
                seconds,
                headers=headers,
                max_bytes=max_bytes,
                keep=keep,
                opened=self._opened,
            )
            self._pool.shutdown(wait=False)

    def path(self) -> Path | Spooled:
        """The file. Raises SourceError and UsageError where nothing could be recorded, and
        FormatError where what is not read from a plain file is no trace.
        """
        if self._found is None:
            where: str | Path = self._where
            if is_url(self._where):
                with self.meanwhile():
                    where, lost = self._recorded.result()
                told = f"recorded in {where}"
                self._announce(f"{told}, which broke off: {lost}" if lost else told)
            self._found = trace_on_disk(where, max_bytes=self._max_bytes)
        return self._found

    @property
    def lost(self) -> str:
        """Why a recording is not whole; empty where it is."""
        return self._recorded.result()[1] if is_url(self._where) else ""

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """What is done while it is recorded: where that fails, so much of the trace as there is is
        kept, and nobody waits for the rest.
        """
        try:
            yield
        except BaseException:
            self._abort()
            raise

    def _abort(self) -> None:
        if self._aborted or not is_url(self._where):
            return
        self._aborted = True
        if self._connection is not None:
            self._connection.abort()
        if self._recorded.exception() is None:
            self._announce(f"what was recorded so far is in {self._recorded.result()[0]}")

    def _opened(self, connection: Endpoint) -> None:
        self._connection = connection
        if self._aborted:  # meanwhile, in another thread
            connection.abort()
