"""Where a report goes: stdout is the result, stderr is the talk."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from gocost.model.errors import UsageError
from gocost.reporters.registry import reporter

if TYPE_CHECKING:
    from gocost.model.report import Report
    from gocost.reporters.interface import Settings


@dataclass(frozen=True, slots=True)
class Output:
    """What the user chose with `--format`, `-o` and `--top`."""

    format: str
    path: str | None
    top: int | None

    def load(self) -> None:
        """Loads what `emit` needs, while something else goes on."""
        reporter(self.format)

    def emit(self, report: Report) -> None:
        """Print the report. Raises UsageError where the file cannot be written."""
        with self._stream() as stream:
            reporter(self.format).render(report, stream, self._settings(stream))

    def for_a_browser(self, hint: str) -> None:
        """Raises UsageError where a page would fill the terminal instead of a file."""
        if self.format == "html" and self.path is None and sys.stdout and sys.stdout.isatty():
            raise UsageError("a page is for a browser", hint=f"name a file with -o FILE; {hint}")

    @contextmanager
    def _stream(self) -> Iterator[TextIO]:
        if self.path is None or self.path == "-":
            with _standard_output() as stream:
                yield stream
            return
        # Rendered whole before the file is touched, so that a fault leaves no half a report.
        buffer = io.StringIO()
        yield buffer
        try:
            Path(self.path).write_text(buffer.getvalue(), encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror}", hint="name another file with -o"
            ) from error

    def _settings(self, stream: TextIO) -> Settings:
        from gocost.reporters.interface import Settings

        terminal = stream is sys.stdout and stream.isatty()
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return Settings(
            width=_columns() if terminal or os.environ.get("COLUMNS") else 80,
            color=terminal and not plain,
            top=self.top,
        )


def write_lines(lines: Iterable[str], path: str | None) -> None:
    """Text that is no report, to a file or to stdout. Raises UsageError where it cannot be."""
    if path is None or path == "-":
        with _standard_output() as stream:
            stream.writelines(f"{line}\n" for line in lines)
        return
    write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"), path)


def write_bytes(data: bytes, path: str) -> None:
    """Bytes to a file, which is whole or not there. Raises UsageError where it cannot be."""
    with written(path) as stream:
        stream.write(data)


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A file to write, which takes its name when all of it is there; a fault leaves what was.

    Raises UsageError where it cannot be written.
    """
    fresh = Path(f"{path}.new-{os.getpid()}")
    try:
        with fresh.open("wb") as stream:
            yield stream
        fresh.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="name another file with -o"
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink()


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    """stdout, flushed at the end. Raises UsageError where it is closed or its disk is full.

    A reader that leaves (`| head`) has what it wanted: the command goes on, so that what it still
    has to save is saved and its exit code stays its verdict.
    """
    hint = "name a file with -o"
    if sys.stdout is None:
        raise UsageError("standard output is closed", hint=hint)
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError as error:
        from gocost.cli.main import discard_output

        discard_output()
        if isinstance(error, BrokenPipeError):
            return
        raise UsageError(
            f"standard output cannot be written: {error.strerror}", hint=hint
        ) from error


def warned(text: str) -> None:
    """What a report has as a warning, where there is no report: on stderr."""
    said(f"warning: {text}")


def said(text: str) -> None:
    """A line to stderr, where results are not."""
    click.echo(text, err=True)


@contextmanager
def progress() -> Iterator[Progress]:
    """A line on a terminal's stderr that says what is being done; elsewhere what takes long."""
    shown = Progress(sys.stderr.isatty())
    try:
        yield shown
    finally:
        shown.clear()


class Progress:
    """Rewrites one line; a callable, as `Context.progress` wants it."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled

    def __call__(self, text: str) -> None:
        if self._enabled:
            sys.stderr.write(f"\r\x1b[K{text[: _columns() - 1]}")
            sys.stderr.flush()

    def announce(self, text: str) -> None:
        """A line that stays, on a terminal or not: what takes long, before it begins."""
        self.clear()
        # stderr may be closed, and nobody's build fails for that.
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"gocost: {text}\n")
            sys.stderr.flush()

    def said(self, text: str) -> None:
        """A line that stays, and is the command's own word: where something is kept."""
        self.clear()
        said(text)

    def recording(self, names: Iterable[str | None]) -> None:
        """Of files that are URLs the first: a service takes its time to be recorded."""
        from gocost.sources.naming import is_url, shown_url

        for name in names:
            if name is not None and is_url(name):
                self(f"recording {shown_url(name)}")
                return

    def clear(self) -> None:
        """Leave the line empty for what comes next."""
        if self._enabled:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _columns() -> int:
    import shutil  # its compression modules take longer to import than a help page to print

    return shutil.get_terminal_size((80, 24)).columns
