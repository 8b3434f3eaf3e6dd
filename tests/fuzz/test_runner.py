"""The fuzz runner tells decoders that are at fault from those that are not; harnesses pass it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fuzz.runner import Harness, Limits, mutant, run

from gocost.model.errors import FormatError

ROOT = Path(__file__).parents[2]
LIMITS = Limits(seconds=0.3, memory_mib=64)
SEED = [b"abcdefgh" * 8]


def refuse(_: bytes) -> None:
    raise FormatError("no")


def escape(_: bytes) -> None:
    raise KeyError("x")


def hang(_: bytes) -> None:
    time.sleep(30)


def grow(_: bytes) -> None:
    kept.append(bytearray(os.urandom(1)) * (96 << 20))


def crash(_: bytes) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


kept: list[bytearray] = []


def test_a_decoder_that_refuses_is_not_at_fault() -> None:
    assert run(Harness("t", refuse, SEED), 1, range(500), LIMITS) == (500, [])


@pytest.mark.parametrize(
    ("decode", "said"),
    [
        (escape, "KeyError escaped from test_runner.py"),
        (hang, "did not end within 0.3 s"),
        (grow, "MiB of memory"),
        (crash, "the process died"),
    ],
)
def test_what_a_decoder_must_not_do_is_reported(decode: object, said: str) -> None:
    assert callable(decode)

    # Only what hangs is to run out of time, on a slow machine too.
    limits = LIMITS if decode is hang else Limits(seconds=30.0, memory_mib=64)

    done, failures = run(Harness("t", decode, SEED), 1, range(2), limits)

    assert done == 2
    assert len(failures) == 2
    assert all(said in failure for failure in failures)
    assert failures[1].startswith("input 1:")


def test_an_input_is_the_same_whatever_ran_before() -> None:
    harness = Harness("t", refuse, SEED)

    assert mutant(harness, 1, 7) == mutant(harness, 1, 7)
    assert len({mutant(harness, 1, number) for number in range(200)}) > 150
    assert mutant(harness, 1, 7) != mutant(harness, 2, 7)


@pytest.mark.parametrize("name", ["fuzz_executable", "fuzz_buildinfo", "fuzz_pprof"])
def test_a_harness_survives_a_small_run(name: str) -> None:
    done = subprocess.run(
        [sys.executable, f"fuzz/{name}.py", "--runs", "500", "--seed", "7", "--seconds", "10"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "500 inputs of seed 7" in done.stdout
