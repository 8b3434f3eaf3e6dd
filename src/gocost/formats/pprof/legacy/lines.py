"""Lines, numbers and expressions as Go's packages read them: bufio.Scanner, strconv and regexp."""

from __future__ import annotations

import re
from typing import Any, Final

import re2

from gocost.model.errors import FormatError

MAX_LINE: Final = 65_535
"""Bytes of a line; a longer one is refused, as by bufio.Scanner."""
_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What strings.TrimSpace takes off."""
_ADDRESS: Final = re.compile(rb"0x[0-9a-f]+")
_LITERAL: Final = re.compile(
    rb"[+-]?(0[xX](_?[0-9a-fA-F])+|0[bB](_?[01])+|0[oO](_?[0-7])+|0(_?[0-7])*|[1-9](_?[0-9])*)"
)
"""An integer of Go's, of whatever base its prefix says."""


class UnrecognizedError(FormatError):
    """It is not of this form after all; another one may still fit."""


class Lines:
    """The lines of a text, one after the other, as bufio.Scanner gives them."""

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data = data
        self._next = start
        self.line = b""
        """The line that was advanced to, without its end; empty before the first one."""
        self.offset = 0
        """Where it starts."""

    def advance(self) -> bool:
        """Goes to the next line; False after the last. Raises FormatError for one too long."""
        data, start = self._data, self._next
        if start >= len(data):
            self.line = b""
            return False
        end = data.find(b"\n", start)
        if end < 0:
            end = len(data)
        if end - start > MAX_LINE:
            raise FormatError(f"a line is longer than {MAX_LINE:,} bytes", offset=start)
        self._next = end + 1
        self.offset = start
        self.line = data[start : end - 1 if data.endswith(b"\r", start, end) else end]
        return True

    def skip_comments(self) -> None:
        """Goes to the first line that is neither blank nor a comment."""
        while self.advance() and is_comment(self.line):
            pass


def first_line(data: bytes) -> bytes:
    """The first line that is neither blank nor a comment; empty where there is none."""
    lines = Lines(data)
    try:
        lines.skip_comments()
    except FormatError:
        return b""
    return lines.line


def is_comment(line: bytes) -> bool:
    """Whether the line is blank or a comment."""
    text = trimmed(line)
    return not text or text.startswith(b"#")


def trimmed(line: bytes) -> bytes:
    """The line without white space at its ends."""
    line = line.strip()
    if line and (line[0] > 127 or line[-1] > 127):
        line = line.decode("utf-8", "surrogateescape").strip(_SPACE).encode(
            "utf-8", "surrogateescape"
        )  # fmt: skip
    return line


def addresses_in(text: bytes, offset: int) -> list[int]:
    """Every hexadecimal number in the text. Raises FormatError for one of more than 64 bits."""
    found = [int(word, 16) for word in _ADDRESS.findall(text)]
    if found and max(found) >> 64:
        raise FormatError("an address has more than 64 bits", offset=offset)
    return found


def integer(text: bytes) -> int | None:
    """A decimal integer of 64 bits with its sign, or None."""
    value = int(text)
    return value if -(1 << 63) <= value < 1 << 63 else None


def literal(text: bytes) -> int | None:
    """An integer of 64 bits as Go's source has them (`012` is ten), or None."""
    if _LITERAL.fullmatch(text) is None:
        return None
    digits = text.lstrip(b"+-").replace(b"_", b"").lower()
    octal = len(digits) > 1 and digits.isdigit() and digits.startswith(b"0")
    value = int(digits, 8 if octal else 0)
    value = -value if text.startswith(b"-") else value
    return value if -(1 << 63) <= value < 1 << 63 else None


def wrapped(value: int) -> int:
    """The value in 64 bits with sign, as Go's integers wrap."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def truncated(value: float) -> int:
    """The value as Go makes an int64 of it on amd64, where what does not fit is the least."""
    return int(value) if abs(value) < 2.0**63 else -(1 << 63)


def quotient(amount: int, count: int) -> int:
    """amount / count as Go's int64 divide: towards zero."""
    found = abs(amount) // abs(count)
    return wrapped(found if (amount < 0) == (count < 0) else -found)


def expression(pattern: bytes) -> Any:
    """An expression with Go's meaning over bytes, which takes linear time on any line."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


def told(line: bytes) -> str:
    """A line as a message quotes it."""
    text = line[:60].decode("utf-8", "backslashreplace")
    return repr(text if len(line) <= 60 else f"{text}...")
