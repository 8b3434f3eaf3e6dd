"""Any command of the user's that puts load on a service: k6, wrk, a script, a test suite.

Its exit status says whether the load was put on; its latencies stay unknown, because what it
prints is its own business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gocost.model.errors import SourceError
from gocost.sources import process
from gocost.sources.load.interface import LoadResult

TAIL_LINES = 20
LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class CommandLoad:
    """An argument list, run in `directory`; `env` is added to this process's environment."""

    arguments: Sequence[str]
    directory: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *, timeout: float | None = None) -> LoadResult:
        """Run the command to its end.

        Raises SourceError where it cannot be started, takes longer than `timeout` seconds, or ends
        with another status than 0.
        """
        if not self.arguments:
            raise SourceError("the load command is empty", hint="name a program in load.command")
        done = process.run(
            self.arguments,
            cwd=self.directory,
            env=self.env,
            timeout=timeout,
            missing_hint="install it, or correct load.command",
        )
        tail = output_tail(done.stdout + done.stderr)
        if not done.ok:
            raise SourceError(
                f"the load command `{self.arguments[0]}` {_ending(done.returncode)}"
                f": {last_line(tail) or 'it wrote nothing'}",
                hint="run it by hand against the service",
            )
        return LoadResult(f"`{self.arguments[0]}`", done.wall_seconds, output_tail=tail)


def output_tail(text: str) -> str:
    """The last lines of what a program wrote, long ones cut."""
    lines = [line.rstrip()[:LONGEST_LINE] for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-TAIL_LINES:])


def last_line(text: str) -> str:
    """The last line, where a program that fails usually says why."""
    return text.rstrip().rsplit("\n", 1)[-1].strip()


def _ending(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by signal {-returncode}"
    return f"ended with status {returncode}"
