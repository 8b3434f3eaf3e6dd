"""Memory by who holds it: live bytes of allocation sites, the headroom that GOGC adds, stacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gocost.analyses.attribution.processor import UNATTRIBUTED
from gocost.analyses.attribution.sharing import shared
from gocost.formats.pprof.profile import Int64s

HEADROOM: Final = "(runtime) heap headroom"
STACKS: Final = "(runtime) stacks"
METADATA: Final = "(runtime) metadata"
FREE: Final = "(runtime) free heap"
NOT_RESIDENT: Final = "(runtime) mapped, not resident"
"""Below 0: addresses whose pages were never touched, or were given back and not said to be."""


@dataclass(frozen=True, slots=True)
class Resident:
    """What the process holds, in bytes, averaged over the window. None is unknown."""

    total: int | None = None
    """Resident memory as the operating system has it, or else what the runtime has mapped."""
    live: int | None = None
    """What the collector found reachable."""
    heap: int | None = None
    """Objects and what is dead and not swept yet: live bytes and the headroom."""
    stacks: int | None = None
    """Goroutines' stacks, with what is kept ready for others and the scheduler's own of threads."""
    thread_stacks: int | None = None
    """What the operating system gave as stacks of threads: no goroutine's."""
    metadata: int | None = None
    """The runtime's own structures and the collector's work buffers."""
    free: int | None = None
    """Heap that is mapped and empty."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Bytes by key; every column and the rows of `others` together are the total."""

    live: Int64s
    headroom: Int64s
    stacks: Int64s
    others: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The whole."""
        return int(self.live.sum() + self.headroom.sum() + self.stacks.sum()) + sum(
            self.others.values()
        )

    def whole(self) -> Int64s:
        """By key, all columns together."""
        found: Int64s = self.live + self.headroom + self.stacks
        return found


def hold(live: Int64s, stacks: Int64s, resident: Resident, nobodys: int = 0) -> Holding:
    """Shares what is resident out by the live bytes of allocation sites, and stacks by creators.

    `live` are a heap profile's bytes by key, `nobodys` those that it has under no key, as the
    runtime's own objects, and `stacks` the weights of goroutines' creators. Where the collector
    says how many bytes are live the profile's shares are scaled to it: a profile is a sample, and
    up to two cycles old. Headroom goes by the same shares, because GOGC makes it so.
    """
    others: dict[str, int] = {}
    everybodys = np.append(live, nobodys)
    known = resident.live if resident.live is not None else int(everybodys.sum())
    by_site = shared(known, everybodys)[:-1]
    _rest(others, UNATTRIBUTED, known - int(by_site.sum()))
    above = max(0, resident.heap - known) if resident.heap is not None else 0
    headroom = shared(above, everybodys)[:-1]
    _rest(others, HEADROOM, above - int(headroom.sum()))
    stacked = resident.stacks or 0
    by_creator = shared(stacked, stacks)
    threads = resident.thread_stacks or 0
    _rest(others, STACKS, stacked - int(by_creator.sum()) + threads)
    _rest(others, METADATA, resident.metadata or 0)
    _rest(others, FREE, resident.free or 0)
    accounted = known + above + stacked + threads + (resident.metadata or 0) + (resident.free or 0)
    if resident.total is not None:
        left = resident.total - accounted
        _rest(others, UNATTRIBUTED if left > 0 else NOT_RESIDENT, left)
    return Holding(by_site, headroom, by_creator, {k: v for k, v in others.items() if v})


def _rest(others: dict[str, int], name: str, amount: int) -> None:
    others[name] = others.get(name, 0) + amount
