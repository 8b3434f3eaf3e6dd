"""Lines on a terminal: wrapped, indented, coloured where asked for, ASCII where it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TextIO

from gocost.reporters.interface import Settings
from gocost.reporters.text_table import wrap

WIDEST_PROSE: Final = 100

_STYLES: Final = {
    "head": "bold",
    "bad": "bold red",
    "warn": "yellow",
    "good": "green",
    "dim": "dim",
    "name": "bold",
    "spark": "cyan",
}
_MARKS: Final = {
    "violated": ("✗", "x", "bad"),
    "softer": ("!", "!", "warn"),
    "unknown": ("?", "?", "warn"),
    "waived": ("~", "~", "dim"),
    "skipped": ("-", "-", "dim"),
    "passed": ("✓", "+", "good"),
}
_ASCII: Final = str.maketrans(
    dict(zip("▁▂▃▄▅▆▇█", "_.,-=+*#", strict=True)) | {"✗": "x", "✓": "+", "…": "~", "µ": "u"}
)

Piece = tuple[str, str]
"""Text and the name of its style."""


class Page:
    """Lines on a stream: wrapped, indented, coloured where that was asked for."""

    def __init__(self, stream: TextIO, settings: Settings) -> None:
        self.width = max(settings.width, 30)
        self._stream = stream
        self._paint = _painter() if settings.color else None
        self._ascii = not _can_write(stream, "✗▁…µ")
        self._blank = False

    def line(self, *pieces: Piece, indent: int = 0) -> None:
        """One line as it is."""
        text = "".join(self._painted(text, style) for text, style in pieces)
        line = " " * indent + text if self._paint else (" " * indent + text).rstrip()
        self._stream.write(self._encodable(line) + "\n")

    def prose(self, text: str, style: str = "", *, indent: int = 0, bullet: str = "") -> None:
        """Words, wrapped; the lines after the first hang under the text behind the bullet."""
        hang = indent + len(bullet)
        for number, part in enumerate(wrap(text, min(self.width, WIDEST_PROSE) - hang)):
            self.line(
                (bullet if number == 0 else " " * len(bullet), style), (part, style), indent=indent
            )

    def heading(self, text: str) -> None:
        """A blank line and a title."""
        self.line()
        self.prose(text, "head")

    def mark(self, kind: str) -> Piece:
        """The sign of an outcome."""
        sign, _, style = _MARKS[kind]
        return f"{sign} ", style

    def _painted(self, text: str, style: str) -> str:
        if self._paint is None or not style or not text.strip():
            return text
        return self._paint(text, style)

    def _encodable(self, line: str) -> str:
        if not self._ascii or line.isascii():
            return line
        encoding = getattr(self._stream, "encoding", None) or "ascii"
        return line.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)


def _painter() -> Callable[[str, str], str]:
    """Gives a text its style; what it takes is loaded only where something is painted."""
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {name: Style.parse(words) for name, words in _STYLES.items()}
    return lambda text, style: styles[style].render(text, color_system=ColorSystem.STANDARD)


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
