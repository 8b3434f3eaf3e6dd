"""The build standard of an executable: how it was built, and whether it can be built again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from gocost.analyses import go_releases
from gocost.analyses.build_standard import Standard, standard_of
from gocost.measures.executables import opened
from gocost.measures.interface import Context, Measured, Target
from gocost.measures.reproducing import build_twice
from gocost.model.catalogue import find_metric
from gocost.model.errors import GocostError, NotMeasurableError
from gocost.model.fact import Fact, Value
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Note
from gocost.model.service import Build
from gocost.sources.ci import in_ci
from gocost.sources.git import repository_of
from gocost.sources.go_command import go_in

ELSEWHERE = "gocost did not build the file: it was built elsewhere"
NOT_ASKED = "it takes two builds: ask for them with --rebuild"
WITHOUT_STAMP = (
    "reproducible: both builds without a VCS stamp, the second with an empty build cache"
)


def measure(target: Target, context: Context, _base: Target | None = None) -> Measured:
    """The build standard of the target's executable. Raises GocostError where it is unreadable."""
    if target.binary is None:
        raise NotMeasurableError("no executable was built", hint="see why the build failed")
    with opened(target.binary) as binary:
        standard = standard_of(binary)
    measured = Measured(unknown=dict(standard.unknown), skipped=dict(standard.skipped))
    for metric, value in standard.values.items():
        measured.facts.append(_fact(metric, value, target, standard.origins[metric]))
    measured.notes.extend(_notes(standard))
    if "build.toolchain.supported" in standard.values:
        measured.assumptions.append(
            f"support of Go releases as of {go_releases.AS_OF}, from {go_releases.SOURCE}"
        )
    if standard.values.get("build.vcs.stamped") is False and (why := _unstamped(target)):
        measured.causes["build.vcs.stamped"] = why
    _add_goflags(measured, target, context)
    _add_time(measured, target)
    _add_reproducible(measured, standard, target, context)
    return measured


def _fact(metric: str, value: Value, target: Target, origin: str) -> Fact:
    return Fact(metric, value, find_metric(metric).unit, target.subject, origin=origin)


def _notes(standard: Standard) -> list[Note]:
    notes = []
    if standard.values.get("build.vcs.clean") is False:
        # On a developer's machine it is the normal state; in CI the checkout is broken.
        where = (
            "in CI: something writes into the checkout" if in_ci() else "commit it before shipping"
        )
        notes.append(
            Note("warning", f"built from a modified tree at {standard.revision[:12]}; {where}")
        )
    if standard.leftovers:
        parts = " and ".join(
            f"{name} ({format_quantity(size, Unit.BYTES)})" for name, size in standard.leftovers
        )
        notes.append(Note("info", f'not stripped: -ldflags="-s -w" leaves out {parts}'))
    return notes


def _unstamped(target: Target) -> str:
    """What keeps the stamp out of what gocost built, as far as that can be told."""
    build = target.service.build
    if build.binary or build.command:
        return ""
    if _buildvcs(build.flags):
        off, where = _buildvcs(build.flags) == "false", "the service's build.flags hold"
        cure = "remove it there"
    else:
        try:
            flags = go_in(target.directory, build.env).environment("GOFLAGS")["GOFLAGS"]
        except GocostError:
            return ""
        off = _buildvcs(flags.split()) == "false"
        where, cure = _goflags(build)
    if off:
        return f"{where} -buildvcs=false, which leaves the stamp out; {cure}"
    if shutil.which("git") is None:
        return "there is no git on PATH to ask for the commit"
    try:
        inside = repository_of(target.directory) is not None
    except GocostError as error:
        return str(error)
    return "" if inside else "the module is not in a git repository"


def _buildvcs(flags: Sequence[str]) -> str:
    """The value of the last `-buildvcs=VALUE`, empty where there is none."""
    named = [flag.partition("=") for flag in flags]
    return next((value for name, _, value in reversed(named) if name == "-buildvcs"), "")


def _goflags(build: Build) -> tuple[str, str]:
    """Where GOFLAGS is set, and how it is set otherwise."""
    # An empty one would not do: the go command takes it for none, and its own file then holds.
    own = "or set GOFLAGS: -buildvcs=auto in the service's build.env"
    if build.env.get("GOFLAGS"):
        return "GOFLAGS in the service's build.env has", "remove it there"
    if os.environ.get("GOFLAGS"):
        return "GOFLAGS of the environment has", f"unset it, {own}"
    return "GOFLAGS, set with `go env -w`, has", f"run `go env -u GOFLAGS`, {own}"


def _add_goflags(measured: Measured, target: Target, context: Context) -> None:
    if not context.wants("build.goflags"):
        return
    try:
        flags = go_in(target.directory, target.service.build.env).environment("GOFLAGS")["GOFLAGS"]
    except GocostError as error:
        measured.unknown["build.goflags"] = str(error)
        return
    measured.facts.append(_fact("build.goflags", flags, target, "go env GOFLAGS"))


def _add_time(measured: Measured, target: Target) -> None:
    if target.build_seconds is None:
        measured.skipped["build.time"] = ELSEWHERE
        return
    origin = "wall time of the build, with the build cache as it was"
    measured.facts.append(_fact("build.time", target.build_seconds, target, origin))


def _add_reproducible(
    measured: Measured, standard: Standard, target: Target, context: Context
) -> None:
    if not context.rebuild:
        measured.skipped["build.reproducible"] = NOT_ASKED
        return
    if not context.wants("build.reproducible"):
        return
    try:
        found = build_twice(
            target.service,
            target.directory,
            timeout=min(context.remaining(), 1800.0),
            progress=context.progress,
        )
    except GocostError as error:
        measured.unknown["build.reproducible"] = str(error)
        return
    origin = "the same bytes" if found.same else f"they differ first in {found.part}"
    measured.facts.append(_fact("build.reproducible", found.same, target, origin))
    measured.assumptions.append(WITHOUT_STAMP)
    if not found.same:
        cure = "" if standard.values.get("build.trimpath") else "; build with -trimpath"
        measured.notes.append(
            Note("warning", f"two builds differ, first in section {found.part}{cure}")
        )
