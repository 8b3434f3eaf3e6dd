"""The trace that a function is given: a file, standard input, or a service that is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from gocost.measures.trace_on_disk import trace_on_disk
from gocost.model.errors import UsageError
from gocost.sources.files import Spooled
from gocost.sources.incoming import MAX_BYTES
from gocost.sources.naming import check_named_once, is_url
from gocost.sources.recordings import LONGEST

if TYPE_CHECKING:
    from typing import Unpack

Trace = str | Path | Spooled
"""A path, `-`, the URL of a service or of its trace; or one that was put on disk already."""
OnDisk = Path | Spooled


class Recording(TypedDict, total=False):
    """How a trace is had. Every function that takes a trace takes these by keyword."""

    seconds: float | None
    """How long a service is recorded: 5 by default, or what its URL says."""
    headers: Mapping[str, str] | None
    """What the service asks of who reads its pages: a mapping, or
    `gocost.sources.credentials.Credentials` with certificates."""
    keep: str | Path | None
    """The new file that the recording goes to; by default one of the current folder that is named
    by service and time."""
    max_bytes: int | None
    """The most that is recorded, decompressed or read of standard input; 1 GiB by default. A plain
    file may be of any size. Above 4 GiB it is also what goroutines and marks may take in memory."""
    announce: Callable[[str], None]
    """Told where the recording is kept."""


def trace_at(trace: Trace, **recording: Unpack[Recording]) -> OnDisk:
    """The trace on disk. Raises UsageError, SourceError, and FormatError where it is none."""
    return traces_at(trace, None, **recording)[0]


def traces_at(
    trace: Trace,
    base: Trace | None,
    *,
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    keep: str | Path | None = None,
    max_bytes: int | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> tuple[OnDisk, OnDisk | None]:
    """The trace and what it is compared with, on disk: files first, so that one that is not there
    costs no recording.
    """
    named = [each for each in (trace, base) if each is not None]
    services = [str(each) for each in named if isinstance(each, str) and is_url(each)]
    check_named_once(each for each in named if not isinstance(each, Spooled))
    _check(services, seconds, keep)
    most = MAX_BYTES if max_bytes is None else max_bytes

    def of(each: Trace) -> OnDisk:
        if isinstance(each, Spooled):
            return each
        if str(each) not in services:
            return trace_on_disk(each, max_bytes=most)
        from gocost.measures.trace_recording import SECONDS, TraceFile  # only to record

        length = SECONDS if seconds is None else seconds
        return TraceFile(
            str(each), seconds=length, headers=headers, max_bytes=most, keep=keep, announce=announce
        ).path()

    order = sorted(range(len(named)), key=lambda place: str(named[place]) in services)
    found = {place: of(named[place]) for place in order}
    return found[0], found.get(1)


def _check(services: list[str], seconds: float | None, keep: str | Path | None) -> None:
    given = {"--seconds": seconds, "--keep": keep}
    idle = [name for name, value in given.items() if value is not None]
    if idle and not services:
        raise UsageError(
            f"{idle[0]} is about recording a service", hint="name its URL, or leave it out"
        )
    if seconds is not None and not 0 < seconds <= LONGEST:
        raise UsageError(
            f"a trace is recorded for up to {LONGEST:,} seconds, and not for {seconds:g}",
            hint="some seconds are megabytes: 5 is usual",
        )
    if keep is not None and len(services) > 1:
        raise UsageError("--keep names one file, and two services are recorded",
                         hint="leave it out")  # fmt: skip
