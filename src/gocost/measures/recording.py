"""A service recorded for a while: profiles, a trace, a dump and metrics, side by side on one clock.

Everything goes into a folder as it comes, with `recording.json` that says of each file what it is
and between which moments of this machine's clock it was asked for and answered: a service that dies
meanwhile has lost what came after, and nothing before. What a service does not have, or refuses
(another CPU profile is being recorded), is told, and the rest goes on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import msgspec

from gocost.measures.listening import Listening
from gocost.measures.profile_conflict import WITHIN, naming_who_profiles
from gocost.measures.runtime_metrics import PAGES
from gocost.model.errors import GocostError, SourceError, UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.sources.files import is_file, read_bounded, translated
from gocost.sources.naming import shown_url
from gocost.sources.proc import Process, find_process
from gocost.sources.recordings import LONGEST, keep_piece, save_recording
from gocost.sources.service_urls import page_of

if TYPE_CHECKING:
    from gocost.sources.endpoints import Endpoint

MANIFEST: Final = "recording.json"
MAX_MANIFEST: Final = 1 << 20
_MAX_NAME: Final = 255
"""Bytes of a file's name that file systems take."""
TRACE_SECONDS: Final = 5.0
"""An execution trace takes megabytes a second and slows a service by some percent: it is recorded
for so long at most, in the middle of the window."""

PATIENCE: Final = 8.0
"""Seconds that a service may take beyond the recording itself, for all of its snapshots together:
one that drips must not hold its user up."""
_LEAST: Final = 0.3
"""Seconds that a page is given in any case."""
_PART: Final = 2 / 3
"""Of the patience that is left, what one page may use: one that hangs leaves some to the rest."""

_PIECE: Final = 0.5
"""Seconds."""

INTERRUPTED: Final = "the recording was interrupted"
_SNAPSHOTS: Final = (
    ("heap", "heap", "pb.gz"),
    ("block", "block", "pb.gz"),
    ("mutex", "mutex", "pb.gz"),
)
"""Cumulative kinds: one at the beginning and one at the end. (kind, page, suffix)."""


Time = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
"""Nanoseconds since 1970 by this machine's clock."""


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of a recording."""

    kind: str
    """cpu, heap, block, mutex, trace, goroutines, metrics, memstats."""
    file: Annotated[str, msgspec.Meta(max_length=_MAX_NAME)]
    asked_ns: Time
    answered_ns: Time
    lost: str = ""
    """Why it is not whole, or not there."""


class Moment(msgspec.Struct, frozen=True):
    """What the operating system says of the process."""

    at_ns: Time
    cpu_seconds: Annotated[float, msgspec.Meta(ge=0)]
    """Since it started."""
    resident: Annotated[int, msgspec.Meta(ge=0, lt=1 << 60)]
    """Bytes."""


class ClockPair(msgspec.Struct, frozen=True):
    """This machine's two clocks, read together."""

    at_ns: Time
    monotonic_ns: Time
    """CLOCK_MONOTONIC on Linux, which traces before Go 1.25 count."""
    error_ns: Time
    """Half of the time that reading took."""


class Manifest(msgspec.Struct, frozen=True, tag_field="schema", tag="gocost.recording/1"):
    """What a folder holds."""

    url: str
    """As it is shown: what authenticates is not kept."""
    seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST)]
    """How long was asked for."""
    parts: tuple[Part, ...] = ()
    moments: tuple[Moment, ...] = ()
    """The process at the beginning and at the end, where its id was given."""
    clocks: tuple[ClockPair, ...] = ()
    """At the beginning and at the end."""
    ended_ns: Time = 0
    """When nothing listened there any more; 0 where the service was there to the end."""

    @property
    def ended(self) -> str:
        """What is to be said of a service that died meanwhile; empty where it did not."""
        if not self.ended_ns:
            return ""
        after = format_quantity(
            max(0, self.ended_ns - self.clocks[0].at_ns) / 1e9 if self.clocks else 0, Unit.SECONDS
        )
        length = format_quantity(self.seconds, Unit.SECONDS)
        return (
            f"the service ended {after} into its recording of {length}: nothing listens at "
            f"{shown_url(self.url)} any more"
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What to record, and where to."""

    url: str
    seconds: float
    folder: Path
    metrics_url: str | None = None
    """Where /metrics is, if not at `url`."""
    pid: int | None = None
    headers: Mapping[str, str] | None = None
    trace: bool = True
    max_bytes: int = 1 << 30
    patience: float = PATIENCE
    progress: Callable[[str], None] = lambda _: None
    announce: Callable[[str], None] = lambda _: None
    """Told of a service that ends meanwhile."""
    clock: Callable[[], int] = time.time_ns
    monotonic: Callable[[], int] = time.monotonic_ns
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class _Recorder:
    request: Request
    listening: Listening
    parts: list[Part] = field(default_factory=list)
    _found: dict[str, str] = field(default_factory=dict)
    """By kind: the page that there is."""
    _open: list[Endpoint] = field(default_factory=list)
    _aborted: bool = False
    ended_ns: int = 0
    """When the service was seen to be gone."""

    def abort(self) -> None:
        """Ends what is being recorded now, in whichever thread."""
        self._aborted = True
        for endpoint in self._open:
            endpoint.abort()

    def _opened(self, endpoint: Endpoint) -> None:
        self._open.append(endpoint)
        if self._aborted:  # meanwhile, in another thread
            endpoint.abort()

    def get(
        self, kind: str, name: str, page: str, *, until: float, seconds: float | None = None
    ) -> Part:
        """One page of /debug/pprof into one file; what cannot be had, whole and by `until`, is a
        part that is lost.
        """
        within = max(_LEAST, until - time.monotonic())
        part = self._saved(kind, name, self.request.url, page, seconds, within)
        self.parts.append(part)
        return part

    def first(self, kind: str, name: str, places: Sequence[str], *, until: float) -> None:
        """The first of these pages that there is; and that one again, when asked again."""
        tried = []
        for where in [self._found[kind]] if kind in self._found else places:
            within = _portion(until)
            part = self._saved(kind, name, where, "", None, within)
            if not part.lost:
                self._found[kind] = where
                self.parts.append(part)
                return
            tried.append(part)
        self.parts.append(tried[0])

    def failed(self, kind: str) -> bool:
        """Whether it was asked for, and could not be had: it is not asked for again."""
        return any(part.kind == kind and part.lost for part in self.parts)

    def look(self, *, suspected: bool = True) -> None:
        """Sees whether the service is still there. What is asked of one that is gone is refused at
        once, and lost.
        """
        if not self.ended_ns and self.listening.gone(suspected=suspected):
            self.ended_ns = self.request.clock()

    def wait(self, seconds: float, profile: Future[Part]) -> None:
        """Passes so much time, in pieces: a Ctrl-C that comes between Python's last look for one
        and the sleep is seen after the piece, and not after the whole. Not where the service is
        gone; while its CPU profile is recorded it is there.
        """
        looked = False
        while seconds > 0 and not self.ended_ns:
            if profile.done():
                self.look(suspected=not looked)
                looked = True
            self.request.sleep(min(seconds, _PIECE))
            seconds -= _PIECE

    def _saved(
        self,
        kind: str,
        name: str,
        where: str,
        page: str,
        seconds: float | None,
        within: float,
    ) -> Part:
        request = self.request
        asked, lost = request.clock(), ""
        path = request.folder / name
        try:
            with (
                path.open("wb") as file,
                naming_who_profiles(
                    where, request.headers, within=min(WITHIN, within), opened=self._opened
                ),
            ):
                save_recording(
                    where,
                    partial(keep_piece, file, path),
                    page=page,
                    seconds=seconds,
                    headers=request.headers,
                    max_bytes=request.max_bytes,
                    within=within,
                    opened=self._opened,
                )
        except GocostError as error:
            lost = INTERRUPTED if self._aborted else str(error)
            if isinstance(error, _slow()) and not self._aborted:
                lost = f"{error.message}; raise --patience if it is only slow"
        except KeyboardInterrupt:
            # What came of it so far is worth keeping: of a trace all that is whole counts.
            self.parts.append(Part(kind, name, asked, request.clock(), INTERRUPTED))
            raise
        except OSError as error:
            raise translated(error, path) from error
        if lost and not path.stat().st_size:
            path.unlink()
        return Part(kind, name, asked, request.clock(), lost)


def _slow() -> type[GocostError]:
    from gocost.sources.endpoints import TooSlowError  # HTTP and TLS: only to record

    return TooSlowError


def _portion(until: float) -> float:
    """What one page may take of the time that is left for several."""
    return max(_LEAST, (until - time.monotonic()) * _PART)


def record(request: Request) -> Manifest:
    """Records the service into the folder. Raises SourceError where nothing at all could be had."""
    folder = request.folder
    process = None if request.pid is None else find_process(request.pid)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", hint="name a new folder with --keep")
    except OSError as error:
        raise translated(error, folder) from error
    places = [request.url, *filter(None, [request.metrics_url])]
    recorder = _Recorder(request, Listening(places, sleep=request.sleep))
    moments: list[Moment] = []
    clocks = [_pair(request)]
    try:
        _edges(recorder, 1)
        moments += _moment(process, request)
        _window(recorder)
        moments += _moment(process, request)
        _edges(recorder, 2)
    finally:
        # Also where the user has had enough: what was recorded is a recording.
        parts = tuple(sorted(recorder.parts, key=lambda part: part.asked_ns))
        clocks.append(_pair(request))
        manifest = Manifest(
            shown_url(request.url),
            request.seconds,
            parts,
            tuple(moments),
            tuple(clocks),
            recorder.ended_ns,
        )
        _write(folder, manifest)
    if all(part.lost for part in manifest.parts):
        _nothing_whole(folder, manifest)
    if manifest.ended:
        request.announce(manifest.ended)
    return manifest


def _nothing_whole(folder: Path, manifest: Manifest) -> None:
    """Where every page failed: a trace that broke off is worth something, all else is removed.

    Raises SourceError where nothing is left.
    """
    if any(part.kind == "trace" and _is_trace(folder / part.file) for part in manifest.parts):
        return
    reason = next(part.lost for part in manifest.parts)
    broken = [path for part in manifest.parts if is_file(path := folder / part.file)]
    with contextlib.suppress(OSError):
        for path in (*broken, folder / MANIFEST):
            path.unlink()
        folder.rmdir()
    told = f"nothing could be recorded: {reason}"
    raise SourceError(f"{told} ({len(broken)} that broke off: removed)" if broken else told)


def _is_trace(path: Path) -> bool:
    """Whether a trace came far enough to be one."""
    if not is_file(path):
        return False
    with path.open("rb") as file:
        return file.read(5) == b"go 1."


def read_manifest(folder: Path) -> Manifest:
    """What `record` wrote about a folder. Raises SourceError and UsageError."""
    path = folder / MANIFEST
    if not is_file(path):
        raise SourceError(
            f"{folder} is no recorded folder: it has no {MANIFEST}",
            hint="name what `gocost attribute --live URL` recorded, or files with --profile FILE",
        )
    data = read_bounded(path, MAX_MANIFEST)
    try:
        found = msgspec.json.decode(data, type=Manifest)
        urlsplit(found.url)  # a bill is named by its host
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise UsageError(
            f"{path} is no recording: {error}", hint="record with `gocost attribute --live URL`"
        ) from error
    if any(Path(part.file).name != part.file or part.file in ("", "..") for part in found.parts):
        raise UsageError(f"{path} names files outside of its folder", hint="record it again")
    return found


def _edges(recorder: _Recorder, number: int) -> None:
    """What is cumulative, at one end of the window."""
    recorder.request.progress(f"snapshots {'before' if number == 1 else 'after'} the window")
    request = recorder.request
    metrics, *memstats = (page_of(request.url, page) for page in PAGES)
    until = time.monotonic() + request.patience / 2
    before = len(recorder.parts)
    for kind, places in (("metrics", [request.metrics_url or metrics]), ("memstats", memstats)):
        if number == 1 or not recorder.failed(kind):
            recorder.first(kind, f"{kind}-{number}.txt", places, until=until)
    for kind, page, suffix in _SNAPSHOTS:
        if number == 1 or not recorder.failed(kind):
            name = f"{kind}-{number}.{suffix}"
            recorder.get(kind, name, page, until=time.monotonic() + _portion(until))
    if all(part.lost for part in recorder.parts[before:]):
        recorder.look()


def _window(recorder: _Recorder) -> None:
    """The CPU profile, and in the middle of it the trace and the goroutines."""
    request = recorder.request
    length = request.seconds
    traced = min(TRACE_SECONDS, length / 2)
    with ThreadPoolExecutor(1) as pool:
        try:
            # The thread starts before it has anything to lose: one that a Ctrl-C meets while it
            # starts is not known to the pool, which then does not wait for it.
            pool.submit(int).result()
            request.progress(f"recording for {length:g} s")
            begun = time.monotonic()
            end = begun + length + request.patience / 4
            profile = pool.submit(
                recorder.get, "cpu", "cpu.pb.gz", "profile", seconds=length, until=end
            )
            recorder.wait((length - traced) / 2, profile)
            if request.trace:  # also of a service whose CPU profile another client records
                # What follows it has the rest of the window, and some of its own.
                until = time.monotonic() + traced + max(1.0, (length - traced) / 4)
                part = recorder.get("trace", "app.trace", "trace", seconds=traced, until=until)
                if part.lost:
                    recorder.look()
            recorder.get("goroutines", "goroutines.txt", "goroutine?debug=2", until=end)
            while not profile.done():
                wait([profile], timeout=_PIECE)
            profile.result()
            # Where there is no CPU profile the window is as long all the same.
            recorder.wait(length - (time.monotonic() - begun), profile)
        except KeyboardInterrupt:
            recorder.abort()  # or the pool would wait for the whole profile
            raise


def _moment(process: Process | None, request: Request) -> list[Moment]:
    """The process now, where it is known and still there."""
    if process is None:
        return []
    try:
        used = process.usage()
    except SourceError:
        return []  # it ended: the pages say so
    return [Moment(request.clock(), used.cpu, used.resident)]


def _pair(request: Request) -> ClockPair:
    """The wall clock between two looks at the monotonic one."""
    before, now, after = request.monotonic(), request.clock(), request.monotonic()
    return ClockPair(now, (before + after) // 2, (after - before + 1) // 2)


def _write(folder: Path, manifest: Manifest) -> None:
    path = folder / MANIFEST
    fresh = folder / f"{MANIFEST}.new"
    try:
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        fresh.replace(path)
    except OSError as error:
        raise translated(error, path) from error
