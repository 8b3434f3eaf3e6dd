"""Folders for what is needed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

import gocost
from gocost.model.errors import SourceError
from gocost.sources.scratch import scratch
from tests.fixtures.binaries import PROGRAMS


def test_it_is_gone_with_all_that_is_in_it_however_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def interrupted() -> None:
        with scratch("thing") as folder:
            assert folder.name.startswith("gocost-thing-")
            assert [*tmp_path.iterdir()] == [folder]
            (folder / "inside").mkdir()
            (folder / "inside" / "file").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [*tmp_path.iterdir()] == []


def test_where_none_can_be_made_it_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(SourceError, match=r"nothing can be written to .*none: No such .*TMPDIR"):
        gocost.size(PROGRAMS / "hello")
