"""Reading /proc: of real processes, and of a made-up root where the real one cannot be had."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gocost.model.errors import SourceError
from gocost.sources import process
from gocost.sources.proc import (
    ProcessEndedError,
    ProcessForbiddenError,
    find_process,
    main_child,
    unsupported,
)
from tests.fixtures.watched import LINUX, eventually

pytestmark = LINUX
STATUS = "Name:\tsvc\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nRssAnon:\t 512 kB\nRssFile:\t 256 kB\n"


def stat_line(pid: int, *, state: str = "S", started: int = 77, ticks: int = 250) -> str:
    fields = [state, *["0"] * 10, str(ticks), "50", *["0"] * 6, str(started), *["0"] * 20]
    return f"{pid} (a) b (c) {' '.join(fields)}\n"


def made_up(root: Path, pid: int = 7) -> Path:
    """A root with one process whose name holds spaces and parentheses."""
    folder = root / str(pid)
    (folder / "fd").mkdir(parents=True)
    for name in ("0", "1", "2"):
        (folder / "fd" / name).touch()
    (folder / "stat").write_text(stat_line(pid))
    (folder / "status").write_text(f"{STATUS}RssShmem:\t 64 kB\nThreads:\t5\n")
    (folder / "cmdline").write_text("svc\0--listen\0")
    (folder / "environ").write_text("GOGC=50\0EMPTY=\0")
    (root / "uptime").write_text("100.00 50.00\n")
    return folder


def test_usage_in_base_units(tmp_path: Path) -> None:
    made_up(tmp_path)
    found = find_process(7, tmp_path)
    usage = found.usage()
    assert (found.command, found.started) == ("svc", 77)
    assert (usage.resident, usage.resident_peak) == (1 << 20, 2 << 20)
    assert (usage.anonymous, usage.file) == (512 << 10, (256 + 64) << 10)
    assert (usage.threads, usage.descriptors) == (5, 3)
    assert usage.cpu == 300 / os.sysconf("SC_CLK_TCK")
    assert found.environment("GOGC") == "50"
    assert found.environment("EMPTY") == ""
    assert found.environment("GOMEMLIMIT") is None
    assert found.age() == pytest.approx(100 - 77 / os.sysconf("SC_CLK_TCK"))


def test_an_id_that_another_process_has_now(tmp_path: Path) -> None:
    folder = made_up(tmp_path)
    found = find_process(7, tmp_path)
    (folder / "stat").write_text(stat_line(7, started=78))
    with pytest.raises(ProcessEndedError, match="belongs to another process now"):
        found.usage()


def test_a_zombie_has_ended(tmp_path: Path) -> None:
    folder = made_up(tmp_path)
    found = find_process(7, tmp_path)
    (folder / "stat").write_text(stat_line(7, state="Z"))
    with pytest.raises(ProcessEndedError, match="process 7 ended"):
        found.usage()
    with pytest.raises(SourceError, match="has ended already"):
        find_process(7, tmp_path)


@pytest.mark.parametrize("text", ["", "7 (a", "7 (a) S 1 2", "7 (a) S " + "x " * 40])
def test_a_stat_that_is_not_one(tmp_path: Path, text: str) -> None:
    folder = made_up(tmp_path)
    (folder / "stat").write_text(text)
    with pytest.raises(SourceError, match="not what Linux writes"):
        find_process(7, tmp_path)


def test_no_process_of_that_id() -> None:
    with pytest.raises(SourceError, match=f"there is no process {2**22 + 1}"):
        find_process(2**22 + 1)


def test_a_real_process_while_it_runs_and_after() -> None:
    with process.start(
        [sys.executable, "-c", "import time; x = b'1' * (32 << 20); time.sleep(60)"]
    ) as child:
        found = find_process(child.pid)
        eventually(lambda: found.usage().anonymous > 32 << 20)
        usage = found.usage()
        assert usage.resident_peak >= usage.resident > usage.file > 0
        assert (usage.threads, usage.cpu) >= (1, 0.0)
        assert usage.descriptors is not None
        assert usage.descriptors >= 3
        assert found.age() < 60
        os.kill(child.pid, signal.SIGKILL)
        eventually(lambda: _ended(found))


def test_a_wrapper_is_looked_through() -> None:
    # The second command keeps the shell from replacing itself by the first.
    script = f"{sys.executable} -c 'import time; x = [0] * 5000000; time.sleep(60)'; true"
    with process.start(["sh", "-c", script]) as child:
        eventually(lambda: main_child(child.pid) != child.pid)
        eventually(lambda: find_process(main_child(child.pid)).command == sys.executable)
    assert main_child(2**22 + 1) == 2**22 + 1


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv"
)
def test_another_users_process() -> None:
    script = (
        "import json, sys; sys.path[:0] = json.loads(sys.argv[1])\n"
        "from gocost.sources.proc import find_process\n"
        "usage = find_process(int(sys.argv[2])).usage()\n"
        "print(usage.resident > 0, usage.descriptors)"
    )
    done = subprocess.run(
        [
            *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
            *(sys.executable, "-c", script, json.dumps(sys.path), str(os.getpid())),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Permission denied" in done.stderr or "No module named" in done.stderr:
        pytest.skip("the checkout is not readable by other users")
    resident, descriptors = done.stdout.split()
    # Since Linux 6.2 the number of descriptors is told to everybody.
    assert (resident, descriptors == "None") == ("True", not Path("/proc/self/fd").stat().st_size)


def test_no_leave_to_list_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up(tmp_path)

    def refuse(*_: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gocost.sources.proc.os.listdir", refuse)
    usage = find_process(7, tmp_path).usage()
    assert (usage.descriptors, usage.threads) == (None, 5)


def test_no_leave_to_read_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up(tmp_path)

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gocost.sources.proc._read", refuse)
    with pytest.raises(ProcessForbiddenError, match="run gocost as root"):
        find_process(7, tmp_path)


@pytest.mark.parametrize(
    ("platform", "reason"),
    [("darwin", "macOS has no /proc"), ("win32", "Windows has no /proc"), ("linux", "")],
)
def test_platforms_without_proc(platform: str, reason: str) -> None:
    assert unsupported(platform).startswith(reason)
    assert bool(unsupported(platform)) == bool(reason)


def test_a_root_that_is_not_mounted(tmp_path: Path) -> None:
    assert "not mounted" in unsupported(root=tmp_path)


def _ended(found: object) -> bool:
    try:
        found.usage()  # type: ignore[attr-defined]
    except ProcessEndedError:
        return True
    time.sleep(0)
    return False
