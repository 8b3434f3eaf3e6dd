"""Text that GitHub's Markdown shows as it is, whatever names are in it.

Names stand in code spans, where Markdown, mentions and links do not act. Prose keeps the code spans
that its author wrote and has everything else that Markdown, HTML or GitHub would act on escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gocost.reporters.wording import plain

LONGEST: Final = 300
"""A name or sentence beyond this is cut: no single one may eat the comment."""

_ACTIVE = re.compile(
    r"[&<>\\`*_\[\]|~$]|@(?=\w)|#(?=\d)|:(?=//)|(?<=\bwww)\.|^[-+#=](?=\s|$)|(?<=^\d)[.)](?=\s|$)"
)
_NAMED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ANY_PUNCTUATION = re.compile(r"[^a-zA-Z0-9 ]")


def code(text: str, *, cell: bool = False) -> str:
    """A name as code. `cell`: inside a table, where a pipe would end the cell."""
    text = _short(plain(text)).strip() or " "
    if not any(character in text for character in "`|\\"):
        return f"`{text}`"
    if cell:
        # In a table no fence helps against a pipe, nor a backslash before one: all as entities.
        return f"<code>{_ANY_PUNCTUATION.sub(_entity, text)}</code>"
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def prose(text: str) -> str:
    """A sentence: code spans stay, everything else that is active is escaped. Fits a table cell."""
    parts = _short(plain(text)).split("`")
    if len(parts) % 2 == 0:
        return _ACTIVE.sub(_escape, "`".join(parts))
    return "".join(
        (code(part, cell=True) if part.strip() else "") if index % 2 else _ACTIVE.sub(_escape, part)
        for index, part in enumerate(parts)
    )


def html_text(text: str) -> str:
    """Text inside an HTML tag such as `summary`, where Markdown does not act but HTML does."""
    return html.escape(_short(plain(text)))


def table_lines(
    names: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool]
) -> tuple[list[str], Iterator[str]]:
    """A table's heading and its rows, from cells that are Markdown already."""
    rule = ["--:" if flag else "---" for flag in right]
    return [_row(names), _row(rule)], (_row(row) for row in rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"


def _escape(match: re.Match[str]) -> str:
    found = match[0]
    # A mention or an issue number acts on the rendered text, so an entity would not stop it.
    return f"{found}&#8203;" if found in "@#" and match.start() else _entity(match)


def _entity(match: re.Match[str]) -> str:
    return _NAMED.get(match[0]) or f"&#{ord(match[0])};"
