"""`gocost trace summary` beside a Go program that only reads all events with Go's own reader.

    python benchmarks/bench_trace.py [FILE...]

Without files programs/traced records traces into `.cache/bench`: about 600 MB of goroutines that
hand over to each other, 400 MB of everything, and millions of short-lived goroutines, alone and
with network and collections. The bar: at most a tenth of the reader's wall time
(golang.org/x/exp/trace, `tools/traceread/fold -count`), and at most 150 MiB of resident memory.
What the reader reads in less than two seconds is shown and not held to it: Python and numpy take
0.1 s to start, whatever there is to do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import Program, compare, mib

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
LOADS = (("mixed", 17.0), ("all", 12.0), ("churn", 5.0), ("lives", 40.0), ("lives", 6.0))
SHORT = 2.0
"""Seconds of the reader below which the start of gocost is most of what would be compared."""
MAX_RATIO = 0.1
AIM = 0.05
MEMORY = 150 * 2**20


def main() -> int:
    """Compare on each file; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    reader = built(ROOT / "tools" / "traceread", "./fold", "fold")
    print("| trace | size | gocost trace summary | Go's reader | ratio | bars |")
    print("|---|---|---|---|---|---|")
    missed = 0
    for path in options.files or recorded():
        missed += not compared(path, reader, options.rounds)
    return 1 if missed else 0


def compared(path: Path, reader: Path, rounds: int) -> bool:
    """One line of the table; whether both bars are kept."""
    gocost = str(Path(sys.executable).with_name("gocost"))
    pair = compare(
        Program("gocost", [gocost, "trace", "summary", "--format", "json", str(path)]),
        Program("reader", [str(reader), "-count", str(path)]),
        rounds=rounds,
    )
    ok = pair.ratio <= MAX_RATIO and pair.ours.peak <= MEMORY
    short = pair.peer.wall < SHORT
    aim = "kept, and the aim of a twentieth" if pair.ratio <= AIM else "kept"
    missed = "missed, as so short a trace does: not counted" if short else "MISSED"
    print(
        f"| {path.name} | {mib(path.stat().st_size)} "
        f"| {pair.ours.wall:.2f} s, {mib(pair.ours.peak)} "
        f"| {pair.peer.wall:.2f} s, {mib(pair.peer.peak)} "
        f"| {pair.ratio:.3f} (best runs {pair.best_ratio:.3f}) | {aim if ok else missed} |",
        flush=True,
    )
    return ok or (short and pair.ours.peak <= MEMORY)


def recorded() -> list[Path]:
    """The traces, recorded where they are not kept from before."""
    program = built(ROOT / "tests" / "fixtures" / "programs" / "traced", ".", "traced")
    found = []
    for load, seconds in LOADS:
        path = CACHE / f"{load}-{seconds:g}s.trace"
        if not path.exists():
            subprocess.run([program, path, str(seconds), load], check=True)
        found.append(path)
    return found


def built(folder: Path, package: str, name: str) -> Path:
    """A Go program of this repository."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / name
    subprocess.run(
        ["go", "build", "-o", str(path), package],
        cwd=folder,
        env={**os.environ, "GOWORK": "off", "GOFLAGS": "-buildvcs=false"},
        check=True,
    )
    return path


if __name__ == "__main__":
    sys.exit(main())
