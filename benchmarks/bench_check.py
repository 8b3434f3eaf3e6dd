"""What `gocost check` adds to the build: the payments example, a warm Go cache, no load.

    python benchmarks/bench_check.py [--rounds 9]

In each round `gocost check` (a policy over the binary and the build standard) and the `go build`
that it does itself, into a file that is not there yet, run in turn. The bar: within 1 s of what
`go build` takes.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.harness import Program, compare

PAYMENTS = Path(__file__).resolve().parent.parent / "examples" / "payments"
BAR = 1.0
"""Seconds."""
FLAGS = ("-trimpath", "-ldflags=-s -w")
POLICY = """\
version: 1
services:
  payments:
    package: ./cmd/payments
    build: {flags: [-trimpath, "-ldflags=-s -w"], env: {CGO_ENABLED: "0"}}
    deployment: {replicas: 12, cpu: 500m, memory: 256 MiB, deploys_per_month: 40}
rules:
  - {metric: binary.size, max: 50 MiB, growth: 5%}
  - {metric: binary.linkage, one_of: [static, static-pie]}
  - {metric: build.stripped, is: true}
  - {metric: build.trimpath, is: true}
  - {metric: build.toolchain.supported, is: true}
"""


def main() -> int:
    """Print the line of the table; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "payments"
        shutil.copytree(PAYMENTS, folder)
        (folder / "gocost.yaml").write_text(POLICY)
        gocost = str(Path(sys.executable).with_name("gocost"))
        # As after an installation: compiled modules are there, whatever this environment says.
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{scratch}/pyc"}
        # `go build` does not link where its output lies there already; a check has a fresh folder.
        command = shlex.join(["go", "build", "-o", f"{scratch}/out", *FLAGS, "./cmd/payments"])
        build = ["sh", "-c", f"rm -f {shlex.quote(scratch)}/out; exec {command}"]
        pair = compare(
            Program("gocost check", [gocost, "check", "--format", "json"], compiled, folder),
            Program("go build", build, {"CGO_ENABLED": "0"}, folder),
            rounds=rounds,
        )
    added = statistics.median(
        a - b for a, b in zip(pair.ours.wall_s, pair.peer.wall_s, strict=True)
    )
    best = min(pair.ours.wall_s) - min(pair.peer.wall_s)
    kept = added <= BAR
    print("| gocost check | go build | added (best runs) | CPU added | bar | |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {pair.ours.wall:.2f} s | {pair.peer.wall:.2f} s | {added:.2f} s ({best:.2f} s) "
        f"| {pair.ours.cpu - pair.peer.cpu:.2f} s | {BAR:g} s | {'kept' if kept else 'MISSED'} |"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
