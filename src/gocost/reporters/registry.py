"""The reporters by the name `--format` takes. One line each; imported only when chosen."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gocost.reporters.interface import Reporter

_REPORTERS: Final = {
    "text": "gocost.reporters.text:TextReporter",
    "json": "gocost.reporters.json:JsonReporter",
    "markdown": "gocost.reporters.markdown:CommentReporter",
    "summary": "gocost.reporters.markdown:SummaryReporter",
    "csv": "gocost.reporters.csv:CsvReporter",
    "html": "gocost.reporters.html:HtmlReporter",
    "sarif": "gocost.reporters.sarif:SarifReporter",
    "junit": "gocost.reporters.junit:JUnitReporter",
    "github": "gocost.reporters.github:GitHubReporter",
    "gitlab": "gocost.reporters.gitlab:GitLabReporter",
}

NAMES: Final = tuple(_REPORTERS)


def reporter(name: str) -> Reporter:
    """The reporter of that name. Raises KeyError for a name that is not in NAMES."""
    module, _, attribute = _REPORTERS[name].partition(":")
    found: Reporter = getattr(import_module(module), attribute)()
    return found
