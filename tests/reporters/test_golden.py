"""What every reporter writes, byte for byte. `pytest tests/reporters --update-golden` renews it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from gocost.reporters.interface import Settings
from tests.reporters.conftest import rendered
from tests.reporters.reports import REPORTS

EVERY = tuple(REPORTS)
JUDGED = ("check", "clean", "hostile")
WHICH = {
    "text": EVERY,
    "json": ("check", "size", "portrait", "flamed", "hostile"),
    "markdown": EVERY,
    "summary": ("check", "portrait"),
    "csv": ("check", "size", "portrait", "hostile"),
    "html": ("check", "size", "portrait", "flamed", "hostile"),
    "sarif": JUDGED,
    "junit": JUDGED,
    "github": JUDGED,
    "gitlab": JUDGED,
}
ENDING = {
    "text": "txt",
    "markdown": "comment.md",
    "summary": "summary.md",
    "sarif": "sarif.json",
    "junit": "junit.xml",
    "github": "github.txt",
    "gitlab": "gitlab.json",
}


@pytest.mark.parametrize(
    ("format_", "name"), [(format_, name) for format_, names in WHICH.items() for name in names]
)
def test_reporter_writes_its_golden(
    format_: str, name: str, golden: Callable[[str, str], None]
) -> None:
    text = rendered(format_, REPORTS[name]())

    steady = {"html": _without_assets, "sarif": _without_catalogue}.get(format_, str)
    golden(f"{name}.{ENDING.get(format_, format_)}", steady(text))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("check-60", Settings(width=60)),
        ("check-120", Settings(width=120)),
        ("check-colour", Settings(color=True)),
        ("size-top-2", Settings(top=2)),
        ("size-top-0", Settings(top=0)),
    ],
)
def test_text_follows_its_settings(
    name: str, settings: Settings, golden: Callable[[str, str], None]
) -> None:
    report = REPORTS[name.partition("-")[0]]()

    golden(f"{name}.txt", rendered("text", report, settings))


def _without_assets(text: str) -> str:
    """A page without the script and style bundled into it, and without their hashes."""
    text = re.sub(r"<style>.*?</style>", "<style>…</style>", text, flags=re.DOTALL)
    text = re.sub(r"<script>.*?</script>\n</body>", "<script>…</script>\n</body>", text, flags=re.S)
    return re.sub(r"sha256-[A-Za-z0-9+/=]+", "sha256-…", text)


def _without_catalogue(text: str) -> str:
    """A SARIF log without the catalogue's words, which have tests of their own."""
    log = json.loads(text)
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        for part in ("shortDescription", "fullDescription", "help"):
            rule.pop(part, None)
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"
