"""A log whose lines are JSON: the text in them.

What container runtimes and loggers keep, an object a line, the text under one of a few keys:

    {"log":"goroutine 1 [running]:\\n","stream":"stderr","time":"..."}     Docker's json-file
    {"MESSAGE":"goroutine 1 [running]:","_PID":"7", ...}                  journalctl -o json
    {"level":"error","msg":"panic: ...\\ngoroutine 1 [running]:\\n..."}     loggers

A line that is no such object is text of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from gocost.model.errors import FormatError

MAX_LINE: Final = 128 << 20
"""Bytes of one line: all of a dump may stand in it."""
_PIECE: Final = 1 << 20


class _Entry(msgspec.Struct):
    log: str | None = None
    msg: str | None = None
    message: str | None = None
    MESSAGE: str | list[int] | None = None


def is_json_lines(head: bytes) -> bool:
    """Whether a text begins as such a log does."""
    return head.lstrip()[:1] == b"{" and any(
        f'"{key}"'.encode() in head for key in _Entry.__struct_fields__
    )


def unwrapped(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """The text of the lines, in pieces. Raises FormatError for a line that is too long."""
    decoder = msgspec.json.Decoder(_Entry)
    made: list[bytes] = []
    size = 0
    for line in _lines(pieces):
        text = _text(decoder, line)
        made.append(text)
        size += len(text)
        if size >= _PIECE:
            yield b"".join(made)
            made, size = [], 0
    yield b"".join(made)


def _lines(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Whole lines with their ends; the last one as it is."""
    rest: list[bytes] = []
    size = 0
    for piece in pieces:
        *whole, last = bytes(piece).split(b"\n")
        for line in whole:
            yield b"".join([*rest, line, b"\n"])
            rest, size = [], 0
        rest.append(last)
        size += len(last)
        if size > MAX_LINE:
            raise FormatError(
                f"a line of JSON is longer than {MAX_LINE >> 20} MiB",
                hint="cut the file into parts",
            )
    if size:
        yield b"".join(rest)


def _text(decoder: msgspec.json.Decoder[_Entry], line: bytes) -> bytes:
    try:
        entry = decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return line
    for value in (entry.log, entry.MESSAGE, entry.message, entry.msg):
        if isinstance(value, list):  # journald's way with bytes that are no UTF-8
            text = bytes(byte & 255 for byte in value)
        elif value is not None:
            text = value.encode("utf-8", "backslashreplace")
        else:
            continue
        return text if text.endswith(b"\n") else text + b"\n"
    return b"\n"
