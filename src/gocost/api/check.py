"""`gocost.check()`: measure services and hold them to their policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from gocost.gate.check import Request
from gocost.gate.check import check as run_check
from gocost.model.report import Report
from gocost.policy.loading import discover, load
from gocost.sources.naming import Named, check_named_once, names_of


def check(
    policy: str | Path | None = None,
    *,
    base: str | None = None,
    services: Sequence[str] = (),
    rules: Sequence[str] = (),
    offline: bool = False,
    rebuild: bool = False,
    profiles: Named | Sequence[Named] = (),
    trace: Named | None = None,
    goroutines: Named | Sequence[Named] = (),
    metrics: Named | Sequence[Named] = (),
    headers: Mapping[str, str] | None = None,
    max_bytes: int | None = None,
    today: date | None = None,
    progress: Callable[[str], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
) -> Report:
    """Build and measure the services of a policy and judge them by its rules.

    `policy` is a file, by default the `gocost.yaml` of the current folder or above it; `base` a git
    ref or a saved report to measure growth against; `services` the names of some of its services,
    `rules` the ids of some of its rules, with `*` for any characters; `rebuild` builds a second
    time to see whether the build is reproducible; `profiles`, `trace`, `goroutines` and `metrics`
    (pages such as /metrics, or a gctrace log) are files that were recorded of the service, for
    rules on what is found in them, of which at most `max_bytes` are read each, and those of a URL
    with `headers`; `today` is the day that waivers expire by; `announce` is told of
    what will take long. Raises PolicyError, UsageError, SourceError.
    """
    check_named_once([*names_of(profiles), trace, *names_of(goroutines), *names_of(metrics)])
    path = Path(policy) if policy is not None else discover(Path.cwd())
    return run_check(
        Request(
            policy=load(path).only(services),
            base=base,
            offline=offline,
            rebuild=rebuild,
            profiles=names_of(profiles),
            trace=None if trace is None else str(trace),
            dumps=names_of(goroutines),
            pages=names_of(metrics),
            headers=headers,
            max_bytes=max_bytes,
            today=today or date.today(),
            rules=tuple(rules),
            progress=progress,
            announce=announce,
        )
    )
