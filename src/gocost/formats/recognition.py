"""What a recorded file is, by its first bytes and not by its name.

Commands that take several kinds of files ask here, and say of a wrong one what it is and which
command is for it.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gocost.model.errors import FormatError

HEAD: Final = 1 << 18
"""Bytes that are looked at: a log may have much else before what makes it one."""
GZIP: Final = b"\x1f\x8b"
_INSIDE: Final = 1 << 16
"""Bytes that are looked at of what is compressed."""


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


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is, and which command is for it."""

    kind: Kind

    def __str__(self) -> str:
        return str(self.kind)

    @property
    def hint(self) -> str:
        """What to type instead."""
        if self.kind is Kind.PAGE:
            return "name the page itself, such as .../debug/pprof/profile or .../metrics"
        command = COMMANDS.get(self.kind)
        return f"see `{command}`" if command else "check the path"


_GCTRACE = re.compile(rb"\bgc \d{1,10} @\d{1,18}\.\d{1,9}s \d{1,3}%")
_DUMP = re.compile(rb"(?:^|\n)goroutine (?:\d{1,20} |profile: total )")
_SAMPLE = re.compile(
    rb"(?:^|\n)(?:# (?:HELP|TYPE|UNIT) \w"
    rb"|[a-zA-Z_:][\w:]{0,200}(?:\{[^\n]{0,4096}\})? +[-+]?(?:\d|Inf|NaN))"
)
_REPORT = re.compile(rb'"schema"\s*:\s*"gocost\.report/\d+"')
_LEGACY = (b"--- ", b"heap profile: ", b"heapz ", b"threadcreate profile: ")
_TRACE = b"go 1."
_MAGIC = (
    (_TRACE, Kind.TRACE),
    (b"\x7fELF", Kind.BINARY),
    (b"MZ", Kind.BINARY),
    (b"\xcf\xfa\xed\xfe", Kind.BINARY),
    (b"\xce\xfa\xed\xfe", Kind.BINARY),
    (b"\xca\xfe\xba\xbe", Kind.BINARY),
)


def recognise(head: bytes) -> Recognised:
    """The kind of a file that begins so; `head` is its first HEAD bytes, or all of it.

    Of what is compressed it is what is inside, where that is a trace or a dump.
    """
    if head.startswith(GZIP):
        inside = _kind(_inflated(head[:HEAD]))
        return Recognised(inside if inside in (Kind.TRACE, Kind.DUMP) else Kind.PROFILE)
    return Recognised(_kind(head[:HEAD]))


def is_trace(head: bytes) -> bool:
    """Whether a file that begins so is an execution trace, of gzip too: some KiB tell."""
    if head.startswith(GZIP):
        head = _inflated(head[:HEAD])
    return head.startswith(_TRACE)


def mistaken(head: bytes, wanted: Kind) -> FormatError | None:
    """The error for a file that is of another kind than `wanted`; None where it is not known."""
    found = recognise(head)
    if found.kind in (wanted, Kind.UNKNOWN, Kind.EMPTY):
        return None
    return FormatError(f"this is {found}, not {wanted}", hint=found.hint)


def _inflated(head: bytes) -> bytes:
    """The first bytes of what is compressed; what is damaged has none."""
    try:
        return zlib.decompressobj(31).decompress(head, _INSIDE)
    except zlib.error:
        return b""


def _kind(head: bytes) -> Kind:
    if not head.strip():
        return Kind.EMPTY
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
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
    if head.startswith(_LEGACY) or _is_protobuf(head):
        return Kind.PROFILE
    if b"\0" not in head and _SAMPLE.search(head):
        return Kind.METRICS
    return Kind.UNKNOWN


def _is_protobuf(head: bytes) -> bool:
    """A Profile message begins with a sample type: field 1, a short message of small numbers."""
    return len(head) > 3 and head[0] == 0x0A and head[1] <= 12 and head[2] in (0x08, 0x10)
