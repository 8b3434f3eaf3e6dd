"""`gocost.goroutines`: goroutines by where they were created and where they wait; which leak."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gocost._version import VERSION
from gocost.analyses.goroutines.allowances import Allow, allowing
from gocost.analyses.goroutines.groups import LEAST_INTERVAL, Dumps, Group, group, lasting
from gocost.analyses.goroutines.tables import (
    BY,
    LABEL,
    change_table,
    facts,
    group_table,
    label_table,
    leak_table,
    leaks,
    sentence,
)
from gocost.analyses.goroutines.verdicts import LEAST_ARRIVALS, Judged, Verdict, judge
from gocost.formats.goroutine_dump.decoding import MAX_BYTES
from gocost.formats.goroutine_dump.dump import Form
from gocost.measures.goroutines import APART, Reading, Taken, check_count
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Table
from gocost.model.subject import Subject
from gocost.sources.naming import is_url, short_name, shown

ROWS = 20
TOLD = 3
"""Leaks that are told in words."""


def goroutines(
    *files: str | Path,
    by: str = "group",
    older_than: float | None = None,
    min_count: int = 1,
    dumps: int | None = None,
    every: float | None = None,
    allow: Sequence[str] = (),
    policy: str | Path | None = None,
    service: str | None = None,
    leak_profile: bool = True,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[str], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
    reading: Reading | None = None,
) -> Report:
    """The goroutines of one dump, or of two or three that were taken of one process in turn.

    `files` are paths (of /debug/pprof/goroutine in any form, a log with a panic or SIGQUIT, or an
    execution trace, for what lives at its end) or the URL of a service, whose trace is recorded
    into a file of the current folder that `announce` is told. Of a URL `dumps` are
    taken, `every` seconds apart: three where `older_than` is given, else one; the last is the
    goroutineleak page where the service has it, unless `leak_profile` is false. `older_than` keeps
    goroutines that waited so many seconds, or stood at the same place in dumps so far apart (which
    they may have left meanwhile), `min_count` groups of so many, and
    `by` merges groups by `creator`, `stack` or `state`; `label` counts goroutines by their labels,
    which may hold what is personal and are not shown else. `allow` are expressions over function
    names whose goroutines are no probable leaks;
    those of a `policy` are added, of its only service or of the one named `service`.
    Tables: groups, leaks where something leaks, labels where they are asked for, and changes
    between several dumps.

    Raises UsageError for an option that is wrong, SourceError where a dump cannot be had and
    FormatError where it is none.
    """
    names = [str(file) for file in files]
    if by not in BY:
        raise UsageError(f"goroutines are not grouped by {by!r}", hint=f"choose of {', '.join(BY)}")
    if not names:
        raise UsageError("no dump is named", hint="name a file, or the URL of a service")
    excuses = [
        allowing(allow, "--allow"),
        allowing(_of_policy(policy, service), "goroutines.allow"),
    ]
    count = dumps or (3 if older_than is not None else 1)
    check_count(names, count)
    reading = reading or Reading(headers, max_bytes, announce=announce)
    if is_url(names[0]):
        apart = every or max(older_than or 0, APART)
        taken = reading.service(names[0], count, apart, leaks=leak_profile, progress=progress)
    else:
        taken = reading.files(names, every)
    return _report(
        names, taken, by, older_than, min_count, lambda name: excuses[0](name) or excuses[1](name)
    )


def _of_policy(path: str | Path | None, service: str | None) -> Sequence[str]:
    """What a policy allows the service. Raises UsageError where it is not said which."""
    if path is None:
        if service is not None:
            raise UsageError("--service names one of a policy", hint="add --policy gocost.yaml")
        return ()
    from gocost.policy.loading import load

    found = load(Path(path)).only([service] if service else []).services
    if len({each.service.goroutines for each in found}) > 1:
        names = ", ".join(each.service.name for each in found)
        raise UsageError(f"{path} has {len(found)} services", hint=f"--service NAME: {names}")
    return found[0].service.goroutines.allow


def _report(
    names: Sequence[str],
    taken: Taken,
    by: str,
    older_than: float | None,
    min_count: int,
    allow: Allow,
) -> Report:
    found = taken.dumps
    last = found.dumps[-1]
    everything = group(found, older_than=older_than, vanished=True)
    groups = [each for each in everything if each.count]
    judged = judge(found, groups, allow=allow)
    table, few, fewer = group_table(judged, by=by, older_than=older_than, min_count=min_count)
    tables = {"groups": table}
    changes = {"changes": change_table(everything)} if len(found.dumps) > 1 else {}
    if leaking := leaks(judged):
        tables = {"leaks": leak_table(judged), "groups": table}
    if by == LABEL:
        counted = lasting(found, older_than) if older_than else None
        labels = label_table(last, counted, older_than=older_than, min_count=min_count)
        tables = {"labels": labels, **tables}
    notes = [Note("warning", sentence(each)) for each in leaking[:TOLD]]
    notes += [Note("warning", text) for text in (taken.lost, *_doubts(found)) if text]
    notes += [Note("info", text) for text in _excused(judged)]
    notes += [Note("info", text) for text in (*taken.notes, *_limits(found, older_than))]
    if by == LABEL and not (last.labels >= 0).any():
        notes.append(
            Note(
                "warning",
                "no goroutine of it has a label: run the service with "
                "GODEBUG=tracebacklabels=1 (Go 1.26 and later)",
            )
        )
    parked = [each.group.seeming for each in judged if each.verdict is Verdict.PARKED]
    if older_than and (seeming := sum(parked)):
        notes.append(Note("info", _seeming(seeming, older_than)))
    if fresh := sum(each.group.count - each.group.waited for each in leaking):
        notes.append(
            Note("info", f"Leaks counts all that leak, also {fresh:,} that are not known to have "
                 f"waited for {format_quantity(older_than or 0, Unit.SECONDS)}")
        )  # fmt: skip
    if older_than and (young := _young(groups, older_than)):
        notes.append(Note("info", young))
    if few:
        notes.append(
            Note("info", f"{_many(few, 'group')} of fewer than {min_count:,} "
                 f"{'is' if few == 1 else 'are'} left out (--min-count): "
                 f"{_many(fewer, 'goroutine')} in all")
        )  # fmt: skip
    subject = Subject(service=short_name(names[-1]))
    return Report(
        command="goroutines",
        gocost=VERSION,
        subject=subject,
        facts=facts(found, judged, subject, _origin([*map(shown, names)], found)),
        tables={**changes, **tables},
        notes=notes,
        assumptions=_assumptions(found),
        layout=Layout(
            title=f"{subject.service}: {_many(last.total, 'goroutine')} in "
            f"{_many(len(groups), 'group')}",
            # Of three dumps the verdicts are asked for, and growth stands with the groups.
            tables=("changes", *tables) if len(found.dumps) == 2 else tuple(tables),
            rows=ROWS,
            columns={
                "groups": ("waits_at", "created_by", "state", "count", *_told(table, found)),
                "changes": ("waits_at", "created_by", "state", "before", "after", *_moves(found)),
                "leaks": ("verdict", "count", "pattern", "waits_at", "created_by"),
            },
        ),
    )  # fmt: skip


def _seeming(count: int, older_than: float) -> str:
    time = format_quantity(older_than, Unit.SECONDS)
    return (
        f"{_many(count, 'goroutine')} stood at the same place in dumps {time} apart or more, and "
        f"may have gone on meanwhile and come back, as workers do. A trace of {time} or more "
        "tells: gocost goroutines URL/debug/pprof/trace"
    )


def _young(groups: Sequence[Group], older_than: float) -> str:
    """What of the goroutines that are counted above is not in the table; nothing where all are."""
    count = sum(each.count - each.waited for each in groups)
    whole = sum(not each.waited for each in groups)
    if not count:
        return ""
    return (
        f"{_many(count, 'goroutine')} not known to have waited for "
        f"{format_quantity(older_than, Unit.SECONDS)} {'is' if count == 1 else 'are'} left out "
        "(--older-than)" + (f", {_many(whole, 'whole group')} among them" if whole else "")
    )


def _excused(judged: Sequence[Judged]) -> Iterator[str]:
    """What grows and is no finding, by what excuses it."""
    counts: dict[str, int] = {}
    for each in judged:
        if each.excuse:
            counts[each.excuse] = counts.get(each.excuse, 0) + each.group.count
    for excuse, count in counts.items():
        yield f"{count:,} goroutines whose number grows are not judged: {excuse}"


def _told(table: Table, found: Dumps) -> list[str]:
    """The columns that say something of these goroutines, and so are worth their width."""
    names = ["growth"]
    if any(table.column("oldest_minutes")):
        names.insert(0, "oldest_minutes")
    elif found.traced is not None:
        names.insert(0, "waited")
    return [name for name in names if any(table.column(name))]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _moves(found: Dumps) -> tuple[str, ...]:
    return ("came", "left") if found.with_ids else ("growth",)


def _origin(names: Sequence[str], found: Dumps) -> str:
    forms = ", ".join(dict.fromkeys(str(dump.form) for dump in found.dumps))
    if found.traced is not None:
        return f"execution trace {names[0]}"
    if len(found.dumps) == 1:
        return f"goroutine dump {names[0]} ({forms})"
    return f"{len(found.dumps)} goroutine dumps of {', '.join(names)} ({forms})"


def _doubts(found: Dumps) -> list[str]:
    """What makes the figures less than they seem."""
    told = [dump.lost for dump in found.dumps if dump.lost]
    if found.restarted:
        told.append(f"{found.restarted}; what came and left between them cannot be told")
    elif found.with_ids:
        for before, after in zip(found.dumps, found.dumps[1:], strict=False):
            if not len(np.intersect1d(before.id, after.id)):
                told.append("the dumps have no goroutine in common: are they of one process?")
                break
            if int(before.id.max(initial=0)) > int(after.id.max(initial=0)):
                told.append(
                    "a later dump has lower goroutine numbers than an earlier one: unless the last "
                    "ones ended, they are in another order than they were taken, or the process "
                    "restarted between"
                )
                break
    elif len({(dump.form, dump.leaks) for dump in found.dumps}) > 1:
        told.append(
            "the dumps are of different forms: what changed between them cannot be told; record "
            "them all with debug=2"
        )
    return told


def _limits(found: Dumps, older_than: float | None) -> list[str]:
    """What this kind of dump cannot tell."""
    told = []
    last = found.dumps[-1]
    if found.traced is not None:
        if not found.tell_leaks:
            told.append(
                "a leak that the runtime cannot prove shows in a trace of at least "
                f"{format_quantity(2 * LEAST_INTERVAL, Unit.SECONDS)}: this one has "
                f"{format_quantity(found.traced.length_ns / 1e9, Unit.SECONDS)}"
            )
        return told
    if last.form is not Form.STACKS:
        told.append(
            f"{last.form} has neither ids nor states, waiting times or creators: record debug=2 "
            "for those"
        )
    elif older_than is not None and older_than % 60 and not (found.with_ids and found.every):
        told.append(
            f"a dump tells waiting in minutes only: what has waited from "
            f"{format_quantity(older_than, Unit.SECONDS)} to a minute is not shown. Give a URL, or "
            "several dumps and the time between them (--every)"
        )
    if (last.ancestors >= 0).any():
        told.append("who created their creators is in the column `ancestors`, in JSON, CSV and SQL")
    if len(found.dumps) < 3 and last.form is Form.STACKS:
        told.append(
            "a leak that the runtime cannot prove shows in three dumps under steady load: give a "
            "URL with --older-than, or three files"
        )
    return told


def _assumptions(found: Dumps) -> list[str]:
    if found.traced is not None:
        told = [
            "a goroutine that waited before the trace began waits for what its stack says, and was "
            "created where all others are that start in its function"
        ]
        return [*told, _STEADY] if found.tell_leaks else told
    return [_STEADY] if found.tell_leaks else []


_STEADY = (
    "the load was steady and the service warm meanwhile: a leak is probable where at least "
    f"{LEAST_ARRIVALS} goroutines of a group arrive in each interval and so few leave that chance "
    "explains it in less than 1% of reports"
)
