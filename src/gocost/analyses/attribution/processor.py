"""CPU time by who pays for it: their own code, the runtime under it, and the collector's work.

The collector works for everyone at once, so what its workers did is shared out (METHODS.md):

- what happened under a function (assists, sweeping to allocate, write barriers) is charged to it
  and not modelled again;
- background marking of the heap is charged by `k` times the share of allocated bytes and `1 - k`
  times the share of live bytes: a cycle starts because of what was allocated, and costs what must
  be scanned. Where GOGC sets the pace k is 1; where a limit or the least heap does, it is less;
- scanning stacks is charged to the creators of goroutines, by their stacks' bytes;
- background sweeping is charged by allocated bytes;
- marking in idle time and scanning globals are rows of their own.

What scanned the heap, stacks or globals is read off the profile's own stacks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.attribution.roles import Role
from gocost.analyses.attribution.sharing import blended, shared
from gocost.analyses.attribution.stacks import summed
from gocost.analyses.statistics.proportion import wilson
from gocost.formats.pprof.profile import Int32s, Int64s

IDLE_MARK: Final = "(runtime) GC in idle time"
COLLECTOR: Final = "(runtime) GC"
STACK_SCAN: Final = "(runtime) GC of stacks"
GLOBALS: Final = "(runtime) GC of globals"
SCAVENGER: Final = "(runtime) returning memory"
SCHEDULER: Final = "(runtime) scheduler"
OTHER: Final = "(runtime) other"
UNATTRIBUTED: Final = "unattributed"

_DIRECT: Final = Role.ASSIST | Role.SWEEP | Role.BARRIER


@dataclass(frozen=True, slots=True)
class Samples:
    """A CPU profile's samples as they are charged; a row each."""

    payer: Int32s
    """The key that pays, below 0 where all frames are the runtime's."""
    roles: Int32s
    leaf_roles: Int32s
    values: Int64s
    """CPU nanoseconds."""
    counts: Int64s
    """How many times the profiler hit."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What the collector's work is shared out by: a number for each key."""

    allocated: Int64s
    live: Int64s
    stacks: Int64s
    """Bytes of stacks of the goroutines that a key created."""
    share: float = 1.0
    """k: how much of heap marking goes by what was allocated, the rest by what is live."""
    allocations: float = 0.0
    """How many samples the allocated bytes rest on, 0 where that is not known."""
    nobodys: tuple[int, int] = (0, 0)
    """What was allocated and what is live under no key, as the runtime's own objects: its part of
    the collector's work is nobody's too."""


@dataclass(frozen=True, slots=True)
class Account:
    """CPU nanoseconds by key; every column and the rows of `others` together are the total."""

    own: Int64s
    runtime: Int64s
    """The runtime under it: allocating, maps, channels, copying."""
    collector: Int64s
    """The collector's work for it."""
    collector_even: Int64s
    """The same with k = 1/2: how much the assumption matters."""
    charged: Int64s
    """Of `collector`: what workers did, shared out; the rest was done under the key itself. In the
    samples' nanoseconds, also where the account is scaled."""
    others: dict[str, int] = field(default_factory=dict)
    """Rows of nobody's."""
    others_even: dict[str, int] = field(default_factory=dict)
    below: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    above: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """How far the 95% bounds of a key's whole are from it, from sampling alone."""

    @property
    def total(self) -> int:
        """The whole."""
        charged = self.own.sum() + self.runtime.sum() + self.collector.sum()
        return int(charged) + sum(self.others.values())

    def whole(self) -> Int64s:
        """By key, all columns together."""
        found: Int64s = self.own + self.runtime + self.collector
        return found

    def interval(self, at: int) -> tuple[int, int]:
        """95% bounds of a key's whole, from sampling alone."""
        value = int(self.own[at] + self.runtime[at] + self.collector[at])
        low, high = int(value - self.below[at]), round(value + float(self.above[at]))
        return max(0, low), max(value, min(self.total, high))


class Fate(IntEnum):
    """What becomes of a sample's time."""

    OWN = 0
    RUNTIME = 1
    DIRECT = 2
    """The collector's work under a function, which pays for it."""
    HEAP = 3
    STACKS = 4
    SWEEP = 5
    """These three are shared out."""
    IDLE_MARK = 6
    GLOBALS = 7
    SCAVENGER = 8
    SCHEDULER = 9
    OTHER = 10


SHARED: Final = (Fate.HEAP, Fate.STACKS, Fate.SWEEP)
ROW: Final = {
    Fate.IDLE_MARK: IDLE_MARK,
    Fate.GLOBALS: GLOBALS,
    Fate.SCAVENGER: SCAVENGER,
    Fate.SCHEDULER: SCHEDULER,
    Fate.OTHER: OTHER,
}
"""The rows of nobody's."""


def fates(samples: Samples) -> Int32s:
    """The Fate of each sample, by the roles of its frames: the first of these that fits."""
    roles, paid = samples.roles, samples.payer >= 0

    def has(role: int) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = roles & role != 0
        return found

    worker = has(Role.WORKER)
    rules = (
        (Fate.IDLE_MARK, worker & has(Role.IDLE_MARK)),
        (Fate.STACKS, worker & has(Role.STACKS)),
        (Fate.GLOBALS, worker & has(Role.GLOBALS)),
        (Fate.HEAP, worker),
        (Fate.DIRECT, paid & has(_DIRECT)),
        (Fate.HEAP, paid & has(Role.CYCLE) & ~has(Role.FORCED)),
        (Fate.RUNTIME, paid & (samples.leaf_roles & Role.USER == 0)),
        (Fate.OWN, paid),
        (Fate.SWEEP, has(Role.BACKGROUND_SWEEP)),
        (Fate.SCAVENGER, has(Role.SCAVENGER)),
        (Fate.HEAP, has(Role.CYCLE | _DIRECT)),
        (Fate.SCHEDULER, has(Role.SCHEDULER)),
    )
    chosen = [mask for _, mask in rules]
    found = np.select(chosen, [int(fate) for fate, _ in rules], int(Fate.OTHER))
    return found.astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Parted:
    """Where the samples' time goes before the collector's work is shared out."""

    own: Int64s
    runtime: Int64s
    direct: Int64s
    counts: Int64s
    rows: dict[str, int]
    heap: int
    stacks: int
    sweep: int


def account(samples: Samples, weights: Weights, keys: int) -> Account:
    """Shares the samples' whole time out to `keys` keys. Pure and exact: nothing is lost."""
    parted = _parted(samples, keys)
    charged, others = _charged(parted, weights, weights.share)
    even, others_even = _charged(parted, weights, 0.5)
    below, above = _distances(parted, weights, samples)
    return Account(
        own=parted.own,
        runtime=parted.runtime,
        collector=parted.direct + charged,
        collector_even=parted.direct + even,
        charged=charged,
        others=others,
        others_even=others_even,
        below=below,
        above=above,
    )


def scaled(found: Account, total: int) -> Account:
    """The account with its whole made `total`: what the operating system counted.

    Where there are no samples to share it out by, it is `unattributed`.
    """
    if not found.total:
        nobody = {UNATTRIBUTED: total} if total else {}
        return replace(found, others=nobody, others_even=nobody)
    ratio = total / found.total
    collected = {name: value for name, value in found.others.items() if is_collection(name)}
    others = {name: value for name, value in found.others.items() if name not in collected}
    even = {name: value for name, value in found.others_even.items() if is_collection(name)}
    # First the columns: what each adds up to is then the same whatever the rows are.
    sums = [found.own.sum() + sum(others.values()), found.runtime.sum(),
            found.collector.sum() + sum(collected.values())]  # fmt: skip
    own, runtime, collector = shared(total, sums).tolist()
    rows, others = _shared_column(own, found.own, others)
    charged, collected = _shared_column(collector, found.collector, collected)
    charged_even, even = _shared_column(collector, found.collector_even, even)
    return Account(
        own=rows,
        runtime=shared(runtime, found.runtime),
        collector=charged,
        collector_even=charged_even,
        charged=found.charged,
        others=others | collected,
        others_even=others | even,
        below=found.below * ratio,
        above=found.above * ratio,
    )


def _shared_column(
    total: int, rows: Int64s, others: dict[str, int]
) -> tuple[Int64s, dict[str, int]]:
    """A column's rows by key and those of nobody, made to add up to `total`."""
    parts = shared(total, [*rows.tolist(), *others.values()])
    return parts[: len(rows)], dict(zip(others, parts[len(rows) :].tolist(), strict=True))


def is_collection(name: str) -> bool:
    """Whether a row of nobody's is the collector's work."""
    return name.startswith(COLLECTOR)


def _parted(samples: Samples, keys: int) -> _Parted:
    fate = fates(samples)
    whole = summed(fate, samples.values, len(Fate)).tolist()

    def by_key(*wanted: Fate, values: Int64s = samples.values) -> Int64s:
        chosen = np.isin(fate, wanted)
        return summed(samples.payer[chosen], values[chosen], keys)

    return _Parted(
        own=by_key(Fate.OWN),
        runtime=by_key(Fate.RUNTIME),
        direct=by_key(Fate.DIRECT),
        counts=by_key(Fate.OWN, Fate.RUNTIME, Fate.DIRECT, values=samples.counts),
        rows={name: whole[each] for each, name in ROW.items()},
        heap=whole[Fate.HEAP],
        stacks=whole[Fate.STACKS],
        sweep=whole[Fate.SWEEP],
    )


def _charged(parted: _Parted, weights: Weights, share: float) -> tuple[Int64s, dict[str, int]]:
    """The collector's shared work by key, and the rows of nobody's."""
    others = dict(parted.rows)
    allocated = np.append(weights.allocated, weights.nobodys[0])
    live = np.append(weights.live, weights.nobodys[1])
    by_allocation = shared(parted.sweep, allocated)[:-1]
    by_heap = shared(parted.heap, blended(allocated, live, share))[:-1]
    by_stack = shared(parted.stacks, weights.stacks)
    uncharged = parted.sweep + parted.heap - int(by_allocation.sum() + by_heap.sum())
    others[COLLECTOR] = uncharged
    others[STACK_SCAN] = parted.stacks - int(by_stack.sum())
    return by_allocation + by_heap + by_stack, {k: v for k, v in others.items() if v}


def _distances(
    parted: _Parted, weights: Weights, samples: Samples
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How far the bounds of each key's whole are below and above it.

    The samples of its own stacks are a share of all samples, and what it allocated of all that was
    sampled of allocations: two intervals, whose distances add up as independent errors do
    (MOVER: Zou and Donner, 2008). What is measured and not sampled (no counts) is exact.
    """
    none = np.zeros(len(parted.own))
    below, above = none.copy(), none.copy()
    whole, hits = float(samples.values.sum()), int(samples.counts.sum())
    allocated = float(weights.allocated.sum()) + weights.nobodys[0]
    for amount, counts, of in (
        (whole, parted.counts.astype(np.float64), float(hits)),
        (
            float(parted.heap + parted.sweep),
            weights.allocated / max(allocated, 1.0) * weights.allocations,
            weights.allocations if allocated else 0.0,
        ),
    ):
        if of > 0 and amount:
            low, high = wilson(counts, of)
            below += (amount * (counts / of - low)) ** 2
            above += (amount * (high - counts / of)) ** 2
    return np.sqrt(below), np.sqrt(above)
