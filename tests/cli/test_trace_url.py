"""The trace of a service by URL, wherever a trace is named: recorded, kept, and looked at."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gocost
from gocost.cli.main import run
from gocost.formats.exectrace.index import HEADER, read_format, read_index
from gocost.kernels import trace_index
from gocost.model.errors import FormatError
from tests.fixtures.attributed import attributed
from tests.fixtures.breaking import TOKEN, breaking_off
from tests.fixtures.traces import recorded
from tests.policy.texts import with_rules

GOCOST = str(Path(sys.executable).with_name("gocost"))
NOBODY = "http://127.0.0.1:1"
POLICY = with_rules(
    "{metric: scheduler.utilisation, max: 100%}",
    "{metric: attribution.waiting, max: 100 h}",
)
SQL = "select sum(running_ns), count(*) from goroutines"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("gocost.yaml").write_text(POLICY)
    return tmp_path


def kept(folder: Path) -> list[str]:
    """The names of the traces that were kept."""
    return sorted(path.name for path in folder.glob("*.trace"))


def test_a_bill_of_a_service_has_profile_and_trace_of_the_same_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with attributed() as service:
        pages = f"{service.origin}/debug/pprof"
        words = ["--profile", f"{pages}/profile?seconds=4", "--trace", f"{pages}/trace?seconds=2"]
        assert run(["attribute", *words, "--format", "json"]) == 0
    told = capsys.readouterr()

    (name,) = kept(folder)
    assert told.err == f"recorded in {name}\n"
    report = json.loads(told.out)
    assert report["subject"]["service"] == service.origin.removeprefix("http://")
    assert report["tables"]["waiting"]["rows"]
    names = [column["name"] for column in report["tables"]["clocks"]["columns"]]
    clocks = {
        row[0]: dict(zip(names, row, strict=True)) for row in report["tables"]["clocks"]["rows"]
    }
    assert clocks["trace"]["within"] == pytest.approx(1, abs=0.05), "the profile covers it"


def test_the_gate_records_a_trace_once_for_all_that_want_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with attributed() as service:
        pages = f"{service.origin}/debug/pprof"
        words = ["--profile", f"{pages}/profile?seconds=2", "--trace", f"{pages}/trace?seconds=1"]
        assert run(["check", *words]) == 0
    told = capsys.readouterr()
    (name,) = kept(folder)
    assert told.err.count(f"recorded in {name}\n") == 1
    assert run(["check", "--trace", name, "--rule", "scheduler.utilisation"]) == 0


def test_a_service_is_asked_in_sql(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/trace?seconds=1"
        assert run(["query", page, SQL, "--format", "csv"]) == 0
    told = capsys.readouterr()
    (name,) = kept(folder)
    assert told.err == f"recorded in {name}\n"
    assert run(["query", name, SQL, "--format", "csv"]) == 0
    assert capsys.readouterr().out == told.out.replace(page, name)


def test_a_statement_that_is_none_costs_no_recording(folder: Path) -> None:
    assert run(["query", f"{NOBODY}/debug/pprof/trace", "selct 1"]) == 2
    assert run(["query", f"{NOBODY}/debug/pprof/trace", "--tables"]) == 0
    assert kept(folder) == []


def test_a_trace_is_compared_with_a_service(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = str(recorded("go", "all"))
    with attributed() as service:
        assert run(["trace", "summary", trace, "--base", service.origin, "--seconds", "1"]) == 0
    (name,) = kept(folder)
    assert f"against {name}" in capsys.readouterr().out


COMMANDS = (
    ["attribute", "--trace", "{url}"],
    ["check", "--trace", "{url}", "--rule", "scheduler.utilisation"],
    ["query", "{url}/debug/pprof/trace", SQL],
    ["goroutines", "{url}/debug/pprof/trace?seconds=2"],
    ["trace", "summary", "{url}"],
)


CAPPED = ("attribute", "goroutines")
"""Their cap is of other files first, and that of traces no less than 1 GiB."""


def first_generation(data: bytes) -> int:
    """Where the first generation of a trace ends, which must not be its last."""

    def read_into(buffer: memoryview, offset: int) -> int:
        piece = data[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        return len(piece)

    index = read_index(read_into, len(data), read_format(data[:HEADER]))
    first, *others = index.generations
    assert others, "the recording was too short"
    return int((first.batches[trace_index.START] + first.batches[trace_index.SIZE]).max())


def _cut() -> tuple[bytes, int]:
    """A trace, and how many bytes of it are more than its first generation, and not all."""
    data = recorded("go", "all", 2.5).read_bytes()
    return data, (first_generation(data) + len(data)) // 2


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_of_a_service_that_dies_meanwhile_the_whole_part_counts(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, sent = _cut()
    with breaking_off(data, sent) as url:
        words = [word.format(url=url) for word in command]
        assert run([*words, "--header", f"Authorization: Bearer {TOKEN}"]) == 0
    told = capsys.readouterr()
    (name,) = kept(folder)
    assert (folder / name).stat().st_size == sent
    assert name in told.err
    assert "broke" in told.err
    assert "bytes early" in told.err
    assert TOKEN not in told.err + told.out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_service_that_refuses_is_told_and_nothing_is_kept(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with breaking_off(b"", 0) as url:
        words = [word.format(url=url) for word in command]
        assert run([*words, "--header", f"Authorization: Bearer x{TOKEN}"]) == 3
    told = capsys.readouterr()
    assert "401" in told.err + told.out
    assert "--header" in told.err + told.out
    assert TOKEN not in told.err + told.out
    assert kept(folder) == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_of_a_trace_beyond_the_cap_the_whole_part_counts(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, enough = _cut()
    most = max(enough, (1 << 30) + 1 if command[0] in CAPPED else 0)
    with breaking_off(data, len(data)) as url:
        words = [*(word.format(url=url) for word in command), "--max-bytes", str(most)]
        assert run([*words, "--header", f"Authorization: Bearer {TOKEN}"]) == 0
    told = capsys.readouterr().err
    if command[0] not in CAPPED:
        assert f"more than {most:,} bytes" in told
        assert "raise --max-bytes" in told
    (name,) = kept(folder)
    assert (folder / name).stat().st_size > first_generation(data)


@pytest.mark.parametrize(
    "words",
    [["query", "{page}", SQL], ["attribute", "--trace", "{page}"], ["goroutines", "{page}"]],
    ids=lambda words: words[0],
)
def test_a_terminal_shows_what_takes_the_time_and_keeps_where_it_is(
    words: list[str], folder: Path
) -> None:
    ours, theirs = pty.openpty()
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/trace?seconds=1"
        subprocess.run(
            [GOCOST, *(word.format(page=page) for word in words)],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs, check=True,
        )  # fmt: skip
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # at its end
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    (name,) = kept(folder)
    clear = "\r\x1b[K"
    told = said.decode().split(clear)
    assert f"recorded in {name}\r\n" in told
    assert any(each.startswith("recording http") for each in told)
    assert told[-1] in ("", f"recorded in {name}\r\n"), "nothing is left over"


def test_a_page_that_turns_out_to_be_a_trace_has_the_cap_too_and_its_url(
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = recorded("go", "cpu").read_bytes()
    most = max(len(data), 1 << 20)  # what a machine records may be less than the bomb's own size
    bomb = gzip.compress(data[:1000] + bytes(30 << 20))
    for answer, says in (
        (data[: len(data) // 3], "/page: the trace is cut off"),
        (bomb, f"/page is larger than {most:,} bytes when decompressed; raise the cap"),
    ):
        with breaking_off(answer, len(answer)) as url:
            words = ["query", f"{url}/page", SQL, "--max-bytes", str(most)]
            assert run([*words, "--header", f"Authorization: Bearer {TOKEN}"]) == 3
        assert f"{url}{says}" in capsys.readouterr().err


def readable(path: Path) -> bool:
    try:
        return bool(gocost.trace(path).tables)
    except FormatError:
        return False


@pytest.mark.parametrize("words", [["attribute", "--trace"], ["trace", "gc"]], ids=" ".join)
def test_what_was_recorded_until_ctrl_c_is_kept(words: list[str], folder: Path) -> None:
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/trace?seconds=300"
        process = subprocess.Popen(
            [GOCOST, *words, page], cwd=folder, stderr=subprocess.PIPE, text=True,
            # A shell that runs the tests in the background has them ignore SIGINT.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not any(map(readable, folder.glob("*.trace"))):
            assert time.monotonic() < deadline, "nothing whole of the trace came"
            time.sleep(0.2)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    (name,) = kept(folder)
    assert f"what was recorded so far is in {name}" in said
    assert process.returncode == 130
    assert run(["trace", "summary", name]) == 0
