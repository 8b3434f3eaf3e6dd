"""A service recorded for a while: profiles, a trace, a dump and metrics, side by side on one clock.

Everything goes into a folder as it comes, with `recording.json` that says of each file what it is
and between which moments of this machine's clock it was asked for and answered: a service that dies
meanwhile has lost what came after, and nothing before. What a service does not have, or refuses
(another CPU profile is being recorded), is told, and the rest goes on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from gocost.formats.recognition import HEAD, Kind, recognise
from gocost.formats.runtime_page import RuntimePage, decode
from gocost.measures.listening import Listening
from gocost.measures.manifest import MANIFEST, ClockPair, Manifest, Moment, Part, write_manifest
from gocost.measures.profile_conflict import WITHIN, naming_who_profiles
from gocost.measures.runtime_metrics import PAGES
from gocost.measures.same_process import another_process, in_turn
from gocost.model.errors import FormatError, GocostError, SourceError, UsageError
from gocost.sources.files import is_file, read_bounded, translated
from gocost.sources.naming import shown_url
from gocost.sources.proc import Process, find_process
from gocost.sources.recordings import keep_piece, page_url, save_recording
from gocost.sources.refusals import ELSEWHERE
from gocost.sources.service_urls import page_of

if TYPE_CHECKING:
    from gocost.sources.endpoints import Endpoint

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

_IDENTITY: Final = 2.0
"""Seconds for the page by which a process is known again, and for all that are asked for to tell a
process that was started anew from several that answer in turn."""
_AGAIN: Final = 8
"""So many of them at most: of ten that answer in turn no eight are one."""
_FIRST: Final = 2
"""Pages that are asked for at the beginning, to see whether one process answers."""

INTERRUPTED: Final = "the recording was interrupted"
_SNAPSHOTS: Final = (
    ("heap", "heap", "pb.gz"),
    ("block", "block", "pb.gz"),
    ("mutex", "mutex", "pb.gz"),
)
"""Cumulative kinds: one at the beginning and one at the end. (kind, page, suffix)."""


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
    """When the service was seen to be gone, or to be another process."""
    ended_why: str = ""
    restarted: bool = False
    several: str = ""
    """What is to be said where several processes answer in turn."""
    _told: dict[str, RuntimePage] = field(default_factory=dict)
    """What the first page of a kind told of the process."""

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
        part = self._of_another(kind, name)
        if part is None:
            within = max(_LEAST, until - time.monotonic())
            part = self._saved(kind, name, self.request.url, page, seconds, within)
        self.parts.append(part)
        return part

    def first(self, kind: str, name: str, places: Sequence[str], *, until: float) -> None:
        """The first of these pages that there is; and that one again, when asked again."""
        tried = []
        if (part := self._of_another(kind, name)) is not None:
            self.parts.append(part)
            return
        for where in [self._found[kind]] if kind in self._found else places:
            within = _portion(until)
            part = self._saved(kind, name, where, "", None, within)
            if not part.lost:
                self._found[kind] = where
                self.listening.add(where)
                data = read_bounded(self.request.folder / name, self.request.max_bytes)
                if self._is_another(kind, data, part.asked_ns):
                    part = msgspec.structs.replace(part, lost=self.several or self.ended_why)
                self.parts.append(part)
                return
            tried.append(part)
        self.parts.append(tried[0])

    def _answered(self) -> bool:
        """Whether the service gave one of its pages."""
        return any(not part.lost for part in self.parts)

    def failed(self, kind: str) -> bool:
        """Whether it was asked for, and could not be had: it is not asked for again."""
        return any(part.kind == kind and part.lost for part in self.parts)

    def look(self, *, suspected: bool = True) -> None:
        """Sees whether the service is still there, and the same process: at once where it is
        suspected not to be, and else when the last look is long enough ago. What is asked of one
        that is not is lost.
        """
        if self.ended_ns or not (suspected or self.listening.is_due()):
            return
        why = self.listening.gone()
        if why:
            self._end(why, self.request.clock(), restarted=False)
            return
        self.meet(self._found)

    def meet(self, kinds: Iterable[str] | None = None) -> None:
        """Asks for a page of each of these kinds again, or for some of the first kind by which a
        process is known.
        """
        for kind in [*self._told][:1] * _FIRST if kinds is None else [*kinds]:
            if self.several or self.ended_ns:
                return
            asked = self.request.clock()
            if (data := self._page(kind, _IDENTITY)) is not None:
                self._is_another(kind, data, asked)

    def _page(self, kind: str, within: float) -> bytes | None:
        """A page of that kind, in no file; None where it is not had."""
        data, request = bytearray(), self.request
        try:
            save_recording(
                self._found[kind],
                data.extend,
                headers=request.headers,
                max_bytes=request.max_bytes,
                within=within,
            )
        except GocostError:
            return None
        return bytes(data)

    def _end(self, why: str, at_ns: int, *, restarted: bool) -> None:
        self.ended_ns, self.ended_why, self.restarted = at_ns, why, restarted

    def _is_another(self, kind: str, data: bytes, asked_ns: int) -> bool:
        """Whether a page is of another process than the first of its kind, where pages of this kind
        tell; what follows from that is noted, and said of several that answer.
        """
        if (page := _read(data)) is None:
            return False
        first = self._told.setdefault(kind, page)
        why = another_process(first, page)
        if why and in_turn(chain([first, page], self._again(kind))):
            self.several = (
                f"several processes answer in turn at {shown_url(self.request.url)} ({why}): "
                "record one of them, by its own address"
            )
            self.request.announce(self.several)
        elif why:
            self._end(f"another process answers since then: {why}", asked_ns, restarted=True)
        return bool(why)

    def _again(self, kind: str) -> Iterator[RuntimePage]:
        """What the next pages of that kind tell."""
        until = time.monotonic() + _IDENTITY
        for _ in range(_AGAIN):
            if (left := until - time.monotonic()) <= 0:
                return
            data = self._page(kind, left)
            page = None if data is None else _read(data)
            if page is not None:
                yield page

    def _of_another(self, kind: str, name: str) -> Part | None:
        """What is not asked of a service that is gone, or is another process; nor what would be
        compared with what one of several processes gave.
        """
        compared = self.several if any(part.kind == kind for part in self.parts) else ""
        if not self.ended_ns and not compared:
            return None
        now = self.request.clock()
        return Part(kind, name, now, now, self.ended_why or compared)

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
            elif isinstance(error.__cause__, ConnectionRefusedError) and self._answered():
                lost = f"{error.message} any more"  # the address was right
        except KeyboardInterrupt:
            # What came of it so far is worth keeping: of a trace all that is whole counts.
            self.parts.append(Part(kind, name, asked, request.clock(), INTERRUPTED))
            raise
        except OSError as error:
            raise translated(error, path) from error
        if not lost and _is_web_page(path):
            lost = f"{shown_url(page_url(where, page, seconds))} is a web page: {ELSEWHERE}"
            path.unlink()
        elif lost and not path.stat().st_size:
            path.unlink()
        return Part(kind, name, asked, request.clock(), lost)


def _is_web_page(path: Path) -> bool:
    """Whether the answer was one for people, as to log in: some services give one for any path."""
    with path.open("rb") as file:
        return recognise(file.read(HEAD)).kind is Kind.PAGE


def _slow() -> type[GocostError]:
    from gocost.sources.endpoints import TooSlowError  # HTTP and TLS: only to record

    return TooSlowError


def _read(data: bytes) -> RuntimePage | None:
    """What a page tells; None where it is none of those that do."""
    try:
        return decode(data)
    except FormatError:
        return None


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
    places = [page_url(request.url, "cmdline", None), *filter(None, [request.metrics_url])]
    listening = Listening(places, headers=request.headers, sleep=request.sleep)
    recorder = _Recorder(request, listening)
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
            recorder.ended_why,
            recorder.restarted,
            recorder.several,
        )
        write_manifest(folder, manifest)
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
    elif number == 1:
        recorder.meet()


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
