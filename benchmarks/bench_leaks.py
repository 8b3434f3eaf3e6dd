"""How many leaks `gocost goroutines` finds of those that Go's own test of its detector knows.

    python benchmarks/bench_leaks.py [--every 2] [--rate 20]

The patterns of src/runtime/testdata/testgoroutineleakprofile are looped under load in one service,
built without the detector, and three dumps are taken. The bar: at least 90% of the patterns of
simple.go and commonpatterns.go are found, and NoLeakGlobal is not flagged. Those of goker/, bugs
of real projects that leak reliably, are shown beside them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.fixtures.leaks import HEALTHY, SIMPLE, expected, leaking_service

import gocost
from gocost.model.report import Report

LEAST = 0.9


def main() -> int:
    """Measure; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between dumps")
    parser.add_argument("--rate", type=int, default=20, help="calls of each pattern a second")
    options = parser.parse_args()
    print("| patterns | found | leaking lines found | flagged besides |")
    print("|---|---|---|---|")
    ok = True
    rest = [name for name in expected() if name not in (*SIMPLE, HEALTHY, "DaisyChain")]
    for title, names in (("simple and common", SIMPLE), ("goker", rest)):
        with leaking_service(names, rate=options.rate) as url:
            report = gocost.goroutines(url, dumps=3, every=options.every)
        patterns, lines, besides = judged(report, names)
        share = len(patterns) / len(names)
        ok &= title == "goker" or share >= LEAST
        print(
            f"| {title} | {len(patterns)} of {len(names)} ({share:.0%}) "
            f"| {lines[0]} of {lines[1]} | {', '.join(besides) or '-'} |"
        )
        if missed := [name for name in names if name not in patterns]:
            print(f"\nnot found: {', '.join(missed)}\n")
    with leaking_service([HEALTHY], rate=0) as url:
        report = gocost.goroutines(url, dumps=3, every=options.every)
    flagged = "leaks" in report.tables
    print(f"\n{HEALTHY}: {'FLAGGED' if flagged else 'not flagged'}")
    ok &= not flagged
    print(f"the bar of {LEAST:.0%} is {'kept' if ok else 'MISSED'}")
    return 0 if ok else 1


def judged(report: Report, names: Sequence[str]) -> tuple[list[str], tuple[int, int], list[str]]:
    """The patterns that were found whole, the lines found of so many, what else was flagged."""
    groups = report.tables["groups"]
    columns = (groups.column(each) for each in ("function", "state", "verdict"))
    flagged = {
        f"{str(function).removeprefix('main.')}( [{state}]"
        for function, state, verdict in zip(*columns, strict=True)
        if verdict != "parked"
    }
    known = {name: expected()[name] for name in names}
    hits = {
        name: [any(each.search(text) for text in flagged) for each in expressions]
        for name, expressions in known.items()
    }
    every = [expression for expressions in known.values() for expression in expressions]
    besides = [text for text in flagged if not any(each.search(text) for each in every)]
    found = [name for name, each in hits.items() if all(each)]
    lines = [hit for each in hits.values() for hit in each]
    return found, (sum(lines), len(lines)), sorted(besides)


if __name__ == "__main__":
    sys.exit(main())
