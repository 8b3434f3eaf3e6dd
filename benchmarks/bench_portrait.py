"""What `gocost portrait` costs the process that it watches: the payments example, idle and loaded.

    python benchmarks/bench_portrait.py [--seconds 10] [--rounds 10]

In each round the process runs once watched and once left alone, in changing order; its CPU time is
the scheduler's own count in nanoseconds (/proc/PID/task/*/schedstat). What a portrait adds is less
than the noise of a loaded process, so it is magnified: /proc and the pages are read AMPLIFIED times
as often as a portrait reads them, and what that adds is divided by it. The bar: under 0.5% of a
core. For scale the same is done with a page polled every 200 ms, as other watchers do.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gocost.analyses.portrait.drawing import PAGES_STEP, PROCESS_STEP
from gocost.analyses.statistics.shift import hodges_lehmann
from gocost.gate.build import build_service
from gocost.measures import serving
from gocost.measures.service_pages import ServicePages
from gocost.measures.watching import Watcher
from gocost.model.service import Build, Load, Run, Service
from gocost.sources.endpoints import Endpoint
from gocost.sources.load.vegeta import VegetaLoad
from gocost.sources.proc import find_process

PAYMENTS = Path(__file__).resolve().parent.parent / "examples" / "payments"
BAR = 0.005
"""Cores."""
AMPLIFIED = 20
RATE = 500.0


def main() -> int:
    """Print the table; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of one window")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    print("| process | watched by | CPU left alone | added (95% interval) | bar |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        binary = build_service(
            Service("payments", str(PAYMENTS), "./cmd/payments", Build(flags=("-trimpath",))),
            PAYMENTS,
            Path(scratch),
        ).path
        missed = 0
        for loaded in (False, True):
            missed += not measured(binary, loaded=loaded, options=options)
    return 1 if missed else 0


def measured(binary: Path, *, loaded: bool, options: argparse.Namespace) -> bool:
    """The lines of one state of the process; whether the portrait keeps the bar."""
    run = Run(
        command=("{binary}", "--listen=127.0.0.1:{port}", "--debug-listen=127.0.0.1:{port2}"),
        ready="http://127.0.0.1:{port}/healthz",
        load=Load(vegeta="load/pay.targets"),
    )
    planned = serving.plan(run, binary)
    within = True
    with serving.serving(planned, directory=PAYMENTS, ready_within=30) as service:
        pid = service.child.pid
        metrics = portrait(pid, planned.values["port"], "/metrics")
        pprof = portrait(pid, planned.values["port2"], "/debug/pprof")
        ways: list[tuple[str, Callable[[float], None], int]] = [
            ("portrait, /proc and /metrics", metrics, AMPLIFIED),
            ("portrait, /proc and pprof", pprof, AMPLIFIED),
            ("/metrics every 200 ms", polling(planned.values["port"]), 1),
        ]
        windows = len(ways) * 2 * options.rounds
        with (
            load(planned, windows * (options.seconds + 1.0)) if loaded else contextlib.nullcontext()
        ):
            for name, way, times in ways:
                alone, added = compared(pid, way, options.seconds, options.rounds)
                shift = hodges_lehmann(alone, added)
                base = sorted(alone)[len(alone) // 2]
                most, low, high = (
                    (bound or 0.0) / times for bound in (shift.shift, shift.low, shift.high)
                )
                barred = times > 1
                kept = high < BAR  # the whole interval, not only its middle
                within &= kept or not barred
                verdict = ("kept" if kept else "MISSED") if barred else "for scale"
                state = f"under {RATE:g} requests/s" if loaded else "idle"
                print(
                    f"| payments, {state} | {name} | {base:.3%} of a core | {most:+.3%} "
                    f"({low:+.3%} to {high:+.3%}) | {verdict} |",
                    flush=True,
                )
    return within


def compared(
    pid: int, way: Callable[[float], None], seconds: float, rounds: int
) -> tuple[list[float], list[float]]:
    """Cores that the process took, window by window, left alone and watched."""
    alone: list[float] = []
    watched: list[float] = []
    for number in range(rounds):
        sides = [(alone, time.sleep), (watched, way)]
        for cores, pass_time in sides if number % 2 else reversed(sides):
            began, before = time.monotonic(), cpu_ns(pid)
            pass_time(seconds)
            cores.append((cpu_ns(pid) - before) / 1e9 / (time.monotonic() - began))
    return alone, watched


def portrait(pid: int, port: str, path: str) -> Callable[[float], None]:
    """Watching as `gocost portrait --pid --url` does, AMPLIFIED times as often."""

    def way(seconds: float) -> None:
        pages = ServicePages((f"http://127.0.0.1:{port}{path}",))
        pages.discover()
        watcher = Watcher(
            find_process(pid),
            pages,
            started=time.monotonic(),
            process_step=PROCESS_STEP / AMPLIFIED,
            pages_step=PAGES_STEP / AMPLIFIED,
        )
        with watcher:
            for _ in range(2 * AMPLIFIED):  # a portrait reads everything at its two edges too
                watcher.edge()
                time.sleep(seconds / 2 / AMPLIFIED)

    return way


def polling(port: str) -> Callable[[float], None]:
    """One page, every 200 ms."""

    def way(seconds: float) -> None:
        until = time.monotonic() + seconds
        with Endpoint(f"http://127.0.0.1:{port}") as endpoint:
            while time.monotonic() < until:
                endpoint.get("/metrics")
                time.sleep(0.2)

    return way


@contextlib.contextmanager
def load(planned: serving.Plan, seconds: float) -> Iterator[None]:
    """vegeta at a steady rate for as long as the context lasts, in a thread that outlives it."""
    attack = VegetaLoad(PAYMENTS / "load" / "pay.targets", RATE, seconds, PAYMENTS, planned.values)
    thread = threading.Thread(target=attack.run, daemon=True)
    thread.start()
    time.sleep(5.0)
    yield
    thread.join()


def cpu_ns(pid: int) -> int:
    """CPU time of all its threads by the scheduler."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total


if __name__ == "__main__":
    sys.exit(main())
