"""A part of a trace is a trace: Go's reader takes it, and its goroutines are those of that time."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gocost.cli.main import run
from gocost.measures.trace import read_trace, slice_trace
from gocost.model.errors import UsageError
from tests.fixtures.traces import fold, recorded


@pytest.mark.parametrize("toolchain", ["go1.23.12", "go"])
def test_a_slice_opens_in_gos_reader(toolchain: str, tmp_path: Path) -> None:
    path = recorded(toolchain, "mixed", 2.5)
    part = tmp_path / "part.trace"
    out = io.BytesIO()
    found = slice_trace(path, 1_200_000_000, 1_300_000_000, out.write)
    part.write_bytes(out.getvalue())
    assert found.bytes == len(out.getvalue())
    assert found.start_ns <= 1_200_000_000 < found.end_ns
    whole, some = read_trace(path), read_trace(part, keep=None)
    assert 0 < some.events < whole.events
    assert some.lost == ""
    assert {row[0]: tuple(row[2:6]) for row in some.goroutines.tolist()} == fold(part)


def test_all_of_a_trace_is_the_trace(tmp_path: Path) -> None:
    path = recorded("go", "all")
    out = io.BytesIO()
    slice_trace(path, 0, 1 << 62, out.write)
    assert out.getvalue() == path.read_bytes()


def test_what_a_slice_has_of_whole_generations_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, target = recorded("go", "mixed", 2.5), tmp_path / "part.trace"
    assert run(["trace", "slice", str(path), "--to", "0.1s", "-o", str(target)]) == 0
    assert capsys.readouterr().err.endswith("; generations are kept whole: 1\n")


def test_a_time_without_events_is_refused(tmp_path: Path) -> None:
    path = recorded("go", "all")
    with pytest.raises(UsageError, match="nothing of the trace is then"):
        slice_trace(path, 10**12, 10**13, lambda data: None)
    target = tmp_path / "part.trace"
    assert run(["trace", "slice", str(path), "--from", "1000s", "-o", str(target)]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("times", [("0.2s", "0.1s"), ("0.1s", "0.1s"), ("-1s", "1s")])
@pytest.mark.parametrize("command", [("summary",), ("slice", "-o", "part.trace")])
def test_times_that_are_not_in_order_are_refused(
    command: tuple[str, ...],
    times: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = str(recorded("go", "all"))
    assert run(["trace", *command, path, f"--from={times[0]}", f"--to={times[1]}"]) == 2
    assert "before --to; write for example" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
