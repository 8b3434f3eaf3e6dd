"""Of files that were cut off: the answer is of what is whole, and says so, once."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

import gocost
from gocost.cli.main import run
from tests.analyses.goroutines.dumps import MAIN, written
from tests.fixtures.traces import recorded


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Of several generations, cut within the last one."""
    path = tmp_path / "cut.trace"
    path.write_bytes(recorded("go", "all", 1.5).read_bytes()[:-1000])
    return path


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Gzip that ends too early, behind a whole goroutine."""
    packer = zlib.compressobj(wbits=31)
    text = f"{MAIN}\n{written([10, 11])}".encode()
    path = tmp_path / "cut.gz"
    path.write_bytes(packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))
    return path


def test_of_a_trace(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "select count(*) from goroutines"
    (note,) = gocost.query(trace, sql=sql).notes
    assert note.level == "warning"
    assert note.text.startswith(f"{trace}: the trace is cut off: generation ")
    assert run(["query", str(trace), sql, "-o", str(trace.with_suffix(".csv"))]) == 0
    assert f"warning: {note.text}" in capsys.readouterr().err


def test_of_a_dump(dump: Path) -> None:
    (note,) = gocost.query(dump, sql="select count(*) from dump_goroutines").notes
    assert note.text == (
        f"{dump}: the gzip stream is cut off: 3 goroutines are whole, and whatever stood behind "
        "them is missing"
    )
    assert [each.text for each in gocost.goroutines(dump).notes if each.level == "warning"] == [
        note.text.removeprefix(f"{dump}: ")
    ]


def test_of_whole_files_nothing_is_said() -> None:
    found = gocost.query(recorded("go", "all", 1.5), sql="select count(*) from goroutines")
    assert not found.notes


@pytest.mark.parametrize(
    "command",
    [
        "trace slice {file} -o {out}.trace",
        "trace export {file} -o {out}.json",
        "trace profile sync {file} -o {out}.pb.gz",
        "trace waits {file}",
        "goroutines {file}",
    ],
)
def test_every_command_says_once_what_is_lost(
    command: str, trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command.format(file=trace, out=tmp_path / "out").split()) == 0
    said = capsys.readouterr()
    assert f"{said.out}{said.err}".count("the trace is cut off: generation ") == 1
    assert "warning: the trace is cut off: generation " in f"{said.out}{said.err}"
