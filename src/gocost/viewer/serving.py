"""A site on a socket of this machine, until someone stops it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable

from gocost.model.errors import NotMeasurableError, UsageError
from gocost.viewer.site import Site

LOOPBACK = "127.0.0.1"
GRACE = 2
"""Seconds that a page which is being made has when the server is stopped."""


def serve(
    site: Site,
    say: Callable[[str], object],
    *,
    host: str = LOOPBACK,
    port: int = 0,
    browser: bool = True,
) -> None:
    """Serve until SIGINT or SIGTERM. `say` gets the address; port 0 is any that is free.

    On another address than loopback a token is wanted of every request; the address that is said
    has it. Raises UsageError where the address cannot be had, and NotMeasurableError where Litestar
    and uvicorn are not installed.
    """
    try:
        import uvicorn

        from gocost.viewer.application import application
    except ImportError as error:
        raise NotMeasurableError(
            f"the web view needs Litestar and uvicorn: {error}",
            hint="pip install 'gocost[serve]'; a page of its own is `gocost profile flame`",
        ) from error
    from gocost.viewer.guard import Guard

    with _bound(host, port) as bound:
        name, number = bound.getsockname()[:2]
        local = ipaddress.ip_address(name).is_loopback
        token = "" if local else secrets.token_urlsafe(24)
        here = f"[{name}]" if bound.family == socket.AF_INET6 else name
        hosts = [f"{each}:{number}" for each in (here, "localhost")] if local else []
        if number == 80:
            hosts += [host.removesuffix(":80") for host in hosts]  # as browsers write it
        config = uvicorn.Config(
            Guard(application(site), hosts, token),
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE,
        )
        address = f"http://{here}:{number}/" + (f"?token={token}" if token else "")

        class Server(uvicorn.Server):
            """Says where it is once it handles signals: one may come at once."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                say(address)
                if browser and _has_a_screen():
                    threading.Thread(target=_open, args=[address], daemon=True).start()

        # uvicorn ends on both signals and then sends them once more.
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            Server(config).run(sockets=[bound])


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        raise UsageError(
            f"{host!r} is no address", hint="write --host 127.0.0.1, or 0.0.0.0 for all"
        ) from None
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise UsageError(
            f"{host}:{port} cannot be served: {error.strerror}",
            hint="choose another --port, or none for any that is free",
        ) from error
    return bound


def _has_a_screen() -> bool:
    """Without one Python would open a text browser in the middle of the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)
