"""The whole gate: load, plan, build, measure, price, judge; a Report comes out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import msgspec

from gocost._version import VERSION
from gocost.cost.price_book import PriceBook, load_prices
from gocost.cost.pricing import Bill, Pricing, inputs
from gocost.gate.base import AbsentError, BaseSide, base_side
from gocost.gate.build import Artifact, build_service, comparable_already, prepare
from gocost.gate.changes import changes_between, cost_change
from gocost.gate.measuring import Findings, failure, load_measures, run_steps
from gocost.gate.places import with_places
from gocost.gate.plan import Plan, Step, here, needs_binary, plan, wanted_metrics
from gocost.measures.interface import Context, Need, Target
from gocost.model.catalogue import all_metrics
from gocost.model.errors import GocostError
from gocost.model.fact import Fact
from gocost.model.finding import Finding, Severity
from gocost.model.quantity import Unit
from gocost.model.report import Change, Layout, Note, Report, Series, Table
from gocost.model.service import Service
from gocost.model.subject import Subject
from gocost.policy.baseline import Baseline, saved
from gocost.policy.evaluation import Evidence, Judge
from gocost.policy.loading import Governed, Policy, shown
from gocost.policy.rules import Rule
from gocost.sources.cache import cache_directory
from gocost.sources.ci import in_ci
from gocost.sources.files import is_file, read_bounded
from gocost.sources.git import Repository, repository_of

SAVED_MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the gate."""

    policy: Policy
    base: str | None = None
    """A git ref, or a saved report's file."""
    offline: bool = False
    rebuild: bool = False
    today: date = field(default_factory=date.today)
    progress: Callable[[str], None] = lambda _: None


@dataclass(slots=True)
class Checked:
    """One service's part of the report."""

    subject: Subject
    facts: list[Fact] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)


def check(request: Request) -> Report:
    """Measure and judge every service of the policy. Raises GocostError where nothing can be."""
    policy = request.policy
    prices = load_prices(policy.prices)
    with ExitStack() as stack:
        for governed in policy.services:
            _check_package(governed)
            _check_currency(governed, prices)
        gate = _Gate(request, prices, stack)
        parts = [gate.service(governed) for governed in policy.services]
        return _report(request, parts, gate.notes)


class _Gate:
    """What the services of one check share: the base, the folders, the cache."""

    def __init__(self, request: Request, prices: PriceBook, stack: ExitStack) -> None:
        self.request = request
        self.prices = prices
        self.stack = stack
        self.notes: list[Note] = []
        self.context = Context(
            cache=cache_directory(),
            offline=request.offline,
            rebuild=request.rebuild,
            progress=request.progress,
        )
        self.saved: dict[str, Baseline] | None = None
        self.side: BaseSide | None = None
        self._find_base()
        self.repository = self.side.repository if self.side else self._repository()
        self.commit = self._commit()
        self.around = here(offline=request.offline, base=self.side is not None)

    def service(self, governed: Governed) -> Checked:
        """Build, measure, price and judge one service."""
        governed = replace(governed, rules=tuple(map(_softened, governed.rules)))
        if self.request.offline:
            governed = replace(governed, service=_offline(governed.service))
        service = governed.service
        subject = Subject(service=service.name, commit=self.commit)
        result = Checked(subject)
        planned = plan(self._metrics(governed), service, self.around)
        found, comparable, baseline = self._measured(governed, planned, subject, result)
        pricing = Pricing(self.prices, service.deployment)
        bill = pricing.bill(found.facts, subject)
        facts = [*found.facts, *bill.facts]
        evidence = Evidence(
            subject=subject,
            facts=facts,
            changes=[*found.changes, *self._cost_changes(pricing, found, bill)],
            unknown={**planned.unknown, **found.unknown},
            skipped={**planned.skipped, **found.skipped, **(bill.skipped or {})},
            baseline=self._with_cost(baseline, pricing),
            comparable=None if comparable is None else [*comparable, *_costs(pricing, comparable)],
        )
        judge = Judge(
            evidence, self.request.today, governed.waivers, pricing.of, self.prices.currency
        )
        result.findings = with_places(
            judge.findings(governed.rules), found.tables, Path(service.directory)
        )
        result.facts = facts
        result.changes = changes_between(evidence, pricing)
        result.tables = dict(found.tables)
        if bill.table is not None:
            result.tables = {"costs": bill.table, **result.tables}
        result.series = found.series
        result.notes += [*found.notes, *_unsaid(governed, result.findings, baseline)]
        result.assumptions += [*found.assumptions, *bill.assumptions]
        result.ran = found.ran
        return result

    def _metrics(self, governed: Governed) -> frozenset[str]:
        named = wanted_metrics(governed.rules)
        if "binary.size" in named and (self.side is not None or self.saved is not None):
            # Whoever asks what grew wants to know whose it is.
            named |= {"binary.module.size", "binary.kind.size"}
        return named | {each for metric in named for each in inputs(metric)}

    def _measured(
        self, governed: Governed, planned: Plan, subject: Subject, result: Checked
    ) -> tuple[Findings, list[Fact] | None, Baseline | None]:
        """Head's findings, its comparable facts where those differ, and the baseline."""
        service = governed.service
        directory = Path(service.directory)
        baseline = self.saved.get(service.name) if self.saved is not None else None
        if self.saved is not None and baseline is None:
            why = f"{self.request.base} has no service {service.name}"
            baseline = Baseline(str(self.request.base), skipped={"*": why})
        target = Target(service, directory, subject=subject)
        try:
            if needs_binary(planned.steps):
                target = self._built(target, lambda: load_measures(planned.steps))
            elif planned.steps:
                prepare(service, directory, progress=self.request.progress)
        except GocostError as error:
            result.notes.append(failure(error))
            return _all_unknown(planned, error), None, baseline
        exact = [step for step in planned.steps if not step.spec.interleaves]
        both = [step for step in planned.steps if step.spec.interleaves]
        progress = self.request.progress
        found = run_steps(exact, target, self.context, progress=progress)
        comparable: list[Fact] | None = None
        if self.side is not None:
            head = target
            if target.binary is not None and not comparable_already(service.build):
                head, comparable = self._comparable(target, exact, found, result)
            baseline = self.side.baseline(service, exact)
            baseline = self._interleaved(both, head, found, baseline)
        else:
            _join(found, run_steps(both, target, self.context, progress=progress))
        return found, comparable, baseline

    def _built(
        self,
        target: Target,
        meanwhile: Callable[[], None] | None = None,
        *,
        comparable: bool = False,
    ) -> Target:
        folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="gocost-"))
        artifact: Artifact = build_service(
            target.service,
            target.directory,
            Path(folder),
            comparable=comparable,
            progress=self.request.progress,
            meanwhile=meanwhile,
        )
        return Target(
            target.service, target.directory, artifact.path, target.subject, artifact.seconds
        )

    def _comparable(
        self, target: Target, exact: Sequence[Step], found: Findings, result: Checked
    ) -> tuple[Target, list[Fact] | None]:
        """Head built as the base is built, and its exact facts."""
        if target.service.build.binary:
            return target, None
        try:
            head = self._built(target, comparable=True)
        except GocostError as error:
            result.notes.append(failure(error))
            return target, None
        # What does not look at the executable is the same for both, and building twice to see
        # whether it is reproducible is for the real one.
        built = [step for step in exact if Need.BINARY in step.spec.needs]
        context = replace(self.context, rebuild=False)
        again = run_steps(built, head, context, progress=self.request.progress)
        shared = [fact for fact in found.facts if not any(s.spec.takes(fact.metric) for s in built)]
        return head, [*again.facts, *shared]

    def _interleaved(
        self, steps: Sequence[Step], head: Target, found: Findings, baseline: Baseline
    ) -> Baseline:
        """Measures that run base and head in turn; on head alone where there is no base to run.

        Returns the baseline, with the reason why those metrics are not compared where they are not.
        """
        for step in steps:
            base, baseline = self._base_for(step, head.service, baseline)
            _join(
                found,
                run_steps([step], head, self.context, base=base, progress=self.request.progress),
            )
        return baseline

    def _base_for(
        self, step: Step, service: Service, baseline: Baseline
    ) -> tuple[Target | None, Baseline]:
        """What the step is to run at the base, or the baseline with the reason why it cannot."""
        assert self.side is not None
        metrics = sorted(step.metrics)
        try:
            return self.side.target(service, built=needs_binary([step])), baseline
        except AbsentError as error:
            skipped = {**baseline.skipped, **dict.fromkeys(metrics, error.message)}
            return None, replace(baseline, skipped=skipped)
        except GocostError as error:
            why = f"the base {self.side.name} could not be measured: {error}"
            unknown = {**baseline.unknown, **dict.fromkeys(metrics, why)}
            return None, replace(baseline, unknown=unknown)

    def _cost_changes(self, pricing: Pricing, found: Findings, bill: Bill) -> list[Change]:
        return cost_change(pricing, found.facts, found.changes, bill)

    def _with_cost(self, baseline: Baseline | None, pricing: Pricing) -> Baseline | None:
        if baseline is None or not baseline.facts:
            return baseline
        facts = [fact for fact in baseline.facts if not fact.metric.startswith("cost.")]
        return Baseline(
            baseline.name,
            [*facts, *_costs(pricing, facts)],
            baseline.unknown,
            baseline.skipped,
            baseline.commit,
        )

    def _find_base(self) -> None:
        base, directory = self.request.base, self.request.policy.directory
        if base is None:
            return
        path = Path(base)
        if is_file(path) and (path.suffix == ".json" or not self._is_ref(base)):
            self.saved = saved(read_bounded(path, SAVED_MAX_BYTES), base)
            self.notes.append(
                Note("info", f"compared with {base}: files as built there, exact figures only")
            )
            return
        self.side = base_side(base, directory, self.stack, self.context, self.request.progress)
        if self.side.repository.dirty():
            self.notes.append(
                Note("info", "head is the working tree, with changes that are not committed")
            )

    def _is_ref(self, name: str) -> bool:
        """Whether git knows `name`: `go build` leaves files that are named like branches."""
        repository = self._repository()
        try:
            return repository is not None and bool(repository.commit(name))
        except GocostError:
            return False

    def _repository(self) -> Repository | None:
        try:
            return repository_of(self.request.policy.directory)
        except GocostError:
            return None  # no git here; then there is no commit to name

    def _commit(self) -> str:
        try:
            return self.repository.head() if self.repository is not None else ""
        except GocostError:
            return ""  # a repository without a commit


def _check_package(governed: Governed) -> None:
    """Raises PolicyError where a service's package is a folder that is not there."""
    service = governed.service
    if service.build.binary or service.build.command or not service.package.startswith("."):
        return
    if not (Path(service.directory) / service.package).is_dir():
        raise governed.place.error(
            f"{service.name}: there is no folder {service.package}",
            hint="correct `package:`; it is relative to the policy's folder",
        )


def _check_currency(governed: Governed, prices: PriceBook) -> None:
    """Raises PolicyError for a limit in another currency than the price book's."""
    for rule in governed.rules:
        if rule.metric.unit not in (Unit.MONEY, Unit.MONEY_PER_MONTH):
            continue
        for kind, limit in rule.limits.items():
            if not limit.relative and prices.currency not in limit.text:
                raise rule.places[kind].error(
                    f"{limit.text} is not in {prices.currency}, the currency of {prices.name}",
                    hint=f"write it in {prices.currency}, or name another price book",
                )


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


def _all_unknown(planned: Plan, error: GocostError) -> Findings:
    found = Findings()
    for step in planned.steps:
        found.unknown |= dict.fromkeys(sorted(step.metrics), error.message)
    return found


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


def _join(found: Findings, more: Findings) -> None:
    found.facts += more.facts
    found.tables |= more.tables
    found.series += more.series
    found.changes += more.changes
    found.notes += more.notes
    found.assumptions += more.assumptions
    found.unknown |= more.unknown
    found.skipped |= more.skipped
    found.ran += more.ran


def _report(request: Request, parts: Sequence[Checked], notes: Sequence[Note]) -> Report:
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


def _shown_facts(parts: Sequence[Checked]) -> tuple[str, ...]:
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
