"""URLs of services, as they are typed: on the command line and in a policy."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from gocost.model.errors import UsageError
from gocost.sources.naming import asking, shown_url


def service_url(text: str) -> SplitResult:
    """The parts of an http or https URL; `host:port` alone is one of http. Raises UsageError."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        name = parts.hostname or ""
        name.encode("idna")  # as whoever looks it up will: `a..b` and very long names are none
        # Only asking for the port reads it.
        sound = parts.scheme in ("http", "https") and bool(name) and parts.port != 0
        sound = sound and f"{parts.path}{parts.query}".isascii()  # what else there is, is encoded
        sound = sound and not any(sign <= " " or sign == "\x7f" for sign in text)
    except ValueError:
        sound = False
    if not sound:
        raise UsageError(
            f"{shown_url(text)!r} is not the URL of a service",
            hint="write for example http://127.0.0.1:6060",
        )
    return parts


def page_of(url: str, page: str) -> str:
    """Another page of the service, with its own query (`/metrics`, `/debug/pprof/heap?debug=1`):
    below the path that the URL has, without /debug/pprof, and with what of the URL's query the
    service may ask of its readers. Raises UsageError.
    """
    parts = service_url(url)
    below = parts.path.rstrip("/").removesuffix("/debug/pprof")
    path, _, own = page.partition("?")
    return parts._replace(path=f"{below}{path}", query=joined(own, asking(parts.query))).geturl()


def joined(*queries: str) -> str:
    """Queries as one; the first that has a parameter counts."""
    return "&".join(filter(None, queries))
