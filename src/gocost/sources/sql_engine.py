"""DuckDB as an engine that sees nothing but the tables it is given.

A connection is in memory, has no access to files, network or extensions, and its configuration is
locked before the first statement of a user's. Statements that do not only read are refused by their
kind before they run. Memory, threads and time have caps; a result is fetched in pieces, so that a
large one is cut and not held. Imported only by `gocost query`: duckdb takes 0.2 s.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

from gocost.model.errors import UsageError

if TYPE_CHECKING:
    import pyarrow

READING: Final = ("SELECT", "EXPLAIN", "RELATION")
"""Kinds of statements that only read."""
_PIECE: Final = 50_000
"""Rows that are fetched at a time."""
_FIRST_LINE: Final = 300
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_TABLE: Final = re.compile(r"Table with name (\S+) does not exist")
_NO_COLUMN: Final = re.compile(r'column "?([^"!]+?)"? (?:not found|does not exist)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Caps:
    """What one query may take."""

    memory_bytes: int = 2 << 30
    threads: int = 2
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, by its type in SQL."""

    name: str
    type: str
    about: str


class SqlError(UsageError):
    """A statement that cannot be run: one line, with what is known of the names in it."""


class Engine:
    """A database of tables that are filled when a statement names them."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._fill: dict[str, Callable[[], pyarrow.Table]] = {}
        self._columns: dict[str, list[str]] = {}
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "enable_external_access": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
                "memory_limit": f"{max(caps.memory_bytes >> 20, 1)}MiB",
                "threads": caps.threads,
                "temp_directory": "",
                "lock_configuration": True,
            },
        )

    def declare(
        self,
        name: str,
        about: str,
        columns: Sequence[Column],
        fill: Callable[[], pyarrow.Table],
    ) -> None:
        """A table that `fill` fills when a statement names it: columns of that order and type."""
        told = ", ".join(f"{_quoted(each.name)} {each.type}" for each in columns)
        self._connection.execute(f"CREATE TABLE {_quoted(name)} ({told})")
        self._connection.execute(f"COMMENT ON TABLE {_quoted(name)} IS {_text(about)}")
        for each in columns:
            self._connection.execute(
                f"COMMENT ON COLUMN {_quoted(name)}.{_quoted(each.name)} IS {_text(each.about)}"
            )
        self._fill[name] = fill
        self._columns[name] = [each.name for each in columns]

    @property
    def tables(self) -> dict[str, list[str]]:
        """The columns of each table."""
        return self._columns

    def run(self, statement: str) -> Result:
        """The result of a statement that reads. Raises SqlError."""
        self._check(statement)
        self._load(statement)
        with self._bounded():
            relation = self._connection.sql(statement)
            if relation is None:
                raise SqlError("the statement gives no rows", hint="write SELECT")
            return Result(self, relation.to_arrow_reader(_PIECE))

    def fetched(self, fetch: Callable[[], pyarrow.RecordBatch]) -> pyarrow.RecordBatch | None:
        """The next piece of a result, or None at its end. Raises SqlError."""
        with self._bounded():
            try:
                return fetch()
            except StopIteration:
                return None

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def _check(self, statement: str) -> None:
        """Refuses what does not only read, before anything of it runs."""
        try:
            found = self._connection.extract_statements(statement)
        except duckdb.Error as error:
            raise self._translated(error) from error
        if not found:
            raise SqlError("there is no statement", hint="write SELECT ... FROM a table")
        if len(found) > 1:
            raise SqlError("there are several statements", hint="give one at a time")
        kind = found[0].type.name
        if kind not in READING:
            raise SqlError(
                f"{kind} is not allowed: queries only read",
                hint="write SELECT; -o FILE.parquet writes a result",
            )

    def _load(self, statement: str) -> None:
        """Fill the tables that a statement names."""
        words = {word.lower() for word in _WORD.findall(statement)}
        for name in [each for each in self._fill if each.lower() in words]:
            found = self._fill[name]()
            self._connection.register("gocost_filling", found)
            try:
                with self._bounded():
                    insert = f"INSERT INTO {_quoted(name)} FROM gocost_filling"
                    self._connection.execute(insert)
            finally:
                self._connection.unregister("gocost_filling")
            del self._fill[name]

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Within the time; what the engine says becomes a SqlError."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._connection.interrupt()

        timer = threading.Timer(self._caps.seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.Error as error:
            if expired.is_set():
                raise SqlError(
                    f"the query took longer than {self._caps.seconds:g} s", hint="raise --seconds"
                ) from error
            raise self._translated(error) from error
        finally:
            timer.cancel()

    def _translated(self, error: duckdb.Error) -> SqlError:
        """One line, with the name that was probably meant and the tables there are."""
        said = str(error)
        tables = ", ".join(sorted(self._columns))
        if (found := _NO_TABLE.search(said)) is not None:
            return self._no_name("table", found[1], list(self._columns), tables)
        if (found := _NO_COLUMN.search(said)) is not None:
            columns = [name for names in self._columns.values() for name in names]
            return self._no_name("column", found[1], columns, tables)
        if isinstance(error, duckdb.OutOfMemoryException):
            return SqlError("the query needs more memory than it may have", hint="raise --memory")
        if isinstance(error, duckdb.PermissionException) or "disabled by configuration" in said:
            return SqlError(
                "SQL has no access to files, network or settings",
                hint="name the files before the statement",
            )
        line = next((line for line in said.splitlines() if line.strip()), "no reason")
        place = _near(said)
        return SqlError(f"{line[:_FIRST_LINE]}{place}", hint=f"the tables are {tables}")

    def _no_name(self, kind: str, name: str, known: list[str], tables: str) -> SqlError:
        from gocost.model.catalogue import nearest

        wanted = name.strip('"').lower()
        near = nearest(wanted, dict.fromkeys(known))
        meant = f"did you mean {near}? " if near else ""
        if near == wanted:
            of = ", ".join(sorted(table for table, had in self._columns.items() if wanted in had))
            meant = f"it is a column of {of}; "
        return SqlError(
            f"there is no {kind} {name.strip(chr(34))[:80]}",
            hint=f"{meant}the tables are {tables}; DESCRIBE a table for its columns",
        )


class Result:
    """What a statement gives, in pieces."""

    def __init__(self, engine: Engine, reader: pyarrow.RecordBatchReader) -> None:
        self._engine = engine
        self._reader = reader
        self.schema: pyarrow.Schema = reader.schema

    def pieces(self) -> Iterator[pyarrow.RecordBatch]:
        """The rows. Raises SqlError."""
        while (batch := self._engine.fetched(self._reader.read_next_batch)) is not None:
            yield batch


def _near(said: str) -> str:
    """The part of the statement that the engine points at: `LINE 1: ... ^`."""
    found = re.search(r"^LINE \d+: (.*)\n( *)\^", said, re.MULTILINE)
    if found is None:
        return ""
    at = max(0, len(found[2]) - len("LINE 1: "))
    near = found[1][at : at + 40].split("\n")[0].strip()
    return f" (at {near!r})" if near else ""


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _text(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
