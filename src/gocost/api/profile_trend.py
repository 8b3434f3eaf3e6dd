"""`gocost.profile_trend`: which allocation sites grow over several heap profiles."""

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

_ORDER: Final = {Verdict.LEAK: 0, Verdict.PLATEAU: 1, Verdict.NOISE: 2}
_MEANINGLESS: Final = ("mean", "relative_percentages", "drop_negative")
"""Options of `gocost.profile` that are about shares, means and differences."""
_SHOWN: Final = ("verdict", "slope", "low", "high", "last")


def profile_trend(
    *files: Named,
    by: str = "function",
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    **options: Any,
) -> Report:
    """The growth of every site over three profiles or more, with a verdict: leak, plateau, noise.

    `files` are paths, in any order: profiles say when they were recorded. `by` and `options` are
    those of `gocost.profile`; values are what a site holds itself (flat). Table: `sites`.

    Raises UsageError where there are too few profiles, or they do not say when they were.
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
    profiles = [(shown(name), reading.one(name)) for name in names]
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
        told = "only ever grows: the trend is of what came between one profile and the next"
        notes.append(Note("info", f"{seen.type.type} {told}"))
    if told := _programs(ordered):
        notes.append(Note("warning", told))
    reached = confidence(len(times) - cumulative)
    if reached < CONFIDENCE:
        notes.append(Note("warning", _few(len(times) - cumulative, reached)))
    period = max(looks[-1].profile.header.period, 1)
    rows = []
    for site, values in held.items():
        clock, series = (times, values) if not cumulative else _rates(times, values)
        objects = counts.get(site, [0.0] * len(times))
        if cumulative:
            held_last, of_last = values[-1] - values[-2], objects[-1] - objects[-2]
            noise = _noise(seen, held_last, of_last, period) / (times[-1] - times[-2])
        else:
            noise = _noise(seen, values[-1], objects[-1], period)
        rows.append((site, trend(clock, series, noise)))
    return _report(names, ordered, seen, by, times, rows, notes, reached)


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


def _report(
    files: Sequence[str],
    ordered: Sequence[tuple[str, Profile]],
    seen: View,
    by: str,
    times: Sequence[float],
    rows: list[tuple[str, Trend]],
    notes: list[Note],
    reached: float,
) -> Report:
    unit = reported(seen.type.unit)
    rate = Unit.BYTES_PER_SECOND if unit is Unit.BYTES else Unit.COUNT_PER_SECOND
    rows.sort(key=lambda row: (_ORDER[row[1].verdict], -row[1].slope.value, row[0]))
    told = f"{seen.type.type} in {seen.type.unit}"
    between = f"of the {reached:.0%} interval"
    table = Table(
        title=f"Growth of {seen.type.type} by {by}",
        columns=(
            Column(by, Unit.TEXT, "where it was allocated"),
            Column("verdict", Unit.TEXT, "leak, plateau or noise"),
            Column("slope", rate, f"growth of {told}: the median slope", additive=False),
            Column("low", rate, f"the lower end {between}"),
            Column("high", rate, f"the upper end {between}"),
            Column("first", unit, "in the first profile"),
            Column("last", unit, "in the last one"),
        ),
        rows=[
            (site, str(each.verdict), each.slope.value, each.slope.low, each.slope.high,
             int(each.first), int(each.last))
            for site, each in rows
        ],
    )  # fmt: skip
    leaks = sum(each.verdict is Verdict.LEAK for _, each in rows)
    told_leaks = "1 site leaks" if leaks == 1 else f"{leaks or 'no'} sites leak"
    span = format_quantity(times[-1] - times[0], Unit.SECONDS)
    title = f"{len(files)} profiles over {span}: {told_leaks}"
    return Report(
        command="profile",
        gocost=VERSION,
        tables={"sites": table},
        notes=[*(Note("warning", text) for text in seen.notes), *notes],
        assumptions=[
            "a heap profile is as of the last garbage collection before it; ?gc=1 makes it current"
        ],
        layout=Layout(title=title, facts=(), columns={"sites": (by, *_SHOWN)}),
    )
