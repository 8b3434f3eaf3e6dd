"""Programs are bounded in time, end with their group, and never outlive gocost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gocost.model.errors import SourceError
from gocost.sources import process
from tests.fixtures.watched import members

PYTHON = sys.executable


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Poll until the condition holds; False when the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def test_what_a_program_says_and_how_it_ends() -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = process.run([PYTHON, "-c", script])
    assert (done.stdout, done.stderr, done.returncode, done.ok) == ("out\n", "err\n", 3, False)
    assert done.wall_seconds > 0


def test_environment_is_added_and_stdin_given(tmp_path: Path) -> None:
    script = "import os, sys; print(os.environ['EXTRA'], sys.stdin.read(), os.getcwd())"
    done = process.run([PYTHON, "-c", script], env={"EXTRA": "x"}, stdin="in", cwd=tmp_path)
    assert done.stdout.split() == ["x", "in", str(tmp_path)]


def test_bytes_that_are_no_text_do_not_break_it() -> None:
    done = process.run([PYTHON, "-c", "import os; os.write(1, b'\\xff')"])
    assert done.stdout == "\ufffd"


def test_a_missing_program_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no program 'no-such-program' here; install it from x"):
        process.run(["no-such-program"], missing_hint="install it from x")
    with pytest.raises(SourceError, match="not a folder"):
        process.run([PYTHON], cwd=tmp_path / "nowhere")


def test_a_file_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no program")
    with pytest.raises(SourceError, match="could not be started: Permission denied"):
        process.run([path])


@linux
def test_a_timeout_ends_the_whole_group(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    # The program starts another one in its group, which would sleep on alone.
    script = f"sleep 600 & echo $! > {marker}; wait"
    for seconds in (1, 10, 100):  # a busy machine may take long to start them
        with pytest.raises(SourceError, match=f"did not end within {seconds} s"):
            process.run(["sh", "-c", script], timeout=seconds)
        if marker.exists() and marker.read_text():
            break
    assert until(lambda: not alive(int(marker.read_text())))


@linux
def test_a_program_that_ignores_the_request_to_end_is_killed() -> None:
    script = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    with process.start([PYTHON, "-c", script], stdout=subprocess.PIPE) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"ready\n"
        assert child.stop(grace=0.2) == -signal.SIGKILL
        assert child.stop() == -signal.SIGKILL, "stopping twice is safe"


@linux
def test_an_error_inside_the_context_ends_the_program() -> None:
    pids = []

    def fails() -> None:
        with process.start([PYTHON, "-c", "import time; time.sleep(600)"]) as child:
            pids.append(child.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not alive(pids[0])


@linux
def test_when_gocost_is_killed_the_kernel_ends_its_children(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    script = (
        "import pathlib, sys, time\n"
        "from gocost.sources import process\n"
        "with process.start([sys.executable, '-c', 'import time; time.sleep(600)']) as child:\n"
        f"    pathlib.Path({str(marker)!r}).write_text(str(child.pid))\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([PYTHON, "-c", script], start_new_session=True) as gocost:
        assert until(lambda: marker.exists() and bool(marker.read_text()))
        pid = int(marker.read_text())
        assert alive(pid)
        os.kill(gocost.pid, signal.SIGKILL)
        gocost.wait()
    assert until(lambda: not alive(pid))


@pytest.fixture
def raising() -> Iterator[None]:
    """Signals that raise, also where a shell runs the tests in the background and ignores them."""
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGALRM)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@linux
@pytest.mark.usefixtures("raising")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGALRM])
def test_a_signal_that_comes_while_a_program_starts_ends_it(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a Ctrl-C or a deadline before the program's process id is known
    started = []
    real = subprocess.Popen

    def interrupted(*arguments: object, **words: object) -> subprocess.Popen[bytes]:
        child: subprocess.Popen[bytes] = real(*arguments, **words)  # type: ignore[call-overload]
        started.append(child.pid)
        os.kill(os.getpid(), number)
        return child

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt), process.start(["sh", "-c", "sleep 600 & wait"]):
        pytest.fail("the signal was lost")

    # then nothing is left of it, and the next signal is seen as before
    assert until(lambda: not members(started[0]))
    assert signal.getsignal(number) is signal.default_int_handler


@linux
@pytest.mark.usefixtures("raising")
def test_a_second_signal_while_a_program_is_asked_to_end_ends_its_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = "trap '' TERM; sleep 600 & echo; while :; do wait; done"
    with process.start(["sh", "-c", script], stdout=subprocess.PIPE) as child:
        assert child.process.stdout is not None
        child.process.stdout.readline()
        # given one who does not wait for a program that ignores the request to end
        with monkeypatch.context() as patch:
            patch.setattr(child.process, "wait", lambda _: os.kill(os.getpid(), signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                child.stop()
        assert until(lambda: not members(child.pid))


def test_something_else_can_be_done_while_a_program_runs() -> None:
    order = []
    done = process.run(
        [PYTHON, "-c", "print(input())"], stdin="x\n", meanwhile=lambda: order.append("here")
    )
    assert (done.stdout, order) == ("x\n", ["here"])
    with pytest.raises(SourceError, match="did not end within 1 s"):
        process.run(
            [PYTHON, "-c", "import time; time.sleep(600)"], timeout=1, meanwhile=lambda: None
        )


@linux
def test_what_fails_meanwhile_ends_the_program() -> None:
    script = "import os, time; os.write(2, b'x'); time.sleep(600)"
    with pytest.raises(ZeroDivisionError):
        process.run([PYTHON, "-c", script], meanwhile=lambda: 1 // 0)  # type: ignore[arg-type]
