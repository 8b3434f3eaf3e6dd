"""How wide a report is that goes into a pipe or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.fixtures.profiles import recorded


@pytest.mark.parametrize(
    ("columns", "widest"), [(None, 80), ("200", 200), ("", 80), ("wide", 80), ("0", 80)]
)
def test_columns_says_how_wide_a_piped_report_is(
    columns: str | None, widest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    file = tmp_path / "report.txt"
    words = ["profile", "top", str(recorded() / "cpu.1.pb.gz"), "--by", "line", "-o", str(file)]

    assert run(words) == 0

    longest = max(map(len, file.read_text().splitlines()))
    assert longest <= widest
    assert (longest > 80) == (widest > 80)
