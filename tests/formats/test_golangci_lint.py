"""golangci-lint's JSON: recorded from versions 1.62.2 and 2.15.0 over one small program."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.formats.golangci_lint import decode
from gocost.model.errors import FormatError

RECORDED = Path(__file__).parent / "golangci_lint"


@pytest.mark.parametrize("name", ["v1.62.2", "v2.15.0"])
def test_both_versions_say_the_same(name: str) -> None:
    issues = decode((RECORDED / f"{name}.json").read_bytes())
    assert [(issue.path, issue.line, issue.linter) for issue in issues] == [
        ("main.go", 9, "prealloc"),
        ("main.go", 11, "perfsprint"),
        ("main.go", 17, "bodyclose"),
    ]
    assert issues[2].column == 23
    assert issues[2].text == "response body must be closed"


def test_a_summary_after_the_report_is_left_out() -> None:
    text = (RECORDED / "v2.15.0.json").read_bytes()
    assert text.count(b"\n") > 1, "recorded with its summary"
    assert len(decode(text)) == 3


def test_no_issues_are_no_issues() -> None:
    assert decode(b'{"Issues":null,"Report":{}}\n') == []
    assert decode(b'{"Report":{}}') == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"level=error msg=x",
        b"[]",
        b'{"Issues": 3}',
        b'{"Issues": [{"Text": "no linter"}]}',
        b'{"Issues": [{"FromLinter": "a", "Text": "b", "Pos": {"Line": "x"}}]}',
        b"{" * 100_000,
        b'{"Issues"',
    ],
)
def test_other_text_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        decode(data)


@given(st.binary(max_size=200))
def test_hostile_bytes_raise_nothing_else(data: bytes) -> None:
    for text in (data, b'{"Issues":[{"FromLinter":"a","Text":"' + data + b'"}]}'):
        try:
            decode(text)
        except FormatError:
            continue
