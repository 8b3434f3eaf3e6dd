"""Rows with a stack each, as blocks: what the row says, and below it a frame a line.

  10 ms  endpoint:/e0
      compress/flate.(*compressor).deflate
      compress/flate.(*compressor).close

A stack is as long as it is deep: in a table it is wrapped into a narrow column, in which names are
broken, and nothing else stands beside most of its lines.
"""

from __future__ import annotations

import re
from typing import Final

from gocost.model.report import Table, is_rest
from gocost.reporters.text_page import Page
from gocost.reporters.text_table import GAP, cut
from gocost.reporters.wording import cell, plain

_ROW: Final = 2
_FRAME: Final = 6
_MARKS: Final = re.compile(r"[;{}]")


def write_stacks(page: Page, table: Table, column: str) -> None:
    """Every row of a table: the cells but that of `column` on a line, and its frames below."""
    stack = table.names().index(column)
    for number, row in enumerate(table.rows):
        if number:
            page.line()
        style = "dim" if any(map(is_rest, row)) else ""
        said = [
            cell(value, each.unit)
            for at, (value, each) in enumerate(zip(row, table.columns, strict=True))
            if at != stack and value not in (None, "")
        ]
        # Words hang beside the amount that the row begins with.
        page.prose(
            (" " * GAP).join(said[1:]), style, indent=_ROW, bullet="".join(said[:1]) + " " * GAP
        )
        for frame in frames(str(row[stack] or "")):
            page.line((cut(plain(frame), page.width - _FRAME), style), indent=_FRAME)


def frames(stack: str) -> list[str]:
    """The frames of a stack that is joined by `;`, which also stands in the types of generics:
    `slices.Sort[struct { a int; b int }]`. Where braces do not match each one parts frames.
    """
    found, start, depth = [], 0, 0
    for mark in _MARKS.finditer(stack):
        depth += (mark[0] == "{") - (mark[0] == "}")
        if depth < 0:
            return stack.split(";")
        if mark[0] == ";" and not depth:
            found.append(stack[start : mark.start()])
            start = mark.end()
    if depth:
        return stack.split(";")
    return [*found, stack[start:]] if stack else []
