"""Markdown for pull requests: found again, never too long, and harmless whatever names say."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Change, Column, Note, Report, Table, Verdict
from gocost.model.subject import Subject
from gocost.reporters.markdown import COMMENT_BYTES, MARKER, SUMMARY_BYTES
from gocost.reporters.markdown_text import code, prose, table_lines
from tests.reporters.conftest import rendered
from tests.reporters.hostile import HOSTILE
from tests.reporters.reports import REPORTS

GITHUB_LIMIT = 65_536


class Seen(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def page_of(markdown: str) -> Seen:
    """The Markdown as a renderer with GitHub's tables, links and raw HTML shows it."""
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("table")
    return Seen(renderer.render(markdown))


def huge() -> Report:
    """Ten thousand of everything, with names that are long and wide."""
    name = "github.com/日本語/モジュール/" + "x" * 500
    subject = Subject(service=name)
    return Report(
        "check",
        "0.1.0",
        findings=[
            Finding(
                f"{name}.{i}",
                name,
                outcome,
                Severity.ERROR,
                f"{name} | `{i}`",
                subject,
                advice=name,
            )
            for i in range(2_000)
            for outcome in Outcome
        ],
        changes=[
            Change(f"{name}.{i}", Unit.BYTES, i, i + 1, 1, Verdict.WORSE, subject)
            for i in range(10_000)
        ],
        tables={
            f"t{i}": Table(name, (Column("a"), Column("b", Unit.BYTES)), [[name, 1]] * 10_000)
            for i in range(20)
        },
        notes=[Note("error", name)] * 1_000,
        assumptions=[name] * 1_000,
    )


@pytest.mark.parametrize(
    ("format_", "limit"), [("markdown", GITHUB_LIMIT), ("summary", 1024 * 1024)]
)
def test_the_hugest_report_is_short_enough_and_says_what_is_missing(
    format_: str, limit: int
) -> None:
    text = rendered(format_, huge())

    assert len(text) < limit
    assert len(text.encode()) <= {"markdown": COMMENT_BYTES, "summary": SUMMARY_BYTES}[format_]
    assert "did not fit here" in text
    assert text.count("<details") == text.count("</details>")
    assert "gocost 0.1.0" in text


def test_the_comment_begins_with_the_marker_and_nothing_else_looks_like_it() -> None:
    for name in REPORTS:
        text = rendered("markdown", REPORTS[name]())

        assert text.startswith(f"{MARKER}\n")
        assert text.count("<!--") == 1 or name == "hostile"
        assert [c.strip() for c in page_of(text).comments] == ["gocost:report"]


def test_a_summary_has_no_marker_and_is_unfolded() -> None:
    text = rendered("summary", REPORTS["check"]())

    assert MARKER not in text
    assert "<details open><summary>Violated (3)</summary>" in text


def test_the_three_things_that_matter_stand_above_everything_folded() -> None:
    above = rendered("markdown", REPORTS["check"]()).partition("<details>")[0]

    assert "2 rules violated" in above
    assert above.count("\n- ") == 4
    assert "memory.rss.peak" in above
    assert "1.82 USD/month" in above
    assert "- and 2 more below" in above


def test_one_comment_speaks_of_all_services() -> None:
    text = rendered("markdown", REPORTS["check"]())

    assert "payments, orders" in text
    assert text.count(MARKER) == 1


@pytest.mark.parametrize("format_", ["markdown", "summary"])
def test_nothing_hostile_becomes_an_element_a_link_or_a_mention(format_: str) -> None:
    text = rendered(format_, REPORTS["hostile"]())

    page = page_of(text)
    own = {"h3", "ul", "li", "strong", "em", "code", "p", "br", "details", "summary", "sub"}
    own |= {"table", "thead", "tbody", "tr", "th", "td", "blockquote"}
    assert set(page.tags) <= own
    assert set(page.attributes) <= {"open", "style"}
    assert "</script><script>alert(1)</script>" in page.text
    outside = re.sub(r"`[^`]*`|<code>.*?</code>", "", text)
    assert not re.search(r"@\w|(?<!&)#\d|https?://", outside)


@pytest.mark.parametrize("name", REPORTS)
def test_every_row_of_every_table_has_as_many_cells_as_its_heading(name: str) -> None:
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("table")
    text = rendered("markdown", REPORTS[name]())
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)

    for block in blocks:
        html = renderer.render(block)
        heads = html.count("<th")
        for line in block.splitlines()[2:]:
            cells = renderer.render("\n".join([*block.splitlines()[:2], line])).count("<td")
            assert cells == heads - html.count("<thead")
        unescaped = [len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()]
        assert len(set(unescaped)) == 1


@given(st.text(max_size=60))
@example("_\x1f_")  # emphasis within the tags that a cell needs for a backslash
def test_any_text_is_shown_as_itself_as_code_and_as_prose(text: str) -> None:
    from gocost.reporters.wording import plain

    head, rows = table_lines(["a", "b"], [[code(text, cell=True), prose(text)]], [False, False])

    page = page_of("\n".join([*head, *rows]))

    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert page.tags.count("td") == 2
    shown = " ".join(page.text.replace("\u200b", "").split())
    assert " ".join(plain(text).replace("`", "").split()) in shown.replace("`", "")


@pytest.mark.parametrize("word", HOSTILE)
def test_a_name_outside_a_table_is_one_code_span(word: str) -> None:
    page = page_of(f"- {code(word)}")

    assert page.tags == ["ul", "li", "code"]
