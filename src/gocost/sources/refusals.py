"""Why a service does not give a page: what it says, and what to do, without what it was sent.

A service may repeat credentials, whole or in part, as they were sent or as HTML, a URL or base64
have them, of headers and of the URL's own query. Where it says that they are wrong, its words are
left out; else all of these are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from gocost.model.errors import SourceError
from gocost.sources.naming import secrets_of, shown_url

_SAID: Final = 1 << 14
"""Bytes of a refusal that are looked at: credentials that it repeats are found whole in them."""
_SHOWN: Final = 200
_WORD: Final = 4
"""Letters of a part of a header's value that is left out wherever it stands."""
UNREACHED: Final = (502, 503, 504)
"""What a proxy answers for a service that it does not reach."""
WITHOUT: Final = "pass credentials with --header 'Name: value', or with --cert FILE"
ELSEWHERE: Final = f"correct the URL, or {WITHOUT}"
_WRONG: Final = "correct what --header gives, which is not shown here"
_WRONG_URL: Final = f"correct the query of the URL, whose values are not shown here, or {WITHOUT}"


class ProfilingInUseError(SourceError):
    """The service's one CPU profile is being recorded already."""


def refusal(url: str, status: int, body: bytes, headers: Mapping[str, str] | None) -> SourceError:
    """Why a page was not had, with what the service said and what to do."""
    headers, words = headers or {}, secrets_of(url)
    shown = len(headers)  # certificates are nothing that could be repeated
    said = "" if (shown or words) and status == 401 else _first_line(body, headers, words)
    url = shown_url(url)
    told = f"{url} answered {status}" + (f": {said}" if said else "")
    if status in (401, 403):
        return SourceError(told, hint=_WRONG if shown else _WRONG_URL if words else WITHOUT)
    if 300 <= status < 400:
        return SourceError(
            f"{url} answered {status}, which leads elsewhere: to a login perhaps",
            hint=f"correct the URL, or {WITHOUT}",
        )
    if b"cpu profiling already in use" in body:
        return ProfilingInUseError(told, hint="try again when that profile has ended")
    if b"enable tracing" in body:
        return SourceError(
            told, hint="somebody else records a trace; try again when that one has ended"
        )
    if status == 404:
        return SourceError(told, hint="import net/http/pprof in the service, or correct the URL")
    if status == 400 and b"HTTP request to an HTTPS server" in body:
        return SourceError(told, hint="write https:// in its URL")
    if status in UNREACHED:
        return SourceError(told, hint="see whether the service that it is for runs")
    return SourceError(told, hint="see whether the service has this page")


def _first_line(body: bytes, headers: Mapping[str, str], words: Sequence[str]) -> str:
    said = body[:_SAID].decode("utf-8", "replace").strip()
    hidden = {*_secrets(headers), *_secrets_of_url(words)}
    for word in sorted(hidden, key=lambda word: (-len(word), word)):
        said = said.replace(word, "***")
    return "".join(filter(str.isprintable, next(iter(said.splitlines()), "")))[:_SHOWN]


def _secrets(headers: Mapping[str, str]) -> Iterator[str]:
    """What stands in headers, in all the forms in which it may come back."""
    for value in filter(None, headers.values()):
        words = [word for word in value.split() if len(word) >= _WORD]
        scheme, _, encoded = value.partition(" ")
        if scheme.lower() == "basic":
            both = _decoded(encoded)
            words += [word for word in (both, both.partition(":")[2]) if word]
        for word in (value, *words):
            yield from _forms(word)


def _secrets_of_url(words: Sequence[str]) -> Iterator[str]:
    """What stands in a query, as it was typed, as it is meant, and as others would write that."""
    for word in words:
        for meant in (word, unquote(word), unquote_plus(word)):
            yield from _forms(meant)


def _forms(word: str) -> tuple[str, ...]:
    """How a service may write what it was sent."""
    import html  # its table of entities takes 2 ms, and few services refuse

    return word, html.escape(word), quote(word, safe=""), quote_plus(word)


def _decoded(encoded: str) -> str:
    """User and password of basic authentication."""
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
