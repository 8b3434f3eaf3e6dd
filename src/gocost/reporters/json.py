"""The report as JSON: the contract `gocost.report/1`, for programs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import msgspec

from gocost.model.report import Report
from gocost.reporters.interface import Settings


class JsonReporter:
    """Raw numbers in base units, all on one line, so that large reports stay quick to write."""

    def render(self, report: Report, stream: TextIO, settings: Settings) -> None:
        """Write the report's public form; `--top` applies where it was asked for."""
        if settings.top:
            tables = {name: table.top(settings.top) for name, table in report.tables.items()}
            report = msgspec.structs.replace(report, tables=tables)
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.writelines(str(piece, "utf-8") for piece in _pieces(report))
            stream.write("\n")
            return
        # Tens of megabytes are not decoded only to be encoded again.
        stream.flush()
        binary.writelines(_pieces(report))
        binary.write(b"\n")


def _pieces(report: Report) -> Iterator[bytes | memoryview]:
    """The JSON text, cut where the rows stand of tables that write their own (100,000 of them)."""
    mark = f"rows-{os.urandom(16).hex()}"
    tables = dict(report.tables)
    parts: list[memoryview] = []
    for name, table in report.tables.items():
        encoded = getattr(table.rows, "encoded", None)
        if encoded is not None:
            text = encoded()
            rows: Any = mark if text is not None else list(table.rows)
            tables[name] = msgspec.structs.replace(table, rows=rows)
            parts += [text] if text is not None else []
    data = _encode(msgspec.structs.replace(report, tables=tables))
    first, *rest = data.split(f'"{mark}"'.encode())
    yield first
    for part, piece in zip(parts, rest, strict=True):
        yield from (b"[", part, b"]", piece)


def encode(value: Any, *, indent: int = 0) -> str:
    """`value` as JSON text that every parser takes, whatever names a hostile file put into it."""
    data = _encode(value)
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def _encode(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value, enc_hook=_listed)
    except (UnicodeEncodeError, OverflowError):
        plain = msgspec.to_builtins(value, builtin_types=(), enc_hook=_listed)
        return msgspec.json.encode(_strict(plain))


def _listed(value: Any) -> list[Any]:
    """Rows that are made when they are looked at. Raises NotImplementedError for anything else."""
    if isinstance(value, Sequence):
        return list(value)
    raise NotImplementedError(f"{type(value)} has no form in JSON")


def _strict(value: Any) -> Any:
    """Without lone surrogates, which are not UTF-8, and integers beyond 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_strict(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value) if abs(value) < 2**1023 else math.copysign(math.inf, value)
    return value
