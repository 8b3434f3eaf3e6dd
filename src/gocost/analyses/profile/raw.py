"""A profile as it is: samples with the ids of their locations, locations, mappings, header.

What pprof's `-raw` prints, as tables: after the filters, nothing summed, everything in the sample
types' own units. Locations that no sample refers to are left out, as pprof leaves them out.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from gocost.analyses.profile.texts import check_labels
from gocost.analyses.profile.view import View
from gocost.formats.pprof.profile import Header, Profile, starts_of
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table

_HAS = ("functions", "files", "lines", "inlined frames")


def raw_tables(seen: View) -> dict[str, Table]:
    """`header`, `samples`, `locations` and `mappings`."""
    profile = seen.profile
    return {
        "header": _header(profile.header),
        "samples": _samples(profile),
        "locations": _locations(profile),
        "mappings": _mappings(profile),
    }


def _header(header: Header) -> Table:
    def when(nanoseconds: int) -> str:
        seconds, rest = divmod(nanoseconds, 10**9)
        try:
            return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
        except (ValueError, OverflowError, OSError):
            return f"{nanoseconds} ns"

    period = header.period_type
    rows: list[tuple[str, Cell]] = [("comment", text) for text in header.comments]
    rows += [("doc", header.doc_url)] if header.doc_url else []
    rows += [("period_type", f"{period.type} {period.unit}")] if period.type or period.unit else []
    rows += [("period", str(header.period))]
    rows += [("time", when(header.time_ns))] if header.time_ns else []
    rows += [("duration", f"{header.duration_ns} ns")] if header.duration_ns else []
    rows += [
        (name, text)
        for name, text in (
            ("default_sample_type", header.default_sample_type),
            ("drop_frames", header.drop_frames),
            ("keep_frames", header.keep_frames),
        )
        if text
    ]
    return Table("Header", (Column("key"), Column("value")), rows)


def _samples(profile: Profile) -> Table:
    check_labels(profile)
    labels, strings = profile.labels, profile.strings
    starts, label_starts = starts_of(profile.stack_end), starts_of(profile.label_end)
    ids = profile.locations.id[profile.stack].tolist()
    said = [
        (strings[key], f"{number} {strings[unit]}".rstrip() if not text else strings[text])
        for key, text, number, unit in zip(
            labels.key.tolist(),
            labels.text.tolist(),
            labels.number.tolist(),
            labels.unit.tolist(),
            strict=True,
        )
    ]
    rows = [
        (
            *values,
            " ".join(map(str, ids[first:end])),
            " ".join(f"{key}:{text}" for key, text in sorted(said[head:tail])),
        )
        for values, first, end, head, tail in zip(
            profile.values.tolist(),
            starts.tolist(),
            profile.stack_end.tolist(),
            label_starts.tolist(),
            profile.label_end.tolist(),
            strict=True,
        )
    ]
    types = [f"{each.type}/{each.unit}" for each in profile.header.sample_types]
    return Table(
        title="Samples",
        columns=(
            *(Column(name, Unit.COUNT, "in the unit that it names", additive=True)
              for name in types),
            Column("locations", Unit.TEXT, "ids of locations, from the leaf to the root"),
            Column("labels", Unit.TEXT, "key:value, joined by spaces"),
        ),
        rows=rows,
    )  # fmt: skip


def _locations(profile: Profile) -> Table:
    locations, lines, functions = profile.locations, profile.lines, profile.functions
    strings, mappings = profile.strings, profile.mappings
    starts = starts_of(locations.line_end)
    rows: list[tuple[Cell, ...]] = []
    for at in np.unique(profile.stack).tolist():
        mapping = int(locations.mapping[at])
        head = (
            str(int(locations.id[at])),
            f"{int(locations.address[at]):#x}",
            str(int(mappings.id[mapping])) if mapping >= 0 else None,
            bool(locations.folded[at]),
        )
        place = range(int(starts[at]), int(locations.line_end[at]))
        if not place:
            rows.append((*head, 0, None, None, None, None, None, None))
        for depth, line in enumerate(place):
            which = int(lines.function[line])
            name = strings[int(functions.name[which])]
            system = strings[int(functions.system_name[which])]
            rows.append(
                (
                    *head,
                    depth,
                    name,
                    strings[int(functions.file[which])],
                    str(int(lines.line[line])),
                    str(int(lines.column[line])),
                    str(int(functions.start_line[which])),
                    system if system != name else None,
                )
            )
    return Table(
        title="Locations",
        columns=(
            Column("id", Unit.TEXT, "what samples refer to it by"),
            Column("address", Unit.TEXT, "in the process"),
            Column("mapping", Unit.TEXT, "the id of its mapping"),
            Column("folded", Unit.BOOLEAN, "stands for several addresses"),
            Column("depth", Unit.COUNT, "0 for the innermost; those above were inlined into"),
            Column("function", Unit.TEXT, "its name"),
            Column("file", Unit.TEXT, "the source file, as the build had it"),
            Column("line", Unit.TEXT, "its number"),
            Column("column", Unit.TEXT, "0 where it is not known"),
            Column("start_line", Unit.TEXT, "the function's first line"),
            Column("system_name", Unit.TEXT, "the name before it was made readable, if another"),
        ),
        rows=rows,
    )


def _mappings(profile: Profile) -> Table:
    mappings, strings = profile.mappings, profile.strings
    rows = [
        (
            str(id_),
            f"{start:#x}",
            f"{limit:#x}",
            f"{offset:#x}",
            strings[file],
            strings[build],
            ", ".join(word for bit, word in enumerate(_HAS) if flags >> bit & 1),
        )
        for id_, start, limit, offset, file, build, flags in zip(
            mappings.id.tolist(),
            mappings.start.tolist(),
            mappings.limit.tolist(),
            mappings.offset.tolist(),
            mappings.file.tolist(),
            mappings.build_id.tolist(),
            mappings.flags.tolist(),
            strict=True,
        )
    ]
    return Table(
        title="Mappings",
        columns=(
            Column("id", Unit.TEXT, "what locations refer to it by"),
            Column("start", Unit.TEXT, "its first address"),
            Column("limit", Unit.TEXT, "the address behind it"),
            Column("offset", Unit.TEXT, "where in the file it begins"),
            Column("file", Unit.TEXT, "what was mapped"),
            Column("build_id", Unit.TEXT, "the file's build id"),
            Column("has", Unit.TEXT, "what the profile says of its code"),
        ),
        rows=rows,
    )
