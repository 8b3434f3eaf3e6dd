"""The base that growth is measured against: the commit where the branch left REF.

It is checked out into a clone outside the user's tree, and only when something has to be built or
run there: exact facts of a commit that was measured before, with the same toolchain, flags and
gocost, come from the cache.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from gocost._version import VERSION
from gocost.gate.build import build_service, prepare
from gocost.gate.measuring import run_steps
from gocost.gate.plan import Step, needs_binary
from gocost.measures.interface import Context, Target
from gocost.model.catalogue import all_metrics
from gocost.model.errors import BuildError, GocostError, SourceError, UsageError
from gocost.model.fact import Fact
from gocost.model.service import Service
from gocost.model.subject import Subject
from gocost.policy.baseline import Baseline
from gocost.sources.cache import write_atomically
from gocost.sources.git import Repository, checked_out, repository_of
from gocost.sources.go_command import go_in
from gocost.sources.scratch import scratch

KEPT: Final = 60 * 86400.0
"""Seconds an entry of the cache stays after it was last written."""

_TOOLCHAIN: Final = (
    "GOVERSION",
    "GOTOOLCHAIN",
    "GOOS",
    "GOARCH",
    "GOAMD64",
    "GOARM64",
    "GOFLAGS",
    "GOEXPERIMENT",
    "GOFIPS140",
    "CGO_ENABLED",
    "CGO_CFLAGS",
    "CGO_LDFLAGS",
    "CC",
)


class _Entry(msgspec.Struct, frozen=True):
    """What the cache keeps of one service of one commit."""

    facts: list[Fact]
    unknown: dict[str, str]
    skipped: dict[str, str]


@dataclass(slots=True)
class BaseSide:
    """One base commit. `stack` ends its clone and its files with the check."""

    repository: Repository
    ref: str
    commit: str
    directory: Path
    """The policy's folder, relative to the repository."""
    stack: ExitStack
    context: Context
    _clone: Path | None = None
    _targets: dict[tuple[str, bool], Target | GocostError] = field(default_factory=dict)
    """By service, and whether its executable was built."""

    @property
    def name(self) -> str:
        """`origin/main (1a2b3c4)`."""
        return f"{self.ref} ({self.commit[:7]})"

    def clone(self) -> Path:
        """The checked-out base, made when it is first needed."""
        if self._clone is None:
            self.context.progress(f"checking out {self.name}")
            self._clone = self.stack.enter_context(checked_out(self.repository, self.commit))
        return self._clone

    def baseline(self, service: Service, steps: Sequence[Step]) -> Baseline:
        """The exact facts of the service at the base, from the cache or measured now."""
        exact = [step for step in steps if not step.spec.interleaves]
        if not exact:
            return Baseline(self.name, commit=self.commit)
        path = self._cache_path(service, exact)
        entry = _read(path)
        if entry is None:
            try:
                entry = self._measure(service, exact)
            except AbsentError as error:
                return Baseline(self.name, skipped={"*": error.message}, commit=self.commit)
            except GocostError as error:
                why = f"the base {self.name} could not be measured: {error}"
                return Baseline(self.name, unknown={"*": why}, commit=self.commit)
            if not entry.unknown:
                _write(path, entry)
        return Baseline(self.name, entry.facts, entry.unknown, entry.skipped, self.commit)

    def target(self, service: Service, *, built: bool) -> Target:
        """The service at the base, with its executable or, where nothing looks at it, without.

        Raises GocostError where it is not there, or does not build.
        """
        key = (service.name, built)
        if key not in self._targets:
            try:
                self._targets[key] = self._build(service) if built else self._prepared(service)
            except GocostError as error:
                # What does not build for one measure does not for the next.
                self._targets[key] = error
        found = self._targets[key]
        if isinstance(found, GocostError):
            raise found
        return found

    def _measure(self, service: Service, steps: Sequence[Step]) -> _Entry:
        context = replace(self.context, rebuild=False)
        target = self.target(service, built=needs_binary(steps))
        found = run_steps(steps, target, context)
        metrics = all_metrics()
        facts = [fact for fact in found.facts if metrics[fact.metric].exact]
        return _Entry(facts, found.unknown, found.skipped)

    def _build(self, service: Service) -> Target:
        if service.build.binary:
            raise AbsentError(
                "a file that is built elsewhere has no base; compare with --base REPORT.json"
            )
        directory = self._folder(service)
        output = self.stack.enter_context(scratch("base"))
        self.context.progress(f"{service.name}: building {self.name}")
        with self._known_by_its_commit():
            artifact = build_service(service, directory, output, comparable=True)
        return Target(service, directory, artifact.path, self._subject(service), artifact.seconds)

    def _prepared(self, service: Service) -> Target:
        """The service's sources, as far as generators have to write them first."""
        directory = self._folder(service)
        with self._known_by_its_commit():
            prepare(service, directory, progress=self.context.progress)
        return Target(service, directory, subject=self._subject(service))

    def _folder(self, service: Service) -> Path:
        directory = self.clone() / self.directory
        if service.package.startswith(".") and not (directory / service.package).is_dir():
            raise AbsentError(f"{self.name} has no {service.package}")
        return directory

    def _subject(self, service: Service) -> Subject:
        return Subject(service=service.name, commit=self.commit)

    @contextmanager
    def _known_by_its_commit(self) -> Iterator[None]:
        """The clone is gone by the time that somebody reads the hint of what failed in it."""
        try:
            yield
        except BuildError as error:
            raise BuildError(
                error.message, output=error.output, hint=f"check out {self.commit[:7]} to see why"
            ) from error

    def _cache_path(self, service: Service, steps: Sequence[Step]) -> Path:
        tree = self.repository.output("rev-parse", f"{self.commit}^{{tree}}")
        key = {
            "gocost": VERSION,
            "tree": tree,
            "directory": self.directory.as_posix(),
            "service": service.name,
            "package": service.package,
            "build": msgspec.to_builtins(service.build),
            "toolchain": self._toolchain(service),
            "steps": sorted((step.spec.name, *sorted(step.metrics)) for step in steps),
        }
        digest = hashlib.sha256(msgspec.json.encode(key, order="sorted")).hexdigest()
        return self.context.cache / "base" / f"{digest}.json"

    def _toolchain(self, service: Service) -> dict[str, Any]:
        folder = Path(service.directory)
        try:
            return dict(go_in(folder, service.build.env).environment(*_TOOLCHAIN))
        except SourceError:
            # A `build.command` may need no Go at all; then its own tools cannot be told apart, and
            # what they made is not kept.
            return {"once": time.time_ns()}


def base_side(
    ref: str,
    directory: Path,
    stack: ExitStack,
    context: Context,
) -> BaseSide:
    """The merge base of HEAD with `ref`, for a policy in `directory`. Raises UsageError."""
    repository = repository_of(directory)
    if repository is None:
        raise UsageError(
            f"{directory} is not in a git repository, so there is no {ref!r} to compare with",
            hint="run `git init`, or compare with --base REPORT.json",
        )
    commit = repository.merge_base(ref)
    inside = Path(os.path.realpath(directory)).relative_to(os.path.realpath(repository.root))
    return BaseSide(repository, ref, commit, inside, stack, context)


class AbsentError(SourceError):
    """The base has no such thing: nothing to compare with, which is no failure."""


def _read(path: Path) -> _Entry | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Entry)
    except (OSError, msgspec.DecodeError):
        return None


def _write(path: Path, entry: _Entry) -> None:
    """Keep an entry, and drop those that nobody has written for long. Never fails a check."""
    with suppress(OSError):
        write_atomically(path, msgspec.json.encode(entry))
        limit = time.time() - KEPT
        for other in path.parent.glob("*.json"):
            if other.stat().st_mtime < limit:
                other.unlink(missing_ok=True)
