"""The whole gate: load, plan, build, measure, price, judge; a Report comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from gocost._version import VERSION
from gocost.cost.price_book import PriceBook, load_prices
from gocost.cost.pricing import Pricing, inputs
from gocost.gate.base import base_side
from gocost.gate.changes import changes_between, cost_change
from gocost.gate.places import with_places
from gocost.gate.plan import RECORDED, here, plan, unread, wanted_metrics
from gocost.gate.sides import Measuring
from gocost.measures.interface import Context, Need
from gocost.model.catalogue import all_metrics
from gocost.model.errors import GocostError, UsageError
from gocost.model.fact import Fact
from gocost.model.finding import Finding, Severity
from gocost.model.report import Layout, Note, Report
from gocost.model.service import Service
from gocost.model.subject import Subject
from gocost.policy.around import check_around
from gocost.policy.baseline import MAX_BYTES, Baseline, saved
from gocost.policy.evaluation import Evidence, Judge
from gocost.policy.loading import Governed, Policy, shown
from gocost.policy.rules import Rule
from gocost.sources.cache import cache_directory
from gocost.sources.ci import in_ci
from gocost.sources.files import is_file, read_bounded
from gocost.sources.git import repository_of

REPRODUCIBLE: Final = "build.reproducible"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the gate."""

    policy: Policy
    base: str | None = None
    """A git ref, or a saved report's file."""
    offline: bool = False
    rebuild: bool = False
    profiles: tuple[str, ...] = ()
    """CPU profiles that were recorded of the services."""
    trace: str | None = None
    """An execution trace that was."""
    dumps: tuple[str, ...] = ()
    """Goroutine dumps that were taken of them."""
    pages: tuple[str, ...] = ()
    """Pages of their runtime that were taken, or gctrace logs."""
    headers: Mapping[str, str] | None = None
    """What services that are read by URL ask for."""
    max_bytes: int | None = None
    """The most that is read of one recording."""
    today: date = field(default_factory=date.today)
    rules: tuple[str, ...] = ()
    """Globs over rules' ids: only those are judged; empty for all."""
    progress: Callable[[str], None] = lambda _: None
    announce: Callable[[str], None] = lambda _: None


def check(request: Request) -> Report:
    """Measure and judge every service of the policy. Raises GocostError where nothing can be."""
    prices = load_prices(request.policy.prices)
    check_around(request.policy, prices)
    narrowed = request.policy.judging(request.rules)
    left_out = sum(len(each.rules) for each in request.policy.services)
    request = replace(request, policy=narrowed)
    left_out -= sum(len(each.rules) for each in narrowed.services)
    with ExitStack() as stack:
        measuring, notes = _measuring(request, stack)
        commit = _commit(request.policy.directory)
        parts = [
            _service(_as_asked(governed, request), commit, request, measuring, prices)
            for governed in request.policy.services
        ]
        notes = [*notes, *_unread(request, measuring)]
        if left_out:
            were = "1 rule was" if left_out == 1 else f"{left_out} rules were"
            notes = [*notes, Note("info", f"{were} left out, as --rule asks")]
        return _joined(request, parts, notes)


def _measuring(request: Request, stack: ExitStack) -> tuple[Measuring, list[Note]]:
    """What to measure with and against, and what to say of it."""
    base, directory = request.base, request.policy.directory
    context = Context(
        cache=cache_directory(),
        offline=request.offline,
        rebuild=request.rebuild,
        profiles=request.profiles,
        trace=request.trace,
        dumps=request.dumps,
        pages=request.pages,
        headers=request.headers,
        max_bytes=request.max_bytes,
        progress=request.progress,
        announce=request.announce,
    )
    if base is None:
        return Measuring(context, stack), []
    path = Path(base)
    # `go build` leaves files that are named like branches.
    if is_file(path) and (path.suffix == ".json" or not _is_ref(directory, base)):
        baselines = saved(read_bounded(path, MAX_BYTES), base)
        said = f"compared with {base}: files as built there, exact figures only"
        return Measuring(context, stack, saved=baselines, saved_as=base), [Note("info", said)]
    if path.suffix == ".json" and not _is_ref(directory, base):
        raise UsageError(
            f"there is no file {base}", hint=f"make it with `gocost check --save {base}`"
        )
    side = base_side(base, directory, stack, context)
    dirty = Note("info", "head is the working tree, with changes that are not committed")
    return Measuring(context, stack, side), [dirty] if side.repository.dirty() else []


def _recorded(request: Request) -> frozenset[Need]:
    """What was recorded and given with the command."""
    given = {
        Need.PROFILE: request.profiles,
        Need.TRACE: request.trace,
        Need.DUMPS: request.dumps,
        Need.PAGES: request.pages,
    }
    return frozenset(need for need, what in given.items() if what)


def _service(
    governed: Governed,
    commit: str,
    request: Request,
    measuring: Measuring,
    prices: PriceBook,
) -> Report:
    """Build, measure, price and judge one service: its part of the report."""
    service = governed.service
    subject = Subject(service=service.name, commit=commit)
    around = here(
        offline=request.offline,
        base=measuring.base is not None,
        recorded=_recorded(request),
    )
    planned = plan(_metrics(governed, request, measuring), service, around)
    sides = measuring.sides(planned, service, subject)
    found, comparable = sides.found, sides.comparable
    pricing = Pricing(prices, service.deployment)
    bill = pricing.bill(found.facts, subject)
    evidence = Evidence(
        subject=subject,
        facts=[*found.facts, *bill.facts],
        changes=[*found.changes, *cost_change(pricing, found.facts, found.changes, bill)],
        unknown={**planned.unknown, **found.unknown},
        skipped={**planned.skipped, **found.skipped, **(bill.skipped or {})},
        causes=found.causes,
        baseline=_with_cost(sides.baseline, pricing),
        comparable=None if comparable is None else [*comparable, *_costs(pricing, comparable)],
    )
    judge = Judge(evidence, request.today, governed.waivers, pricing.of, prices.currency)
    findings = with_places(judge.findings(governed.rules), found.tables, Path(service.directory))
    return Report(
        command="check",
        gocost=VERSION,
        subject=subject,
        facts=list(evidence.facts),
        tables=({} if bill.table is None else {"costs": bill.table}) | found.tables,
        series=found.series,
        changes=changes_between(evidence, pricing),
        findings=findings,
        notes=[
            *found.notes,
            *_unsaid(governed, findings, sides.baseline),
            *(_rebuilt(service, findings, evidence) if request.rebuild else ()),
        ],
        assumptions=[*found.assumptions, *bill.assumptions],
    )


def _unread(request: Request, measuring: Measuring) -> list[Note]:
    """What was given and no rule is on: whoever gave it may think that it was judged."""
    wanted = {
        metric
        for governed in request.policy.services
        for metric in _metrics(governed, request, measuring)
    }
    return [
        Note("warning", f"{RECORDED[need][1]} was not read: no rule is on what it tells; "
             "`gocost explain` lists the metrics")
        for need in unread(wanted, _recorded(request))
    ]  # fmt: skip


def _metrics(governed: Governed, request: Request, measuring: Measuring) -> frozenset[str]:
    """What the rules name and the command asks for, and what that follows from."""
    compared = measuring.base is not None or measuring.saved is not None
    named = wanted_metrics(governed.rules)
    if request.rebuild:
        named |= {REPRODUCIBLE}
    if "binary.size" in named and compared:
        # Whoever asks what grew wants to know whose it is.
        named |= {"binary.module.size", "binary.kind.size"}
    return named | {each for metric in named for each in inputs(metric)}


def _with_cost(baseline: Baseline | None, pricing: Pricing) -> Baseline | None:
    """The baseline with what it costs at the same prices as the head."""
    if baseline is None or not baseline.facts:
        return baseline
    facts = [fact for fact in baseline.facts if not fact.metric.startswith("cost.")]
    return replace(baseline, facts=[*facts, *_costs(pricing, facts)])


def _is_ref(directory: Path, name: str) -> bool:
    try:
        repository = repository_of(directory)
        return repository is not None and bool(repository.commit(name))
    except GocostError:
        return False


def _commit(directory: Path) -> str:
    """The commit that is checked, empty where there is none: no git, no repository, no commit."""
    try:
        repository = repository_of(directory)
        return repository.head() if repository is not None else ""
    except GocostError:
        return ""


def _as_asked(governed: Governed, request: Request) -> Governed:
    """The service and its rules as this run has them: outside of CI, or offline."""
    service = _offline(governed.service) if request.offline else governed.service
    return replace(governed, service=service, rules=tuple(map(_softened, governed.rules)))


def _softened(rule: Rule) -> Rule:
    """A tree with changes is how a developer works and no way to ship: an error in CI only."""
    if rule.metric.id != "build.vcs.clean" or rule.severity is not Severity.ERROR or in_ci():
        return rule
    return replace(rule, severity=Severity.WARNING)


def _offline(service: Service) -> Service:
    """The service with a build that fetches neither modules nor toolchains."""
    env = {**service.build.env, "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    build = msgspec.structs.replace(service.build, env=env)
    return msgspec.structs.replace(service, build=build)


def _costs(pricing: Pricing, facts: Sequence[Fact]) -> list[Fact]:
    """The exact cost facts that follow from exact facts."""
    metrics = all_metrics()
    return [fact for fact in pricing.bill(facts, Subject()).facts if metrics[fact.metric].exact]


def _unsaid(
    governed: Governed, findings: Sequence[Finding], baseline: Baseline | None
) -> list[Note]:
    """What no finding tells: that no rule acts here, and that there was nothing to compare with."""
    notes = []
    if not findings:
        name = governed.service.name
        text = f"{name}: no rule of the policy acts in a check, so nothing was measured"
        notes.append(Note("warning", f"{text}; add `rules:`, or `presets: [standard]`"))
    if baseline is not None:
        told = {finding.reason for finding in findings}
        for level, reasons in (("warning", baseline.unknown), ("info", baseline.skipped)):
            why = reasons.get("*", "")
            if why and why not in told:
                notes.append(Note(level, f"nothing is compared: {why}"))
    return notes


def _rebuilt(service: Service, findings: Sequence[Finding], evidence: Evidence) -> list[Note]:
    """What came of --rebuild, where no rule tells it."""
    if any(finding.metric == REPRODUCIBLE for finding in findings):
        return []
    same = next((fact.value for fact in evidence.facts if fact.metric == REPRODUCIBLE), None)
    if same is None:
        why = {**evidence.skipped, **evidence.unknown}.get(REPRODUCIBLE, "it was not built")
        return [Note("warning", f"{service.name}: whether it is reproducible is not known: {why}")]
    # Where the two differ, the measure says in what.
    text = f"{service.name}: reproducible, two builds gave the same bytes"
    return [Note("info", text)] if same else []


def _joined(request: Request, parts: Sequence[Report], notes: Sequence[Note]) -> Report:
    many = len(parts) > 1
    tables = {
        f"{part.subject.service}.{name}" if many else name: table
        for part in parts
        for name, table in part.tables.items()
    }
    costs = tuple(name for name in tables if name == "costs" or name.endswith(".costs"))
    return Report(
        command="check",
        gocost=VERSION,
        subject=parts[0].subject if not many and parts else Subject(),
        facts=[fact for part in parts for fact in part.facts],
        tables=tables,
        series=[series for part in parts for series in part.series],
        changes=[change for part in parts for change in part.changes],
        findings=[finding for part in parts for finding in part.findings],
        notes=[*notes, *(note for part in parts for note in part.notes)],
        assumptions=list(dict.fromkeys(text for part in parts for text in part.assumptions)),
        layout=Layout(title=_title(request), tables=costs, facts=_shown_facts(parts)),
    )


def _title(request: Request) -> str:
    against = f" against {request.base}" if request.base else ""
    return f"{shown(request.policy.path)}{against}"


def _shown_facts(parts: Sequence[Report]) -> tuple[str, ...]:
    """Totals; what has labels is in tables, and what a rule names is in its finding."""
    judged = {finding.metric for part in parts for finding in part.findings}
    billed = any("costs" in part.tables for part in parts)
    return tuple(
        dict.fromkeys(
            fact.metric
            for part in parts
            for fact in part.facts
            if not fact.labels
            and fact.metric not in judged
            and not (billed and fact.metric.startswith("cost."))
        )
    )
