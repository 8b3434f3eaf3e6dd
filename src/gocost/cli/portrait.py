"""`gocost portrait`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gocost.cli.options import authorised, comparing, reporting
from gocost.cli.output import Output, progress

GROUP = "Measure"

# What an option says something about: without that, it would be silently ignored.
_OF_POLICY = ("policy", "service", "base", "rounds")
_OF_COMMAND = ("binary", "ready", "ready_within", "settle", "load_vegeta", "load_command")
_OF_LOAD = ("rate", "load_duration")
_OF_WATCHING = ("duration",)


@click.command("portrait")
@click.option(
    "--run", "start", is_flag=True, help="Build and start the policy's service (default)."
)
@click.option("--pid", type=click.IntRange(min=1), metavar="N", help="Watch this process.")
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="Read /metrics, /debug/vars and /debug/pprof below it, repeatable.",
)
@click.option("--for", "duration", default="10s", show_default=True, help="How long to watch.")
@click.option("--policy", type=click.Path(dir_okay=False), help="Instead of the gocost.yaml here.")
@click.option("--service", metavar="NAME", help="Which of the policy's services to run.")
@click.option("--command", "words", metavar="'PROGRAM ...'", help="Start this, without a policy.")
@click.option("--binary", type=click.Path(dir_okay=False), help="What {binary} of --command is.")
@click.option("--ready", default="", metavar="URL", help="Answers 2xx once it is ready.")
@click.option("--ready-within", default="30s", show_default=True, help="How long to wait for that.")
@click.option("--load-vegeta", default="", metavar="FILE", help="vegeta targets to put on it.")
@click.option("--load-command", metavar="'PROGRAM ...'", help="A program that puts load on it.")
@click.option("--rate", default="50/s", show_default=True, help="Of --load-vegeta.")
@click.option("--duration", "load_duration", default="10s", show_default=True, help="Of the load.")
@click.option("--settle", default="5s", show_default=True, help="After the load, before counting.")
@authorised
@comparing
@click.option("--rounds", type=click.IntRange(min=1), help="Runs a side.  [default: 5]")
@reporting
def command(
    start: bool,
    pid: int | None,
    urls: tuple[str, ...],
    duration: str,
    policy: str | None,
    service: str | None,
    words: str | None,
    binary: str | None,
    ready: str,
    ready_within: str,
    load_vegeta: str,
    load_command: str | None,
    rate: str,
    load_duration: str,
    settle: str,
    headers: dict[str, str],
    base: str | None,
    rounds: int | None,
    output: Output,
) -> int:
    """What the running service uses.

    Starts the policy's service and puts its load on it, or watches one that runs already: memory,
    CPU, garbage collection, goroutines, latency. None of it needs a change in the service.
    """
    from gocost.analyses.portrait.rounds import ROUNDS
    from gocost.api.portrait import portrait
    from gocost.model.errors import ExitCode, UsageError
    from gocost.model.quantity import Unit, parse
    from gocost.model.service import Load, Run

    watching = pid is not None or bool(urls)
    if (start or words is not None) and watching:
        raise UsageError(
            "--run starts a service, --pid and --url watch one that runs", hint="use one of them"
        )
    _refuse(_OF_POLICY, watching or words is not None, "a service of the policy (--run)")
    _refuse(_OF_COMMAND, words is None, "a service that --command starts")
    _refuse(
        _OF_LOAD,
        not (load_vegeta or load_command),
        "--load-vegeta or --load-command",
        hint="--for says how long to watch" if watching else "leave it out",
    )
    _refuse(_OF_WATCHING, not watching, "a service that runs already (--pid, --url)")
    run = None
    if words is not None:
        load = None
        if load_vegeta or load_command:
            load = Load(
                vegeta=load_vegeta,
                rate=float(parse(rate, Unit.COUNT_PER_SECOND)),
                duration=_seconds(load_duration, "--duration"),
                command=_words(load_command or "", "--load-command"),
            )
        run = Run(
            command=_words(words, "--command"),
            ready=ready,
            ready_within=_seconds(ready_within, "--ready-within"),
            load=load,
            settle=_seconds(settle, "--settle", least=0.0),
        )
    with progress() as tell:
        report = portrait(
            policy=policy,
            service=service,
            run=run,
            binary=binary,
            pid=pid,
            urls=urls,
            headers=headers,
            base=base,
            rounds=rounds or ROUNDS,
            seconds=_seconds(duration, "--for"),
            progress=tell,
            announce=tell.announce,
        )
    output.emit(report)
    failures = [note.text for note in report.notes if note.level == "error"]
    for text in failures:
        click.echo(f"gocost: {text}", err=True)
    return int(ExitCode.NOT_MEASURABLE if failures else ExitCode.CLEAN)


def _seconds(text: str, option: str, *, least: float = 0.001) -> float:
    """A length of time that was typed."""
    from gocost.model.errors import UsageError
    from gocost.model.quantity import parse_option

    seconds = parse_option(option, text, like="10s")
    if seconds < least:
        raise UsageError(f"{option} is {text}, which is too short", hint="write for example 10s")
    return seconds


def _refuse(names: Sequence[str], where: bool, belongs: str, *, hint: str = "leave it out") -> None:
    """Raise UsageError for an option that was typed where it means nothing."""
    from click.core import ParameterSource

    from gocost.model.errors import UsageError

    context = click.get_current_context()
    for option in context.command.params if where else ():
        if option.name in names and context.get_parameter_source(option.name) not in (
            ParameterSource.DEFAULT,
            None,
        ):
            raise UsageError(f"{option.opts[-1]} is for {belongs}", hint=hint)


def _words(text: str, option: str) -> tuple[str, ...]:
    """A command line as an argument list; no shell ever sees it."""
    import shlex

    from gocost.model.errors import UsageError

    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{option}: {error}", hint="close the quotes") from error
