"""What `gocost goroutines URL --older-than 5s` flags in services that are well, over and over.

    python benchmarks/bench_healthy.py [--minutes 60] [--log FILE]

The payments example, prometheus, caddy, etcd and a registry run under a steady load whose clients
come and go, and each is probed without a pause: three dumps, five seconds apart. Beside them the
payments example runs with a leak. Every group that is flagged is printed and counts as false,
except that leak and what LOOKED_AT names. The bar: at most 5% of the groups that were ever flagged
are false; a group that is flagged in many probes is one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).parent.parent))

import gocost
from benchmarks import healthy_load
from benchmarks.healthy_services import PROGRAMS, Service, built, running
from gocost.model.errors import GocostError

BAR = 0.05
LEAKING = "payments, leaking"
LEAK = "internal/regress.(*Injector).leak"
LOOKED_AT: Mapping[str, str] = {}
"""Groups that were flagged and looked at: part of where they wait, and why that is a true leak."""
OLDER_THAN = 5.0


@dataclass
class Tally:
    """What the probes of one service found."""

    probes: int = 0
    failed: int = 0
    groups: int = 0
    """That have waited over the limit, of all probes together."""
    flagged: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By verdict, where it waits and where it was created: in how many probes."""
    goroutines: tuple[int, int] = (0, 0)
    """Of the first and of the last probe."""


def main() -> int:
    """Print the table and all that was flagged; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of probing")
    parser.add_argument("--warm-up", type=float, default=90.0, help="seconds before it")
    parser.add_argument("--log", type=Path, help="where each flagged group is written as it comes")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, help="these services of the five")
    options = parser.parse_args()
    names = options.only or list(PROGRAMS)
    for name in {*names, "payments"}:
        built(name)
    tallies = {name: Tally() for name in (*names, LEAKING)}
    with (
        tempfile.TemporaryDirectory(prefix="healthy-") as scratch,
        running(names, Path(scratch), {LEAKING: ("--regress=leak=5",)}) as services,
        loaded(services) as load,
        (options.log or Path(os.devnull)).open("a") as log,
    ):
        time.sleep(options.warm_up)
        before = cpu(services)
        started = time.monotonic()
        probe_all(services, tallies, started + options.minutes * 60, log)
        seconds = time.monotonic() - started
        used = {name: (cpu(services)[name] - before[name]) / seconds for name in services}
    print(f"{seconds / 60:.0f} minutes, {STAY} s is how long a client stays on average\n")
    return report(tallies, used, load)


STAY = f"{healthy_load.STAY_SECONDS:g}"


def probe_all(
    services: Mapping[str, Service], tallies: Mapping[str, Tally], until: float, log: TextIO
) -> None:
    """Probe every service without a pause, each in a thread of its own."""
    threads = [
        threading.Thread(target=probe, args=(service, tallies[name], until, log))
        for name, service in services.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def probe(service: Service, tally: Tally, until: float, log: TextIO) -> None:
    """One service's probes: what the command does, by the function that it calls."""
    while time.monotonic() < until:
        try:
            found = gocost.goroutines(service.pages, older_than=OLDER_THAN)
        except GocostError as error:
            tally.failed += 1
            print(f"{service.name}: {error}", file=sys.stderr, flush=True)
            time.sleep(1)
            continue
        tally.probes += 1
        facts = {fact.metric: fact.value for fact in found.facts}
        count = int(facts["goroutines.count"])
        tally.goroutines = (tally.goroutines[0] or count, count)
        tally.groups += len(found.tables["groups"].rows)
        if "leaks" not in found.tables:
            continue
        leaks = found.tables["leaks"]
        for row in leaks.rows:
            said: dict[str, Any] = {c.name: v for c, v in zip(leaks.columns, row, strict=True)}
            key = (said["verdict"], said["waits_at"], str(said["created_by"]))
            tally.flagged[key] += 1
            seen = {"at": time.time(), "service": service.name, **said}
            log.write(json.dumps(seen) + "\n")
            log.flush()


@contextmanager
def loaded(services: Mapping[str, Service]) -> Iterator[Counter[str]]:
    """The load, in a process of its own; what it did is in the counter afterwards."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    ports = {name: service.port for name, service in services.items()}
    process = context.Process(target=put_on, args=(ports, theirs), daemon=True)
    process.start()
    done: Counter[str] = Counter()
    try:
        yield done
    finally:
        ours.send("end")
        if ours.poll(90):
            done.update(ours.recv())
        process.join(10)
        process.kill()


def put_on(ports: Mapping[str, int], pipe: Connection) -> None:
    """Put the load on until something is said, then tell what was done."""
    load = healthy_load.steady(ports)
    load.start()
    pipe.recv()
    load.end()
    pipe.send({**load.counts, "CPU seconds of the load": round(time.process_time())})


def cpu(services: Mapping[str, Service]) -> dict[str, float]:
    """CPU seconds that each service has used."""
    used = {}
    for name, service in services.items():
        fields = Path(f"/proc/{service.pid}/stat").read_text().rsplit(")", 1)[1].split()
        used[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def report(tallies: Mapping[str, Tally], used: Mapping[str, float], load: Mapping[str, int]) -> int:
    """The tables, and the verdict on the bar."""
    print("| service | version | CPU | goroutines | probes | groups over 5 s | flagged | false |")
    print("|---|---|---|---|---|---|---|---|")
    true = false = 0
    for name, tally in tallies.items():
        wrong = sum(n for key, n in tally.flagged.items() if not why(name, key[1]))
        right = tally.flagged.total() - wrong
        true, false = true + right, false + wrong
        version = PROGRAMS[name].version if name in PROGRAMS else ""
        first, last = tally.goroutines
        print(
            f"| {name} | {version or 'example'} | {used[name]:.1%} of a core "
            f"| {first:,} → {last:,} | {tally.probes:,} | {tally.groups:,} "
            f"| {right + wrong:,} | {wrong:,} |"
        )
    print("\nflagged, in so many probes:")
    for name, tally in tallies.items():
        for (verdict, waits, created), count in tally.flagged.most_common():
            truth = why(name, waits) or "FALSE"
            print(f"  {name}: {verdict}, {waits}, created by {created}: {count:,} ({truth})")
    print("\nthe load did: " + ", ".join(f"{name} {n:,}" for name, n in sorted(load.items())))
    failed = sum(tally.failed for tally in tallies.values())
    truths = [bool(why(name, key[1])) for name, tally in tallies.items() for key in tally.flagged]
    wrong, share = truths.count(False), truths.count(False) / max(len(truths), 1)
    kept = share <= BAR and any(truths)
    print(
        f"\nflagged {true + false:,} times, {false:,} of them falsely; {failed:,} probes failed\n"
        f"{wrong} of {len(truths)} groups that were ever flagged are false ({share:.0%}): the bar "
        f"of {BAR:.0%} is {'kept' if kept else 'MISSED'}"
    )
    return 0 if kept else 1


def why(service: str, waits: str) -> str:
    """Why a flagged group is a true leak; empty where it is a false one."""
    if service == LEAKING and LEAK in waits:
        return "the leak that was put there"
    return next((reason for part, reason in LOOKED_AT.items() if part in waits), "")


if __name__ == "__main__":
    sys.exit(main())
