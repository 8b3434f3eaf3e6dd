"""The quick runner for kernels tells one that is at fault, and which input shows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzz.fast import CHUNK, Bytes, Kernel, inputs, run

from gocost.model.errors import FormatError

ROOT = Path(__file__).parents[2]
SEED = bytes(range(64))


def refuse(_: int, __: Bytes) -> None:
    raise FormatError("no")


def dislike_cut_files(_: int, data: Bytes) -> None:
    if len(data) < len(SEED):
        raise KeyError("x")


def test_a_kernel_that_only_refuses_passes() -> None:
    assert run(Kernel("refuse", refuse, [SEED]), 1, CHUNK) == (CHUNK, [])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_what_a_kernel_lets_escape_is_reported_by_its_number() -> None:
    kernel = Kernel("dislike", dislike_cut_files, [SEED])
    done, failures = run(kernel, 1, CHUNK)
    first = next(i for i, (_, data) in enumerate(inputs(kernel, 1, 0)) if len(data) < len(SEED))
    assert (done, failures) == (CHUNK, [f"input {first}: status 1"])


def test_inputs_follow_from_the_seed_and_the_chunk() -> None:
    kernel = Kernel("refuse", refuse, [SEED])
    first, again, other = (
        [data.tobytes() for _, data in inputs(kernel, seed, 0)] for seed in (1, 1, 2)
    )
    assert first == again != other
    assert np.mean([data == SEED for data in first]) < 0.1


def test_a_kernel_that_there_is_not_is_an_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.fast", "nosuch"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no kernel nosuch; known: pclntab, " in done.stderr
