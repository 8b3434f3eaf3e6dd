"""The sources of the kernels as Cython gets them: pieces put together, constants as numbers.

A kernel is a file of `src/gocost/kernels` and a module of its own. Cython shares no C function
between modules written as Python, so that a kernel that imports from another file of this folder
gets the text of that file instead of the import, and constants (`NAME = 3` at the left margin) as
the numbers that they are: there they cost nothing. Interpreted, both are what they look like. A
file whose name starts with `_` is a piece of others and no module of its own.

With GOCOST_CHECKED_KERNELS set no loop goes without bounds checks and every pointer is a view that
knows its length: so they are fuzzed, and an index that a loop trusts wrongly shows.
"""

from __future__ import annotations

import io
import os
import re
import tokenize
from pathlib import Path

KERNELS = Path("src/gocost/kernels")
BUILD = Path("build/kernels")
CHECKED = Path("build/checked")
_PIECE = re.compile(r"^from gocost\.kernels\.(\w+) import (\([^)]*\)|[^\n(]*)\n", re.MULTILINE)
_CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]*) = (-?\d+|0x[0-9A-F]+)(?=[ \t]*(?:#|$))", re.MULTILINE)
_HEAD = re.compile(r'\A""".*?"""\n|^(?:import|from) [^\n(]*\n', re.MULTILINE | re.DOTALL)


def names() -> list[str]:
    """The kernels: files that Cython has something to do in, without pieces of others."""
    return sorted(
        path.stem
        for path in KERNELS.glob("*.py")
        if not path.name.startswith("_") and "\nimport cython\n" in path.read_text(encoding="utf-8")
    )


def source(name: str) -> Path:
    """Where the source of a kernel stands that Cython is to compile."""
    path = KERNELS / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    checked = bool(os.environ.get("GOCOST_CHECKED_KERNELS"))
    if not checked and not _PIECE.search(text):
        return path
    made = composed(text)
    if checked:
        made = with_checks(made)
    target = (CHECKED if checked else BUILD) / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written only where it changed: its time says whether it has to be compiled again.
    if not target.is_file() or target.read_text(encoding="utf-8") != made:
        target.write_text(made, encoding="utf-8")
    return target


def composed(text: str) -> str:
    """The kernel with its pieces in their place; as it is where it has none."""
    if not _PIECE.search(text):
        return text
    seen: set[str] = set()

    def piece(match: re.Match[str]) -> str:
        name = match[1]
        if name in seen:
            return ""
        seen.add(name)
        body = (KERNELS / f"{name}.py").read_text(encoding="utf-8")
        return _PIECE.sub(piece, _HEAD.sub(lambda head: _kept(head[0]), body))

    return _with_numbers(_PIECE.sub(piece, text))


def _kept(line: str) -> str:
    """Of a piece's docstring and imports what the kernel does not have already."""
    return line if line.startswith("from gocost.kernels.") else ""


def _with_numbers(text: str) -> str:
    """The constants' names as numbers, but where they are defined."""
    numbers = dict(_CONSTANT.findall(text))
    lines = text.splitlines(keepends=True)
    defined = {number for number, line in enumerate(lines, 1) if _CONSTANT.match(line)}
    found = [
        token
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME and token.string in numbers
    ]
    for token in reversed(found):
        row, start = token.start
        if row in defined:
            continue
        line = lines[row - 1]
        number = numbers[token.string]
        number = number if number.isdigit() else f"({number})"
        lines[row - 1] = line[:start] + number + line[token.end[1] :]
    return "".join(lines)


def with_checks(text: str) -> str:
    """Every index compared with the length of what it is an index of."""
    text = text.replace("@cython.boundscheck(False)\n", "")
    text = re.sub(r"cython\.pointer\[(cython\.const\[cython\.\w+\])\]", r"\1[::1]", text)
    text = re.sub(r"cython\.p_(\w+)", r"cython.\1[::1]", text)
    return text.replace("if cython.compiled:", "if False:")
