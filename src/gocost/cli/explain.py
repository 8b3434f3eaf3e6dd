"""`gocost explain`: what a metric means."""

from __future__ import annotations

import click

from gocost.cli.options import reporting
from gocost.cli.output import Output

GROUP = "Govern"


@click.command("explain", short_help="What a metric means, and what to do.")
@click.argument("name", required=False, metavar="[METRIC|RULE]")
@click.option("--policy", type=click.Path(dir_okay=False), help="Where to look for rules.")
@reporting
def command(name: str | None, policy: str | None, output: Output) -> int:
    """What a metric means: unit, direction, how it is measured, what to do, an example.

    Also a rule of the policy by its id; without a name, all metrics.
    """
    from gocost.api.explain import explain

    output.emit(explain(name, policy=policy))
    return 0
