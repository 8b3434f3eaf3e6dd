"""`gocost goroutines` beside panicparse 2.5.0, on a dump of 100,000 goroutines and its beginnings.

    python benchmarks/bench_goroutines.py [--limit 60]

A Go program (tests/fixtures/programs/goroutines) writes the dump. panicparse does not end on the
whole of it in minutes, so it is compared on the first 2.5 and 5 MB, and given `--limit` seconds
for the whole. The bar is gocost's own: the whole in at most 0.6 s of wall time and 150 MiB of
resident memory, with every goroutine in its group.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import Program, compare, mib, run

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
PROGRAM = ROOT / "tests" / "fixtures" / "programs" / "goroutines"
PEER = "github.com/maruel/panicparse/v2/cmd/pp@v2.5.0"
GOROUTINES = 100_000
WALL = 0.6
MEMORY = 150 * 2**20
GOCOST = str(Path(sys.executable).with_name("gocost"))


def main() -> int:
    """Compare; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60.0, help="for the peer, on the whole")
    options = parser.parse_args()
    dump, peer = recorded(), installed()
    print("| dump | gocost goroutines | panicparse | ratio |")
    print("|---|---|---|---|")
    for size in (2_500_000, 5_000_000):
        beginning(dump, size, peer, min(options.rounds, 3))
    ok = whole(dump, peer, options.rounds, options.limit)
    return 0 if ok else 1


def beginning(dump: Path, size: int, peer: Path, rounds: int) -> None:
    """One line of the table, on the goroutines that begin the dump."""
    text = dump.read_bytes()[:size]
    part = CACHE / f"goroutines-{size}.txt"
    part.write_bytes(text[: text.rindex(b"\n\n") + 1])
    pair = compare(
        Program("gocost", [GOCOST, "goroutines", "--format", "json", str(part)]),
        Program("panicparse", [str(peer), str(part)]),
        rounds=rounds,
    )
    print(
        f"| {size / 1e6:.1f} MB | {pair.ours.wall:.2f} s, {mib(pair.ours.peak)} "
        f"| {pair.peer.wall:.2f} s, {mib(pair.peer.peak)} | {pair.ratio:.3f} |",
        flush=True,
    )


def whole(dump: Path, peer: Path, rounds: int, limit: float) -> bool:
    """The last line and the bars; whether they are kept."""
    arguments = [GOCOST, "goroutines", "--format", "json", str(dump)]
    runs = [run(Program("gocost", arguments)) for _ in range(rounds + 1)][1:]
    walls = sorted(wall for wall, _, _ in runs)
    peak = max(peak for _, _, peak in runs)
    middle = walls[len(walls) // 2]
    print(
        f"| {dump.stat().st_size / 1e6:.1f} MB, {GOROUTINES:,} goroutines | {middle:.2f} s (best "
        f"{walls[0]:.2f} s), {mib(peak)} | {limited(peer, dump, limit)} | |\n"
    )
    exact = groups(json.loads(subprocess.check_output(arguments))) == counted(dump)
    ok = middle <= WALL and peak <= MEMORY and exact
    print(
        f"at most {WALL} s and {mib(MEMORY)}, groups {'' if exact else 'NOT '}exact: "
        f"{'kept' if ok else 'MISSED'}"
    )
    return ok


def limited(peer: Path, dump: Path, limit: float) -> str:
    """What the peer took for the whole."""
    started = time.perf_counter()
    try:
        subprocess.run([peer, dump], stdout=subprocess.DEVNULL, check=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"not done in {limit:g} s"
    return f"{time.perf_counter() - started:.1f} s"


def groups(report: dict[str, object]) -> Counter[tuple[str, str]]:
    """Goroutines by state and the function that they began in."""
    table = report["tables"]["groups"]  # type: ignore[index]
    names = [column["name"] for column in table["columns"]]
    at = [names.index(name) for name in ("state", "function", "count")]
    found: Counter[tuple[str, str]] = Counter()
    for row in table["rows"]:
        state, function, count = (row[i] for i in at)
        found[state, function] += count
    return found


def counted(dump: Path) -> Counter[tuple[str, str]]:
    """The same, counted without gocost."""
    found: Counter[tuple[str, str]] = Counter()
    for part in dump.read_text().strip().split("\n\n"):
        lines = part.split("\n")
        functions = [line for line in lines[1:] if line[:1] not in ("\t", "")]
        outermost = [line for line in functions if not line.startswith("created by ")][-1]
        state = lines[0].partition("[")[2].rstrip("]:").split(",")[0]
        found[state, outermost[: outermost.rindex("(")]] += 1
    return found


def recorded() -> Path:
    """The dump, written by the program where it is not kept from before."""
    path = CACHE / "goroutines.goroutine.debug2"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        binary = CACHE / "goroutines"
        env = {**os.environ, "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
        command = ["go", "build", "-trimpath", "-o", str(binary), "."]
        subprocess.run(command, cwd=PROGRAM, env=env, check=True)
        prefix = str(CACHE / "goroutines")
        arguments = [binary, "many", str(GOROUTINES), prefix]
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return path


def installed() -> Path:
    """panicparse, from its module."""
    path = CACHE / "pp"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "GOBIN": str(CACHE), "GOFLAGS": ""}
        subprocess.run(["go", "install", PEER], env=env, check=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
