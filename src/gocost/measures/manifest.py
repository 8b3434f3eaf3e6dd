"""What a recorded folder holds: `recording.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from gocost.model.errors import SourceError, UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.sources.files import is_file, read_bounded, translated
from gocost.sources.naming import shown_url
from gocost.sources.recordings import LONGEST

MANIFEST: Final = "recording.json"
MAX_MANIFEST: Final = 1 << 20
_MAX_NAME: Final = 255
"""Bytes of a file's name that file systems take."""

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
    """When the service was not there any more, or was another process: what was asked from then on
    does not count. 0 where it was there to the end."""
    ended_why: str = ""
    restarted: bool = False
    """It was started anew."""
    several: str = ""
    """What is to be said where several processes answered in turn: each page is of one of them, and
    those that would have been compared are lost."""

    @property
    def ended(self) -> str:
        """What is to be said of a service that died meanwhile; empty where it did not."""
        if not self.ended_ns:
            return ""
        after = format_quantity(
            max(0, self.ended_ns - self.clocks[0].at_ns) / 1e9 if self.clocks else 0, Unit.SECONDS
        )
        length = format_quantity(self.seconds, Unit.SECONDS)
        what = "was started anew" if self.restarted else "ended"
        why = self.ended_why or f"nothing listens at {shown_url(self.url)} any more"
        return f"the service {what} {after} into its recording of {length}: {why}"

    def counts(self, part: Part) -> bool:
        """Whether a part is of the process that the recording is of."""
        return not self.ended_ns or part.asked_ns < self.ended_ns


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


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes it whole, in place of what was there. Raises SourceError."""
    path = folder / MANIFEST
    fresh = folder / f"{MANIFEST}.new"
    try:
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        fresh.replace(path)
    except OSError as error:
        raise translated(error, path) from error
