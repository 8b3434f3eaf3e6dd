"""`gocost.record`: a running service's profiles, trace, goroutines and metrics, in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gocost.measures import recording
from gocost.model.errors import SourceError, UsageError
from gocost.sources.files import translated
from gocost.sources.recordings import MAX_BYTES, save_recording

TRACE_SECONDS: Final = 5.0
"""A trace is large: megabytes a second of a busy service."""
_HEAD: Final = 16
"""Bytes that a trace begins with."""
LONGEST: Final = 86_400
"""Seconds of a recording: a day."""


def record(
    url: str,
    seconds: float,
    folder: str | Path | None = None,
    *,
    metrics_url: str | None = None,
    pid: int | None = None,
    trace: bool = True,
    patience: float = recording.PATIENCE,
    headers: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """Records a running service for `seconds`: CPU profile, heap, block and mutex profiles before
    and after, a trace and the goroutines in the middle, metrics. Returns the folder.

    `folder` is by default a new one in the current folder, named by service and time. With `pid`
    (of this machine) the process's CPU time and memory are read too. `patience` is how many seconds
    the service may take beyond that for its answers. Raises UsageError and SourceError.
    """
    if not 1 <= seconds <= LONGEST or seconds != int(seconds):
        raise UsageError(
            f"a service is recorded for whole seconds, 1 to {LONGEST}, and not for {seconds:g}",
            hint="write for example --for 30s",
        )
    if not 1 <= patience <= LONGEST:
        raise UsageError(
            f"patience is 1 to {LONGEST} seconds, and not {patience:g}",
            hint="write for example --patience 20s",
        )
    from gocost.sources.endpoints import Endpoint  # HTTP and TLS: only to record

    for each in filter(None, (url, metrics_url)):
        Endpoint(each, headers=headers).close()  # what is no URL is said before there is a folder
    path = Path(new_folder(url) if folder is None else folder)
    recording.record(
        recording.Request(
            url=url,
            seconds=seconds,
            folder=path,
            metrics_url=metrics_url,
            pid=pid,
            headers=headers,
            trace=trace,
            patience=patience,
            progress=progress,
        )
    )
    return path


def record_trace(
    url: str,
    seconds: float = TRACE_SECONDS,
    *,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> tuple[Path, str]:
    """Records an execution trace of a running service into a new file of the current folder.

    Returns the file, and why it is not whole (empty where it is): of a trace that broke off what is
    whole can be read. Raises UsageError for what is no URL, and SourceError.
    """
    path = Path(f"{new_folder(url, 'trace')}.trace")
    try:
        with path.open("xb") as file:
            try:
                save_recording(
                    url, file.write, page="trace", seconds=seconds, headers=headers,
                    max_bytes=max_bytes,
                )  # fmt: skip
            except SourceError as error:
                if file.tell() > _HEAD:
                    return path, str(error)
                raise
    except OSError as error:
        raise translated(error, path) from error
    except BaseException:
        path.unlink(missing_ok=True)  # a refusal is in no file
        raise
    return path, ""


def new_folder(url: str, what: str = "recording") -> str:
    """A name for a recording of this service, by its host and the time."""
    try:
        host = urlsplit(url).netloc or url
    except ValueError:  # no URL: `record` says so
        host = url
    named = "".join(c if c.isalnum() else "-" for c in host)
    return f"{what}-{named}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
