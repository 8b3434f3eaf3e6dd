"""The prompt of `gocost query --interactive`: one statement after the other, with completion."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from gocost.api.query import answered
from gocost.cli.output import Output
from gocost.model.errors import GocostError

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

    from gocost.measures.query import Opened

_KEYWORDS: Final = (
    *("SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "HAVING", "JOIN", "LEFT JOIN"),
    *("ON", "USING", "AS", "AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS NULL"),
    *("DISTINCT", "COUNT(", "SUM(", "AVG(", "MIN(", "MAX(", "QUANTILE_CONT(", "UNNEST("),
    *("LIST_CONTAINS(", "CASE WHEN", "THEN", "ELSE", "END", "WITH", "UNION ALL", "DESCRIBE"),
    *("DESC", "ASC", "FILTER (WHERE", "OVER (PARTITION BY"),
)
_WORD: Final = re.compile(r"[\w.]*$")
_HELP: Final = "a statement ends in ;   .tables   .schema TABLE   .help   .quit (or Ctrl-D)"


def prompt(opened: Opened) -> int:
    """Reads statements until the end of input; what is wrong with one ends only that one."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import InMemoryHistory

    session: PromptSession[str] = PromptSession(
        history=InMemoryHistory(), completer=completer(opened.engine.tables)
    )
    click.echo(f"tables: {', '.join(opened.engine.tables)}\n{_HELP}", err=True)
    lines: list[str] = []
    while True:
        try:
            line = session.prompt("   ...> " if lines else "gocost> ")
        except KeyboardInterrupt:
            lines = []
            continue
        except EOFError:
            return 0
        if not lines and line.strip().startswith("."):
            if line.strip() in (".quit", ".exit"):
                return 0
            _command(opened, line.split())
            continue
        lines.append(line)
        statement = "\n".join(lines).strip()
        if statement.endswith(";") or not statement:
            lines = []
            if statement:
                answer(opened, statement)


def answer(opened: Opened, statement: str) -> None:
    """The table that a statement gives, or one line that says why there is none."""
    try:
        report = answered(opened, statement, "result")
        Output("text", None, None).emit(report)
    except GocostError as error:
        click.echo(f"gocost: {error}", err=True)
    except KeyboardInterrupt:
        click.echo("gocost: interrupted", err=True)
    sys.stdout.flush()


def _command(opened: Opened, words: Sequence[str]) -> None:
    tables = opened.engine.tables
    if words[0] == ".tables":
        click.echo("\n".join(tables))
    elif words[0] == ".schema" and len(words) == 2 and words[1] in tables:
        answer(opened, f"DESCRIBE {words[1]}")
    else:
        click.echo(_HELP, err=True)


def candidates(tables: Mapping[str, Sequence[str]], before: str) -> list[tuple[str, str]]:
    """What may stand at the end of `before`: words with what they are, tables first after FROM."""
    found = _WORD.search(before)
    word = found[0].lower() if found else ""
    columns = {name: table for table, names in tables.items() for name in names}
    known = [
        *((name, "table") for name in tables),
        *((name, f"column of {table}") for name, table in columns.items()),
        *((name, "SQL") for name in _KEYWORDS),
    ]
    if re.search(r"\b(from|join)\s+\w*$", before, re.IGNORECASE):
        known = known[: len(tables)]
    return [(name, about) for name, about in known if name.lower().startswith(word)]


def completer(tables: Mapping[str, Sequence[str]]) -> Completer:
    """Completes as one types."""
    from prompt_toolkit.completion import Completer, Completion

    class Names(Completer):
        """Tables, columns and words of SQL."""

        def get_completions(
            self, document: Document, complete_event: CompleteEvent
        ) -> Iterable[Completion]:
            before = document.text_before_cursor
            found = _WORD.search(before)
            size = len(found[0]) if found else 0
            for name, about in candidates(tables, before):
                yield Completion(name, start_position=-size, display_meta=about)

    return Names()
