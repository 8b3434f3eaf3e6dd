"""What a user waits for before gocost does anything: `--help` and `--version`.

    python benchmarks/bench_startup.py [--rounds 25]

The peer is a bare interpreter (`python -c pass`), run in turn. The bar: at most six times its time.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.harness import Program, compare

BAR = 6.0


def main() -> int:
    """Compare; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rounds: int = parser.parse_args().rounds
    bare = Program("python -c pass", [sys.executable, "-c", "pass"])
    script = str(Path(sys.executable).with_name("gocost"))
    kept = True
    for flag in ("--help", "--version"):
        pair = compare(Program(f"gocost {flag}", [script, flag]), bare, rounds=rounds)
        held = pair.ratio <= BAR
        kept &= held
        print(
            f"gocost {flag:<10} {pair.ours.wall * 1e3:6.1f} ms   python -c pass"
            f" {pair.peer.wall * 1e3:6.1f} ms   ratio {pair.ratio:4.2f}   bar {BAR:g}"
            f"   {'kept' if held else 'MISSED'}"
        )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
