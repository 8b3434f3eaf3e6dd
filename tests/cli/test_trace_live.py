"""`gocost trace` of a running service: recorded, kept, and looked at."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.fixtures.attributed import attributed

NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_service_is_recorded_and_what_was_recorded_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with attributed() as service:
        assert run(["trace", "goroutines", service.origin, "--seconds", "1"]) == 0
    told = capsys.readouterr()

    (kept,) = folder.iterdir()
    assert told.err == f"recorded in {kept.name}\n"
    assert told.out.startswith(f"{kept.name}: ")
    assert ".Other" in told.out, "a name may be cut, but not its end"
    assert run(["trace", "waits", kept.name]) == 0


def test_a_service_that_is_being_traced_says_when_to_try_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/trace?seconds=20"
        with urllib.request.urlopen(page) as other:
            other.read(16)  # it has begun: the header of a trace comes first

            assert run(["trace", "summary", service.origin, "--seconds", "1"]) == 3

    told = capsys.readouterr().err
    assert "already" in told
    assert told.endswith("; somebody else records a trace; try again when that one has ended\n")
    assert told.count("\n") == 1
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["summary", NOBODY], "nothing listens there"),
        (["summary", NOBODY, "--from", "2"], "--from is a time with its unit"),
        (["summary", NOBODY, "--from", "2s", "--to", "1s"], "before --to"),
        (["slice", NOBODY, "-o", "x", "--to", "2"], "--to is a time with its unit"),
        (["summary", NOBODY, "--base", "none.trace"], "none.trace does not exist"),
        (["summary", "http://me:s3cr3t@127.0.0.1:1"], "would be printed"),
        (["summary", "a.trace", "--seconds", "2"], "--seconds is about recording a service"),
    ],
)
def test_a_refusal_leaves_no_file(
    words: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trace", *words]) in (2, 3)
    assert says in capsys.readouterr().err
    assert [*folder.iterdir()] == []
