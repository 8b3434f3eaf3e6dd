"""Reading a goroutine dump in whichever form it comes, piece by piece."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from gocost.formats.goroutine_dump.apart import apart
from gocost.formats.goroutine_dump.dump import Dump
from gocost.formats.goroutine_dump.grouped import HEAD, pages, read_grouped
from gocost.formats.goroutine_dump.json_lines import is_json_lines, unwrapped
from gocost.formats.goroutine_dump.profile import read_profile
from gocost.formats.goroutine_dump.stacks import SEED, read_stacks
from gocost.formats.gunzip import Gunzip, cut_off, gunzipped
from gocost.formats.recognition import GZIP, Kind, archive, mistaken
from gocost.model.errors import FormatError

MAX_BYTES: Final = 1 << 30
"""Bytes after decompression; `--max-bytes` raises it."""
_HELD: Final = 256 << 20
"""Bytes of a form that is not read piece by piece."""
_FIELDS: Final = frozenset(
    bytes([number << 3 | wire]) for number in range(1, 16) for wire in (0, 2)
)
"""What a profile may begin with: the tag of any of its fields."""
_SNIFFED: Final = 1 << 16
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_STACK: Final = re.compile(rb"(?m)goroutine \d+ [^\n]*[\]}]:")
_KINDS: Final = (
    (b"\x7fELF", "an executable", "see `gocost size`"),
    (b"MZ", "an executable", "see `gocost size`"),
    (b"go 1.", "an execution trace", "see `gocost trace summary`"),
    (b"<", "a page of HTML or XML", "name the dump itself: .../debug/pprof/goroutine?debug=2"),
    (b"{", "JSON", "name a dump as /debug/pprof/goroutine?debug=2 gives it"),
)


def decode(
    pieces: Iterable[bytes | memoryview],
    *,
    origin: str = "",
    max_bytes: int = MAX_BYTES,
    seed: int = SEED,
) -> Dump:
    """The dump in a text, a profile, or either of them in gzip; several as if they were one.

    `pieces` are the bytes in order; only what is not read piece by piece is held as a whole.
    Raises FormatError.
    """
    dumps = _decode(pieces, origin, max_bytes, seed, split=lambda data: [data])
    return dumps[0]


def decode_all(
    pieces: Iterable[bytes | memoryview],
    *,
    origin: str = "",
    max_bytes: int = MAX_BYTES,
    seed: int = SEED,
) -> list[Dump]:
    """The dumps that stand one behind the other, at least one. Raises FormatError."""
    found = _decode(pieces, origin, max_bytes, seed, split=pages)
    return [part for dump in found for part in apart(dump)]


def _decode(
    pieces: Iterable[bytes | memoryview],
    origin: str,
    max_bytes: int,
    seed: int,
    split: Callable[[bytes], list[bytes]],
) -> list[Dump]:
    rest = iter(pieces)
    head = _head(rest)
    if not head:
        raise FormatError("the dump is empty", hint="record it again")
    packed = Gunzip()
    if head.startswith(GZIP):
        rest = gunzipped(itertools.chain([head], rest), packed)
        head = _head(rest)
    whole = _bounded(itertools.chain([head], rest), max_bytes)
    if HEAD.match(head):
        return _cut_off([read_grouped(page) for page in split(_held(whole))], packed)
    if _is_profile(head):
        data = _held(whole)
        if not packed.whole:  # half of a text has whole goroutines, half of a profile has none
            raise cut_off()
        return [read_profile(data, origin=origin, max_bytes=max_bytes)]
    text = _bounded(unwrapped(whole), max_bytes) if is_json_lines(head) else whole
    dump = read_stacks(text, seed=seed)
    if not dump.total:
        raise _none(head, dump)
    return _cut_off([dump], packed)


def _cut_off(dumps: list[Dump], packed: Gunzip) -> list[Dump]:
    """The same, of which the last one says it where gzip does not end though the text may."""
    last = dumps[-1]
    if packed.whole or last.lost:
        return dumps
    lost = (
        f"the gzip stream is cut off: {last.total:,} goroutines are whole, and whatever stood "
        "behind them is missing"
    )
    return [*dumps[:-1], replace(last, lost=lost)]


def _is_profile(head: bytes) -> bool:
    """Whether the bytes begin as a pprof profile does: a field of its own, in protobuf."""
    if head[:1] not in _FIELDS or not _BINARY.search(head) or _STACK.search(head):
        return False
    if archive(head) is not None:
        return False
    return not any(head.startswith(mark) for mark, _, _ in _KINDS)


def _none(head: bytes, dump: Dump) -> FormatError:
    """Why there is no goroutine in a file: what it is."""
    if dump.lost:
        return FormatError(
            "the dump is cut off in its first goroutine", hint="record or copy it again"
        )
    for mark, name, hint in _KINDS:
        if head.lstrip().startswith(mark):
            return FormatError(f"this is {name}, not a goroutine dump", hint=hint)
    if known := mistaken(head, Kind.DUMP):
        return known
    if _BINARY.search(head):
        return FormatError(
            "this is no goroutine dump but something binary",
            hint="record /debug/pprof/goroutine?debug=2",
        )
    return FormatError(
        "there is no goroutine in this text",
        hint="record /debug/pprof/goroutine?debug=2, or send the process SIGQUIT and keep its log",
    )


def _head(pieces: Iterator[bytes | memoryview]) -> bytes:
    """The first bytes, enough to tell what they are."""
    head = b""
    for piece in pieces:
        head = head + bytes(piece) if head else bytes(piece)
        if len(head) >= _SNIFFED:
            break
    return head


def _bounded(pieces: Iterable[bytes | memoryview], max_bytes: int) -> Iterator[bytes | memoryview]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise FormatError(
                f"the dump is larger than {max_bytes:,} bytes",
                hint="raise the cap with --max-bytes",
            )
        yield piece


def _held(pieces: Iterable[bytes | memoryview]) -> bytes:
    return b"".join(_bounded(pieces, _HELD))
