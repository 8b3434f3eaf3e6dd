"""The entry points: what is loaded before a command is known, and how errors leave the process.

`gocost --help` and `--version` are typed often and by shells' completion, so nothing but click and
the generated index (`index.py`) is imported until a command runs.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from gocost._version import VERSION
from gocost.cli.index import COMMANDS, GROUPS


class Commands(click.Group):
    """A group that knows its commands from the index and imports one only to run it."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return [entry.name for entry in COMMANDS]

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        for entry in COMMANDS:
            if entry.name == name:
                command: click.Command = import_module(entry.module).command
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and all(entry.name != args[0] for entry in COMMANDS):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"did you mean `gocost {near[0]}`?" if near else "see `gocost --help`"
            raise click.UsageError(f"there is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group in GROUPS:
            rows = [(entry.name, entry.summary) for entry in COMMANDS if entry.group == group]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)


HELP: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"]}


@click.command(cls=Commands, context_settings=HELP)
@click.version_option(VERSION, prog_name="gocost", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def gocost(debug: bool) -> None:
    """Cost governance for Go services, as code."""


def main() -> None:
    """The `gocost` console script."""
    _as_a_process(gocost, program="gocost")


def cost_checker() -> None:
    """The `cost-checker` console script: `gocost check` under the name that pipelines know."""
    from gocost.cli.check import command

    _as_a_process(command, program="cost-checker")


def _as_a_process(command: click.Command, *, program: str) -> NoReturn:
    _end_on_request()
    if sys.stderr is None:  # closed (`2>&-`): there is nobody to talk to
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    # numpy's linear algebra starts a thread a core when it is loaded, which takes longer than all
    # else of numpy, and nothing here multiplies matrices. Not in os.environ: it is no concern of
    # the programs that are started from here.
    if "OPENBLAS_NUM_THREADS" not in os.environ:
        os.putenv("OPENBLAS_NUM_THREADS", "1")
    # What imports make stays until the end: looking through it for garbage, while they run and
    # once more at the exit, takes a quarter of a second's command.
    gc.set_threshold(50_000, 20, 20)
    code = run(sys.argv[1:], command, program=program)
    gc.freeze()
    sys.exit(code)


def _end_on_request() -> None:
    """Leave through every `with` when a CI ends the job, so that nothing stays behind."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


def run(arguments: list[str], command: click.Command = gocost, *, program: str = "gocost") -> int:
    """Carry out a command line; every way out of it becomes one line and an exit code."""
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"]
    try:
        code = command.main(arguments, prog_name=program, standalone_mode=False, **HELP)
        return int(code) if isinstance(code, int) else 0
    except click.exceptions.Abort:
        return _interrupted()
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx is not None else error, file=sys.stderr)
        return 2
    except click.ClickException as error:
        _say(_usage_line(error))
        return 2
    except click.exceptions.Exit as error:
        return error.exit_code
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as error:
        if error.code != 1:  # of a signal, see _end_on_request
            raise
        discard_output()  # click's code for a reader of help that left (`| head`): no limit broke
        return 0
    except Exception as error:  # noqa: BLE001 - the last place that can tell a user's error from ours
        return _failed(error, debug=debug)


def _failed(error: Exception, *, debug: bool) -> int:
    from gocost.model.errors import ExitCode, GocostError

    if debug:
        import traceback

        print(_without_secrets("".join(traceback.format_exception(error))), file=sys.stderr)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        discard_output()
        where = error.filename or "the output or the folder of temporary files"
        _say(f"no space is left for {where}; free some, or set TMPDIR to a folder that has it")
        return int(ExitCode.NOT_MEASURABLE)
    if isinstance(error, GocostError):
        if error.output:
            print(error.output.rstrip(), file=sys.stderr)
        _say(str(error))
        return int(error.exit_code)
    again = "" if debug else "; run again with --debug and report what it shows"
    _say(f"this is a bug in gocost: {type(error).__name__}: {error}{again}")
    return int(ExitCode.BUG)


def discard_output() -> None:
    """What stdout still holds cannot be written: do not complain once more at the exit."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage_line(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split())
    context: Any = getattr(error, "ctx", None)
    if context is not None and "; " not in text:
        return f"{text.rstrip('.')}; see `{context.command_path} --help`"
    return text


def _interrupted() -> int:
    _say("interrupted")
    return 130


def _say(line: str) -> None:
    print(f"gocost: {_on_one_line(_without_secrets(line))}", file=sys.stderr)


def _on_one_line(text: str) -> str:
    """Names in it come from hostile files and services, and would drive the terminal."""
    if text.isprintable():
        return text
    from gocost.reporters.wording import plain

    return plain(text)


def _without_secrets(text: str) -> str:
    """A URL may also stand where none is expected, and is in the error as it was typed."""
    if ":/" not in text:
        return text
    from gocost.sources.naming import shown_within

    return shown_within(text)
