"""`gocost.record`: a running service's profiles, trace, goroutines and metrics, in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from gocost.measures import recording
from gocost.model.errors import UsageError


def record(
    url: str,
    seconds: float,
    folder: str | Path | None = None,
    *,
    metrics_url: str | None = None,
    pid: int | None = None,
    trace: bool = True,
    headers: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """Records a running service for `seconds`: CPU profile, heap, block and mutex profiles before
    and after, a trace and the goroutines in the middle, metrics. Returns the folder.

    `folder` is by default a new one in the current folder, named by service and time. With `pid`
    (of this machine) the process's CPU time and memory are read too. Raises UsageError and
    SourceError.
    """
    if seconds < 1 or seconds != int(seconds):
        raise UsageError(
            f"a service is recorded for whole seconds, and not for {seconds:g}", hint="write 30s"
        )
    if folder is None:
        host = "".join(c if c.isalnum() else "-" for c in urlsplit(url).netloc or url)
        folder = f"recording-{host}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    path = Path(folder)
    recording.record(
        recording.Request(
            url=url,
            seconds=seconds,
            folder=path,
            metrics_url=metrics_url,
            pid=pid,
            headers=headers,
            trace=trace,
            progress=progress,
        )
    )
    return path
