"""Putting the load of a `run:` on a service, and what the load generator says of it."""

from __future__ import annotations

from pathlib import Path

from gocost.analyses.portrait.observations import LoadFigures
from gocost.measures.interface import Context
from gocost.measures.serving import Plan
from gocost.model.errors import SourceError
from gocost.model.service import Load
from gocost.sources import process


def drive(load: Load, planned: Plan, directory: Path, context: Context) -> LoadFigures:
    """Put the load on until it is through.

    Paths of the load are relative to `directory`. Raises SourceError where the load cannot be put
    on, or where nothing of it arrived.
    """
    command = planned.load
    done = process.run(
        command,
        cwd=directory,
        timeout=min(context.remaining(), 86400.0),
        missing_hint="install it, or correct run.load.command",
    )
    if not done.ok:
        said = (done.stderr or done.stdout).strip().splitlines()
        told = f": {said[-1][:200]}" if said else ""
        raise SourceError(
            f"the load `{command[0]}` ended with status {done.returncode}{told}",
            hint="run it by hand against the service",
        )
    return LoadFigures(None, None, done.wall_seconds, what=f"`{command[0]}`")
