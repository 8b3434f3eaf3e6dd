"""Runs every benchmark and writes what they printed to docs/performance.md.

    python -m benchmarks [NAME ...]

Without names all of them, but for those that take an hour.

Each `bench_NAME.py` is a program of its own that runs gocost and its peer in turn on the same input
and prints the ratio and the bar. A bar that is missed is printed as that, and stays in the page.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
# Long enough to tell, short enough to be run: each program's --help says what more would take.
ARGUMENTS = {"portrait": ["--seconds", "6", "--rounds", "6"]}
LONG = ("healthy",)
"""Those that run only by name."""

HEAD = """\
# How fast it is, beside its peers

`make bench` wrote this page. gocost and its peer ran in turn on the same input in one run, on a
shared machine of {cores} cores ({machine}, {system}): read the ratios, not the seconds.
"""


def main() -> int:
    """Run the benchmarks named (all without names); 1 where one of them misses its bar."""
    names = [path.stem.removeprefix("bench_") for path in sorted(HERE.glob("bench_*.py"))]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    chosen = parser.parse_args().names or [name for name in names if name not in LONG]
    missed = 0
    for name in chosen:
        print(f"== {name}", flush=True)
        done = subprocess.run(
            [sys.executable, str(HERE / f"bench_{name}.py"), *ARGUMENTS.get(name, [])],
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, flush=True)
        missed += done.returncode != 0
        write(name, done.stdout)
    return 1 if missed else 0


def write(name: str, output: str) -> None:
    """Put one benchmark's output in its section of the page, leaving the others as they are."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    sections[name] = f"\n{about(name)}\n\n```text\n{clean(output)}\n```\n\n"
    head = HEAD.format(cores=os.cpu_count(), machine=platform.machine(), system=platform.system())
    body = "".join(f"## {key}\n{value}" for key, value in sorted(sections.items()))
    PAGE.write_text(f"{head}\n{body}".rstrip() + "\n", encoding="utf-8")


def about(name: str) -> str:
    """The first paragraph of the benchmark's docstring."""
    source = (HERE / f"bench_{name}.py").read_text(encoding="utf-8")
    return source.split('"""')[1].split("\n\n")[0].replace("\n", " ")


def clean(output: str) -> str:
    """The output without the paths of the machine that it ran on."""
    text = output.replace(f"{HERE.parent}/", "").replace(str(Path.home()), "~")
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


if __name__ == "__main__":
    sys.exit(main())
