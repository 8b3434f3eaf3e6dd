"""The demo: one service, one harmless change that the gate lets pass, one regression it blocks.

Run by `make demo`. Everything happens in a repository of its own under `build/demo`, so that it
works from a shallow clone and leaves this one alone. Exits 0 when the gate did what it should.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "build" / "demo"
SERVICE = DEMO / "payments"
REPORT = DEMO / "report.html"

# The policy's own load lasts 10 s, ten times a check; 4 s are enough to see this regression.
QUICKER = (
    ("gocost.yaml", "duration: 10 s}", "duration: 4 s}"),
    ("gocost.yaml", "      ready:", "      settle: 1 s\n      ready:"),
)
HARMLESS = ("cmd/payments/main.go", "// Command payments", "// The command payments")
REGRESSION = ("internal/regress/regress.go", 'const Default = ""', 'const Default = "leak,retain"')


def main() -> int:
    shutil.rmtree(DEMO, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / "payments", SERVICE)
    for change in QUICKER:
        edit(*change)
    git("init", "--quiet", "--initial-branch=main")
    commit("A payment service")

    step("Where are the bytes of the service?")
    run("go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(DEMO / "binary"), "./cmd/payments")
    gocost("size", str(DEMO / "binary"), "--by", "module,package", "--top", "8")

    step("A pull request that changes a comment: the gate builds it, loads it, and lets it pass.")
    git("checkout", "--quiet", "-b", "harmless")
    edit(*HARMLESS)
    commit("Say it better")
    clean = gocost("check", "--base", "main")

    step("A pull request that leaks goroutines and keeps memory: the gate blocks it.")
    git("checkout", "--quiet", "-b", "regression")
    edit(*REGRESSION)
    commit("Speed up settlement")
    saved = DEMO / "report.json"
    blocked = gocost("check", "--base", "main", "--save", str(saved))
    gocost("report", str(saved), "--format", "html", "-o", str(REPORT))

    step("What happened")
    print(f"the harmless change:  exit {clean} ({'passed' if clean == 0 else 'NOT as expected'})")
    print(
        f"the regression:       exit {blocked} ({'blocked' if blocked == 1 else 'NOT as expected'})"
    )
    print(f"the page to look at:  {REPORT.relative_to(ROOT)}")
    return 0 if (clean, blocked, REPORT.exists()) == (0, 1, True) else 1


def step(text: str) -> None:
    print(f"\n\x1b[1m== {text}\x1b[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def edit(file: str, before: str, after: str) -> None:
    path = SERVICE / file
    text = path.read_text(encoding="utf-8")
    if before not in text:
        raise SystemExit(f"demo: {file} no longer says {before!r}: correct examples/demo.py")
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def commit(message: str) -> None:
    git("add", "--all")
    git("-c", "user.name=demo", "-c", "user.email=demo@example.com", "commit", "-qm", message)


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=SERVICE, check=True)


def run(*arguments: str) -> int:
    print("$ " + " ".join(arguments).replace(f"{ROOT}/", ""), flush=True)
    # The demo's service is pure Go, and stamped with its commit whatever this machine prefers.
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=auto"}
    return subprocess.run(arguments, cwd=SERVICE, env=env, check=False).returncode


def gocost(*arguments: str) -> int:
    return run(str(Path(sys.executable).with_name("gocost")), *arguments)


if __name__ == "__main__":
    sys.exit(main())
