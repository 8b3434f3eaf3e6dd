"""Who may ask: an ASGI application before another that lets through what may pass.

A page of anyone's may make a browser ask 127.0.0.1; with DNS rebinding (a name of theirs that
suddenly means this machine) it could read the answers too. Such a request carries that name in
`Host`, so only the names of this server are answered. A server that others can reach wants a token
besides: in the query of the first page, which is answered with a cookie that has it from then on.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

COOKIE: Final = "gocost-token"
_METHODS: Final = ("GET", "HEAD")
_ALWAYS: Final = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class Guard:
    """Answers only requests to `hosts` (any where there are none), and with the token if any."""

    def __init__(self, application: Application, hosts: Iterable[str], token: str = "") -> None:
        self._application = application
        self._hosts = frozenset(host.lower() for host in hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. What is no HTTP (web sockets, the server's own life) is not for pages."""
        if scope["type"] != "http":
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self._hosts and host not in self._hosts:
            told = f"this server is {' or '.join(sorted(self._hosts))}, and nothing else\n"
            await _refuse(send, 421, told)
            return
        if scope["method"] not in _METHODS:
            await _refuse(send, 405, "this server is for reading\n")
            return
        if self._token:
            query = scope["query_string"].decode("latin-1")
            if self._right(dict(parse_qsl(query)).get("token", "")):
                await self._welcome(scope["path"], query, send)
                return
            if not (self._right(_bearer(headers)) or self._right(_cookie(headers))):
                await _refuse(send, 401, "open the address that gocost printed, with its token\n")
                return
        await self._application(scope, receive, _with_headers(send))

    def _right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _welcome(self, path: str, query: str, send: Send) -> None:
        """To the same page without the token in its address, where others would see it."""
        rest = urlencode([(name, value) for name, value in parse_qsl(query) if name != "token"])
        cookie = f"{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"
        target = "/" + quote(path.lstrip("/")) + (f"?{rest}" if rest else "")
        headers = [(b"location", target.encode("latin-1", "replace")),
                   (b"set-cookie", cookie.encode())]  # fmt: skip
        await _refuse(send, 303, "", headers)


def _bearer(headers: dict[bytes, bytes]) -> str:
    kind, _, given = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: dict[bytes, bytes]) -> str:
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_ALWAYS]
        await send(message)

    return sending


async def _refuse(
    send: Send, status: int, text: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    every = [(b"content-type", b"text/plain; charset=utf-8"), *_ALWAYS, *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": text.encode()})
