"""A CPU profile that a service refuses, as one is being recorded already: by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from gocost.model.errors import GocostError
from gocost.sources.naming import asking
from gocost.sources.recordings import save_recording
from gocost.sources.refusals import ProfilingInUseError
from gocost.sources.service_urls import joined

if TYPE_CHECKING:
    from gocost.sources.endpoints import Endpoint

WITHIN: Final = 5.0
"""Seconds that the service may take for its goroutines."""


@contextmanager
def naming_who_profiles(
    where: str,
    headers: Mapping[str, str] | None,
    *,
    within: float = WITHIN,
    opened: Callable[[Endpoint], object] = lambda _: None,
) -> Iterator[None]:
    """Asks the service's goroutines, which stop for that, who records its CPU profile, where what
    is done fails because of one. A service that does not say leaves the refusal as it was.
    """
    try:
        yield
    except ProfilingInUseError as error:
        try:
            who, hint = _asked(where, headers, within, opened)
        except GocostError:
            raise error from None
        raise ProfilingInUseError(f"{error.message}, {who}", hint=hint) from error


def _asked(
    where: str,
    headers: Mapping[str, str] | None,
    within: float,
    opened: Callable[[Endpoint], object],
) -> tuple[str, str]:
    import secrets

    from gocost.analyses.goroutines.profiler import profiler
    from gocost.formats.goroutine_dump.decoding import MAX_BYTES, decode

    data = bytearray()
    save_recording(
        _goroutines(where),
        data.extend,
        headers=headers,
        max_bytes=MAX_BYTES,
        within=within,
        opened=opened,
    )
    return profiler(decode([bytes(data)], max_bytes=MAX_BYTES, seed=secrets.randbits(31)))


def _goroutines(where: str) -> str:
    """The page beside that of the profile, whatever both are below."""
    parts = urlsplit(where)
    path = parts.path.rstrip("/")
    if path in ("", "/debug/pprof"):
        path = "/debug/pprof/profile"
    path = f"{path.rpartition('/')[0]}/goroutine"
    return parts._replace(path=path, query=joined("debug=2", asking(parts.query))).geturl()
