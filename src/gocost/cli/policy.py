"""`gocost policy`: the policy file checked, shown, described to editors, tightened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gocost.cli.init import share
from gocost.cli.options import reporting
from gocost.cli.output import Output, progress

GROUP = "Govern"

F = TypeVar("F", bound=Callable[..., Any])


def _policy_option(function: F) -> F:
    return click.option(
        "--policy",
        "policy",
        type=click.Path(dir_okay=False),
        help="The policy; by default the gocost.yaml of this folder or above it.",
    )(function)


@click.group("policy", short_help="Check, show or tighten gocost.yaml.")
def command() -> None:
    """The policy file: checked, shown with where each value comes from, tightened."""


@command.command("lint", short_help="Check the policy without measuring anything.")
@_policy_option
@reporting
def lint_command(policy: str | None, output: Output) -> int:
    """Check the policy: its first error, with file, line, column and the nearest right word."""
    from gocost.api.policy_file import lint

    output.emit(lint(policy))
    return 0


@command.command("schema", short_help="Print the JSON Schema of gocost.yaml, for editors.")
def schema_command() -> int:
    """Print the JSON Schema of gocost.yaml.

    An editor uses it by a first line `# yaml-language-server: $schema=gocost.schema.json`.
    """
    import json

    from gocost.api.policy_file import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0


@command.command("show", short_help="The policy as it holds, and where each value comes from.")
@_policy_option
@reporting
def show_command(policy: str | None, output: Output) -> int:
    """The resolved policy: presets, extended files and services' own rules put together."""
    from gocost.api.policy_file import policy_file

    output.emit(policy_file(policy))
    return 0


@command.command("tighten", short_help="Bring limits down to what is measured now.")
@_policy_option
@click.option(
    "--headroom",
    default="10%",
    show_default=True,
    callback=share,
    help="How far above what is measured the limits stay.",
)
@click.option(
    "--sampled-headroom",
    default="50%",
    show_default=True,
    callback=share,
    help="The same for time, memory and latency, which vary from run to run.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@reporting
def tighten_command(
    policy: str | None,
    headroom: float,
    sampled_headroom: float,
    dry_run: bool,
    output: Output,
) -> int:
    """Measure the services and bring the limits of the file down to what they are now.

    Limits are never loosened; comments and layout stay as they are.
    """
    from gocost.api.policy_file import tighten

    with progress() as told:
        report = tighten(
            policy,
            headroom=headroom,
            sampled_headroom=sampled_headroom,
            dry_run=dry_run,
            progress=told,
        )
    output.emit(report)
    return 0
