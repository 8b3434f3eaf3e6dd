"""Head and base of one service, measured: what a check judges.

Head is built as its policy says, and where growth is judged once more in the form that the base is
built in. What is exact is measured on each side by itself, what is sampled on both in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from gocost.gate.base import AbsentError, BaseSide
from gocost.gate.build import build_service, comparable_already, prepare
from gocost.gate.measuring import Findings, failure, load_measures, run_steps
from gocost.gate.plan import Plan, Step, is_recorded, needs_binary
from gocost.measures.interface import Context, Target
from gocost.model.errors import GocostError
from gocost.model.fact import Fact
from gocost.model.service import Service
from gocost.model.subject import Subject
from gocost.policy.baseline import Baseline
from gocost.sources.scratch import scratch


@dataclass(frozen=True, slots=True)
class Sides:
    """What was found of one service."""

    found: Findings
    """Of the head."""
    comparable: list[Fact] | None = None
    """The head's exact facts in the form that the base has them, where that is another."""
    baseline: Baseline | None = None


@dataclass(frozen=True, slots=True)
class Measuring:
    """What services are measured with, and against. `stack` ends the folders that they need."""

    context: Context
    stack: ExitStack
    base: BaseSide | None = None
    """A commit, which is measured too."""
    saved: dict[str, Baseline] | None = None
    """By service, from a saved report."""
    saved_as: str = ""
    """The saved report's name."""

    def sides(self, planned: Plan, service: Service, subject: Subject) -> Sides:
        """Carry out the plan for one service. What fails is unknown, with its reason."""
        target = Target(service, Path(service.directory), subject=subject)
        recorded = [step for step in planned.steps if is_recorded(step)]
        try:
            if needs_binary(planned.steps):
                target = self._built(target, lambda: load_measures(planned.steps))
            elif not all(map(is_recorded, planned.steps)):
                prepare(service, target.directory, progress=self.context.progress)
        except GocostError as error:
            # What was recorded of it can be read all the same.
            found = run_steps(recorded, target, self.context)
            rest = [step for step in planned.steps if step not in recorded]
            found.fail(f"{service.name}: the build", rest, error)
            return Sides(found, baseline=self._saved(service))
        exact = [s for s in planned.steps if not s.spec.interleaves and s not in recorded]
        both = [step for step in planned.steps if step.spec.interleaves]
        found = run_steps([*exact, *recorded], target, self.context)
        if self.base is None:
            found.join(run_steps(both, target, self.context))
            return Sides(found, baseline=self._saved(service))
        head, comparable = self._comparable(target, exact, found)
        baseline = self.base.baseline(service, exact)
        why = "what was recorded is of the head alone"
        alone = {metric: why for step in recorded for metric in step.metrics}
        baseline = replace(baseline, skipped={**baseline.skipped, **alone})
        for step in both:
            base, baseline = self._at_base(step, self.base, service, baseline)
            found.join(run_steps([step], head, self.context, base=base))
        return Sides(found, comparable, baseline)

    def _saved(self, service: Service) -> Baseline | None:
        if self.saved is None or service.name in self.saved:
            return (self.saved or {}).get(service.name)
        why = f"{self.saved_as} has no service {service.name}"
        return Baseline(self.saved_as, skipped={"*": why})

    def _built(
        self,
        target: Target,
        meanwhile: Callable[[], None] | None = None,
        *,
        comparable: bool = False,
    ) -> Target:
        folder = self.stack.enter_context(scratch("head"))
        artifact = build_service(
            target.service,
            target.directory,
            folder,
            comparable=comparable,
            progress=self.context.progress,
            meanwhile=meanwhile,
        )
        return replace(target, binary=artifact.path, build_seconds=artifact.seconds)

    def _comparable(
        self, target: Target, exact: Sequence[Step], found: Findings
    ) -> tuple[Target, list[Fact] | None]:
        """Head built as the base is built, and its exact facts; None where it is that already."""
        build = target.service.build
        if target.binary is None or build.binary or comparable_already(build):
            return target, None
        try:
            head = self._built(target, comparable=True)
        except GocostError as error:
            found.notes.append(failure(error))
            return target, None
        # What does not look at the executable is the same for both, and building twice to see
        # whether it is reproducible is for the real one.
        built = [step for step in exact if needs_binary([step])]
        again = run_steps(built, head, replace(self.context, rebuild=False))
        shared = [fact for fact in found.facts if not any(s.spec.takes(fact.metric) for s in built)]
        return head, [*again.facts, *shared]

    def _at_base(
        self, step: Step, base: BaseSide, service: Service, baseline: Baseline
    ) -> tuple[Target | None, Baseline]:
        """What the step is to run at the base; else the baseline with the reason why it cannot."""
        try:
            return base.target(service, built=needs_binary([step])), baseline
        except AbsentError as error:
            skipped = {**baseline.skipped, **dict.fromkeys(sorted(step.metrics), error.message)}
            return None, replace(baseline, skipped=skipped)
        except GocostError as error:
            why = f"the base {base.name} could not be measured: {error}"
            unknown = {**baseline.unknown, **dict.fromkeys(sorted(step.metrics), why)}
            return None, replace(baseline, unknown=unknown)
