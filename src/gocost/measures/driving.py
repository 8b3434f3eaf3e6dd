"""Putting the load of a `run:` on a service, and what the load generator says of it."""

from __future__ import annotations

from pathlib import Path

from gocost.analyses.portrait.observations import LoadFigures
from gocost.measures.interface import Context
from gocost.measures.serving import Plan
from gocost.model.errors import UsageError
from gocost.model.service import Load
from gocost.sources.load.command import CommandLoad
from gocost.sources.load.interface import LoadGenerator, LoadResult
from gocost.sources.load.vegeta import VegetaLoad
from gocost.sources.load.vegeta_tool import vegeta_program


def prepare(load: Load | None, context: Context) -> None:
    """Have the load generator ready before the service is started.

    Raises UsageError for a load that names no generator or two, SourceError where vegeta cannot
    be built.
    """
    if load is None:
        return
    if bool(load.vegeta) == bool(load.command):
        which = "both vegeta and a command" if load.vegeta else "neither vegeta nor a command"
        raise UsageError(f"the load names {which}", hint="write one of them")
    if load.vegeta:
        context.progress("building the load generator (once)")
        vegeta_program()


def drive(load: Load, planned: Plan, directory: Path, context: Context) -> LoadFigures:
    """Put the load on until it is through.

    Paths of the load are relative to `directory`. Raises SourceError where the load cannot be put
    on, or where nothing of it arrived.
    """
    left = context.remaining()
    timeout = None if left == float("inf") else left
    return figures(_generator(load, planned, directory).run(timeout=timeout))


def figures(result: LoadResult) -> LoadFigures:
    """What the portrait needs of a load generator's report."""
    latency = result.latency
    return LoadFigures(
        requests=result.requests,
        failed=result.failed,
        rate=result.rate,
        p50=latency.p50 if latency else None,
        p99=latency.p99 if latency else None,
        max=latency.max if latency else None,
        what=result.what,
        errors=tuple(message for message, _ in result.errors),
    )


def _generator(load: Load, planned: Plan, directory: Path) -> LoadGenerator:
    if load.vegeta:
        return VegetaLoad(
            directory / load.vegeta, load.rate, load.duration, directory, planned.values
        )
    return CommandLoad(planned.load, directory)
