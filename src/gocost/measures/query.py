"""Recorded files opened as tables for SQL: each is decoded when a statement first names it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gocost.analyses.profile.view import sample_index
from gocost.analyses.query import reports
from gocost.analyses.query.catalogue import FILLERS
from gocost.analyses.query.profiles import DEFAULT_TYPE
from gocost.analyses.query.relation import FILE, Coded, Filled, Lists, Relation, Type, Values, text
from gocost.formats import gctrace, runtime_page
from gocost.formats.goroutine_dump import decoding as dumps
from gocost.formats.goroutine_dump.dump import Dump
from gocost.formats.pprof import decoding as profiles
from gocost.formats.pprof import deflate
from gocost.formats.pprof.profile import Profile
from gocost.formats.recognition import HEAD, Kind, is_trace, recognise
from gocost.measures.trace import read_trace
from gocost.measures.trace_on_disk import trace_of_bytes, trace_of_standard_input
from gocost.measures.trace_recording import TraceFile, is_trace_url
from gocost.model.errors import FormatError, UsageError
from gocost.model.report import Report
from gocost.sources.files import Spooled, positioned
from gocost.sources.naming import NAME, is_url, shown
from gocost.sources.recordings import MAX_BYTES, read_recording
from gocost.sources.saved_reports import decoded_report, read_report
from gocost.sources.sql_engine import Caps, Column, Engine
from gocost.sources.standard_input import StandardInput

MOST_FILES: Final = 1000
_WORD: Final = re.compile(r"\w+")
_ARROW: Final = {
    Type.TEXT: pa.string(),
    Type.WHOLE: pa.int64(),
    Type.REAL: pa.float64(),
    Type.YES: pa.bool_(),
    Type.TEXTS: pa.list_(pa.string()),
}


@dataclass(slots=True)
class Input:
    """One file: what it is, and what was decoded of it."""

    name: str
    kind: Kind
    max_bytes: int | None
    """The most that is read and decompressed; None: what each kind of file has by default."""
    headers: Mapping[str, str] | None = None
    data: bytes | None = None
    """Of a URL or of standard input, which are read once."""
    trace: Spooled | None = None
    """Of a page or of standard input that turned out to be one."""
    decoded: Any = None
    announce: Callable[[str], None] = lambda _: None
    """Told where the trace of a URL is kept."""

    def value(self) -> Any:
        """The decoded file. Raises SourceError and FormatError."""
        if self.decoded is None:
            self.decoded = self._decode()
            self.data = None
        return self.decoded

    def report(self) -> Report:
        """The saved report."""
        found: Report = self.value()
        return found

    def _decode(self) -> Any:
        if self.kind is Kind.TRACE:
            if self.trace is not None:
                return read_trace(self.trace, keep=None, max_bytes=self.max_bytes)
            most = self.max_bytes or MAX_BYTES
            recorded = TraceFile(
                self.name, headers=self.headers, max_bytes=most, announce=self.announce
            )
            return read_trace(recorded.path(), keep=None, max_bytes=most)
        if self.kind is Kind.REPORT and self.data is None:
            return read_report(Path(self.name), hint=_REPORTS)
        data = self.data if self.data is not None else self._read()
        try:
            return _DECODERS[self.kind](data, shown(self.name), self.max_bytes)
        except FormatError as error:
            hint = error.hint or "it is damaged, or was cut off: record or copy it again"
            raise FormatError(f"{shown(self.name)}: {error.message}", hint=hint) from error

    def _read(self) -> bytes:
        most = self.max_bytes or MAX_BYTES
        return read_recording(self.name, headers=self.headers, max_bytes=most)


def _profile(data: bytes, name: str, most: int | None) -> Profile:
    return profiles.decode(data, origin=name, max_bytes=most or deflate.MAX_BYTES)


def _dumps(data: bytes, name: str, most: int | None) -> list[Dump]:
    seed = secrets.randbits(31)
    return dumps.decode_all([data], origin=name, max_bytes=most or dumps.MAX_BYTES, seed=seed)


_REPORTS: Final = "see `gocost report`"
_DECODERS: Final[Mapping[Kind, Callable[[bytes, str, int | None], Any]]] = {
    Kind.PROFILE: _profile,
    Kind.DUMP: _dumps,
    Kind.METRICS: lambda data, *_: runtime_page.decode(data),
    Kind.VARS: lambda data, *_: runtime_page.decode(data),
    Kind.HEAP: lambda *given: (_profile(*given), runtime_page.decode(given[0])),
    Kind.GCTRACE: lambda data, *_: gctrace.decode(data),
    Kind.REPORT: lambda data, name, _: decoded_report(data, name, hint=_REPORTS),
}


@dataclass(slots=True)
class Opened:
    """The tables of some files in an engine."""

    engine: Engine
    inputs: list[Input]
    relations: list[Relation] = field(default_factory=list)


def open_files(
    names: Sequence[str],
    *,
    caps: Caps | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Opened:
    """The files as tables, decoded when they are named; a trace of a URL is recorded then, and
    `announce` is told where it is kept. Raises SourceError, FormatError.
    """
    if not names:
        raise UsageError("no file is named", hint="name a profile, a trace, a dump, or a report")
    if len(names) > MOST_FILES:
        raise UsageError(f"more than {MOST_FILES} files", hint="query them in parts")
    inputs = [_input(name, headers, max_bytes, announce) for name in dict.fromkeys(names)]
    with ExitStack() as stack:
        engine = stack.enter_context(closing(Engine(caps or Caps())))
        opened = Opened(engine, inputs)
        for relation, fill in FILLERS.values():
            chosen = [each for each in inputs if each.kind in relation.kinds]
            if chosen:
                _declare(opened, relation, chosen, fill)
        reports = [each for each in inputs if each.kind is Kind.REPORT]
        for relation, members in _of_reports(reports):
            _declare_tables(opened, relation, members)
        stack.pop_all()  # it stays open: whoever asked closes it
    return opened


def read_rest(opened: Opened) -> None:
    """Reads the files that no statement named, so that one which cannot be read is not passed over.

    What a service would have to record is not recorded for that. Raises SourceError and
    FormatError.
    """
    for each in opened.inputs:
        if each.decoded is None and not (each.kind is Kind.TRACE and is_url(each.name)):
            each.value()


def lost(opened: Opened) -> list[str]:
    """What is missing of files that were cut off, of those that were read."""
    found: dict[str, None] = {}
    for each in opened.inputs:
        if each.decoded is None or each.kind not in (Kind.TRACE, Kind.DUMP):
            continue
        for part in each.decoded if each.kind is Kind.DUMP else [each.decoded]:
            if part.lost:
                found[f"{shown(each.name)}: {part.lost}"] = None
    return [*found]


def left_out(opened: Opened, statement: str, *, empty: bool) -> list[str]:
    """What to say of a statement that asks a relation of one type of value for another one.

    It does where it names the type, or where it is `empty`, as it gave no rows.
    """
    words = set(_WORD.findall(statement.lower()))
    found: dict[str, dict[str, None]] = {}
    for each in opened.inputs:
        if each.decoded is None or each.kind not in (Kind.PROFILE, Kind.HEAP):
            continue
        [profile] = _parts(each, FILLERS["samples"][0])
        kept = sample_index(profile)
        others = [type_.type for i, type_ in enumerate(profile.header.sample_types) if i != kept]
        if others and (empty or any(f"'{other}'" in statement for other in others)):
            for name in words & DEFAULT_TYPE.keys():
                found.setdefault(name, {}).update(dict.fromkeys(others))
    return [
        f"{name} has the default type of value alone; {DEFAULT_TYPE[name]} has "
        f"{', '.join(others)} too"
        for name, others in sorted(found.items())
    ]


def _input(
    name: str,
    headers: Mapping[str, str] | None,
    max_bytes: int | None,
    announce: Callable[[str], None],
) -> Input:
    if is_trace_url(name):
        return Input(name, Kind.TRACE, max_bytes, headers, announce=announce)
    data, trace, most = None, None, max_bytes or MAX_BYTES
    if name == NAME:
        given = StandardInput()
        head = given.head(HEAD)
        if is_trace(head):
            trace = trace_of_standard_input(given, max_bytes=most)
        else:
            data = given.bounded(most, "raise --max-bytes")
    elif is_url(name):
        data = read_recording(name, headers=headers, max_bytes=most)
        head = data[:HEAD]
        if is_trace(head):
            trace, data = trace_of_bytes(data, shown(name), max_bytes=most), None
    else:
        with positioned(Path(name)) as file:
            head = file.head(HEAD)
    found = recognise(head)
    if not any(found.kind in relation.kinds for relation, _ in FILLERS.values()):
        raise FormatError(f"{shown(name)} is {found}, and not what can be queried", hint=found.hint)
    return Input(name, found.kind, max_bytes, headers, data, trace, announce=announce)


def _declare(
    opened: Opened, relation: Relation, inputs: Sequence[Input], fill: Callable[[Any], Filled]
) -> None:
    def filled() -> pa.Table:
        return pa.concat_tables(
            [
                _arrow(relation, shown(each.name), fill(part))
                for each in inputs
                for part in _parts(each, relation)
            ]
        )

    _put(opened, relation, filled)


def _parts(found: Input, relation: Relation) -> list[Any]:
    """What of a file a relation is filled from.

    A heap profile with MemStats is two things in one file, and dumps may stand one behind the
    other, which are numbered.
    """
    value = found.value()
    if found.kind is Kind.DUMP:
        return [*enumerate(value, 1)]
    if found.kind is not Kind.HEAP:
        return [value]
    return [value[0] if Kind.PROFILE in relation.kinds else value[1]]


def _of_reports(inputs: Sequence[Input]) -> list[tuple[Relation, list[tuple[str, Any]]]]:
    """The tables of reports; those of one name are one relation where their columns are the same.

    What a report's tables are is only known when it is read.
    """
    found: dict[str, tuple[Relation, list[tuple[str, Any]]]] = {}
    for each in inputs:
        for name, table in each.report().tables.items():
            relation = reports.table_relation(name, table)
            known = found.get(relation.name)
            if known is None:
                found[relation.name] = (relation, [(each.name, table)])
            elif [a.name for a in known[0].attributes] == [a.name for a in relation.attributes]:
                known[1].append((each.name, table))
            else:
                raise UsageError(
                    f"the table {name} of {each.name} has other columns than that of "
                    f"{known[1][0][0]}",
                    hint="query the reports one by one",
                )
    return list(found.values())


def _declare_tables(opened: Opened, relation: Relation, members: Sequence[tuple[str, Any]]) -> None:
    def filled() -> pa.Table:
        return pa.concat_tables(
            [_arrow(relation, name, reports.table(table)) for name, table in members]
        )

    _put(opened, relation, filled)


def _put(opened: Opened, relation: Relation, fill: Callable[[], pa.Table]) -> None:
    attributes = (text(FILE, "the file, as it was named"), *relation.attributes)
    columns = [Column(each.name, each.type.value, each.about) for each in attributes]
    opened.engine.declare(relation.name, relation.about, columns, fill)
    opened.relations.append(relation)


def _arrow(relation: Relation, file: str, filled: Filled) -> pa.Table:
    columns = [_column(filled[each.name], each.type) for each in relation.attributes]
    rows = len(columns[0])
    names = [FILE, *(each.name for each in relation.attributes)]
    return pa.table([pa.repeat(pa.scalar(_clean(file)), rows), *columns], names=names)


def _column(values: Values, type_: Type) -> pa.Array:
    if isinstance(values, Coded):
        return _decoded(values)
    if isinstance(values, Lists):
        offsets = np.concatenate([np.zeros(1, np.int64), values.ends])
        if offsets[-1] < 2**31:
            return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), _decoded(values.items))
        return pa.LargeListArray.from_arrays(pa.array(offsets), _decoded(values.items))
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, _ARROW[type_], mask=np.ma.getmaskarray(values))
    return pa.array(values, _ARROW[type_])


def _decoded(values: Coded) -> pa.Array:
    """Texts as a dictionary: each is kept once, however often it stands in the column."""
    numbers = np.asarray(values.numbers, np.int64)
    texts = pa.array([_clean(each) for each in values.texts] or [""], pa.string())
    return pa.DictionaryArray.from_arrays(
        pa.array(numbers.astype(np.int32), mask=numbers < 0), texts
    )


def _clean(name: str) -> str:
    """Text that is UTF-8, whatever a hostile file calls its functions."""
    return name if name.isascii() else name.encode("utf-8", "replace").decode()
