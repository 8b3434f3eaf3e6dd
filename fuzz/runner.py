"""Feeds one decoder mutated inputs and says how many it survived.

    from fuzz.runner import Harness, main

    HARNESS = Harness(name="buildinfo", decode=decode, corpus=corpus("executable"))
    if __name__ == "__main__":
        main(HARNESS)

    python fuzz/fuzz_buildinfo.py --runs 100000 --seed 1
    python fuzz/fuzz_buildinfo.py --seed 1 --only 4711 --save input.bin    # one input again

Input number i of a seed is always the same, whatever was run before. It is a corpus file that was
cut, flipped, spliced, and had hostile integers written over it (counts of 2^60, offsets that wrap).
Only FormatError may come out of a decoder; each input may take `--seconds` and the process
`--memory` MiB more than it began with. The inputs run in a child process: one that dies of a signal
is found by its number, and the run goes on after it.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import resource
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gocost.model.errors import FormatError

CORPUS = Path(__file__).parent / "corpus"
MAX_INPUT = 4096
MAX_FAILURES = 20  # after so many, the rest says nothing new

_EDGES = (0, 1, 7, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 60,
          (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 4096)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Harness:
    """One decoder under test. `decode` reads everything that it offers, lazy parts too."""

    name: str
    decode: Callable[[bytes], object]
    corpus: Sequence[bytes]
    max_input: int = MAX_INPUT


@dataclass(frozen=True, slots=True)
class Limits:
    """What one input may cost."""

    seconds: float
    memory_mib: int


class _TooSlow(BaseException):
    """Raised by the timer inside a decoder; no `except Exception` may swallow it."""


def corpus(name: str) -> list[bytes]:
    """The seed inputs in `fuzz/corpus/NAME`, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir()) if path.is_file()]


def mutant(harness: Harness, seed: int, number: int) -> bytes:
    """Input `number` of a seed."""
    rng = random.Random(f"{harness.name}/{seed}/{number}")
    data = bytearray(rng.choice(harness.corpus))
    if rng.random() < 0.02:
        return bytes(data)[: harness.max_input]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8, 16))):
        rng.choice(_MUTATIONS)(rng, data, harness.corpus)
    return bytes(data[: harness.max_input])


def run(
    harness: Harness, seed: int, numbers: Sequence[int], limits: Limits
) -> tuple[int, list[str]]:
    """Runs the inputs of those numbers; returns how many ran and what went wrong."""
    failures: list[str] = []
    place = mmap.mmap(-1, 16)  # shared with the child: the number it is at, and how many it has run
    at = done = 0
    while at < len(numbers) and len(failures) < MAX_FAILURES:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(harness, seed, numbers[at:], limits, place, writing)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8", errors="replace") as told:
            failures += told.read().split("\0")[:-1]
        _, status = os.waitpid(child, 0)
        ran = struct.unpack_from("q", place, 8)[0]
        done += ran
        at += ran
        if os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status):
            number = struct.unpack_from("q", place)[0]
            failures.append(f"input {number}: the process died: status {status}")
            at, done = at + 1, done + 1
    return done, failures


def _child(
    harness: Harness,
    seed: int,
    numbers: Sequence[int],
    limits: Limits,
    place: mmap.mmap,
    writing: int,
) -> None:
    """Runs inputs until all are done or one took too much; never returns."""
    signal.signal(signal.SIGALRM, _stop)
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # A request for far more than the cap fails at once instead of swapping the machine to death.
    ceiling = _virtual_bytes() + 8 * limits.memory_mib * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    for ran, number in enumerate(numbers):
        struct.pack_into("qq", place, 0, number, ran)
        failure = _one(harness, mutant(harness, seed, number), limits)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
        if grown > limits.memory_mib * 1024:
            failure = failure or f"{grown // 1024} MiB of memory"
        if failure:
            os.write(writing, f"input {number}: {failure}\0".encode())
            # A child that has grown cannot show what the next input takes: a fresh one goes on.
            if grown > limits.memory_mib * 1024:
                struct.pack_into("qq", place, 0, number, ran + 1)
                os._exit(0)
    struct.pack_into("qq", place, 0, 0, len(numbers))
    os._exit(0)


def _one(harness: Harness, data: bytes, limits: Limits) -> str:
    """What is wrong with how the decoder took the input, or an empty string."""
    started = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    try:
        harness.decode(data)
    except FormatError:
        pass
    except _TooSlow:
        return f"did not end within {limits.seconds:g} s"
    except BaseException as error:  # noqa: BLE001 - what escapes is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return f"{type(error).__name__} escaped from {place}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.perf_counter() - started
    return f"took {took:.1f} s" if took > limits.seconds else ""


def _stop(*_: object) -> None:
    raise _TooSlow


def _virtual_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _cut(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        del data[rng.randrange(len(data)) :]


def _flip(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _byte(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _integer(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A hostile integer, of any width and byte order, where a count or offset may stand."""
    width = rng.choice((1, 2, 4, 4, 8, 8))
    if len(data) < width:
        return
    at = rng.randrange(len(data) - width + 1)
    if rng.random() < 0.7:
        at -= at % width
    value = rng.choice((*_EDGES, len(data), len(data) - 1, len(data) + 1, rng.randrange(len(data))))
    order = "little" if rng.random() < 0.8 else "big"
    data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, order)  # type: ignore[arg-type]


def _varint(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    value = rng.choice(_EDGES)
    raw = bytearray()
    while value >= 0x80:
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    raw.append(value)
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.choice((0, 1, len(raw)))] = raw


def _splice(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    other = rng.choice(others)
    start = rng.randrange(len(other) + 1)
    piece = other[start : start + rng.randrange(1, 256)]
    at = rng.randrange(len(data) + 1)
    data[at : at + (len(piece) if rng.random() < 0.5 else 0)] = piece


def _copy(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        start = rng.randrange(len(data))
        piece = data[start : start + rng.randrange(1, 64)]
        at = rng.randrange(len(data))
        data[at : at + len(piece)] = piece


def _remove(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        at = rng.randrange(len(data))
        del data[at : at + rng.randrange(1, 64)]


def _insert(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice((bytes(rng.randrange(1, 64)), rng.randbytes(rng.randrange(1, 32))))


_MUTATIONS = (
    _cut, _flip, _flip, _byte, _byte, _integer, _integer, _integer, _integer, _varint, _splice,
    _copy, _remove, _insert,
)  # fmt: skip


def main(harness: Harness, arguments: Sequence[str] | None = None) -> None:
    """The command line of a harness; exits 1 where an input was not survived."""
    parser = argparse.ArgumentParser(description=f"Feed hostile input to {harness.name}.")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", type=int, help="run this input alone, in this process")
    parser.add_argument("--save", type=Path, help="with --only: write the input to this file")
    parser.add_argument("--seconds", type=float, default=2.0, help="cap for one input")
    parser.add_argument("--memory", type=int, default=256, help="cap in MiB over the start")
    options = parser.parse_args(arguments)
    if options.only is not None:
        data = mutant(harness, options.seed, options.only)
        if options.save:
            options.save.write_bytes(data)
        harness.decode(data)
        return
    started = time.perf_counter()
    numbers = range(options.start, options.start + options.runs)
    limits = Limits(options.seconds, options.memory)
    done, failures = run(harness, options.seed, numbers, limits)
    took = time.perf_counter() - started
    for failure in failures:
        print(f"{harness.name}: {failure}")
    print(
        f"{harness.name}: {done:,} inputs of seed {options.seed} in {took:.0f} s"
        f" ({done / took:,.0f}/s), {len(failures)} failures"
    )
    sys.exit(1 if failures else 0)
