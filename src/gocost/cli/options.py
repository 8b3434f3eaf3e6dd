"""The options that mean the same on every command, as decorators a command stacks.

A decorated command gets `output: Output` and passes its Report to `output.emit`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from gocost.cli.output import Output
from gocost.reporters.registry import NAMES

F = TypeVar("F", bound=Callable[..., Any])


class FileToWrite(click.Path):
    """A file that a command writes at its end: what may take minutes does not begin in vain."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a name in a folder that is not there."""
        from gocost.sources.files import is_folder

        path = str(super().convert(value, param, ctx))
        folder = Path(path).parent
        if not is_folder(folder):
            self.fail(f"there is no folder {folder}: make it, or name another file", param, ctx)
        return path


class Number(click.FloatRange):
    """A number within a range; `nan` is none, though it is outside of no range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no number."""
        found = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value!r} is no number", param, ctx)
        return found


MOST_BYTES: Final = 1 << 50
"""More than any machine has, and less than what sizes are counted with."""


class Cap(click.types.IntParamType):
    """A number of bytes that may be needed."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no whole number, and what nothing can hold."""
        try:
            found = int(value)
        except ValueError:
            found = 0
        if not 1 <= found <= MOST_BYTES:
            self.fail(f"{value!r} is no number of bytes from 1 to {MOST_BYTES:,}", param, ctx)
        return found


def at_most(help_: str) -> Callable[[F], F]:
    """`--max-bytes N`."""
    return click.option("--max-bytes", type=Cap(), help=help_)


def reporting(function: F, default: str = "text") -> F:
    """`--format`, `-o` and `--top`; the command gets them as `output`."""

    @click.option(
        "--format",
        "format_",
        type=click.Choice(NAMES),
        default=default,
        show_default=True,
        help="How to print the report.",
    )
    @click.option(
        "-o",
        "--output",
        "path",
        type=FileToWrite(),
        help="Write the report to this file instead of stdout.",
    )
    @click.option(
        "--top",
        type=click.IntRange(min=0),
        help="Rows of a table before one row for the rest (0: all).",
    )
    @functools.wraps(function)
    def wrapper(*args: Any, format_: str, path: str | None, top: int | None, **kwargs: Any) -> Any:
        return function(*args, output=Output(format_, path, top), **kwargs)

    return wrapper  # type: ignore[return-value]


def comparing(function: F) -> F:
    """`--base REF|FILE`: what to compare with."""
    return click.option(
        "--base",
        metavar="REF|FILE",
        help="Compare with this git ref (its merge base with HEAD) or file.",
    )(function)


def priced(function: F) -> F:
    """`--policy` and `--service`: whose prices and deployment hold."""
    function = click.option("--service", metavar="NAME", help="Which service of the policy.")(
        function
    )
    return click.option("--policy", metavar="FILE", help="Prices and deployment: gocost.yaml.")(
        function
    )


def judging(function: F) -> F:
    """`--fail-on` and `--exit-zero`, for commands that judge."""
    function = click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "unknown"]),
        default="error",
        show_default=True,
        help="The least that makes the exit code 1 (unknown: also what could not be measured).",
    )(function)
    return click.option("--exit-zero", is_flag=True, help="Report, but exit 0 whatever was found.")(
        function
    )


def authorised(function: F) -> F:
    """What services ask for: `--header`, `--cert`, `--key`, `--cacert`; the command gets all of
    it as `headers`.
    """

    @click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="'NAME: VALUE'|@FILE",
        help="For the service's pages, repeatable; @FILE holds one a line. Never printed.",
    )
    @click.option("--cert", metavar="FILE", help="Your certificate for a service's TLS, in PEM.")
    @click.option("--key", metavar="FILE", help="Its private key, if not in the same file.")
    @click.option("--cacert", metavar="FILE", help="Who may have signed the service's certificate.")
    @functools.wraps(function)
    def wrapper(
        *args: Any,
        headers: tuple[str, ...],
        cert: str | None,
        key: str | None,
        cacert: str | None,
        **kwargs: Any,
    ) -> Any:
        from gocost.model.errors import UsageError
        from gocost.sources.credentials import Credentials

        if key is not None and cert is None:
            raise UsageError("--key belongs to a certificate", hint="add --cert FILE")
        given = Credentials(
            _headers(headers),
            certificate=Path(cert) if cert is not None else None,
            key=Path(key) if key is not None else None,
            authority=Path(cacert) if cacert is not None else None,
        )
        return function(*args, headers=given, **kwargs)

    return wrapper  # type: ignore[return-value]


def _headers(given: Sequence[str]) -> dict[str, str]:
    """Headers by name. Errors name the option and never show what was given."""
    from gocost.model.errors import UsageError
    from gocost.sources.files import read_text

    lines: list[str] = []
    for each in given:
        if each.startswith("@"):
            lines += [line for line in read_text(Path(each[1:])).splitlines() if line.strip()]
        else:
            lines.append(each)
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or " " in name.strip():
            raise UsageError("--header is not 'Name: value'", hint="it is not shown here")
        headers[name.strip()] = value.strip()
    return headers
