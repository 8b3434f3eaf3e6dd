"""A trace on standard input, from a pipe or in gzip, wherever a trace is named."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.fixtures.attributed import attributed
from tests.fixtures.traces import recorded
from tests.policy.texts import with_rules

GOCOST = str(Path(sys.executable).with_name("gocost"))
POLICY = with_rules(
    "{metric: scheduler.utilisation, max: 100%}",
)
SQL = "select file, sum(running_ns), count(*) from goroutines group by 1"
COMMANDS = (
    *(["trace", view] for view in ("summary", "goroutines", "scheduler", "gc", "waits", "tasks")),
    *(["trace", view] for view in ("threads", "spikes", "lifetimes", "users", "mmu")),
    ["trace", "profile", "sched"],
    ["goroutines"],
    ["query", "{}", SQL],
    ["attribute", "--trace"],
    ["attribute", "--by", "task", "--trace"],
    ["check", "--rule", "scheduler.utilisation", "--trace"],
)
STDIN = ("-", "standard input")
Pack = Callable[[bytes], bytes]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("gocost.yaml").write_text(POLICY)
    return tmp_path


def gocost(words: list[str], given: bytes = b"", **options: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command with that as its standard input."""
    done = subprocess.run(
        [GOCOST, *words], input=given, capture_output=True, check=False,
        env={**os.environ, **options},
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def named(command: list[str], file: str) -> list[str]:
    return [file if word == "{}" else word for word in command] if "{}" in command else [
        *command, file,
    ]  # fmt: skip


def findings(out: str, *names: str) -> object:
    """What a report in JSON has, whatever the file is called."""
    report = json.loads(out)
    tables = {name: table["rows"] for name, table in report["tables"].items()}
    for row in itertools.chain(*tables.values()):
        row[:] = ["FILE" if cell in names else cell for cell in row]
    return tables, [(fact["metric"], fact["value"]) for fact in report["facts"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_standard_input_and_gzip_tell_what_the_file_does(
    command: list[str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = recorded("go", "cpu").read_bytes()
    (folder / "app.trace").write_bytes(data)
    (folder / "app.trace.gz").write_bytes(gzip.compress(data, 1))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    found = []
    for file, shown in (("app.trace", "app.trace"), ("app.trace.gz",) * 2, STDIN):
        assert run([*named(command, file), "--format", "json"]) == 0
        told = capsys.readouterr()
        assert told.err == ""
        assert f'"{shown}"' in told.out or command[0] == "check", "it is called what it was named"
        found.append(findings(told.out, file, shown))
    assert found[0] == found[1] == found[2]


def test_standard_input_may_be_gzip_too_and_a_pipe_a_file(folder: Path) -> None:
    data = recorded("go", "all").read_bytes()
    _, wanted, _ = gocost(["trace", "gc", "-"], data)
    assert wanted.startswith("standard input: ")
    assert gocost(["trace", "gc", "-"], gzip.compress(data)) == (0, wanted, "")
    os.mkfifo(folder / "pipe")
    with subprocess.Popen([GOCOST, "trace", "gc", "pipe"], stdout=subprocess.PIPE) as process:
        (folder / "pipe").write_bytes(data)
        out, _ = process.communicate(timeout=60)
    assert out.decode() == wanted.replace("standard input", "pipe")


def test_what_is_written_of_it_is_what_is_written_of_the_file(folder: Path) -> None:
    path = str(recorded("go", "all"))
    data = Path(path).read_bytes()
    for words, name in [
        (["trace", "slice", "--to", "1s"], "part.trace"),
        (["trace", "export"], "app.json"),
        (["trace", "profile", "sync"], "x.pb"),
    ]:
        assert run([*words, path, "-o", f"1-{name}"]) == 0
        code, _, _ = gocost([*words, "-", "-o", f"2-{name}"], data)
        assert code == 0
        assert (folder / f"1-{name}").read_bytes() == (folder / f"2-{name}").read_bytes()


def test_it_is_compared_with_a_file_and_a_file_with_it() -> None:
    path = str(recorded("go", "all"))
    data = Path(path).read_bytes()
    assert "standard input: " in gocost(["trace", "waits", "-", "--base", path], data)[1]
    assert "against standard input" in gocost(["trace", "waits", path, "--base", "-"], data)[1]


@pytest.mark.parametrize("pack", [bytes, lambda data: gzip.compress(data, 1)])
def test_of_what_is_cut_off_the_whole_part_counts(pack: Pack, folder: Path) -> None:
    data = recorded("go", "all", 2.5).read_bytes()
    packed = pack(data)
    cut = packed[: len(packed) * 4 // 5]
    (folder / "cut").write_bytes(cut)
    for words, given in ((["cut"], b""), (["-"], cut)):
        code, out, err = gocost(["trace", "summary", *words], given)
        assert (code, err) == (0, "")
        assert "cut off: generation" in out
        assert ("the gzip stream is cut off" in out) is (pack is not bytes)


@pytest.mark.parametrize(
    ("words", "given", "code", "says"),
    [
        (["trace", "gc", "-"], b"", 3, "standard input: this is not an execution trace of Go"),
        (["trace", "gc", "-"], b"goroutine 1 [running]:\n", 3, "this is a goroutine dump"),
        (["trace", "gc", "-"], gzip.compress(b"\n\7\10\1", mtime=0), 3, "this is a profile"),
        (["trace", "gc", "-"], b"go 1.21 trace\0\0\0", 3, "of format 1.21, which Go 1.21"),
        (["trace", "gc", "-"], b"go 1.26 trace\0\0\0", 3, "standard input: "),
        (
            ["trace", "gc", "-"],
            gzip.compress(b"go 1.26 trace\0\0\0", mtime=0)[:-9],
            3,
            "gzip stream is cut",
        ),
        (["trace", "summary", "-", "--base", "-"], b"", 2, "is named more than once"),
        (["attribute", "--trace", "-", "--profile", "-"], b"", 2, "is named more than once"),
        (["check", "--trace", "-", "--goroutines", "-"], b"", 2, "is named more than once"),
        (["goroutines", "-", "-"], b"", 2, "is named more than once"),
        (["profile", "top", "-", "--base", "-"], b"", 2, "is named more than once"),
        (["runtime", "-", "-"], b"", 2, "is named more than once"),
        (["query", "-", "--interactive"], b"", 2, "the prompt reads standard input"),
        (["trace", "gc", "-", "--seconds", "2"], b"", 2, "--seconds is about recording"),
        (["trace", "gc", "-", "--keep", "x"], b"", 2, "--keep is about recording"),
        (["profile", "top", "-"], b"go 1.26 trace\0\0\0", 3, "see `gocost trace summary`"),
    ],
)
def test_mistakes_are_one_line(words: list[str], given: bytes, code: int, says: str) -> None:
    done = gocost(words, given)
    assert done[0] == code, done
    assert says in done[2]
    assert done[2].count("\n") == 1
    assert done[1] == ""


@pytest.mark.parametrize(
    "words", [["trace", "summary"], ["query", "{}", SQL], ["attribute", "--trace"], ["goroutines"]],
    ids=" ".join,
)  # fmt: skip
def test_a_bomb_meets_the_cap_that_the_option_raises(
    words: list[str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = recorded("go", "cpu").read_bytes()
    bomb = gzip.compress(data[:1000] + bytes(100 << 20), 1)
    (folder / "bomb.gz").write_bytes(bomb)
    (folder / "app.gz").write_bytes(gzip.compress(data, 1))
    for module in ("goroutines", "attribution"):  # where traces have no less than 1 GiB
        monkeypatch.setattr(f"gocost.measures.{module}.RECORDING_BYTES", 1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bomb)))
    most = str(len(data))
    for file, shown in (("bomb.gz", "bomb.gz"), STDIN):
        assert run([*named(words, file), "--max-bytes", most]) == 3
        told = capsys.readouterr()
        assert f"{shown} is larger than {len(data):,} bytes when decompressed" in told.err
        assert "raise the cap with --max-bytes" in told.err
        assert told.err.count("\n") == 1
    assert run([*named(words, "app.gz"), "--max-bytes", most]) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_it_stays_behind_however_it_ends(number: int, folder: Path) -> None:
    temporary = folder / "temporary"
    temporary.mkdir()
    data = recorded("go", "all").read_bytes()
    with subprocess.Popen(
        [GOCOST, "trace", "summary", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
        # A shell that runs the tests in the background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(data)
        process.stdin.flush()
        deadline = time.monotonic() + 60
        # Some of it is on disk, and the process waits for more.
        while not (held(process.pid, temporary) and waits(process.pid)):
            assert time.monotonic() < deadline, "nothing was put on disk"
            time.sleep(0.05)
        os.kill(process.pid, number)
        process.wait(timeout=60)
    assert [*temporary.iterdir()] == []
    assert process.returncode in (130, 128 + number, -number)


def test_without_a_folder_for_temporary_files_one_line_says_so() -> None:
    packed = gzip.compress(recorded("go", "cpu").read_bytes())
    done = subprocess.run(
        [GOCOST, "trace", "gc", "-"], input=packed, capture_output=True, check=False,
        # Nothing can be written to any folder, as in a container that is read-only.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )  # fmt: skip
    assert done.returncode == 3, done
    told = done.stderr.decode()
    assert told.startswith("gocost: standard input cannot be put into a temporary file: ")
    assert "set TMPDIR" in told
    assert told.count("\n") == 1


def held(pid: int, temporary: Path) -> bool:
    """Whether the process has a file of that folder open, and something is in it."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(link.readlink()).startswith(str(temporary)) and link.stat().st_size:
                return True
        except OSError:
            continue
    return False


def waits(pid: int) -> bool:
    """Whether the process sleeps, in each of two looks."""
    looks = []
    for _ in range(2):
        looks.append(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
        time.sleep(0.05)
    return looks == ["S", "S"]


def test_what_curl_records_is_read_as_it_comes(folder: Path) -> None:
    with attributed() as service:
        page = f"{service.origin}/debug/pprof/trace?seconds=1"
        fetch = (
            f"import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen({page!r}).read())"
        )
        with subprocess.Popen([sys.executable, "-c", fetch], stdout=subprocess.PIPE) as curl:
            done = subprocess.run(
                [GOCOST, "trace", "goroutines", "-"], stdin=curl.stdout, capture_output=True,
                text=True, check=True,
            )  # fmt: skip
    assert ".Other" in done.stdout
    assert [*folder.glob("*.trace")] == [], "what came through a pipe is not kept"
