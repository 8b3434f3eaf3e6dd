"""Paired measurements: ours and a peer's program run in turn, so that both meet the same machine.

A wall-clock figure alone says little on a shared machine; the ratio of two programs that ran side
by side says much more. The peak resident memory is the kernel's own figure for each process.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """One side of a comparison."""

    name: str
    arguments: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """What the runs of one program took, in the order they were made."""

    name: str
    wall_s: list[float]
    cpu_s: list[float]
    peak_bytes: list[int]

    @property
    def wall(self) -> float:
        """Median wall time in seconds."""
        return statistics.median(self.wall_s)

    @property
    def cpu(self) -> float:
        """Median user and system time in seconds."""
        return statistics.median(self.cpu_s)

    @property
    def peak(self) -> int:
        """Highest resident memory of any run in bytes."""
        return max(self.peak_bytes)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides, and how they compare."""

    ours: Runs
    peer: Runs

    @property
    def ratio(self) -> float:
        """The median over rounds of our wall time over the peer's in the same round."""
        return statistics.median(
            a / b for a, b in zip(self.ours.wall_s, self.peer.wall_s, strict=True)
        )

    @property
    def best_ratio(self) -> float:
        """Our fastest run over the peer's fastest: what is left where others load the machine."""
        return min(self.ours.wall_s) / min(self.peer.wall_s)


def compare(ours: Program, peer: Program, *, rounds: int = 9, warm: int = 1) -> Pair:
    """Run both in turn, A B B A A B ..., after `warm` rounds that are not counted."""
    sides = {program.name: Runs(program.name, [], [], []) for program in (ours, peer)}
    for turn in range(-warm, rounds):
        order = (ours, peer) if turn % 2 == 0 else (peer, ours)
        for program in order:
            wall, cpu, peak = run(program)
            if turn >= 0:
                sides[program.name].wall_s.append(wall)
                sides[program.name].cpu_s.append(cpu)
                sides[program.name].peak_bytes.append(peak)
    return Pair(sides[ours.name], sides[peer.name])


def run(program: Program) -> tuple[float, float, int]:
    """Wall and CPU seconds and peak resident bytes of one run; its output goes to a file.

    Raises RuntimeError with the end of what it said where it fails.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(program.arguments),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            # An installed package has its bytecode; a checkout gets it in the round not counted.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **program.env},
            cwd=program.directory,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            said = err.read().decode(errors="replace")[-400:]
            raise RuntimeError(f"{program.name} exited with {process.returncode}: {said}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def mib(size: float) -> str:
    """Bytes as MiB."""
    return f"{size / 2**20:,.1f} MiB"
