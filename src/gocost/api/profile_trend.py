"""`gocost.profile_trend`: which allocation sites grow over several heap profiles.

A trend is of a state (live memory, goroutines, threads), or of the rate of what counts since the
program's start (allocations, contentions). A profile of a window of its own (CPU; any other with
`seconds=`) is neither: three of them are three measurements, and are compared as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gocost._version import VERSION
from gocost.analyses.profile.symbols import program_of
from gocost.analyses.profile.tables import by_name
from gocost.analyses.profile.trend import LEAST, Trend, Verdict, noise_of, trend
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import CUMULATIVE, View, costs, options_of
from gocost.analyses.statistics.slope import CONFIDENCE, confidence
from gocost.api._profile_views import Look, chosen
from gocost.formats.pprof.deflate import MAX_BYTES
from gocost.formats.pprof.profile import Profile
from gocost.measures.profiles import Reading
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Column, Layout, Note, Report, Table
from gocost.sources.naming import Named, check_named_once, names_of, shown

_ORDER: Final = {Verdict.LEAK: 0, Verdict.RISING: 0, Verdict.PLATEAU: 1, Verdict.NOISE: 2}
_MEANINGLESS: Final = ("mean", "relative_percentages", "drop_negative")
"""Options of `gocost.profile` that are about shares, means and differences."""
_OF_HEAP: Final = ("inuse_", "alloc_")


def profile_trend(
    *files: Named,
    by: str = "function",
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    **options: Any,
) -> Report:
    """The growth of every site over three profiles or more, with a verdict: leak, plateau, noise.

    `files` are paths, in any order: profiles say when they were recorded. `by` and `options` are
    those of `gocost.profile`; values are what a site holds itself (flat). Table: `sites`. What
    counts since the program's start is judged by its rate: rising, plateau, noise.

    Raises UsageError where there are too few profiles, they do not say when they were, or each is
    of a window of its own, such as a CPU profile.
    """
    _, granularity = chosen("top", by)
    if by == "owner":
        raise UsageError("sites have no trend by owner", hint="choose function, line or package")
    for name in _MEANINGLESS:
        if options.get(name):
            raise UsageError(
                f"--{name.replace('_', '-')} does not change a trend",
                hint="drop it: a trend is of what each site holds itself, over time",
            )
    wanted = options_of(granularity, options)
    reading = Reading("heap", None, headers, max_bytes)
    names = names_of(files)
    check_named_once(names)
    profiles = []
    for name in names:
        profiles.append((shown(name), reading.one(name)))
        _check_not_of_a_window(*profiles[-1])
    times, ordered = _in_time(profiles)
    looks = [Look(profile, wanted, by=by) for _, profile in ordered]
    seen = looks[-1].seen
    cumulative = seen.type.type in CUMULATIVE
    if len(times) < LEAST + cumulative:
        raise UsageError(
            f"a trend of {seen.type.type} needs {LEAST + cumulative} profiles or more",
            hint="record one more, some minutes later",
        )
    held = _columns(looks)
    counts = _columns([_counted(look) for look in looks])
    notes = []
    if cumulative:
        told = "only ever grows: the trend is of its rate, which rises with the service's load too"
        notes.append(Note("info", f"{seen.type.type} {told}"))
        if told := _anew(ordered, seen, held):
            notes.append(Note("warning", told))
    if told := _programs(ordered):
        notes.append(Note("warning", told))
    reached = confidence(len(times) - cumulative)
    if reached < CONFIDENCE:
        notes.append(Note("warning", _few(len(times) - cumulative, reached)))
    period = max(looks[-1].profile.header.period, 1)
    rows = []
    for site, values in held.items():
        objects = counts.get(site, [0.0] * len(times))
        if cumulative:
            clock, series = _rates(times, values)
            held_last, of_last = values[-1] - values[-2], objects[-1] - objects[-2]
            noise = _noise(seen, held_last, of_last, period) / (times[-1] - times[-2])
        else:
            clock, series = times, values
            noise = _noise(seen, values[-1], objects[-1], period)
        rows.append((site, trend(clock, series, noise, rates=cumulative)))
    if cumulative:
        table = _rates_table(seen, by, times, rows, reached)
    else:
        table = _states_table(seen, by, rows, reached)
    return _report(names, seen, times, table, notes, rows)


def _check_not_of_a_window(name: str, profile: Profile) -> None:
    header = profile.header
    cpu = header.period_type.type == "cpu"
    if not cpu and header.duration_ns <= 0:
        return
    what = "CPU time" if cpu else "what came"
    within = (
        f"in {format_quantity(header.duration_ns, Unit.NANOSECONDS)} of its own"
        if header.duration_ns > 0
        else "in a window of its own"
    )
    instead = "a trend takes heap profiles" if cpu else "record it without seconds= for a trend"
    raise UsageError(
        f"{name} counts {what} {within}, which has no trend",
        hint=f"compare two: gocost profile top HEAD --base BASE; {instead}",
    )


def _in_time(profiles: Sequence[tuple[str, Profile]]) -> tuple[list[float], Any]:
    """Seconds from the first profile on, and the profiles in that order."""
    timeless = [file for file, profile in profiles if not profile.header.time_ns]
    if timeless:
        raise UsageError(
            f"{timeless[0]} does not say when it was recorded",
            hint="record protobuf profiles (without ?debug=1)",
        )
    ordered = sorted(profiles, key=lambda item: item[1].header.time_ns)
    if len(ordered) < LEAST:
        raise UsageError(
            f"a trend needs {LEAST} profiles or more", hint="record one more, some minutes later"
        )
    start = ordered[0][1].header.time_ns
    times = [(profile.header.time_ns - start) / 1e9 for _, profile in ordered]
    for at in range(1, len(times)):
        if times[at] == times[at - 1]:
            first, second = ordered[at - 1][0], ordered[at][0]
            raise UsageError(
                f"{first} and {second} were recorded at the same time", hint="name each once"
            )
    return times, ordered


def _programs(ordered: Sequence[tuple[str, Profile]]) -> str:
    """What to say where the profiles are not all of one program; empty where they may be."""
    first, before = ordered[0][0], program_of(ordered[0][1])
    for name, profile in ordered[1:]:
        program = program_of(profile)
        if program.is_other(before):
            return (
                f"the profiles are of different programs: {first} of {before}, {name} of "
                f"{program}; what grew between two processes is no trend of either"
            )
    return ""


def _anew(
    ordered: Sequence[tuple[str, Profile]], seen: View, held: Mapping[str, Sequence[float]]
) -> str:
    """What to say where a counter fell; empty where it did not."""
    for at in range(1, len(ordered)):
        fell = next((site for site, each in held.items() if each[at] < each[at - 1]), None)
        if fell is not None:
            before, after = ordered[at - 1][0], ordered[at][0]
            return (
                f"{seen.type.type} of {fell} is less in {after} than in {before}: the program was "
                "started anew between them, and the rates there are wrong"
            )
    return ""


def _columns(looks: Sequence[Look]) -> dict[str, list[float]]:
    """What each site holds in each profile."""
    found: dict[str, list[float]] = {}
    for at, look in enumerate(looks):
        nodes = by_name(look.seen, look.options, look.by)
        labels, flat = nodes.labels(), costs(look.seen, nodes).flat.tolist()
        for label, value in zip(labels, flat, strict=True):
            if value:
                found.setdefault(label, [0.0] * len(looks))[at] += value
    return found


def _counted(look: Look) -> Look:
    """The same look at how many objects there are, where the profile tells; else at the same."""
    name = look.seen.type.type
    other = name.replace("space", "objects")
    types = [each.type for each in look.profile.header.sample_types]
    if other == name or other not in types:
        return look
    return replace(look, options=replace(look.options, sample_index=other))


def _noise(seen: View, value: float, count: float, period: int) -> float:
    return noise_of(value, count, period) if reported(seen.type.unit) is Unit.BYTES else 0.0


def _rates(times: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """What came between each two, a second, at the middle between them."""
    pairs = range(1, len(times))
    middles = [(times[at - 1] + times[at]) / 2 for at in pairs]
    return middles, [(values[at] - values[at - 1]) / (times[at] - times[at - 1]) for at in pairs]


def _few(count: int, reached: float) -> str:
    return (
        f"{count} values bound a slope with a confidence of {reached:.0%} at most; "
        f"from five on it is {CONFIDENCE:.0%}"
    )


def _states_table(seen: View, by: str, rows: Sequence[tuple[str, Trend]], reached: float) -> Table:
    unit = reported(seen.type.unit)
    rate = Unit.BYTES_PER_SECOND if unit is Unit.BYTES else Unit.COUNT_PER_SECOND
    told = f"{seen.type.type} in {seen.type.unit}"
    return Table(
        title=f"Growth of {seen.type.type} by {by}",
        columns=(
            *_judged(seen, by, Verdict.LEAK),
            Column("slope", rate, f"growth of {told}: the median slope", additive=False),
            *_ends(rate, reached),
            Column("first", unit, "in the first profile"),
            Column("last", unit, "in the last one"),
        ),
        rows=[
            (site, str(each.verdict), each.slope.value, each.slope.low, each.slope.high,
             int(each.first), int(each.last))
            for site, each in _sorted(rows)
        ],
    )  # fmt: skip


def _rates_table(
    seen: View, by: str, times: Sequence[float], rows: Sequence[tuple[str, Trend]], reached: float
) -> Table:
    """How rates changed: over the whole time, as there is no unit for a change of a rate."""
    rate, scale, told = _RATES[reported(seen.type.unit)]
    lasted = (times[-1] - times[0]) * scale
    return Table(
        title=f"Rate of {seen.type.type} by {by}",
        columns=(
            *_judged(seen, by, Verdict.RISING),
            Column("change", rate, f"of {told}, from the first profile to the last, by the median "
                   "slope", additive=False),
            *_ends(rate, reached),
            Column("first", rate, f"{told} between the first two profiles"),
            Column("last", rate, f"{told} between the last two"),
        ),
        rows=[
            (site, str(each.verdict), each.slope.value * lasted, each.slope.low * lasted,
             each.slope.high * lasted, each.first * scale, each.last * scale)
            for site, each in _sorted(rows)
        ],
    )  # fmt: skip


_RATES: Final = {
    Unit.BYTES: (Unit.BYTES_PER_SECOND, 1.0, "bytes a second"),
    Unit.COUNT: (Unit.COUNT_PER_SECOND, 1.0, "the count a second"),
    Unit.NANOSECONDS: (Unit.COUNT, 1e-9, "goroutines that waited on average"),
}
"""By the unit of what is counted: that of its rate, how many of it a value is, and its name.
Seconds of delay in a second are how many goroutines waited."""


def _sorted(rows: Sequence[tuple[str, Trend]]) -> list[tuple[str, Trend]]:
    return sorted(rows, key=lambda row: (_ORDER[row[1].verdict], -row[1].slope.value, row[0]))


def _judged(seen: View, by: str, worst: Verdict) -> tuple[Column, Column]:
    where = "where it was allocated" if seen.type.type.startswith(_OF_HEAP) else "where it was seen"
    return (
        Column(by, Unit.TEXT, where),
        Column("verdict", Unit.TEXT, f"{worst}, plateau or noise"),
    )


def _ends(rate: Unit, reached: float) -> tuple[Column, Column]:
    between = f"of the {reached:.0%} interval"
    return (
        Column("low", rate, f"the lower end {between}", additive=False),
        Column("high", rate, f"the upper end {between}", additive=False),
    )


def _report(
    files: Sequence[str],
    seen: View,
    times: Sequence[float],
    table: Table,
    notes: Sequence[Note],
    rows: Sequence[tuple[str, Trend]],
) -> Report:
    span = format_quantity(times[-1] - times[0], Unit.SECONDS)
    heap = "a heap profile is as of the last garbage collection before it; ?gc=1 makes it current"
    return Report(
        command="profile",
        gocost=VERSION,
        tables={"sites": table},
        notes=[*(Note("warning", text) for text in seen.notes), *notes],
        assumptions=[heap] if seen.type.type.startswith(_OF_HEAP) else [],
        layout=Layout(
            title=f"{len(files)} profiles over {span}: {_said(seen, rows)}",
            facts=(),
            columns={"sites": tuple(each.name for each in table.columns if each.name != "first")},
        ),
    )


def _said(seen: View, rows: Sequence[tuple[str, Trend]]) -> str:
    worst = sum(each.verdict in (Verdict.LEAK, Verdict.RISING) for _, each in rows)
    sites = "1 site" if worst == 1 else f"{worst or 'no'} sites"
    if seen.type.type in CUMULATIVE:
        return f"the rate of {seen.type.type} rises at {sites}"
    return f"{sites} leak{'s' if worst == 1 else ''}"
