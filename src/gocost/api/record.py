"""`gocost.record`: a running service's profiles, trace, goroutines and metrics, in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gocost.measures import recording
from gocost.measures.trace_recording import recording_name as new_folder
from gocost.model.errors import UsageError
from gocost.sources.recordings import LONGEST, MAX_BYTES

__all__ = ["LONGEST", "new_folder", "record"]


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
    max_bytes: int = MAX_BYTES,
    progress: Callable[[str], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
) -> Path:
    """Records a running service for `seconds`: CPU profile, heap, block and mutex profiles before
    and after, a trace and the goroutines in the middle, metrics. Returns the folder.

    `folder` is by default a new one in the current folder, named by service and time. With `pid`
    (of this machine) the process's CPU time and memory are read too. `patience` is how many seconds
    the service may take beyond that for its answers, and `max_bytes` bounds each of its pages. Of a
    service that ends meanwhile what came before is kept, and `announce` is told. Raises UsageError
    and SourceError.
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
            max_bytes=max_bytes,
            progress=progress,
            announce=announce,
        )
    )
    return path
