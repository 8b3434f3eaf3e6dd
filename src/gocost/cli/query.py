"""`gocost query`: SQL over recorded files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gocost.cli.options import MOST_BYTES, Number, at_most, authorised, reporting
from gocost.cli.output import Output, progress, warned

if TYPE_CHECKING:
    from gocost.sources.sql_engine import Result

GROUP = "Attribute"


@click.command("query", short_help="SQL over profiles, traces, dumps, pages and reports.")
@click.argument("words", nargs=-1, required=True, metavar="FILE|URL... SQL")
@click.option("--interactive", is_flag=True, help="A prompt, with completion; give no SQL then.")
@click.option("--tables", is_flag=True, help="Show what tables these files have; give no SQL then.")
@click.option("--memory", default="2 GiB", show_default=True, help="The most a query may take.")
@click.option(
    "--threads", type=click.IntRange(1, 256), default=2, show_default=True, help="That it may use."
)
@click.option(
    "--seconds",
    type=Number(0.001, 86_400),
    default=60,
    show_default=True,
    help="The longest that a query may run.",
)
@click.option(
    "--max-rows",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="Rows of a report.",
)
@at_most("The most that is read of a file.")
@authorised
@reporting
def command(
    words: tuple[str, ...],
    interactive: bool,
    tables: bool,
    memory: str,
    threads: int,
    seconds: float,
    max_rows: int,
    max_bytes: int | None,
    headers: dict[str, str],
    output: Output,
) -> int:
    """One SELECT over recorded files; every table has a column `file`.

    FILE is a profile, an execution trace, a goroutine dump, a page of the Go runtime, a gctrace log
    or a saved report, in any mix; - is standard input. A trace by URL (/debug/pprof/trace) is
    recorded, and kept. `-o FILE.parquet` and `-o FILE.csv` write all rows. Queries read nothing but
    these files.
    """
    from pathlib import Path

    from gocost.api.query import answered, checked_output, lost, opened_files, read_rest
    from gocost.model.errors import UsageError
    from gocost.model.quantity import Unit, parse_option
    from gocost.sources import naming
    from gocost.sources.files import exists
    from gocost.sources.sql_engine import Caps

    caps = Caps(int(parse_option("--memory", memory, Unit.BYTES)), threads, seconds)
    if not 1 << 20 <= caps.memory_bytes <= MOST_BYTES:
        little = caps.memory_bytes < 1 << 20
        told = f"--memory {memory} is too {'little' if little else 'much'}"
        raise UsageError(told, hint="write 2 GiB")
    asks = interactive or tables
    files, statement = (words, "") if asks else (words[:-1], words[-1])
    if not files:
        is_file = naming.is_url(statement) or exists(Path(statement))
        missing = "no SQL is given" if is_file else "no file is named"
        raise UsageError(missing, hint='gocost query FILE "SELECT ..."')
    if interactive and naming.NAME in files:
        raise UsageError(
            f"the prompt reads {naming.SHOWN}, and so does `{naming.NAME}`", hint="name a file"
        )
    with progress() as shown:
        shown.recording(files)
        opened = opened_files(
            files, caps=caps, headers=headers, max_bytes=max_bytes, announce=shown.said
        )
    try:
        if interactive:
            from gocost.cli.query_prompt import prompt

            return prompt(opened)
        if tables:
            statement = (
                'SELECT table_name AS "table", column_name AS "column", data_type AS "type", '
                'comment AS "about" FROM duckdb_columns() WHERE NOT internal'
            )
        form = checked_output(output.path, output.format)
        named = [*map(naming.shown, files)]
        title = ", ".join(named) if len(named) < 4 else f"{named[0]} and {len(named) - 1} more"
        with progress() as shown:
            shown.recording(files)
            if form is None:
                report = answered(opened, statement, title, max_rows=max_rows)
            else:
                result = opened.engine.run(statement)
            if not tables:
                read_rest(opened)
        if form is None:
            output.emit(report)
        else:
            _write(result, form, str(output.path))
            for text in lost(opened):
                warned(text)
        return 0
    finally:
        opened.engine.close()


def _write(result: Result, form: str, path: str) -> None:
    from gocost.api.query import write_csv, write_parquet
    from gocost.cli.output import written

    with written(path) as stream:
        rows = (write_parquet if form == "parquet" else write_csv)(result, stream)
    click.echo(f"{path}: {rows:,} rows", err=True)
