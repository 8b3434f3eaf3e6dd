"""Recorded files, wherever they are: a path, a URL of a service's debug pages, standard input."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import parse_qs, urlsplit

from gocost.model.errors import UsageError
from gocost.sources.files import read_bounded, translated
from gocost.sources.naming import NAME, is_url
from gocost.sources.refusals import refusal
from gocost.sources.service_urls import joined, service_url
from gocost.sources.standard_input import StandardInput

if TYPE_CHECKING:
    from gocost.sources.endpoints import Endpoint

MAX_BYTES: Final = 1 << 30
LONGEST: Final = 86_400
"""Seconds of a recording: a day."""
_PATIENCE: Final = 15.0
"""Seconds for an answer beyond the time that the recording itself takes."""
_PROFILE: Final = 30.0
"""Seconds that net/http/pprof profiles the CPU for where it is not told how long."""
_PIECE: Final = 1 << 20
_PAGES: Final = "/debug/pprof"


def read_recording(
    where: str,
    *,
    page: str = "profile",
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """The bytes of a file, of `-` (standard input), or of a page.

    A URL of a service (`http://host:6060`, with or without /debug/pprof) means its `page`, recorded
    for `seconds` where that is given. Raises SourceError.
    """
    if where == NAME:
        return StandardInput().bounded(max_bytes, "raise --max-bytes")
    if not is_url(where):
        return read_bounded(Path(where), max_bytes, hint="check the path, or raise --max-bytes")
    url = page_url(where, page, seconds)
    from gocost.sources.endpoints import (
        Endpoint,
    )  # HTTP and TLS take 13 ms, which files do not need

    with (
        _capped(url),
        Endpoint(url, headers=headers, timeout=_timeout(url), max_body=max_bytes) as endpoint,
    ):
        answer = endpoint.get("")
    if not answer.ok:
        raise refusal(url, answer.status, answer.body, headers)
    return answer.body


def save_recording(
    where: str,
    write: Callable[[bytes], object],
    *,
    page: str = "profile",
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    within: float | None = None,
    opened: Callable[[Endpoint], object] = lambda _: None,
) -> None:
    """The same page of a service in pieces to `write`: what came before a fault is written.

    `within` bounds the seconds of the whole answer. `opened` is given the connection first, so that
    another thread may abort it. Raises SourceError.
    """
    from gocost.sources.endpoints import Endpoint

    url = page_url(where, page, seconds)
    timeout = _timeout(url) if within is None else within
    with (
        _capped(url),
        Endpoint(url, headers=headers, timeout=timeout, max_body=max_bytes) as endpoint,
    ):
        opened(endpoint)
        answer = endpoint.save("", write)
    if not answer.ok:
        raise refusal(url, answer.status, answer.body, headers)


def keep_piece(file: BinaryIO, path: Path, piece: bytes) -> None:
    """Writes a piece; a full disk is not the service's fault, and is said of the file."""
    try:
        file.write(piece)
    except OSError as error:
        raise translated(error, path) from error


def recording_pieces(
    where: str,
    *,
    page: str = "profile",
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[bytes]:
    """The same in pieces: a file need not fit into memory, and how large it is is not looked at.

    Raises SourceError.
    """
    if is_url(where):
        yield read_recording(where, page=page, headers=headers, max_bytes=max_bytes)
        return
    if where == NAME:
        yield from StandardInput().pieces()
        return
    try:
        with Path(where).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise translated(error, Path(where)) from error


def page_url(where: str, page: str, seconds: float | None) -> str:
    """The URL of a recording: the one given where it names a page, else the service's `page`.

    Raises UsageError where it is no URL, and where `seconds` or those of the URL are too many.
    """
    parts = service_url(where)
    path = parts.path.rstrip("/")
    query = parts.query
    if path in ("", _PAGES):
        page, _, own = page.partition("?")
        path, query = f"{_PAGES}/{page}", joined(own, query)
    if seconds is not None and "seconds=" not in query:
        query = joined(query, f"seconds={seconds:g}")
    check_length(max(seconds or 0, _recorded(query)))
    return parts._replace(path=path, query=query).geturl()


def check_length(seconds: float) -> None:
    """Raises UsageError where a service would be recorded for longer than a day."""
    if seconds > LONGEST:
        raise UsageError(
            f"a service is recorded for up to {LONGEST:,} seconds, and not for {seconds:g}",
            hint="record it for a shorter time",
        )


@contextlib.contextmanager
def _capped(url: str) -> Iterator[None]:
    """Names the option that raises the cap of a recording, which other pages do not have."""
    from gocost.sources.endpoints import TooLargeError

    try:
        yield
    except TooLargeError as error:
        lasts = _timeout(url) > _PATIENCE
        shorter = "record for a shorter time (?seconds=N), or " if lasts else ""
        hint = f"{shorter}raise --max-bytes"
        raise TooLargeError(error.message, hint=hint) from error


def _timeout(url: str) -> float:
    """How long to wait for a page: what it records for, and some patience."""
    query = urlsplit(url).query
    recorded = _recorded(query) if "seconds=" in query or "/profile" not in url else _PROFILE
    return recorded + _PATIENCE


def _recorded(query: str) -> float:
    """The seconds that a query asks for; 0 where it says none, or what is no number."""
    said = parse_qs(query).get("seconds", [""])[0]
    return float(said) if said.replace(".", "", 1).isdecimal() else 0.0
