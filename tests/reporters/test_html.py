"""The HTML page: one file, no network, nothing in it that a name could start."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from gocost.model.errors import NotMeasurableError
from gocost.model.fact import Fact
from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Column, Layout, Report, Series, Table
from gocost.model.subject import Subject
from gocost.reporters import html
from gocost.reporters.chart import HEIGHT, WIDTH, chart
from gocost.reporters.interface import Settings
from gocost.reporters.treemap import tree
from tests.reporters.conftest import rendered
from tests.reporters.hostile import HOSTILE
from tests.reporters.reports import REPORTS

# Attributes through which a page loads something, or runs it.
LOADING = {"src", "srcset", "data", "action", "formaction", "poster", "background", "style"}


class Page(HTMLParser):
    """What is in a page that could load or run anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.styles: list[str] = []
        self.policy = ""
        self.text = ""
        self._inside: tuple[str, str | None] = ("", None)
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += attrs
        given = dict(attrs)
        self._inside = (tag, given.get("type"))
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ("", None)

    def handle_data(self, data: str) -> None:
        tag, kind = self._inside
        if tag == "script":
            self.scripts.append((kind, data))
        elif tag == "style":
            self.styles.append(data)
        else:
            self.text += data


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_loads_nothing_and_runs_only_its_own_script(name: str) -> None:
    page = Page(rendered("html", REPORTS[name]()))

    names = {attribute for attribute, _ in page.attributes}
    assert not names & LOADING
    assert not [attribute for attribute in names if attribute.startswith("on")]
    assert [value for attribute, value in page.attributes if attribute == "href"] == ["data:,"]
    assert not page.tags.keys() & {"img", "iframe", "object", "embed", "base", "form", "video"}
    scripts = [text for kind, text in page.scripts if kind is None]
    (style,) = page.styles
    for text in (*scripts, style):
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page.policy
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy


def test_hostile_names_are_text() -> None:
    page = Page(rendered("html", REPORTS["hostile"]()))

    assert page.tags["script"] == 1 + 2  # the page's own, the treemap's and the chart's data
    assert "</script><script>alert(1)</script><img src=x onerror=alert(2)>" in page.text
    assert "49" not in page.text  # {{ 7*7 }}
    data = {text for kind, text in page.scripts if kind == "application/json"}
    assert all("<" not in text and json.loads(text) for text in data)


def test_without_its_assets_the_page_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(html, "ASSETS", tmp_path)

    with pytest.raises(NotMeasurableError, match="make setup"):
        rendered("html", REPORTS["check"]())


def test_the_bundle_names_the_licences_of_what_is_in_it() -> None:
    page = rendered("html", REPORTS["size"]())

    licences = (html.ASSETS / "LICENSES.txt").read_text(encoding="utf-8")
    assert "d3-hierarchy" in licences
    assert "Permission to use, copy, modify" in licences
    assert "Permission to use, copy, modify" in page


def billed() -> Report:
    """A bill above the stacks that it is of, with a fact that was measured once."""
    amounts = [Money(Decimal(each), "USD", "list") for each in (7, 3)]
    bill = Table(
        "10 USD a month",
        (
            Column("owner", Unit.TEXT, "who"),
            Column("state", Unit.TEXT, "what it does"),
            Column("month", Unit.MONEY_PER_MONTH, "in all"),
            Column("cpu", Unit.MONEY_PER_MONTH, "of the CPU"),
        ),
        [["example.com/app", "chan receive", *amounts]],
    )
    stacks = Table(
        "CPU by stack",
        (
            Column("function", Unit.TEXT, "its name"),
            Column("parent", Unit.COUNT, "the caller's row"),
            Column("self", Unit.NANOSECONDS, "in itself"),
        ),
        [["everything", None, 0], ["main.main", 0, 5]],
    )
    return Report(
        command="attribute",
        gocost="0.1.0",
        facts=[Fact("attribution.cpu", 5, Unit.NANOSECONDS, Subject(), origin="a profile")],
        tables={"bill": bill, "more": bill, "stacks": stacks},
        layout=Layout(tables=("bill", "more"), flames=("stacks",), above=("bill",)),
    )


def test_a_bill_stands_above_the_picture_of_it_and_says_its_currency_once() -> None:
    page = rendered("html", billed())
    title = "10 USD a month (amounts in USD/month)"
    places = [found.start() for found in re.finditer(re.escape(f"<h2>{title}</h2>"), page)]
    assert len(places) == 2
    assert places[0] < page.index("Flame graph: CPU by stack</h2>") < places[1]
    assert '<td class="n" data-v="7">7.00</td>' in page
    assert "USD/month</td>" not in page


def test_facts_that_were_not_sampled_have_no_column_for_it() -> None:
    assert '<th scope="col">sampled</th>' not in rendered("html", billed())
    assert '<th scope="col">sampled</th>' in rendered("html", REPORTS["portrait"]())


def test_a_table_that_is_named_as_the_page_is_not_named_twice() -> None:
    report = billed()
    only = replace(report, tables={"bill": report.tables["more"]}, layout=Layout(title="ab"))
    assert "<h2>10 USD" in rendered("html", only)
    named = replace(only, layout=Layout(title="10 USD a month (amounts in USD/month)"))
    assert "<h2>10 USD" not in rendered("html", named)


def test_what_the_layout_does_not_show_is_folded_below() -> None:
    text = rendered("html", REPORTS["size"]())

    assert text.index("By module") < text.index("More tables") < text.index("By function")


def test_a_long_table_is_cut_unless_all_of_it_is_asked_for() -> None:
    rows: list[list[Cell]] = [[f"f{i}", 1] for i in range(2_000)]
    table = Table("t", (Column("name"), Column("bytes", Unit.BYTES, additive=True)), rows)
    report = Report("size", "0", tables={"t": table})

    assert rendered("html", report).count("<tr>") < 600
    assert "(1,500 others)" in rendered("html", report)
    assert rendered("html", report, Settings(top=0)).count("<tr>") > 2_000


def functions(rows: list[list[Cell]]) -> Table:
    """A table as `gocost size` makes it."""
    columns = ("function", "package", "module", "kind")
    return Table(
        "functions",
        (*map(Column, columns), Column("bytes", Unit.BYTES)),
        rows,
    )


def total(node: list[object]) -> float:
    """The bytes of a node of the treemap."""
    content = node[1]
    if isinstance(content, list):
        return sum(map(total, content))
    assert isinstance(content, int | float)
    return content


def test_the_tree_goes_from_module_to_function_and_adds_up() -> None:
    data = tree(
        functions(
            [
                ["m/p.F", "m/p", "m", "code", 60],
                ["m/p.F", "m/p", "m", "pclntab", 10],
                ["m/q.G", "m/q", "m", "code", 20],
                ["", "", "unknown", "", 4],
                ["unknown", "unknown", "unknown", "", 3],
                ["m/q.Z", "m/q", "m", "code", 0],
            ]
        ),
        "payments",
    )

    assert data is not None
    assert data["levels"] == ["module", "package", "function"]
    assert data["kinds"] == ["", "code", "pclntab"]
    assert total(data["tree"]) == 97
    module, unknown = data["tree"][1]
    assert module == [
        "m",
        [["\t/p", [["\t.F", 60, 1], ["\t.F", 10, 2]]], ["\t/q", [["\t.G", 20, 1]]]],
    ]
    assert unknown == ["unknown", 7, 0]


def test_a_tree_of_too_many_leaves_sums_the_small_ones_in_their_group() -> None:
    rows: list[list[Cell]] = [[f"m.F{i}", "m", "m", "code", i] for i in range(1, 101)]

    data = tree(functions(rows), "all", leaves=10)

    assert data is not None
    assert total(data["tree"]) == 5_050
    ((_, ((_, leaves),)),) = data["tree"][1]
    assert len(leaves) == 11
    assert ["(smaller)", 91 * 45, 0] in leaves


def test_nothing_to_draw_is_no_treemap() -> None:
    table = functions([["f", "p", "m", "code", float("nan")]])
    report = Report("size", "0", tables={"t": table}, layout=Layout(treemap="t"))

    assert tree(table, "all") is None
    assert 'id="treemap"' not in rendered("html", report)
    assert rendered("html", Report("size", "0", layout=Layout(treemap="absent")))


def test_a_chart_breaks_at_gaps_and_stays_in_its_box() -> None:
    values = [1.0, 2.0, None, 5.0, None, 3.0, float("inf"), 4.0, 4.0]

    drawn = chart(Series("m", Unit.COUNT, 0, 2, values))

    assert drawn is not None
    assert drawn.path.count("M") == 2
    assert len(drawn.dots) == 2
    numbers = [float(n) for n in re.findall(r"[\d.]+", drawn.path)]
    assert max(numbers[::2]) <= WIDTH
    assert max(numbers[1::2]) <= HEIGHT
    assert (drawn.low, drawn.high, drawn.last) == ("1", "5", "4")
    assert drawn.points[2] == ("4 s", "no value")
    assert chart(Series("m", Unit.COUNT, 0, 1, [None])) is None


@pytest.mark.parametrize("word", HOSTILE)
def test_prose_keeps_code_and_escapes_the_rest(word: str) -> None:
    shown = str(html._prose(f"`{word}` and {word}")) if not set("`\n") & set(word) else "<code>"

    assert shown.startswith("<code>")
    assert "<script" not in shown
