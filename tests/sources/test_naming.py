"""What is a URL, and of which kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.cli.main import run
from gocost.model.errors import UsageError
from gocost.sources.naming import is_url


@pytest.mark.parametrize(
    ("where", "url"),
    [
        ("http://127.0.0.1:6060", True),
        ("HTTPS://host/metrics", True),
        ("cpu.pb.gz", False),
        ("-", False),
        ("C:/profiles/cpu.pb.gz", False),
        ("/a/b://c", False),
    ],
)
def test_urls_are_told_from_paths(where: str, url: bool) -> None:
    assert is_url(where) is url


@pytest.mark.parametrize("where", ["ftp://me:secret@host/x", "file:///x", "s3://bucket/x"])
def test_another_kind_of_url_is_said_to_be_that_without_what_is_secret(where: str) -> None:
    with pytest.raises(UsageError, match="only http:// and https://") as refused:
        is_url(where)

    assert where.partition("//")[0] in refused.value.message
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "command",
    [
        *(["profile", view] for view in ("top", "flame", "view", "folded", "trend", "merge")),
        *(["trace", view] for view in ("summary", "mmu", "view")),
        ["goroutines"], ["runtime"], ["attribute", "--profile"], ["attribute", "--live"], ["query"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_says_so(
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    more = {"query": ["select 1"], "merge": ["-o", "x"]}.get(command[-1], [])
    more = ["ftp://host/y", "ftp://host/z"] if command[-1] == "trend" else more

    assert run([*command, "ftp://me:secret@host/x", *more]) == 2

    told = capsys.readouterr().err
    assert "http" in told
    assert "secret" not in told
