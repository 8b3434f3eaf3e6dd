"""What a policy's `bench:` says of the benchmarks of a folder: the defaults of `gocost bench`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from gocost.analyses.benchmarks import Settings
from gocost.formats.yaml_document import Node, compose
from gocost.measures.benchmark_runs import Plan
from gocost.measures.benchmarks import declared
from gocost.model.errors import GocostError, PolicyError, SourceError, UsageError
from gocost.model.report import Note, Report
from gocost.model.service import Service
from gocost.policy.loading import Policy, discover, load, shown
from gocost.sources.files import read_text
from gocost.sources.go_command import module_of, place_of

BENCHTIME: Final = "1s"
"""Of a run where neither the policy nor the command line says one."""


@dataclass(frozen=True, slots=True)
class Declared:
    """How one service's benchmarks are to be run and judged."""

    service: str
    policy: str
    """The file, as shown."""
    directory: Path
    """The folder that the plan's packages are named from."""
    plan: Plan
    settings: Settings

    def noted(self, report: Report) -> Report:
        """The report, saying where its defaults came from."""
        note = Note("info", f"run as `bench:` of {self.service} in {self.policy} says")
        return msgspec.structs.replace(report, notes=[note, *report.notes])


def declared_for(target: Path, service: str | None = None) -> Declared | None:
    """What the policy in or above `target` declares for the module that `target` is in, or None.

    A policy that says nothing of this module is none of its business, not even its mistakes.
    Raises PolicyError for a broken one that does, UsageError where several services disagree or
    the one that is asked for is not there.
    """
    try:
        path = discover(target)
    except UsageError:
        if service is not None:
            raise
        return None
    try:
        root = module_of(target, ".")
    except SourceError as error:
        raise UsageError(
            f"{target} is not in a Go module", hint="run it in one, or `go mod init` first"
        ) from error
    try:
        policy = load(path)
    except GocostError:
        if service is None and not _governs(path, root):
            return None
        raise
    found = _named(policy, service) if service is not None else _of_module(policy, root)
    if not found:
        return None
    if any(_how(each) != _how(found[0]) for each in found[1:]):
        names = ", ".join(each.name for each in found)
        raise UsageError(
            f"{shown(path)} has a `bench:` for several services of this module: {names}",
            hint=f"say whose with --service {found[0].name}",
        )
    (first, *_) = found
    plan, settings = declared(first, BENCHTIME)
    directory = target
    if plan.packages != Plan().packages:
        place, _package = place_of(policy.directory, first.package)
        # A folder within the module that is named is what is wanted of it.
        if target == Path() or place.resolve().is_relative_to(target.resolve()):
            directory = place
        else:
            plan = replace(plan, packages=Plan().packages)
    return Declared(first.name, shown(path), directory, plan, settings)


def _how(service: Service) -> tuple[Plan, Settings]:
    return declared(service, BENCHTIME)


def _named(policy: Policy, name: str) -> list[Service]:
    (governed,) = policy.only([name]).services
    if governed.service.bench is None:
        raise UsageError(
            f"{name} has no `bench:` in {shown(policy.path)}",
            hint="add it, or leave out --service",
        )
    return [governed.service]


def _of_module(policy: Policy, root: Path) -> list[Service]:
    services = [governed.service for governed in policy.services]
    return [
        each
        for each in services
        if each.bench is not None and _is_in(policy.directory, each.package, root)
    ]


def _governs(path: Path, root: Path) -> bool:
    """Whether a policy that cannot be loaded means the module at `root`, as far as can be read."""
    if root in path.resolve().parents:
        return True
    try:
        document = compose(read_text(path), shown(path))
    except PolicyError:
        return False
    entries = [entry for _, entry in _child(document, "services").entries]
    packages = [_child(entry, "package").text or "." for entry in entries]
    return any(_is_in(path.parent, package, root) for package in packages)


def _child(node: Node, key: str) -> Node:
    found = (value for name, value in node.entries if name.text == key)
    return next(found, Node("text", node.place))


def _is_in(directory: Path, package: str, root: Path) -> bool:
    try:
        return module_of(directory, package) == root
    except SourceError:
        return False
