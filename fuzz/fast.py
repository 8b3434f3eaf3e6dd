"""Feeds kernels millions of mutated inputs: cheap mutations, in chunks, in a child process.

    python -m fuzz.fast --runs 10000000 --seed 1 [KERNEL...]

`runner.py` builds each input from a generator of its own, which costs more than a kernel takes.
Here a chunk of inputs shares one; input number i of a seed is still always the same. A kernel that
dies, hangs or raises anything but FormatError is reported with the number of its input.
"""

from __future__ import annotations

import argparse
import mmap
import os
import resource
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocost.model.errors import FormatError

Bytes = NDArray[np.uint8]
Target = Callable[[int, Bytes], object]
CHUNK = 10_000
CHUNK_SECONDS = 60.0  # for a chunk, which takes less than one
MEMORY_MIB = 256
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 60, (1 << 63) - 1,
         1 << 63, (1 << 64) - 1)  # fmt: skip


class Kernel:
    """One kernel under test: `call(seed, data)` with a mutant of seed number `seed`."""

    def __init__(self, name: str, call: Target, seeds: Sequence[bytes]) -> None:
        self.name = name
        self.call = call
        self.seeds = [np.frombuffer(seed, np.uint8) for seed in seeds]


def inputs(kernel: Kernel, seed: int, chunk: int) -> Any:
    """The inputs of a chunk: (number of the seed file, bytes), one after the other."""
    rng = np.random.default_rng([seed, chunk])
    which = rng.integers(0, len(kernel.seeds), CHUNK).tolist()
    changes = rng.integers(1, 9, CHUNK).tolist()
    sites = rng.random((CHUNK, 8)).tolist()
    kinds = rng.integers(0, 12, (CHUNK, 8)).tolist()
    values = rng.integers(0, 256, (CHUNK, 8)).tolist()
    for i in range(CHUNK):
        source = kernel.seeds[which[i]]
        data = source.copy()
        size = len(data)
        for k in range(changes[i]):
            at = int(sites[i][k] * size)
            kind = kinds[i][k]
            value = values[i][k]
            if kind < 4:
                data[at] = value
            elif kind < 6:
                data[at] ^= np.uint8(1 << value % 8)
            elif kind < 10:
                width = (4, 4, 8, 2)[kind - 6]
                at -= at % width
                edge = EDGES[value % len(EDGES)] if value < 160 else (value - 128) * size // 128
                raw = (edge % (1 << 8 * width)).to_bytes(width, "little" if value & 1 else "big")
                stop = min(at + width, size)
                data[at:stop] = np.frombuffer(raw, np.uint8)[: stop - at]
            elif kind == 10 and size > 8:
                data = data[: max(8, at)].copy()
                size = len(data)
            else:
                other = int(sites[i][-1] * size)
                span = min(32, size - at, size - other)
                data[at : at + span] = data[other : other + span]
        yield which[i], data


def run(kernel: Kernel, seed: int, runs: int) -> tuple[int, list[str]]:
    """Feeds `runs` inputs; returns how many ran and what went wrong."""
    place = mmap.mmap(-1, 16)
    chunks = -(-runs // CHUNK)
    failures: list[str] = []
    chunk = 0
    while chunk < chunks and len(failures) < 10:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _child(kernel, seed, chunk, chunks, place)
        _, status = os.waitpid(child, 0)
        number = struct.unpack_from("q", place)[0]
        if status == 0:
            return runs, failures
        failures.append(f"input {number}: status {os.waitstatus_to_exitcode(status)}")
        chunk = number // CHUNK + 1
    return min(chunk * CHUNK, runs), failures


def _child(kernel: Kernel, seed: int, first: int, last: int, place: mmap.mmap) -> None:
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for chunk in range(first, last):
        signal.setitimer(signal.ITIMER_REAL, CHUNK_SECONDS)  # its default ends the process
        for i, (which, data) in enumerate(inputs(kernel, seed, chunk)):
            struct.pack_into("q", place, 0, chunk * CHUNK + i)
            try:
                kernel.call(which, data)
            except FormatError:
                pass
            except BaseException:  # noqa: BLE001 - what escapes is what is looked for
                traceback.print_exc()
                os._exit(1)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
        if grown > MEMORY_MIB * 1024:
            print(f"{kernel.name}: {grown // 1024} MiB of memory by chunk {chunk}", flush=True)
            os._exit(2)
    os._exit(0)


def main() -> int:
    """The command line."""
    from fuzz.kernel_targets import KERNELS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="*")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="run this input alone, in this process")
    options = parser.parse_args()
    known = [kernel.name for kernel in KERNELS]
    if unknown := set(options.kernels).difference(known):
        parser.error(f"no kernel {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    failed = False
    for kernel in KERNELS:
        if options.kernels and kernel.name not in options.kernels:
            continue
        if options.only is not None:
            chunk = inputs(kernel, options.seed, options.only // CHUNK)
            for i, (which, data) in enumerate(chunk):
                if i == options.only % CHUNK:
                    kernel.call(which, data)
            continue
        started = time.perf_counter()
        done, failures = run(kernel, options.seed, options.runs)
        took = time.perf_counter() - started
        for failure in failures:
            print(f"{kernel.name}: {failure}")
        print(
            f"{kernel.name}: {done:,} inputs of seed {options.seed} in {took:.0f} s"
            f" ({done / took:,.0f}/s), {len(failures)} failures",
            flush=True,
        )
        failed = failed or bool(failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    sys.exit(main())
