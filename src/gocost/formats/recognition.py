"""What a recorded file is, by its first bytes and not by its name.

Commands that take several kinds of files ask here, and say of a wrong one what it is and which
command is for it.
"""

from __future__ import annotations

import contextlib
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gocost.formats import gunzip
from gocost.model.errors import FormatError

HEAD: Final = 1 << 18
"""Bytes that are looked at: a log may have much else before what makes it one."""
GZIP: Final = gunzip.GZIP
_INSIDE: Final = 1 << 16
"""Bytes that are looked at of what is compressed."""
_PIECE: Final = 16
"""Bytes by which that goes where some of it is damaged."""


class Kind(StrEnum):
    """A kind of file, by the name that people call it."""

    PROFILE = "a profile"
    TRACE = "an execution trace"
    DUMP = "a goroutine dump"
    METRICS = "a metrics page"
    VARS = "a page of expvar"
    HEAP = "a heap profile with MemStats"
    """The text of /debug/pprof/heap?debug=1: also a profile, in the form before protobuf."""
    GCTRACE = "a gctrace log"
    REPORT = "a saved report"
    BINARY = "an executable"
    PAGE = "a web page"
    PACKED = "gzip of something else"
    """Of what no command unpacks: neither a profile, nor a trace, nor a dump."""
    ZIP = "a zip archive"
    TAR = "a tar archive"
    ZSTD = "compressed by zstd"
    BZIP2 = "compressed by bzip2"
    XZ = "compressed by xz"
    SEVEN_ZIP = "a 7-zip archive"
    EMPTY = "empty"
    UNKNOWN = "nothing that gocost reads"


COMMANDS: Final = {
    Kind.PROFILE: "gocost profile top",
    Kind.TRACE: "gocost trace summary",
    Kind.DUMP: "gocost goroutines",
    Kind.METRICS: "gocost runtime",
    Kind.VARS: "gocost runtime",
    Kind.HEAP: "gocost profile top",
    Kind.GCTRACE: "gocost runtime",
    Kind.REPORT: "gocost report",
    Kind.BINARY: "gocost size",
}


_UNPACK: Final = {
    Kind.ZIP: "unzip FILE",
    Kind.TAR: "tar -xf FILE",
    Kind.ZSTD: "zstd -d FILE",
    Kind.BZIP2: "bunzip2 FILE",
    Kind.XZ: "unxz FILE",
    Kind.SEVEN_ZIP: "7z x FILE",
}
"""What unpacks an archive, none of which any command reads."""


VIEWS: Final = {
    COMMANDS[Kind.PROFILE]: "gocost profile view",
    COMMANDS[Kind.TRACE]: "gocost trace view",
}
"""What shows in a browser what a command prints."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is, and which command is for it."""

    kind: Kind
    inside: Kind = Kind.UNKNOWN
    """Of what is packed."""

    def __str__(self) -> str:
        return f"gzip of {self.inside}" if self.kind is Kind.PACKED else str(self.kind)

    @property
    def hint(self) -> str:
        """What to type instead."""
        if self.kind is Kind.PAGE:
            return "name the page itself, such as .../debug/pprof/profile or .../metrics"
        if self.inside in COMMANDS:
            return "unpack it first: gunzip FILE"
        for kind in (self.kind, self.inside):
            if kind in _UNPACK:
                return f"unpack it first: {_UNPACK[kind]}"
        command = COMMANDS.get(self.kind)
        return f"see `{command}`" if command else "check the path"


_GCTRACE = re.compile(rb"\bgc \d{1,10} @\d{1,18}\.\d{1,9}s \d{1,3}%")
_DUMP = re.compile(rb"(?:^|\n)goroutine (?:\d{1,20} |profile: total )")
_SAMPLE = re.compile(
    rb"(?:^|\n)(?:# (?:HELP|TYPE|UNIT) \w"
    rb"|[a-zA-Z_:][\w:]{0,200}(?:\{[^\n]{0,4096}\})? +[-+]?(?:\d|Inf|NaN))"
)
_REPORT = re.compile(rb'"schema"\s*:\s*"gocost\.report/\d+"')
_CPU = tuple(
    b"".join(number.to_bytes(size, order) for number in (0, 3, version))
    for size in (4, 8)
    for order in ("little", "big")
    for version in (0, 1)
)
"""The first words of a CPU profile in the form before protobuf: 0, 3, and 0, or 1 of Java."""
_LEGACY = (b"--- ", b"heap profile: ", b"heapz ", b"threadcreate profile: ", *_CPU)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")
"""What no text has, and the first fields of every profile."""
_TRACE = b"go 1."
_MAGIC = (
    (_TRACE, Kind.TRACE),
    (b"\x7fELF", Kind.BINARY),
    (b"MZ", Kind.BINARY),
    (b"\xcf\xfa\xed\xfe", Kind.BINARY),
    (b"\xce\xfa\xed\xfe", Kind.BINARY),
    (b"\xca\xfe\xba\xbe", Kind.BINARY),
)
_ARCHIVES = (
    (re.compile(rb"PK\x03\x04"), Kind.ZIP),
    (re.compile(rb"PK\x05\x06"), Kind.ZIP),  # without a file in it
    (re.compile(rb"\x28\xb5\x2f\xfd"), Kind.ZSTD),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), Kind.BZIP2),
    (re.compile(rb"\xfd7zXZ\0"), Kind.XZ),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), Kind.SEVEN_ZIP),
    (re.compile(rb"(?s:.{257})ustar[\0 ]"), Kind.TAR),
)
"""What archives begin with; so much of it that no text is taken for one, and no profile."""


def recognise(head: bytes) -> Recognised:
    """The kind of a file that begins so; `head` is its first HEAD bytes, or all of it.

    Of what is compressed it is what is inside, where that is read so: a profile, trace or dump.
    """
    if head.startswith(GZIP):
        data = _inflated(head[:HEAD])
        inside = Kind.UNKNOWN if data is None else _kind(data)
        inside = Kind.PROFILE if inside is Kind.HEAP else inside
        if inside in (Kind.PROFILE, Kind.TRACE, Kind.DUMP, Kind.EMPTY):
            return Recognised(inside)
        return Recognised(Kind.PACKED, inside)
    return Recognised(_kind(head[:HEAD]))


def archive(head: bytes) -> Kind | None:
    """The kind of an archive that begins so; None where it is none of those known."""
    for mark, kind in _ARCHIVES:
        if mark.match(head):
            return kind
    return None


def is_trace(head: bytes) -> bool:
    """Whether a file that begins so is an execution trace, of gzip too: some KiB tell."""
    if head.startswith(GZIP):
        head = _inflated(head[:HEAD]) or b""
    return head.startswith(_TRACE)


def mistaken(head: bytes, wanted: Kind) -> FormatError | None:
    """The error for a file that is of another kind than `wanted`; None where it is not known."""
    found = recognise(head)
    if found.kind in (wanted, Kind.UNKNOWN, Kind.EMPTY):
        return None
    return FormatError(f"this is {found}, not {wanted}", hint=found.hint)


def _inflated(head: bytes) -> bytes | None:
    """The first bytes of what is compressed, as far as they are whole; None where none is."""
    try:
        return zlib.decompressobj(31).decompress(head, _INSIDE)
    except zlib.error:
        pass
    # What is damaged later is still what it began as; whoever reads it says that it is damaged.
    inflater, found = zlib.decompressobj(31), b""
    with contextlib.suppress(zlib.error):
        for at in range(0, len(head), _PIECE):
            found += inflater.decompress(head[at : at + _PIECE], _INSIDE)
            if len(found) >= _INSIDE:
                break
    return found or None


def _kind(head: bytes) -> Kind:
    if not head.strip():
        return Kind.EMPTY
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    packed = archive(head)
    # In a tar, texts stand as they are.
    if packed is not None and packed is not Kind.TAR:
        return packed
    text = head.lstrip()
    if text.startswith(b"{"):
        if _REPORT.search(head):
            return Kind.REPORT
        return Kind.VARS if b'"memstats"' in head or b'"cmdline"' in head else Kind.UNKNOWN
    if text[:15].lower().startswith((b"<!doctype html", b"<html")):
        return Kind.PAGE
    if head.startswith(b"heap profile: ") and b"# runtime.MemStats" in head:
        return Kind.HEAP
    if _GCTRACE.search(head):
        return Kind.GCTRACE
    if _DUMP.search(head):
        return Kind.DUMP
    if packed is not None:
        return packed
    if head.startswith(_LEGACY) or (_BINARY.search(head) and _has_fields(head)):
        return Kind.PROFILE
    if b"\0" not in head and _SAMPLE.search(head):
        return Kind.METRICS
    return Kind.UNKNOWN


def _has_fields(data: bytes) -> bool:
    """Whether bytes begin with some fields of a Profile message, in whatever order; the last may be
    cut off.
    """
    at = seen = 0
    while at + 1 < len(data) and seen < _ENOUGH:
        tag = data[at]
        number, wire = tag >> 3, tag & 7
        if number not in _WIRES or wire not in _WIRES[number]:
            return False
        value, at = _varint(data, at + 1)
        if value < 0:
            return False
        at += value if wire == _BYTES else 0
        seen += 1
    return seen > 0


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends; -1 where it does not end within ten bytes, or the data."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            return (0, at) if shift else (-1, at)
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    return -1, at


_BYTES: Final = 2
_ENOUGH: Final = 64
"""Fields that no other kind of file has by chance."""
_WIRES: Final = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 11), (_BYTES,)),
    **dict.fromkeys((7, 8, 9, 10, 12, 14), (0,)),
    13: (0, _BYTES),
    15: (0,),
}
"""By the number of a field of Profile (profile.proto of google/pprof): how it may be encoded."""
