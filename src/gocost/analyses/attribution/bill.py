"""Everything that was recorded of a service, put together: one account by the same rows.

CPU, memory, waiting and goroutines are accounts of their own, each adding up to what was measured.
Profiles enter as rates over their own window; what was recorded at another time is taken to be of
the same load, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gocost.analyses.attribution.creators import created
from gocost.analyses.attribution.flame import cpu_tree
from gocost.analyses.attribution.keys import Keying, Rows, label_rows, stack_rows
from gocost.analyses.attribution.labelled import Labelling
from gocost.analyses.attribution.memory import Holding, Resident, hold
from gocost.analyses.attribution.processor import Account, Samples, Weights, account, scaled
from gocost.analyses.attribution.roles import Role
from gocost.analyses.attribution.sharing import shared
from gocost.analyses.attribution.stacks import Stacks, stacks_of, summed
from gocost.analyses.attribution.tasks import TaskUse, task_samples, task_waits
from gocost.analyses.attribution.waiting import (
    BLOCKED,
    HELD,
    Waiting,
    by_kind,
    intervals,
    waiting,
    ways,
)
from gocost.analyses.flame import Tree
from gocost.analyses.trace.account import Joined
from gocost.formats.goroutine_dump.dump import Dump
from gocost.formats.pprof.profile import Int32s, Int64s, Profile
from gocost.model.errors import FormatError


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was recorded. Everything may be absent, and what then is unknown."""

    cpu: Profile | None = None
    cpu_ns: int | None = None
    """CPU time that the operating system counted in the CPU profile's window."""
    allocated: Profile | None = None
    """A heap profile less an earlier one, or what was allocated since the service started."""
    live: Sequence[Profile] = ()
    """Heap profiles, of which the mean is taken."""
    blocked: Profile | None = None
    contended: Profile | None = None
    """Block and mutex profiles less earlier ones."""
    trace: Joined | None = None
    goroutines: Dump | None = None
    resident: Resident = field(default_factory=Resident)
    tasks: TaskUse | None = None
    """What the trace's tasks used, where rows are tasks."""
    share: float = 1.0
    """How much of heap marking goes by what was allocated (see `processor`)."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """The CPU profile as it was charged."""

    stacks: Stacks
    samples: Samples
    account: Account
    """Before it was made what the operating system counted."""


@dataclass(frozen=True, slots=True)
class Bill:
    """The accounts, by the rows `names`. An account is None where nothing was recorded for it."""

    names: list[str]
    cpu: Account | None = None
    memory: Holding | None = None
    waiting: Waiting | None = None
    goroutines: Int64s | None = None
    counts: Int64s | None = None
    """How many tasks of each row began in the trace."""
    sampled: Sampled | None = field(default=None, repr=False)

    def tree(self) -> Tree | None:
        """The CPU's account as a tree of stacks; None without a CPU profile."""
        if self.sampled is None or self.cpu is None:
            return None
        found = self.sampled
        return cpu_tree(found.stacks, found.samples, found.account, self.names, self.cpu.total)


def bill(evidence: Evidence, keying: Keying) -> Bill:
    """The evidence by the rows of `keying`. Raises FormatError for a profile of another kind."""
    rows = Rows()
    traced, samples = None, None
    tasks = evidence.tasks if keying.task else None
    if tasks is not None:
        samples = task_samples(rows, tasks)
    elif evidence.cpu is not None and not keying.task:
        traced = stacks_of(evidence.cpu)
        samples = _samples(evidence.cpu, traced, keying, rows)
    allocated, hits = _allocated(evidence, keying, rows, samples)
    live = _live(evidence.live, keying, rows)
    made = None
    if evidence.goroutines is not None and keying.by_stack:
        made = created(keying, rows, evidence.goroutines)
    waits = _waits(evidence, keying, rows, traced, samples)
    size = len(rows.names)
    goroutines = summed(*made, size) if made is not None else None
    stacks = goroutines if goroutines is not None else np.zeros(size, np.int64)
    spent, sampled = None, None
    if samples is not None:
        by_site, kept = summed(*allocated, size), summed(*live, size)
        weights = Weights(
            allocated=by_site,
            live=kept,
            stacks=stacks,
            share=evidence.share,
            allocations=hits,
            nobodys=(
                int(allocated[1].sum()) - int(by_site.sum()),
                int(live[1].sum()) - int(kept.sum()),
            ),
        )
        spent = account(samples, weights, size)
        if traced is not None:
            sampled = Sampled(traced, samples, spent)
        if evidence.cpu_ns is not None and tasks is None:
            spent = scaled(spent, evidence.cpu_ns)
    holding = None
    if evidence.live or evidence.resident.total is not None:
        held = summed(*live, size)
        mean = int(held.sum()) // max(1, len(evidence.live))
        # The runtime's own objects, and all of them where rows are labels or tasks, which objects
        # do not have, are there all the same: `unattributed`.
        nobodys = max(0, _held(evidence.live) - mean)
        holding = hold(shared(mean, held), stacks, evidence.resident, nobodys)
    return Bill(
        names=rows.names,
        cpu=spent,
        memory=holding,
        waiting=waiting(waits, size) if waits else None,
        goroutines=goroutines,
        counts=_task_counts(tasks, rows, size) if tasks is not None else None,
        sampled=sampled,
    )


Part = tuple[Int32s, Int64s]
"""Rows and amounts."""
_NOTHING: Part = (np.zeros(0, np.int32), np.zeros(0, np.int64))


def column(profile: Profile, *names: str) -> int:
    """The place of the first of these sample types. Raises FormatError naming what is there."""
    types = [each.type for each in profile.header.sample_types]
    for name in names:
        if name in types:
            return types.index(name)
    raise FormatError(
        f"{profile.origin or 'the profile'} has no {names[0]} (it has {', '.join(types)})",
        hint="give it under the option of its kind",
    )


def _samples(profile: Profile, stacks: Stacks, keying: Keying, rows: Rows) -> Samples:
    """A CPU profile as it is charged."""
    payer = stack_rows(keying, rows, stacks)
    roles = stacks.roles()
    if keying.label:
        # The collector's and the scheduler's own stacks have no label and are rows anyway.
        labelled = label_rows(keying.label, rows, profile)
        observed = roles & Role.OBSERVER != 0
        payer = np.where((payer >= 0) & ~observed, labelled, payer).astype(np.int32)
    values = np.ascontiguousarray(profile.values[:, column(profile, "cpu")])
    return Samples(payer, roles, stacks.leaf_roles(), values, hits(profile))


def hits(profile: Profile) -> Int64s:
    """How many times the profiler hit each stack of a CPU profile."""
    types = [each.type for each in profile.header.sample_types]
    if "samples" in types:
        return np.ascontiguousarray(profile.values[:, types.index("samples")])
    values = profile.values[:, column(profile, "cpu")]
    return np.maximum(values // max(1, profile.header.period), 1)


def _allocated(
    evidence: Evidence, keying: Keying, rows: Rows, samples: Samples | None
) -> tuple[Part, float]:
    """What was allocated by row, and how many samples that rests on."""
    if keying.task:
        tasks = evidence.tasks
        if tasks is None:
            return _NOTHING, 0.0
        which = np.array([rows.number(name) for name in tasks.names], np.int32)
        return (which, tasks.allocating), float(tasks.allocating.sum())
    if keying.label:
        # Allocations have no labels; the CPU that allocating took has.
        if samples is None:
            return _NOTHING, 0.0
        allocating = samples.roles & Role.ALLOCATION != 0
        chosen = (samples.payer[allocating], samples.values[allocating])
        return chosen, float(samples.counts[allocating].sum())
    profile = evidence.allocated
    if profile is None:
        return _NOTHING, 0.0
    sizes = np.maximum(profile.values[:, column(profile, "alloc_space")], 0)
    part = stack_rows(keying, rows, stacks_of(profile)), np.ascontiguousarray(sizes)
    return part, _hits(profile, sizes)


def _hits(profile: Profile, sizes: Int64s) -> float:
    """How many allocations were sampled: a profile has them divided by 1 - exp(-size/rate)."""
    types = [each.type for each in profile.header.sample_types]
    rate = profile.header.period
    if "alloc_objects" not in types or rate <= 0:
        return 0.0
    objects = np.maximum(profile.values[:, types.index("alloc_objects")], 0).astype(np.float64)
    mean = np.divide(sizes, objects, out=np.zeros(len(objects)), where=objects > 0)
    return float((objects * -np.expm1(-mean / rate)).sum())


def _held(profiles: Sequence[Profile]) -> int:
    """What the heap profiles hold in the mean, whoever allocated it."""
    sizes = [profile.values[:, column(profile, "inuse_space")].sum() for profile in profiles]
    return int(sum(sizes)) // max(1, len(sizes))


def _live(profiles: Sequence[Profile], keying: Keying, rows: Rows) -> Part:
    """What the heap profiles hold, all together, by row."""
    parts: list[Part] = []
    for profile in profiles if keying.by_stack else ():
        sizes = np.maximum(profile.values[:, column(profile, "inuse_space")], 0)
        parts.append((stack_rows(keying, rows, stacks_of(profile)), sizes))
    if not parts:
        return _NOTHING
    which, amounts = zip(*parts, strict=True)
    return np.concatenate(which), np.concatenate(amounts)


def _waits(
    evidence: Evidence, keying: Keying, rows: Rows, traced: Stacks | None, samples: Samples | None
) -> dict[str, Part]:
    """Each column of waiting, by row."""
    if keying.task:
        return task_waits(rows, evidence.tasks) if evidence.tasks is not None else {}
    charge: Callable[[Stacks], Int32s] = partial(stack_rows, keying, rows, ways=ways)
    if keying.label:
        if traced is None or samples is None or evidence.cpu is None:
            return {}  # labels are the CPU profile's
        labels = label_rows(keying.label, rows, evidence.cpu)
        charge = Labelling(keying.label, rows, traced, labels, samples.counts).charged
    found: dict[str, Part] = {}
    if evidence.trace is not None:
        each = intervals(evidence.trace)
        found |= by_kind(charge(each.stacks), each)
    for name, profile in ((BLOCKED, evidence.blocked), (HELD, evidence.contended)):
        if profile is not None:
            stacks: Stacks = stacks_of(profile)
            delays = np.ascontiguousarray(profile.values[:, column(profile, "delay")])
            found[name] = charge(stacks), delays
    return found


def _task_counts(tasks: TaskUse, rows: Rows, size: int) -> Int64s:
    which = np.array([rows.number(name) for name in tasks.names], np.int32)
    return summed(which, np.array(tasks.counts, np.int64), size)
