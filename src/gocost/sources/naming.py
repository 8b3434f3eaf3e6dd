"""Files as people name them on a command line: a path, `-` for standard input, a URL.

A URL may hold what nobody else is to read: a token in its query, a password before its host. It is
asked as it was typed, and printed and kept as `shown` gives it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gocost.model.errors import UsageError

NAME: Final = "-"
SHOWN: Final = "standard input"
Named = str | Path
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HIDDEN: Final = "***"
_TELLING: Final = frozenset(("seconds", "debug", "gc"))
"""Parameters of /debug/pprof; of no other the value is shown."""
_AMOUNT: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_HOST: Final = re.compile(r"(?:\[[^\]@]*\]|[^:@\[\]]*)(?::[0-9]*)?")
_ENDS: Final = re.compile(r"[/?#]")
_URL: Final = re.compile(r"(?<![a-z0-9+.-])([a-z0-9+.-]+:/{1,2})(\S+)", re.IGNORECASE)
_AFTER: Final = ":;,.)'\""
"""What stands behind a URL in a sentence."""
_BEGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?i:https?):/")
"""Of a URL of any kind, and of one that a path was made of."""


def names_of(files: Named | Iterable[Named]) -> tuple[str, ...]:
    """One file or several, by their names."""
    return tuple(map(str, [files] if isinstance(files, str | Path) else files))


def is_url(where: str) -> bool:
    """Whether a recording is fetched rather than read from a file.

    Raises UsageError for a URL of another kind, of which nothing but the kind is shown: it may hold
    a password.
    """
    scheme = _SCHEME.match(where)
    if scheme is not None and scheme[1].lower() not in ("http", "https"):
        raise UsageError(
            f"a URL that begins with {scheme[0]} cannot be read, only http:// and https://",
            hint="fetch what it names and give the file",
        )
    return scheme is not None


def shown(where: str) -> str:
    """What a file is called in a report; a URL is without its secrets."""
    if where == NAME:
        return SHOWN
    return shown_url(where) if _BEGIN.match(where) else where


def shown_url(url: str) -> str:
    """A URL as it may be printed and kept: without what authenticates, in its query or before its
    host. Of its parameters only those of pprof have their values. Takes any text, also what is no
    URL: `host:6060` is one without its scheme.
    """
    start = found.end() if (found := _BEGIN.match(url)) else 0
    end = _end(url, start)
    authority, rest = url[start:end], url[end:]
    if "@" in authority or ("@" in rest and not _HOST.fullmatch(authority)):
        # A password may hold what ends a host: what is no host belongs to it, up to the last @.
        rest = url[start:].rpartition("@")[2]
        end = _end(rest, 0)
        authority, rest = f"{_HIDDEN}@{rest[:end]}", rest[end:]
    rest, fragment, _ = rest.partition("#")
    path, question, query = rest.partition("?")
    query = "&".join(map(_parameter, query.split("&")))
    return f"{url[:start]}{authority}{path}{question}{query}{fragment and f'#{_HIDDEN}'}"


def shown_within(text: str) -> str:
    """A text with all URLs in it as `shown_url` has them, also those of a mistyped scheme."""
    return _URL.sub(lambda found: found[1] + _shown_in_a_sentence(found[2]), text)


def _shown_in_a_sentence(rest: str) -> str:
    url = rest.rstrip(_AFTER)
    return shown_url(url) + rest[len(url) :]


def secrets_of(url: str) -> list[str]:
    """What `shown_url` leaves out of the query, as it was typed."""
    query = url.partition("#")[0].partition("?")[2]
    pairs = (pair.partition("=") for pair in query.split("&"))
    return [
        word
        for name, equals, value in pairs
        if (word := value if equals else name) and not _is_telling(name, value)
    ]


def asking(query: str) -> str:
    """What of a query is about who asks, and not about one page of /debug/pprof."""
    return "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in _TELLING)


def _end(url: str, start: int) -> int:
    """Where the host ends that begins there."""
    found = _ENDS.search(url, start)
    return found.start() if found else len(url)


def _parameter(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return name and _HIDDEN
    return pair if _is_telling(name, value) else f"{name}={_HIDDEN}"


def _is_telling(name: str, value: str) -> bool:
    return name in _TELLING and _AMOUNT.fullmatch(value) is not None


def listed(files: Iterable[str]) -> str:
    """Several of them, as sentences name them."""
    return ", ".join(map(shown, files))


def short_name(where: str) -> str:
    """What a file is called as the title of a report: without folders, but of a URL as a whole, and
    of a pipe (`<(COMMAND)`), whose name is a number.
    """
    if is_url(where) or Path(where).is_relative_to("/dev/fd"):
        return shown(where)
    return shown(Path(where).name)


def check_named_once(names: Iterable[object]) -> None:
    """Raises UsageError where more than one file is to be standard input."""
    if [*map(str, names)].count(NAME) > 1:
        raise UsageError(
            f"{SHOWN} is one file, and `{NAME}` is named more than once",
            hint="write one of them to a file first",
        )
