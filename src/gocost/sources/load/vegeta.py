"""Load at a fixed rate with vegeta: a slow answer does not hold back the next request.

The results are written to a file while the attack lasts and read after it, so that reading does
not compete with the service. Every latency is kept (8 bytes a request), and the quantiles are
exact; vegeta's own report estimates them with a t-digest.

A targets file is vegeta's HTTP format (or JSON lines) in which `{port}` and the other placeholders
of a policy's `run:` may stand; `@body` paths in it are relative to `directory`.
"""

from __future__ import annotations

import csv
import io
import re
import subprocess
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

from gocost.model.errors import SourceError
from gocost.sources import process
from gocost.sources.load.command import last_line, output_tail
from gocost.sources.load.interface import Latency, LoadResult
from gocost.sources.load.vegeta_tool import vegeta_program
from gocost.sources.scratch import scratch

REQUEST_SECONDS: Final = 30.0
"""After which vegeta gives up on one request."""
MAX_TARGETS_BYTES: Final = 64 << 20
MAX_REQUESTS: Final = 50_000_000
"""Of one attack; their latencies are held in memory."""
KEPT_BODIES_BYTES: Final = 256 << 20
"""Of all answers of an attack, on disk while it lasts."""
LONGEST_KEPT_BODY: Final = 64 << 10
SHOWN_ERRORS: Final = 5
_KINDS_OF_ERRORS: Final = 100
_PLACEHOLDER: Final = re.compile(r"\{(port\d*)\}")
_STAMP: Final = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ")
# An ephemeral port makes each message of a refused connection another one.
_LOCAL_ADDRESS: Final = re.compile(r"\S+:\d+->")


@dataclass(frozen=True, slots=True)
class VegetaLoad:
    """One attack: `targets` at `rate` requests a second for `seconds`."""

    targets: Path
    rate: float
    seconds: float
    directory: Path
    """Where body files of the targets are found."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What stands for `{port}`, `{port2}` ... in the targets."""

    @property
    def what(self) -> str:
        """The load in words."""
        return f"vegeta: {self.targets.name} at {self.rate:g}/s for {self.seconds:g} s"

    def run(self, *, timeout: float | None = None) -> LoadResult:
        """Put the load on. Raises SourceError where it cannot be, or every request failed."""
        expected = self._expected_requests()
        targets = read_targets(self.targets, self.values)
        program = vegeta_program()
        longest_body = min(LONGEST_KEPT_BODY, KEPT_BODIES_BYTES // max(expected, 1))
        with scratch("load") as folder:
            results = folder / "results.bin"
            done = process.run(
                attack_arguments(program, self.rate, self.seconds, results, longest_body),
                cwd=self.directory,
                stdin=targets,
                timeout=self.seconds + 2 * REQUEST_SECONDS if timeout is None else timeout,
            )
            if not done.ok:
                raise _refused(done, self.targets)
            tally = tally_of(program, results, longest_body)
        result = tally.result(self.what, done.wall_seconds, output_tail(done.stderr))
        if result.failed == result.requests:
            raise _all_failed(result, self.targets)
        return result

    def _expected_requests(self) -> int:
        if self.rate <= 0 or self.seconds <= 0:
            raise SourceError(
                f"a load of {self.rate:g}/s for {self.seconds:g} s sends nothing",
                hint="give load.rate and load.duration values above 0",
            )
        expected = int(self.rate * self.seconds) + 1
        if expected > MAX_REQUESTS:
            raise SourceError(
                f"a load of {expected:,} requests is more than the {MAX_REQUESTS:,} that one "
                "measurement keeps",
                hint="lower load.rate or load.duration",
            )
        return expected


def read_targets(path: Path, values: Mapping[str, str]) -> str:
    """The targets with their placeholders filled in."""
    try:
        size = path.stat().st_size
        if size > MAX_TARGETS_BYTES:
            raise SourceError(
                f"the targets file {path} is larger than {MAX_TARGETS_BYTES >> 20} MiB",
                hint="vegeta goes through it in turns: a few hundred targets are enough",
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"the targets file {path} cannot be read: {error.strerror}",
            hint="correct load.vegeta in the policy; it is relative to gocost.yaml",
        ) from error
    except UnicodeDecodeError as error:
        raise SourceError(
            f"the targets file {path} is not text (byte {error.start})",
            hint="write vegeta's HTTP format: `GET http://127.0.0.1:{port}/`",
        ) from error
    missing = sorted({name for name in _PLACEHOLDER.findall(text) if name not in values})
    if missing:
        raise SourceError(
            f"the targets file {path} wants {{{missing[0]}}}, and the run command has none",
            hint=f"write {{{missing[0]}}} in run.command, or the service's address in the targets",
        )
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def attack_arguments(
    program: Path, rate: float, seconds: float, results: Path, longest_body: int
) -> list[str]:
    """The command line of an attack that reads its targets from stdin."""
    pace = Fraction(rate).limit_denominator(1000)
    return [
        str(program),
        "attack",
        f"-rate={pace.numerator}/{pace.denominator}s",
        f"-duration={round(seconds * 1e9)}ns",
        f"-timeout={REQUEST_SECONDS:g}s",
        f"-max-body={longest_body}",
        f"-output={results}",
    ]


@dataclass(slots=True)
class Tally:
    """What is kept of the results while they stream by."""

    longest_body: int
    latencies_ns: array[int] = field(default_factory=lambda: array("q"))
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    sent_bytes: int = 0
    received_bytes: int = 0
    received_cut: bool = False
    first_ns: int = 0
    last_ns: int = 0

    def add(self, row: Sequence[str]) -> None:
        """One line of `vegeta encode --to csv`: time, status, latency, bytes out and in, error."""
        at, status, latency, sent, received = (int(value) for value in row[:5])
        self.first_ns = min(self.first_ns or at, at)
        self.last_ns = max(self.last_ns, at)
        self.latencies_ns.append(latency)
        self.statuses[status] += 1
        self.sent_bytes += sent
        self.received_bytes += received
        self.received_cut |= received >= self.longest_body
        if not 200 <= status < 400:
            error = _LOCAL_ADDRESS.sub("", row[5]) or f"status {status}"
            if error in self.errors or len(self.errors) < _KINDS_OF_ERRORS:
                self.errors[error] += 1

    def result(self, what: str, wall_seconds: float, tail: str) -> LoadResult:
        """All of it as a result."""
        requests = len(self.latencies_ns)
        seconds = (self.last_ns - self.first_ns) / 1e9
        return LoadResult(
            what,
            wall_seconds,
            tail,
            requests=requests,
            failed=sum(n for status, n in self.statuses.items() if not 200 <= status < 400),
            seconds=seconds,
            # n requests have n - 1 gaps between them.
            rate=(requests - 1) / seconds if seconds > 0 else None,
            statuses=tuple(sorted(self.statuses.items())),
            errors=tuple(self.errors.most_common(SHOWN_ERRORS)),
            sent_bytes=self.sent_bytes,
            received_bytes=self.received_bytes,
            received_cut=self.received_cut,
            latency=latency_of(self.latencies_ns),
        )


def latency_of(latencies_ns: array[int]) -> Latency | None:
    """Exact quantiles (nearest rank) of latencies in nanoseconds; None without any."""
    import numpy as np

    if not latencies_ns:
        return None
    ordered = np.sort(np.frombuffer(latencies_ns, dtype=np.int64))
    count = len(ordered)

    def at_percent(percent: int) -> float:
        # In integers: 0.99 * count is not exact, and its ceiling may be one too many.
        return float(ordered[-(-percent * count // 100) - 1]) / 1e9

    return Latency(
        count=count,
        mean=float(ordered.mean()) / 1e9,
        p50=at_percent(50),
        p90=at_percent(90),
        p99=at_percent(99),
        max=float(ordered[-1]) / 1e9,
    )


def tally_of(program: Path, results: Path, longest_body: int) -> Tally:
    """What a file of results holds, read row by row in bounded memory."""
    tally = Tally(longest_body)
    if results.stat().st_size == 0:
        return tally
    with process.start([program, "encode", "-to=csv", results], stdout=subprocess.PIPE) as child:
        assert child.process.stdout is not None
        rows = csv.reader(io.TextIOWrapper(child.process.stdout, "utf-8", "replace", newline=""))
        _add_all(tally, rows)
        if child.process.wait() != 0:
            raise SourceError(
                "the results of vegeta could not be read to their end",
                hint="is the disk full? They lie in the folder for temporary files (TMPDIR)",
            )
    return tally


def _add_all(tally: Tally, rows: Iterable[Sequence[str]]) -> None:
    try:
        for row in rows:
            tally.add(row)
    except (ValueError, IndexError, csv.Error) as error:
        raise SourceError(
            f"a result of vegeta has another form than expected ({error})",
            hint="delete the tools folder in gocost's cache, so that vegeta is built anew",
        ) from error


def _refused(done: process.Completed, targets: Path) -> SourceError:
    said = _STAMP.sub("", last_line(done.stderr)) or f"it ended with status {done.returncode}"
    return SourceError(
        f"vegeta cannot use {targets}: {said}",
        hint="each target is a line `METHOD URL`, then headers, then `@FILE` for a body (relative "
        "to the policy), then an empty line",
    )


def _all_failed(result: LoadResult, targets: Path) -> SourceError:
    first = result.errors[0][0] if result.errors else "no request was sent"
    message = f"all {result.requests:,} requests of {targets.name} failed: {first[:200]}"
    if "connection refused" in first:
        hint = "nothing listens there: check the address in the targets against run.command"
    elif "status" in first or first[:1].isdigit():
        hint = "send one target with curl, and see what the service answers"
    else:
        hint = "check the targets' addresses, and that the service takes requests"
    return SourceError(message, hint=hint)
