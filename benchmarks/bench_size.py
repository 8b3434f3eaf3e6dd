"""`gocost size --format json` beside `go tool nm -size -sort size`, on binaries of 50 MB and more.

    python benchmarks/bench_size.py [FILE...]

Without files golangci-lint v1.62.2 is built from its Go module into `.cache/bench` (a few minutes
the first time), and measured with every other executable in that folder. The bar: at most twice
the peer's time, and at most 1.2 times the file plus 60 MiB of resident memory.
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
LARGE = 50 * 2**20
CACHE = ROOT / ".cache" / "bench"
TOOL = "github.com/golangci/golangci-lint/cmd/golangci-lint"
VERSION = "v1.62.2"
MAX_RATIO = 2.0
MEMORY = (1.2, 60 * 2**20)


def main() -> int:
    """Compare on each file; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print("| file | size | gocost size | go tool nm | ratio | memory | bar |")
    print("|---|---|---|---|---|---|---|")
    missed = 0
    for path in options.files or [built(), *others()]:
        missed += not compared(path, options.rounds)
    return 1 if missed else 0


def compared(path: Path, rounds: int) -> bool:
    """One line of the table; whether both bars are kept."""
    gocost = str(Path(sys.executable).with_name("gocost"))
    pair = compare(
        Program("gocost", [gocost, "size", "--format", "json", str(path)]),
        Program("nm", ["go", "tool", "nm", "-size", "-sort", "size", str(path)]),
        rounds=rounds,
    )
    size = path.stat().st_size
    bar = MEMORY[0] * size + MEMORY[1]
    ok = pair.ratio <= MAX_RATIO and pair.ours.peak <= bar
    print(
        f"| {path.name} | {mib(size)} | {pair.ours.wall:.3f} s, {mib(pair.ours.peak)} "
        f"| {pair.peer.wall:.3f} s, {mib(pair.peer.peak)} "
        f"| {pair.ratio:.2f} (best runs {pair.best_ratio:.2f}) "
        f"| {pair.ours.peak / size:.2f}x, bar {mib(bar)} | {'kept' if ok else 'MISSED'} |"
    )
    return ok


def others() -> list[Path]:
    """Larger executables that were put into the cache by hand (a kube-apiserver, for one)."""
    return [
        path
        for path in sorted(CACHE.iterdir())
        if os.access(path, os.X_OK)
        and path.is_file()
        and path.stat().st_size >= LARGE
        and not path.name.startswith("golangci-lint")
    ]


def built() -> Path:
    """golangci-lint, built once from its module."""
    path = CACHE / f"golangci-lint-{VERSION}"
    if path.exists():
        return path
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / "golangci-lint"
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text("module bench\n\ngo 1.23\n")
    (folder / "tools.go").write_text(f'//go:build tools\n\npackage tools\n\nimport _ "{TOOL}"\n')
    env = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    for arguments in (["get", f"{TOOL}@{VERSION}"], ["build", "-o", str(path), TOOL]):
        subprocess.run(["go", *arguments], cwd=folder, env=env, check=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
