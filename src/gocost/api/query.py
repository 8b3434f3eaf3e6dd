"""`gocost.query`: SQL over profiles, traces, goroutine dumps, runtime pages and saved reports."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from gocost._version import VERSION
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Layout, Note, Report, Table
from gocost.model.subject import Subject
from gocost.sources.naming import short_name

if TYPE_CHECKING:
    import pyarrow

    from gocost.measures.query import Opened
    from gocost.sources.sql_engine import Caps, Result

MOST_ROWS: Final = 100_000
"""Rows of a report; `-o FILE.parquet` and `-o FILE.csv` have all of them."""
ROWS: Final = 50
"""Rows that a person sees."""
_AMOUNT: Final = re.compile(
    r"(?:(?:sum|min|max|avg|mean|median|first|last|any_value|arg_max|mode)\()?\"?[\w.]*?"
    r"(_ns|_bytes|_seconds|share|busy)\"?\)?",
    re.IGNORECASE,
)
_UNITS: Final = {
    "_ns": Unit.NANOSECONDS,
    "_bytes": Unit.BYTES,
    "_seconds": Unit.SECONDS,
    "share": Unit.RATIO,
    "busy": Unit.RATIO,
}
_NUMBER: Final = re.compile(
    r"(?:(?:min|max|first|last|any_value|arg_max|mode)\()?\"?"
    r"(?:\w+\.)?(?:goroutine|parent|thread|proc|line|sample|dump|cycle)\"?\)?",
    re.IGNORECASE,
)
"""Columns of the tables, of any kind of file, that tell rows apart and count nothing."""


def query(
    *files: str | Path,
    sql: str,
    caps: Caps | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int | None = None,
    max_rows: int = MOST_ROWS,
    announce: Callable[[str], None] = lambda _: None,
) -> Report:
    """The result of one SELECT over the tables of `files`, as the table `result`.

    The table `statement` has the SELECT itself.

    The kinds of files are told by what stands in them; which tables they have and what the columns
    mean is in docs/reference/tables.md. Every table has a column `file`. The trace of a URL is
    recorded into a file of the current folder; `announce` is told which. Raises UsageError for SQL
    that cannot be run, SourceError and FormatError for a file that cannot be read, also where the
    statement does not name a table of it.
    """
    opened = opened_files(files, caps=caps, headers=headers, max_bytes=max_bytes, announce=announce)
    try:
        report = answered(opened, sql, _title(files), max_rows=max_rows)
        read_rest(opened)
        return report
    finally:
        opened.engine.close()


def opened_files(
    files: Iterable[str | Path],
    *,
    caps: Caps | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Opened:
    """The files as tables, for several statements in turn."""
    from gocost.measures.query import open_files

    names = [str(each) for each in files]
    return open_files(names, caps=caps, headers=headers, max_bytes=max_bytes, announce=announce)


def read_rest(opened: Opened) -> None:
    """Reads the files that the statement did not name: one that cannot be read is an error, too."""
    from gocost.measures.query import read_rest as read

    read(opened)


def lost(opened: Opened) -> list[str]:
    """What is missing of files that were cut off, of those that were read."""
    from gocost.measures.query import lost as found

    return found(opened)


def answered(opened: Opened, sql: str, title: str, *, max_rows: int = MOST_ROWS) -> Report:
    """What a statement gives as a report; of more than `max_rows` rows the first."""
    from gocost.measures.query import left_out

    found = _report(opened.engine.run(sql), title, max_rows=max_rows)
    empty = not found.tables["result"].rows
    notes = [Note("warning", text) for text in lost(opened)]
    notes += [Note("info", text) for text in left_out(opened, sql, empty=empty)]
    return msgspec.structs.replace(
        found,
        tables={**found.tables, "statement": _statement(sql)},
        notes=[*found.notes, *notes],
    )


def _statement(sql: str) -> Table:
    """What was asked: a page that is looked at later says what its answer is the answer to."""
    lines = textwrap.dedent(sql).strip().splitlines()
    return Table(
        title="Statement",
        columns=(Column("sql", Unit.CODE, "as it was given, a row a line"),),
        rows=[(line,) for line in lines],
    )


def _report(result: Result, title: str, *, max_rows: int) -> Report:
    rows: list[list[Cell]] = []
    notes = []
    for batch in result.pieces():
        columns = [column.to_pylist() for column in batch.columns]
        rows += [[_cell(value) for value in row] for row in zip(*columns, strict=True)]
        if len(rows) > max_rows:
            del rows[max_rows:]
            text = (
                f"the first {max_rows:,} rows; raise --max-rows, or write all to a file with "
                "-o FILE.parquet"
            )
            notes.append(Note("warning", text))
            break
    return Report(
        command="query",
        gocost=VERSION,
        subject=Subject(service=title),
        tables={
            "result": Table(title=title, columns=_columns(result.schema, rows), rows=rows),
        },
        notes=notes,
        layout=Layout(title=title, tables=("result",), rows=ROWS, above=("statement",)),
    )


def write_parquet(result: Result, stream: BinaryIO) -> int:
    """The whole result as Parquet, in pieces; the number of rows."""
    from pyarrow import parquet

    with parquet.ParquetWriter(stream, result.schema, compression="zstd") as writer:
        return _write(result, writer)


def write_csv(result: Result, stream: BinaryIO) -> int:
    """The whole result as CSV with a header, in pieces; lists are joined by ;. The rows' number.

    Texts are as in every CSV of gocost: what a spreadsheet would run is quoted.
    """
    import pyarrow as pa
    from pyarrow import csv

    from gocost.reporters.csv import safe_text

    fields = [pa.field(safe_text(each.name), _flat(each.type)) for each in result.schema]
    schema = pa.schema(fields)
    rows = 0
    with csv.CSVWriter(stream, schema) as writer:
        for batch in result.pieces():
            writer.write_batch(_flattened(batch, schema))
            rows += batch.num_rows
    return rows


def _write(result: Result, writer: Any) -> int:
    rows = 0
    for batch in result.pieces():
        writer.write_batch(batch)
        rows += batch.num_rows
    return rows


def _flat(type_: pyarrow.DataType) -> pyarrow.DataType:
    import pyarrow as pa

    return pa.string() if pa.types.is_nested(type_) or pa.types.is_dictionary(type_) else type_


def _flattened(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow as pa

    columns = [
        _texts(column) if pa.types.is_string(field.type) else column
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def _texts(column: pyarrow.Array) -> pyarrow.Array:
    """A column of texts, or of what becomes one, for CSV; each text that repeats is made once."""
    import pyarrow as pa

    from gocost.reporters.csv import safe_text

    if pa.types.is_nested(column.type):
        column = pa.array([_text(value) for value in column.to_pylist()], pa.string())
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    known = [None if (text := _text(value)) is None else safe_text(text)
             for value in coded.dictionary.to_pylist()]  # fmt: skip
    return pa.array(known, pa.string()).take(coded.indices)


def _columns(schema: pyarrow.Schema, rows: list[list[Cell]]) -> tuple[Column, ...]:
    seen: dict[str, int] = {}
    columns = []
    for place, each in enumerate(schema):
        count = seen[each.name] = seen.get(each.name, 0) + 1
        name = each.name if count == 1 else f"{each.name}_{count}"
        texts = any(isinstance(row[place], str) for row in rows)
        columns.append(Column(name, Unit.TEXT if texts else _unit(each.name), str(each.type)))
    return tuple(columns)


def _unit(name: str) -> Unit:
    """What a column of numbers counts, by its name: `running_ns`, `sum(running_ns)`."""
    if _NUMBER.fullmatch(name):
        return Unit.NUMBER
    found = _AMOUNT.fullmatch(name)
    return _UNITS[found[1].lower()] if found else Unit.COUNT


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return _text(value)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return ";".join(str(_text(each)) for each in value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def _title(files: Iterable[str | Path]) -> str:
    names = [short_name(str(each)) for each in files]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def checked_output(path: str | None, format_: str) -> str | None:
    """`parquet` or `csv` where a result goes to such a file as it is, else None for a report.

    Raises UsageError where the suffix and --format contradict each other.
    """
    suffix = Path(path).suffix.lower() if path is not None else ""
    if suffix not in (".parquet", ".csv"):
        return None
    if format_ not in ("text", suffix[1:]):
        raise UsageError(f"-o {path} and --format {format_} contradict", hint="leave out one")
    return suffix[1:]
