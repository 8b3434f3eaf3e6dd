"""Every error that gocost raises on purpose, under one root.

An error carries what is wrong and what to type next; the command line prints the two as one line
and exits with the class's `exit_code` (DESIGN: Exit codes). A foreign error is translated in the
source that met it and chained with `raise ... from`.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to the shell. Where several hold: 4, 2, 1, 3."""

    CLEAN = 0
    VIOLATED = 1
    USAGE = 2
    NOT_MEASURABLE = 3
    BUG = 4


class GocostError(Exception):
    """Something a user can act on: what is wrong, and (`hint`) what to do next.

    `output` is what a failed program said (a compiler, a service), shown whole before the line.
    """

    exit_code = ExitCode.NOT_MEASURABLE

    def __init__(self, message: str, *, hint: str = "", output: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.output = output

    def __str__(self) -> str:
        """One line: the fault, then the next step."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(GocostError):
    """The command line cannot be carried out as typed."""

    exit_code = ExitCode.USAGE


class PolicyError(UsageError):
    """A policy file is wrong at a known place (`line` and `column` count from 1)."""

    def __init__(
        self, message: str, *, path: str, line: int = 0, column: int = 0, hint: str = ""
    ) -> None:
        where = f"{path}:{line}:{column}" if line else path
        super().__init__(f"{where}: {message}", hint=hint)
        self.path = path
        self.line = line
        self.column = column


class NotMeasurableError(GocostError):
    """Something that was asked for could not be measured here."""


class SourceError(NotMeasurableError):
    """The outside world refused: a file, a process, a port, a program."""


class BuildError(SourceError):
    """The Go toolchain did not build the target; `output` is the compiler's own message."""


class FormatError(NotMeasurableError):
    """Bytes that are not what they claim to be. `offset` is where, in bytes from the start."""

    def __init__(self, message: str, *, offset: int | None = None, hint: str = "") -> None:
        super().__init__(message if offset is None else f"{message} (at byte {offset})", hint=hint)
        self.offset = offset
