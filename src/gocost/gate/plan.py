"""From rules to measures: which ones have to run, in which order, and why some cannot.

The rules name metrics and the measures say what they give, so the plan is the inversion: each
measure that gives a wanted metric once, cheapest first. What cannot run here is known before
anything is built: `skipped` where nothing was declared to measure it with, `unknown` where
something that should be here is not.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gocost.measures.interface import Need, Spec
from gocost.measures.registry import SPECS
from gocost.model.metric import Enforcer
from gocost.model.service import Service
from gocost.policy.evaluation import NO_BASE
from gocost.policy.rules import Rule
from gocost.sources.go_command import MISSING

RECORDED: Mapping[Need, tuple[str, str]] = {
    Need.PROFILE: ("CPU profile", "--profile"),
    Need.TRACE: ("execution trace", "--trace"),
    Need.DUMPS: ("goroutine dump", "--goroutines"),
    Need.PAGES: ("page of the service", "--metrics"),
}
"""What is recorded of a service, and the option that it is given with."""


@dataclass(frozen=True, slots=True)
class Step:
    """One measure to run, for the metrics that are wanted of it."""

    spec: Spec
    metrics: frozenset[str]


def is_recorded(step: Step) -> bool:
    """Whether it reads what was recorded of the head, and so has nothing to do at a base."""
    return bool(RECORDED.keys() & step.spec.needs)


def needs_binary(steps: Iterable[Step]) -> bool:
    """Whether any of them looks at the executable."""
    return any(Need.BINARY in step.spec.needs for step in steps)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run for one service, in order, and why some metrics will not be there."""

    steps: tuple[Step, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is here to measure with; injected, so that other platforms are testable on this one."""

    system: str = sys.platform
    machine: str = ""
    """GOARCH of this machine."""
    go: bool = True
    root: bool = False
    offline: bool = False
    base: bool = False
    recorded: frozenset[Need] = frozenset()
    """What was recorded and given with the command."""


def here(*, offline: bool, base: bool, recorded: frozenset[Need] = frozenset()) -> Surroundings:
    """This machine, and what was given with the command."""
    return Surroundings(
        system=sys.platform,
        machine=_goarch(platform.machine()),
        go=shutil.which("go") is not None,
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        offline=offline,
        base=base,
        recorded=recorded,
    )


def wanted_metrics(rules: Iterable[Rule]) -> frozenset[str]:
    """The metrics that the rules of a check name."""
    return frozenset(rule.metric.id for rule in rules if Enforcer.CHECK in rule.where)


def plan(
    metrics: Iterable[str],
    service: Service,
    around: Surroundings,
    specs: Sequence[Spec] = SPECS,
) -> Plan:
    """The steps that give `metrics` of `service`. Metrics that no measure gives are left out."""
    wanted: dict[str, set[str]] = {}
    by_name = {spec.name: spec for spec in specs}
    for metric in metrics:
        spec = _giver([spec for spec in specs if spec.takes(metric)], service, around)
        if spec is not None:
            wanted.setdefault(spec.name, set()).add(metric)
    steps = []
    unknown: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for name, names in wanted.items():
        spec = by_name[name]
        why = _lacking(spec, service, around)
        if why is None:
            steps.append(Step(spec, frozenset(names)))
            continue
        tried, reason = why
        (unknown if tried else skipped).update(dict.fromkeys(sorted(names), reason))
    steps.sort(key=lambda step: (step.spec.rank, step.spec.name))
    return Plan(tuple(steps), unknown, skipped)


def unread(
    metrics: Iterable[str], recorded: Iterable[Need], specs: Sequence[Spec] = SPECS
) -> list[Need]:
    """What was recorded and given though none of `metrics` is found in it."""
    wanted = [*metrics]
    asked = {need for spec in specs for need in spec.needs if any(map(spec.takes, wanted))}
    return [need for need in RECORDED if need in {*recorded} - asked]


def _giver(specs: Sequence[Spec], service: Service, around: Surroundings) -> Spec | None:
    """The measure to take: what was recorded and given goes before running the service."""
    able = [spec for spec in specs if _lacking(spec, service, around) is None]
    given = [spec for spec in able if spec.needs & RECORDED.keys()]
    running = [spec for spec in specs if not spec.needs & RECORDED.keys()]
    return next(iter([*given, *able, *running, *specs]), None)


def _lacking(spec: Spec, service: Service, around: Surroundings) -> tuple[bool, str] | None:
    """What keeps `spec` from running: (should it be here?, why), or None."""
    needs = spec.needs
    if Need.RUN in needs and service.run is None:
        return False, "the policy has no `run:` for this service"
    if Need.LINUX in needs and around.system != "linux":
        names = {"darwin": "macOS", "win32": "Windows"}
        here_ = names.get(around.system, around.system)
        return False, f"it is read from /proc, and this is {here_}; run it on Linux"
    if Need.RUN in needs and service.build.platform:
        mine = f"{_goos(around.system)}/{around.machine}"
        if service.build.platform != mine:
            return False, f"it is built for {service.build.platform} and cannot run on {mine}"
    for recording, (what, option) in RECORDED.items():
        if recording in needs and recording not in around.recorded:
            return False, f"no {what} was given; add {option} FILE"
    if Need.BASE in needs and not around.base:
        return False, NO_BASE
    if Need.NETWORK in needs and around.offline:
        return False, "it needs the network, and --offline was asked for"
    if Need.ROOT in needs and not around.root:
        return False, "it needs root"
    compiles = Need.BINARY in needs and not (service.build.binary or service.build.command)
    if not around.go and (compiles or Need.GO in needs):
        return True, f"there is no `go` on PATH; {MISSING}"
    return None


def _goos(system: str) -> str:
    return {"win32": "windows"}.get(system, system)


def _goarch(machine: str) -> str:
    return {
        "x86_64": "amd64",
        "AMD64": "amd64",
        "aarch64": "arm64",
        "i686": "386",
        "i386": "386",
    }.get(machine, machine)
