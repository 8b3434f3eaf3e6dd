"""What holds for every reporter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gocost.model.finding import Finding, Limit, Outcome, Severity
from gocost.model.quantity import Money
from gocost.model.report import Report
from gocost.model.subject import Subject
from gocost.reporters.interface import Settings
from gocost.reporters.registry import NAMES
from tests.reporters.conftest import rendered
from tests.reporters.reports import REPORTS

FORMATS = (
    "text",
    "json",
    "markdown",
    "summary",
    "csv",
    "html",
    "sarif",
    "junit",
    "github",
    "gitlab",
)


def test_every_format_of_the_documentation_has_a_reporter() -> None:
    assert set(NAMES) == set(FORMATS)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_report_with_nothing_in_it_is_printed(format_: str) -> None:
    text = rendered(format_, Report("size", "0.1.0"))

    assert text.endswith("\n")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", REPORTS)
def test_the_same_report_gives_the_same_utf8(format_: str, name: str) -> None:
    first = rendered(format_, REPORTS[name]())
    second = rendered(format_, REPORTS[name]())

    assert first == second
    assert first.encode("utf-8").decode("utf-8") == first


@pytest.mark.parametrize("format_", ["text", "markdown", "summary", "html", "github", "gitlab"])
def test_money_is_never_printed_as_zero(format_: str) -> None:
    text = rendered(format_, REPORTS["check"]())

    assert "0.00 " not in text.replace("10.00 ", "")
    assert "0.01 USD" in text


def test_an_amount_of_nothing_is_nothing() -> None:
    from decimal import Decimal

    from gocost.reporters.wording import money

    assert money(Money(Decimal("0.00"))) == "0 USD"


@pytest.mark.parametrize(
    ("format_", "spared"),
    [
        ("json", ("rich", "yaml", "jinja2", "pyarrow", "numpy")),
        ("csv", ("rich", "yaml", "jinja2", "pyarrow", "numpy")),
        ("text", ("yaml", "jinja2", "pyarrow", "numpy")),
        ("html", ("rich", "yaml", "pyarrow", "numpy")),
    ],
)
def test_a_reporter_imports_only_what_it_needs(format_: str, spared: tuple[str, ...]) -> None:
    script = (
        "import io, sys\n"
        "from gocost.model.report import Report\n"
        "from gocost.reporters.interface import Settings\n"
        "from gocost.reporters.registry import reporter\n"
        f"reporter({format_!r}).render(Report('size', '0'), io.StringIO(), Settings())\n"
        f"print([name for name in {spared!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("format_", ["text", "json", "csv", "markdown"])
def test_top_keeps_a_row_for_the_rest(format_: str) -> None:
    text = rendered(format_, REPORTS["size"](), Settings(top=2))

    assert "(4 others)" in text
    assert "presigned-url" not in text


@pytest.mark.parametrize("format_", ["markdown", "html"])
def test_a_heading_counts_rules_as_the_headline_does(format_: str) -> None:
    # given one rule with two limits, both kept
    kept = [
        Finding(
            rule="binary.size",
            metric="binary.size",
            outcome=Outcome.PASS,
            severity=Severity.ERROR,
            subject=Subject(service="app"),
            limit=Limit(kind, 1, "1 B"),
            message="kept",
        )
        for kind in ("max", "growth")
    ]
    text = rendered(format_, Report("check", "0.1.0", findings=kept))
    assert "(1 passed)" in text
    assert "Passed (1)" in text
