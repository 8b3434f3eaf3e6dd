"""A service as its owners describe it: what to build, how to run it, where it is deployed.

These are the types that `gocost.yaml` fills (policy/schema.py) and that measures are given, so
that a measure never sees a policy. Quantities are numbers in base units here.
"""

from __future__ import annotations

from typing import Final

import msgspec

MOST_RUNS: Final = 1000
"""Of one benchmark on a side. Two sides are compared pair by pair: a million pairs take 8 MB."""
LEAST_MEMORY: Final = 4 << 20
"""Bytes of a container that a Go program runs in: the heap at which the first collection begins, at
GOGC=100. What is less is a number whose unit was forgotten."""


class Build(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the executable comes to be: `go build` with these flags, or one of the escape hatches."""

    flags: tuple[str, ...] = ()
    env: dict[str, str] = {}
    platform: str = ""
    """GOOS/GOARCH, empty for this machine's."""
    prepare: tuple[tuple[str, ...], ...] = ()
    """Commands to run first (generators), each an argument list."""
    command: tuple[str, ...] = ()
    """Builds instead of `go build`; `{output}` stands for the file to write."""
    binary: str = ""
    """A file built elsewhere, relative to the policy."""


class Load(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What to put on the service: vegeta targets at a rate for a time, or a command."""

    vegeta: str = ""
    """A vegeta targets file, relative to the policy."""
    rate: float = 50.0
    """Requests a second."""
    duration: float = 10.0
    """Seconds."""
    command: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How to start the service. `{binary}` and `{port}` (also `{port2}` ...) are filled in."""

    command: tuple[str, ...] = ("{binary}",)
    env: dict[str, str] = {}
    ready: str = ""
    """A URL that answers 2xx when the service is ready."""
    ready_within: float = 30.0
    """Seconds."""
    endpoints: tuple[str, ...] = ()
    """Base URLs where /metrics, /debug/vars and /debug/pprof may be; default that of `ready`."""
    load: Load | None = None
    settle: float = 5.0
    """Seconds after the load before what did not go away is counted."""


class Bench(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which Go benchmarks to run, for base and head in turn, and what is called a change."""

    packages: tuple[str, ...] = ("./...",)
    """As for `go test`, in the service's module."""
    bench: str = "."
    """Which of their benchmarks: a regular expression as for `go test -bench`."""
    count: int = 10
    """Runs of each benchmark on each side."""
    benchtime: str = ""
    """Of one run, as for `go test -benchtime`; empty for what the command takes by itself."""
    min_effect: float = 0.05
    """The smallest change, relative to the base, that is called one."""
    fdr: float = 0.05
    """The share of false calls among all calls that is accepted."""
    flags: tuple[str, ...] = ()
    """Flags of `go test -c` beside those of the service's build."""


class Goroutines(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of its goroutines."""

    allow: tuple[str, ...] = ()
    """Expressions over function names: what has one in its stack or creator may grow."""


class Deployment(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What production asks for, for money: replicas, requests of CPU and memory, traffic."""

    replicas: int = 1
    cpu: float | None = None
    """Cores requested by a replica."""
    memory: float | None = None
    """Bytes requested by a replica."""
    deploys_per_month: float | None = None
    requests_per_month: float | None = None


class Service(msgspec.Struct, frozen=True, omit_defaults=True):
    """One deployable main package."""

    name: str
    directory: str = "."
    """Where the policy lies; the other paths are relative to it."""
    package: str = "."
    build: Build = Build()
    run: Run | None = None
    bench: Bench | None = None
    deployment: Deployment | None = None
    goroutines: Goroutines = Goroutines()
    team: str = ""
