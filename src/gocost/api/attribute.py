"""`gocost.attribute`: one bill of what a service uses, by function, package, team, in money."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gocost._version import VERSION
from gocost.analyses.attribution.bill import Bill, bill
from gocost.analyses.attribution.clocks import clock_table
from gocost.analyses.attribution.keys import OBSERVER, Keying, no_label
from gocost.analyses.attribution.processor import is_collection
from gocost.analyses.attribution.tables import CPU, Requests, facts, first_column, tables
from gocost.analyses.flame import cut, flame_table
from gocost.analyses.size.packages import UNKNOWN_MODULE, WITHOUT_PROGRAM
from gocost.analyses.trace.spans import outermost_tasks
from gocost.api._governed import governed as governed_by
from gocost.cost.attributed import Priced, Use, cpu_money, priced
from gocost.cost.attributed_changes import Changed, changed, comparable
from gocost.cost.price_book import PriceBook
from gocost.formats.buildinfo import BuildInfo
from gocost.formats.pprof.deflate import MAX_BYTES
from gocost.formats.pprof.profile import Int64s
from gocost.measures.attribution import Files, Gathered, folder_files, gather
from gocost.measures.manifest import Manifest
from gocost.measures.profiles import Reading
from gocost.model.errors import NotMeasurableError, UsageError
from gocost.model.quantity import SECONDS_PER_MONTH, Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Table
from gocost.model.service import Deployment, Service
from gocost.model.subject import Subject
from gocost.sources.naming import (
    Named,
    check_named_once,
    is_url,
    listed,
    names_of,
    short_name,
    shown_url,
)
from gocost.sources.saved_reports import read_report

ROWS: Final = 15
"""Rows of a table that a person sees."""
SHOWN: Final = {
    "bill": ("month", "cpu", "gc", "gc_even", "memory", "share"),
    "cpu": ("cpu", "share", "low", "high", "own", "runtime", "gc", "gc_even"),
    "clocks": ("after", "length", "error", "within", "known_by"),
    "memory": ("memory", "share", "live", "headroom", "stacks", "rest"),
}
TASKS: Final = ("cpu", "share", "own", "gc", "gc_even")
"""The columns of CPU by task, which is measured and not sampled."""


def attribute(
    folder: str | Path | None = None,
    *,
    profiles: Named | Sequence[Named] = (),
    trace: Named | None = None,
    goroutines: Named | None = None,
    metrics: Named | Sequence[Named] = (),
    by: str = "function",
    policy: Named | None = None,
    service: str | None = None,
    binary: Named | None = None,
    codeowners: Named | None = None,
    base: Named | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    flame: bool = False,
    announce: Callable[[str], None] = lambda _: None,
) -> Report:
    """Shares CPU, memory, waiting and goroutines of a service out, and prices them.

    `folder` is what `gocost.record` or `gocost attribute --live` wrote; or else files are named:
    `profiles` of any kind (two of a cumulative kind make a difference), a `trace`, a dump of
    `goroutines`, pages of `metrics`: paths, URLs, and one of them `-`. `by` is function, package,
    module, owner, `label:KEY`, or task (runtime/trace.NewTask).
    `policy` gives prices and the deployment of `service`; `binary` the modules' versions;
    `codeowners` the owners; `base` is a saved report of this command to compare with. `flame` adds
    the CPU's stacks in money, which HTML draws. The trace of a URL is recorded into a file of the
    current folder while the profiles are; `announce` is told which.
    Tables: bill, cpu, memory, waiting, goroutines, clocks, and with a base changes.

    Raises UsageError for what cannot be asked, SourceError where a file cannot be read and
    FormatError where it is of another kind.
    """
    files, manifest = _files(folder, profiles, trace, goroutines, metrics)
    asked = ask(
        by=by, policy=policy, service=service, binary=binary, codeowners=codeowners, base=base
    )
    keying, governed, book = asked.keying, asked.governed, asked.book
    reading = Reading(headers=headers, max_bytes=max_bytes)
    if keying.task and files.trace is None:
        raise UsageError("tasks are of a trace, and there is none", hint="add --trace FILE")
    gathered = gather(files, reading, manifest, tasks=keying.task, announce=announce)
    found = bill(gathered.evidence, keying)
    notes = [*asked.notes, *_unlabelled(keying, found, gathered)]
    if by == "module" and binary is None and UNKNOWN_MODULE in found.names:
        notes.append(WITHOUT_PROGRAM)
    subject = Subject(service=_named(governed, folder, files, manifest))
    deployment = governed.deployment if governed is not None else None
    made = tables(by, found, requests=_requests(deployment, gathered))
    if made and gathered.spans:
        made["clocks"] = clock_table(gathered.spans)
    money = priced(
        _use(found, gathered),
        first_column(by),
        book,
        deployment,
        subject,
    )
    if flame and (drawn := _flame(found, gathered, book, deployment)) is not None:
        made["stacks"] = drawn
    against = None
    if asked.base is not None:
        against = _against(asked.base, str(base), money, by)
        made = {"changes": against.table, **made}
    return _report(by, found, gathered, made, money, subject, files, notes, against)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a bill is to be, all that rests on no recording."""

    keying: Keying
    notes: tuple[str, ...]
    governed: Service | None
    book: PriceBook
    base: Report | None


def ask(
    *,
    by: str = "function",
    policy: Named | None = None,
    service: str | None = None,
    binary: Named | None = None,
    codeowners: Named | None = None,
    base: Named | None = None,
) -> Asked:
    """Reads what `attribute` needs besides the recording, so that a mistake is said before one.

    Raises UsageError, PolicyError, SourceError and FormatError.
    """
    keying, notes = _keying(by, _build_info(binary), codeowners)
    found = governed_by(policy, service)
    before = None
    if base is not None:
        hint = "save one with `gocost attribute ... --format json -o REPORT.json`"
        before = read_report(Path(base), hint=hint)
        comparable(first_column(by), before, str(base))
    return Asked(keying, tuple(notes), found.service, found.book, before)


def _files(
    folder: str | Path | None,
    profiles: Named | Sequence[Named],
    trace: Named | None,
    goroutines: Named | None,
    metrics: Named | Sequence[Named],
) -> tuple[Files, Manifest | None]:
    named = Files(names_of(profiles), _name(trace), _name(goroutines), names_of(metrics))
    check_named_once([*named.profiles, named.trace, named.goroutines, *named.metrics])
    if folder is None:
        if named == Files():
            raise UsageError(
                "nothing is named to make a bill of",
                hint="name a recorded folder, --profile FILE, or --live URL",
            )
        return named, None
    if named != Files():
        raise UsageError(
            "a recorded folder and single files exclude each other",
            hint="name the one or the other",
        )
    return folder_files(Path(folder))


def _name(file: Named | None) -> str | None:
    return None if file is None else str(file)


def _keying(
    by: str, info: BuildInfo | None, codeowners: Named | None
) -> tuple[Keying, Sequence[str]]:
    """What rows are, and what is to be said of the file of owners."""
    if by != "owner":
        if codeowners is not None:
            raise UsageError("--codeowners is for --by owner", hint="add --by owner")
        return Keying(by, info), ()
    from gocost.measures.ownership import repository

    found, passed_over = repository(Path(), Path(codeowners) if codeowners else None, info)
    return Keying(by, info, found), passed_over


def _unlabelled(keying: Keying, found: Bill, gathered: Gathered) -> list[str]:
    """What to say where no sample has the label that rows are of."""
    cpu, tasks = gathered.evidence.cpu, gathered.evidence.tasks
    if keying.task and tasks is not None and len(tasks.names) == 1:
        return ["no task is in the trace: begin them with runtime/trace.NewTask"]
    if not keying.label:
        return []
    spent = found.cpu.whole().tolist() if found.cpu is not None else []
    charged = {name for name, amount in zip(found.names, spent, strict=False) if amount}
    if charged - {no_label(keying.label), OBSERVER}:
        return []
    if cpu is None:
        return [f"labels are of CPU profiles, and there is none: nothing is by {keying.label}"]
    keys = sorted({cpu.strings[key] for key in cpu.labels.key.tolist()})
    there = f"it has {', '.join(keys)}" if keys else "it has none; label work with pprof.Do"
    return [f"no sample of the CPU profile has the label {keying.label} ({there})"]


def _build_info(binary: Named | None) -> BuildInfo | None:
    if binary is None:
        return None
    from gocost.measures.binary import opened

    with opened(Path(binary)) as image:
        return image.info


def _flame(
    found: Bill, gathered: Gathered, book: PriceBook, deployment: Deployment | None
) -> Table | None:
    """The CPU's stacks with what each costs a month."""
    grown = found.tree()
    if grown is None:
        return None
    tree, _ = cut(grown)
    money = None
    if gathered.seconds is not None:
        money = cpu_money(tree.own.tolist(), gathered.seconds, book, deployment)
    return flame_table(
        tree,
        title="CPU by stack, in money a month",
        level="function",
        unit=Unit.NANOSECONDS,
        told="CPU time",
        sums_to=CPU,
        money=money,
    )


def _against(before: Report, origin: str, money: Priced, by: str) -> Changed:
    """What changed since a saved report of this command. Raises UsageError."""
    if money.table is None:
        raise UsageError(
            "there is no bill to compare: neither CPU in a window nor memory is known",
            hint="record a CPU or a heap profile",
        )
    return changed(first_column(by), money.table, before, origin)


def _use(found: Bill, gathered: Gathered) -> Use:
    cpu: dict[str, int] = {}
    collector: dict[str, int] = {}
    even: dict[str, int] = {}
    names = found.names
    if found.cpu is not None:
        others, others_even = (
            {name: value for name, value in rows.items() if is_collection(name)}
            for rows in (found.cpu.others, found.cpu.others_even)
        )
        cpu = _together(names, found.cpu.whole(), found.cpu.others)
        collector = _together(names, found.cpu.collector, others)
        even = _together(names, found.cpu.collector_even, others_even)
    memory: dict[str, int] = {}
    if found.memory is not None:
        memory = _together(names, found.memory.whole(), found.memory.others)
    return Use(cpu, collector, even, gathered.seconds, memory)


def _together(names: Sequence[str], amounts: Int64s, others: Mapping[str, int]) -> dict[str, int]:
    """Amounts by row; a label or a function may be named as one of nobody's rows."""
    rows = dict(zip(names, amounts.tolist(), strict=True))
    for name, value in others.items():
        rows[name] = rows.get(name, 0) + value
    return rows


def _requests(deployment: Deployment | None, gathered: Gathered) -> Requests | None:
    """How many requests the trace's window had: the program's own tasks, or else what one instance
    has by the deployment's month.
    """
    trace = gathered.evidence.trace
    if trace is None:
        return None
    if tasks := outermost_tasks(trace):
        return Requests(tasks, f"of the {tasks:,} tasks without a parent that began in the trace")
    if deployment is None or not deployment.requests_per_month:
        return None
    each = float(deployment.requests_per_month) / deployment.replicas
    count = each / SECONDS_PER_MONTH * ((trace.end - trace.start) / 1e9)
    return Requests(count, "if the load that was recorded is the month's")


def _named(
    governed: Service | None, folder: str | Path | None, files: Files, manifest: Manifest | None
) -> str:
    if governed is not None:
        return governed.name
    if manifest is not None:
        return urlsplit(shown_url(manifest.url)).netloc or str(folder)
    first = next((each for each in (*files.profiles, files.trace) if each), "")
    return urlsplit(shown_url(first)).netloc if is_url(first) else short_name(first)


def _report(
    by: str,
    found: Bill,
    gathered: Gathered,
    made: dict[str, Table],
    money: Priced,
    subject: Subject,
    files: Files,
    notes: Sequence[str],
    against: Changed | None,
) -> Report:
    if money.table is not None:
        made = {"bill": money.table, **made}
    if not made:
        # Of a recording that lost everything the first loss is the reason.
        why = next((f": {text}" for text in gathered.notes), "")
        raise NotMeasurableError(
            f"there is nothing to bill in these files{why}",
            hint="record a CPU or a heap profile while the service has work",
        )
    named = [*files.profiles, *filter(None, (files.trace, files.goroutines))]
    origin = listed(named)
    return Report(
        command="attribute",
        gocost=VERSION,
        subject=subject,
        facts=[*money.facts, *facts(found, gathered.seconds, subject, origin)],
        tables=made,
        changes=[against.change] if against is not None else [],
        notes=[Note("warning", text) for text in (*notes, *gathered.notes)],
        assumptions=[*money.assumptions, *gathered.assumptions, *_of_stacks(found)],
        layout=Layout(
            title=_title(subject.service, found, gathered),
            facts=(),
            rows=ROWS,
            flames=("stacks",) if "stacks" in made else (),
            above=("bill",),
            columns={
                name: (
                    made[name].names()[0],
                    *(TASKS if name == "cpu" and by == "task" else columns),
                )
                for name, columns in SHOWN.items()
                if name in made
            },
        ),
    )


def _of_stacks(found: Bill) -> list[str]:
    """What the stacks of the goroutines' creators rest on."""
    if found.goroutines is None or found.memory is None or not found.memory.stacks.any():
        return []
    count, held = int(found.goroutines.sum()), int(found.memory.stacks.sum())
    return [
        f"each of {count:,} goroutines is taken to hold an equal part of the "
        f"{format_quantity(held, Unit.BYTES)} of stacks, kept ones and the scheduler's included: "
        "Go does not tell how large one's stack is"
    ]


def _title(service: str, found: Bill, gathered: Gathered) -> str:
    told = []
    if found.cpu is not None:
        used = format_quantity(found.cpu.total, Unit.NANOSECONDS)
        if gathered.seconds is not None:
            told.append(f"{used} of CPU in {format_quantity(gathered.seconds, Unit.SECONDS)}")
        else:
            told.append(f"{used} of CPU")
    if found.memory is not None:
        told.append(f"{format_quantity(found.memory.total, Unit.BYTES)} of memory")
    return f"{service}: {', '.join(told)}" if told else service
