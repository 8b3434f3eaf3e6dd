"""The options of commands that serve pages to a browser."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gocost.viewer.site import Site

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Server:
    """Where the user wants the pages."""

    host: str
    port: int
    browser: bool

    def run(self, site: Site) -> None:
        """Serve the site until Ctrl-C or SIGTERM. Raises UsageError where the port is taken."""
        from gocost.viewer.serving import serve

        def say(address: str) -> None:
            click.echo(f"{site.name}: {address} (Ctrl-C ends it)")

        serve(site, say, host=self.host, port=self.port, browser=self.browser)


@contextmanager
def for_a_browser() -> Iterator[None]:
    """A file of another kind is said to have pages of another command, where it has."""
    from gocost.formats.recognition import VIEWS
    from gocost.model.errors import FormatError

    try:
        yield
    except FormatError as error:
        for printed, served in VIEWS.items():
            error.hint = error.hint.replace(f"`{printed}`", f"`{served}`")
        raise


def serving(function: F) -> F:
    """`--host`, `--port` and `--no-browser`; the command gets them as `server`."""

    @click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        metavar="ADDRESS",
        help="Where to listen; other machines then need the token of the printed address.",
    )
    @click.option(
        "--port", type=click.IntRange(0, 65535), default=0, help="By default any that is free."
    )
    @click.option("--no-browser", is_flag=True, help="Only print the address.")
    @functools.wraps(function)
    def wrapper(*args: Any, host: str, port: int, no_browser: bool, **kwargs: Any) -> Any:
        return function(*args, server=Server(host, port, not no_browser), **kwargs)

    return wrapper  # type: ignore[return-value]
