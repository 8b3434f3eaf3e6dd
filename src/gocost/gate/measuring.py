"""Running the steps of a plan on a target, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import TypeVar

import msgspec

from gocost.gate.deadline import within
from gocost.gate.plan import Step, is_recorded
from gocost.measures.interface import Context, Measure, Measured, Need, Target
from gocost.model.errors import GocostError
from gocost.model.fact import Fact
from gocost.model.report import Change, Note


@dataclass(frozen=True, slots=True)
class Findings(Measured):
    """What several measures found of one target, put together."""

    ran: list[str] = field(default_factory=list)
    """The measures that ran, in order."""
    unread: dict[str, str] = field(default_factory=dict)
    """By metric of what was recorded and given, and could not be read, the reason: it is unknown,
    whatever a measure that ran anyway, before or after, has to say of it."""

    def add(self, name: str, measured: Measured, target: Target) -> None:
        """Take in what one measure found; facts without a subject get the target's."""
        self._take(
            replace(
                measured,
                facts=[_of(fact, target) for fact in measured.facts],
                changes=[_of(change, target) for change in measured.changes],
            )
        )
        self.ran.append(name)

    def join(self, more: Findings) -> None:
        """Take in what other measures found."""
        self.unread.update(more.unread)
        self._take(more)
        self.ran.extend(more.ran)

    def fail(self, what: str, steps: Iterable[Step], error: GocostError) -> None:
        """What `steps` give is unknown for that reason; what more was said of it is in a note."""
        for step in steps:
            unknown = dict.fromkeys(sorted(step.metrics), str(error))
            self.unknown.update(unknown)
            if is_recorded(step):
                self.unread.update(unknown)
        self._leave_unread()
        said = [line for line in error.output.splitlines() if line.strip()]
        # `# package` is a heading of the go command's, and the reason has its first complaint.
        if any(line.strip() not in error.message for line in said if not line.startswith("#")):
            whole = "\n".join(said)
            self.notes.append(Note("error", f"{what} failed, and all that was said is\n{whole}"))

    def _take(self, more: Measured) -> None:
        # By name, so that nothing which a measure comes to find is left behind here.
        for part in fields(Measured):
            mine, other = getattr(self, part.name), getattr(more, part.name)
            (mine.update if isinstance(mine, dict) else mine.extend)(other)
        self._leave_unread()

    def _leave_unread(self) -> None:
        self.facts[:] = [fact for fact in self.facts if fact.metric not in self.unread]
        self.unknown.update(self.unread)


def run_steps(
    steps: Sequence[Step],
    target: Target,
    context: Context,
    *,
    base: Target | None = None,
) -> Findings:
    """Run `steps` in order; a measure that fails makes its metrics unknown, with its reason."""
    found = Findings()
    for step in steps:
        name = step.spec.name
        context.progress(f"{target.service.name}: measuring {name}")
        try:
            measured = run_step(step, target, context, base=base)
        except GocostError as error:
            found.ran.append(name)
            found.fail(f"{target.service.name}: {name}", [step], error)
            continue
        found.add(name, measured, target)
    return found


def failure(error: GocostError) -> Note:
    """What failed, where no finding tells it, with all that the compiler said."""
    said = error.output.strip()
    return Note("error", f"{error}\n{said}" if said else str(error))


def run_step(
    step: Step, target: Target, context: Context, *, base: Target | None = None
) -> Measured:
    """One measure within its deadline. Raises GocostError."""
    seconds = deadline_seconds(step, target, interleaved=base is not None)
    own = replace(context, wanted=step.metrics, deadline=time.monotonic() + seconds)
    measure = _function(step)
    with within(seconds, f"measure {step.spec.name}"):
        if step.spec.interleaves and base is not None:
            return measure(target, own, base)
        return measure(target, own)


def load_measures(steps: Sequence[Step]) -> None:
    """Import what the steps need: a third of a second that a build's waiting time hides."""
    for step in steps:
        _function(step)


def _function(step: Step) -> Measure:
    module, _, name = step.spec.function.partition(":")
    measure: Measure = getattr(import_module(module), name)
    return measure


def deadline_seconds(step: Step, target: Target, *, interleaved: bool) -> float:
    """The spec's deadline, and for each start of the service what the policy itself asks for."""
    seconds = step.spec.deadline
    run = target.service.run
    if Need.RUN in step.spec.needs and run is not None:
        load = run.load.duration if run.load is not None else 0.0
        once = run.ready_within + load + run.settle
        seconds += once * (2 * step.spec.rounds if interleaved else 1)
    return seconds


Item = TypeVar("Item", Fact, Change)


def _of(item: Item, target: Target) -> Item:
    if item.subject.service:
        return item
    return msgspec.structs.replace(item, subject=target.subject)
