"""Go's string literals: quoting and unquoting as the Go distribution's `strconv` does.

Text that is not UTF-8 comes as lone surrogates (Python's surrogateescape) and is written `\\xNN`.
"""

from __future__ import annotations

from gocost.model.errors import FormatError

_SHORT = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
_LONG = {escape[1]: char for char, escape in _SHORT.items()}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}


def quote(text: str) -> str:
    """`text` as a double-quoted Go literal."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def quoted_prefix(text: str) -> str | None:
    """The Go literal that `text` begins with, quotes included, or None."""
    if text[:1] == "`":
        end = text.find("`", 1)
        return text[: end + 1] if end > 0 else None
    if text[:1] != '"':
        return None
    at = 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\n":
            return None
        at += 2 if text[at] == "\\" else 1
    return text[: at + 1] if at < len(text) else None


def unquote(literal: str) -> str:
    """The text that a whole Go literal stands for. Raises FormatError."""
    if literal[:1] == "`":
        # Bytes that a carriage return kept apart may be a character without it.
        raw_text = literal[1:-1].replace("\r", "").encode("utf-8", "surrogateescape")
        return raw_text.decode("utf-8", "surrogateescape")
    body = literal[1:-1]
    if "\\" not in body:
        return body
    raw = bytearray()
    at = 0
    while at < len(body):
        if body[at] != "\\":
            raw += body[at].encode("utf-8", "surrogateescape")
            at += 1
            continue
        piece, at = _escape(body, at + 1)
        raw += piece
    return raw.decode("utf-8", "surrogateescape")


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if char.isprintable():
        return char
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape(body: str, at: int) -> tuple[bytes, int]:
    """The bytes of the escape whose letter is at `at`, and where it ends."""
    letter = body[at : at + 1]
    if letter in _LONG:
        return _LONG[letter].encode(), at + 1
    if letter in _HEX_DIGITS:
        width = _HEX_DIGITS[letter]
        code = _number(body[at + 1 : at + 1 + width], width, 16)
        if letter == "x":
            return bytes([code]), at + 1 + width
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise FormatError(f"a Go literal with the impossible character {code:#x}")
        return chr(code).encode(), at + 1 + width
    code = _number(body[at : at + 3], 3, 8)
    if code > 255:
        raise FormatError("a Go literal with an octal escape over 255")
    return bytes([code]), at + 3


def _number(digits: str, width: int, radix: int) -> int:
    allowed = "01234567" if radix == 8 else "0123456789abcdefABCDEF"
    if len(digits) != width or any(digit not in allowed for digit in digits):
        raise FormatError("a Go literal with an escape that Go does not know")
    return int(digits, radix)
