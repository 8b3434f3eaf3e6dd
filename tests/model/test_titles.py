"""Titles of tables, wherever the source makes one: a heading that begins with a capital."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gocost

_MAKERS = ("Table", "span_table")


def titles() -> Iterator[tuple[str, str]]:
    """Where the title stands, and what it begins with; not those that begin with a name."""
    root = Path(gocost.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _MAKERS:
                named = [each.value for each in node.keywords if each.arg == "title"]
                for given in [*named, *node.args[:1]][:1]:
                    for text in beginnings(given):
                        yield f"{path.relative_to(root)}:{node.lineno}", text


def beginnings(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr(values=[first, *_]):
            yield from beginnings(first)
        case ast.BinOp(left=left):
            yield from beginnings(left)
        case ast.IfExp(body=one, orelse=other):
            yield from beginnings(one)
            yield from beginnings(other)


@pytest.mark.parametrize(("place", "title"), list(titles()), ids=str)
def test_a_title_begins_with_a_capital(place: str, title: str) -> None:
    assert title[0].isupper(), f"{place}: {title}"
