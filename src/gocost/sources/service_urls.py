"""URLs of services, as they are typed: on the command line and in a policy."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from gocost.model.errors import UsageError

_USER: Final = re.compile(r"//[^/]*@")
"""A name and a password, which no message repeats."""


def service_url(text: str) -> SplitResult:
    """The parts of an http or https URL; `host:port` alone is one of http. Raises UsageError."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        name = parts.hostname or ""
        name.encode("idna")  # as whoever looks it up will: `a..b` and very long names are none
        # Only asking for the port reads it.
        sound = parts.scheme in ("http", "https") and bool(name) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        told = _USER.sub("//...@", text)
        raise UsageError(
            f"{told!r} is not the URL of a service", hint="write for example http://127.0.0.1:6060"
        )
    return parts
