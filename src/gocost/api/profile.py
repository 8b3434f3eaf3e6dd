"""`gocost.profile`: what a pprof profile is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from gocost._version import VERSION
from gocost.analyses.profile.selection import has_nameless
from gocost.analyses.profile.tables import TOTAL
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import CUMULATIVE, Options, check_expressions, options_of
from gocost.api._profile_views import Look, Shown, chosen
from gocost.formats.pprof.deflate import MAX_BYTES
from gocost.measures.profiles import Reading, Recorded
from gocost.model.fact import Fact
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Note, Report, Table
from gocost.model.subject import Subject
from gocost.sources.naming import Named, is_url, listed, names_of

if TYPE_CHECKING:
    from pathlib import Path

    from gocost.analyses.ownership import Repository
    from gocost.analyses.profile.trimming import Limits
    from gocost.api._governed import Governed
    from gocost.formats.buildinfo import BuildInfo
    from gocost.formats.pprof.profile import Profile


def profile(
    *files: Named,
    view: str = "top",
    base: Named | Sequence[Named] = (),
    diff_base: Named | Sequence[Named] = (),
    normalize: bool = False,
    page: str = "profile",
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    policy: Named | None = None,
    service: str | None = None,
    **options: Any,
) -> Report:
    """Costs by function, package, module, owner, file, line or address of some profiles.

    `files` are paths, URLs or `-`, merged where there are several; `base`, one or several, is
    subtracted, and with `diff_base` percentages are of the base. A service is asked for its `page`
    (profile, heap, ...), recorded for `seconds` where that is given, with `headers`; at most
    `max_bytes` of each are decompressed. `policy` gives the prices and the deployment of `service`:
    every view but `traces` and `raw` then shows money. The other arguments are those of
    `profile_report`.

    Raises UsageError for an option that is wrong, SourceError where a file cannot be read and
    FormatError where it is no profile.
    """
    chosen(view, options.get("by", "function"))  # said before a recording takes its time
    names = names_of(files)
    if policy is not None or service is not None:
        from gocost.api._governed import governed

        options["prices"] = governed(policy, service)
    if any(map(is_url, names)):
        check_expressions(options)
    reading = Reading(page, seconds, headers, max_bytes)
    recorded = reading.recorded(names, names_of(base), names_of(diff_base), normalize=normalize)
    return profile_report(recorded, view=view, **options)


def profile_report(
    recorded: Recorded,
    *,
    view: str = "top",
    expression: str = "",
    by: str = "function",
    cum: bool = False,
    stable_names: bool = False,
    flame: bool = False,
    nodefraction: float | None = None,
    edgefraction: float | None = None,
    nodecount: int | None = None,
    binary: str | None = None,
    codeowners: str | None = None,
    prices: Governed | None = None,
    **options: Any,
) -> Report:
    """The same of profiles that are read already.

    `view` is what is shown, by its command's name (`top`, `tree`, `peek`, ...); `expression` names
    the functions where it is about some. The other options are pprof's by their names with
    underscores: `focus`, `ignore`, `hide`, `show`, `show_from`, `prune_from`, `tagfocus`,
    `tagignore`, `tagshow`, `taghide`, `tagroot`, `tagleaf`, `sample_index`, `mean`,
    `relative_percentages`, `drop_negative`, `noinlines`, `showcolumns`, `trim_path`, `source_path`.
    `nodefraction`, `edgefraction` and `nodecount` leave out what is small. `flame` adds the tree of
    all stacks, which HTML draws; the view `flame` is that, and there `nodefraction` is about it.
    `stable_names` names closures `F.func`, so that profiles of two toolchains can be compared.
    `by="owner"` goes by `codeowners`, by default the CODEOWNERS of the current repository.
    With `prices` what has a price is shown in money, too, and of what has none it is said.
    Tables: the one that `by` names (`functions`), or the view's own; and `stacks`.
    """
    shown, granularity = chosen(view, by)
    if shown.noinlines is not None:
        options["noinlines"] = shown.noinlines
    drawn = view == "flame"
    look = look_at(
        recorded.difference(),
        options_of(granularity, options),
        by=by,
        stable_names=stable_names,
        binary=binary,
        codeowners=codeowners,
    )
    look.cumulative, look.expression = cum, expression
    look.limits = None if drawn else _limits(options, nodefraction, edgefraction, nodecount)
    since_start = look.seen.type.type in CUMULATIVE and recorded.head.header.duration_ns <= 0
    if recorded.base is not None and since_start:
        told = f"{look.seen.type.type} only ever grows: shown is what came between the snapshots"
        look.notes.append(Note("info", told))
    look.notes += [Note("info", text) for text in _empty(recorded.head, view)]
    money = None
    if prices is not None:
        from gocost.api._profile_money import priced

        money = priced(recorded, look, prices)
    tables = shown.tables(look)
    if by == "module" and binary is None:
        look.notes += [Note("info", text) for text in _without_program(tables)]
    report = _report(recorded, look, shown, tables)
    if money is not None:
        report = money.said(report, shown.paid)
    if not flame and not drawn:
        return report
    from gocost.analyses.profile.flame_report import with_flame

    if recorded.base is not None and not recorded.of_base:
        look = replace(look, profile=_named(recorded.difference(apart=True), binary)[0])
    least = nodefraction if drawn else None
    return with_flame(report, look.seen, look.nodes, by, least, look.money)


def _without_program(tables: Mapping[str, Table]) -> Iterator[str]:
    """What would tell the modules that are not known, where there are some."""
    from gocost.analyses.size.packages import UNKNOWN_MODULE, WITHOUT_PROGRAM

    if any(UNKNOWN_MODULE in row for table in tables.values() for row in table.rows):
        yield WITHOUT_PROGRAM


def _empty(profile: Profile, view: str) -> Iterator[str]:
    """Why there is nothing to see, where the profile itself is the reason."""
    if not profile.samples:
        yield "the profile has no samples: record it for longer, while the service has work"
    elif view == "tags" and not len(profile.labels.key):
        yield "no sample has a label: `pprof.Do` in the service sets them, for CPU and goroutines"


def look_at(
    found: Profile,
    options: Options,
    *,
    by: str,
    stable_names: bool,
    binary: str | None,
    codeowners: str | None,
) -> Look:
    """A profile as it is looked at, with the names and owners that the program and CODEOWNERS tell.

    Raises UsageError, SourceError and FormatError.
    """
    named, program = _named(found, binary)
    look = Look(profile=named, options=options, by=by, stable_names=stable_names)
    look.notes += program.notes
    look.binary, look.info = program.path, program.info
    if by == "owner":
        look.repository, passed_over = _repository(codeowners, look.info)
        look.notes += [Note("warning", text) for text in passed_over]
    return look


def _limits(
    options: Mapping[str, Any],
    nodefraction: float | None,
    edgefraction: float | None,
    nodecount: int | None,
) -> Limits | None:
    drop_negative = bool(options.get("drop_negative"))
    if nodefraction is edgefraction is nodecount is None and not drop_negative:
        return None
    from gocost.analyses.profile.trimming import Limits

    return Limits(nodefraction or 0.0, edgefraction or 0.0, nodecount or 0, drop_negative)


@dataclass(frozen=True, slots=True)
class _Program:
    """The executable that was profiled, as far as it is known."""

    path: Path | None = None
    info: BuildInfo | None = None
    notes: tuple[Note, ...] = ()


def _named(found: Profile, binary: str | None) -> tuple[Profile, _Program]:
    """The profile with names from the program, where it has none and the program is given."""
    if binary is None:
        if not has_nameless(found):
            return found, _Program()
        from gocost.measures.symbols import unnamed_note

        return found, _Program(notes=tuple(unnamed_note(found)))
    from pathlib import Path

    from gocost.measures.executables import opened
    from gocost.measures.symbols import named

    path = Path(binary)
    with opened(path) as image:
        found, notes = named(found, image, path)
        return found, _Program(path, image.info, tuple(notes))


def _repository(codeowners: str | None, info: BuildInfo | None) -> tuple[Repository, list[str]]:
    from pathlib import Path

    from gocost.measures.ownership import repository

    return repository(Path(), Path(codeowners) if codeowners else None, info)


def _report(recorded: Recorded, look: Look, shown: Shown, tables: dict[str, Table]) -> Report:
    seen, subject = look.seen, Subject()
    kind = {"type": seen.type.type, "unit": seen.type.unit}
    value = int(seen.values().sum())
    total = Fact(TOTAL, value, Unit.COUNT, subject, labels=kind, origin=listed(recorded.files))
    return Report(
        command="profile",
        gocost=VERSION,
        subject=subject,
        facts=[total],
        tables=tables,
        notes=[*(Note("warning", text) for text in seen.notes), *look.notes],
        layout=msgspec.structs.replace(shown.layout, title=_title(recorded, look)),
    )


def _title(recorded: Recorded, look: Look) -> str:
    name = _several(recorded.files)
    seen, header = look.seen, look.profile.header
    unit = reported(seen.type.unit)
    told = f"{seen.type.type}, {format_quantity(seen.total, unit)}"
    if recorded.bases:  # the lengths of both, added up, are nobody's
        if not seen.mean:
            changed = format_quantity(int(seen.values().sum()), unit, signed=True)
            told = f"{seen.type.type}, {changed}, shares of {format_quantity(seen.total, unit)}"
        return f"{name} against {_several(recorded.bases)}: {told}"
    if header.duration_ns > 0:
        told += f" in {format_quantity(header.duration_ns, Unit.NANOSECONDS)}"
    return f"{name}: {told}"


def _several(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{len(files)} profiles"
