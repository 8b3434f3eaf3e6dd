"""Goroutines with the same creator, stack and state, over one dump or several apart in time.

Dumps that have ids (debug=2) tell arrivals from departures: a goroutine has stayed when the later
dump has its id in the same group. Dumps without ids tell only how many there are. A trace tells
arrivals by itself: its two halves are the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.goroutines.lives import restarted
from gocost.analyses.goroutines.movements import beside, moved, stayed, went_on
from gocost.formats.goroutine_dump.dump import (
    LEAKED,
    Dump,
    Form,
    Frame,
    Int32s,
    Int64s,
    Traced,
    frames,
)
from gocost.model.errors import FormatError

NIL_CHANNEL: Final = frozenset({"chan receive (nil chan)", "chan send (nil chan)"})
NO_CASES: Final = "select (no cases)"
UNBOUND: Final = frozenset({"sleep", "running", "runnable"})
"""States that end by themselves: who is in one at the same place twice went on meanwhile."""
LEAST_INTERVAL: Final = 5.0
"""Seconds of each half of a trace, for what only takes its time to have gone on."""
MAX_GROUPS: Final = 100_000
"""Services have some hundreds; a text made to be slow can have one a goroutine."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What came and went between two dumps."""

    arrived: int
    departed: int


@dataclass(frozen=True, slots=True)
class Group:
    """Goroutines that are alike in the last dump. `certain` ones stand apart from the others."""

    creator: tuple[Frame, ...]
    stack: tuple[Frame, ...]
    state: str | None
    """None where the dump does not say."""
    certain: bool
    """They can never go on: the runtime says so, or what they wait on cannot happen."""
    count: int
    leaked: int = 0
    """Of them, those that the runtime itself calls leaked."""
    oldest_minutes: int | None = None
    waited: int = 0
    """Of them, those that have waited for as long as was asked, or seem to have."""
    seeming: int = 0
    """Of those, the ones that stood at the same place in dumps so far apart, and no more is known:
    a worker that went on meanwhile and came back looks the same."""
    longest: float | None = None
    """Seconds that one of them is known to have waited; None where nothing is known."""
    seen: float | None = None
    """Seconds between the dumps that have one of them at the same place; None where none has."""
    counts: tuple[int, ...] = ()
    """How many there were in each dump; where dumps have no ids, of the certain ones with the
    others of their place, for which this is empty.
    """
    intervals: tuple[Interval, ...] = ()
    """Between the dumps; empty where they have no ids."""
    gone: int = 0
    """Of those that arrived in the first interval: not there in the third dump."""
    ancestors: tuple[tuple[Frame, ...], ...] = ()
    """From whom they descend, each different line of them once; empty where that is not said."""
    key: int = field(default=-1, repr=False)

    @property
    def growth(self) -> int | None:
        """How many more there are than in the first dump; None with one dump."""
        return self.counts[-1] - self.counts[0] if len(self.counts) > 1 else None


@dataclass(frozen=True, slots=True)
class Dumps:
    """Dumps of one process, earliest first, and the seconds between them where these are known."""

    dumps: Sequence[Dump]
    every: float | None = None
    restarted: str = field(init=False)
    """Why they are of several processes after all; empty where nothing says so."""

    def __post_init__(self) -> None:
        """Looks at the dumps once."""
        object.__setattr__(self, "restarted", restarted(self.dumps))

    @property
    def with_ids(self) -> bool:
        """Whether arrivals can be told from departures."""
        alike = all(dump.form is Form.STACKS for dump in self.dumps)
        return len(self.dumps) > 1 and alike and not self.restarted

    @property
    def traced(self) -> Traced | None:
        """What only a trace says, where it is one."""
        return self.dumps[-1].traced

    @property
    def tell_leaks(self) -> bool:
        """Whether there are two intervals to judge by, which a trace has to be long enough for."""
        if self.traced is not None:
            return self.traced.length_ns >= 2 * LEAST_INTERVAL * 1e9
        return self.with_ids and len(self.dumps) == 3


def group(found: Dumps, *, older_than: float | None = None, vanished: bool = False) -> list[Group]:
    """The groups of the last dump, the largest first. Raises FormatError beyond MAX_GROUPS.

    With `vanished` also those that only an earlier dump has, with none in the last.
    """
    keys = _Keys()
    rows = [keys.of(dump) for dump in found.dumps]
    if len(keys) > MAX_GROUPS:
        raise FormatError(
            f"more than {MAX_GROUPS:,} groups of goroutines differ", hint="cut the file into parts"
        )
    last = found.dumps[-1]
    certain = _certain(last)
    known, stood = _known(last), _stood(found, rows)
    sure, seeming = _so_long(known, stood, older_than)
    codes = _codes(found, rows, certain)
    split, first, inverse = np.unique(codes[-1], return_index=True, return_inverse=True)
    inverse = inverse.reshape(-1)
    counts = _sums(inverse, last.count, len(split))
    leaked = _sums(inverse, np.where(last.flags & LEAKED, last.count, 0), len(split))
    long = _sums(inverse, np.where(sure | seeming, last.count, 0), len(split))
    maybe = _sums(inverse, np.where(seeming, last.count, 0), len(split))
    oldest = np.full(len(split), -1, np.int64)
    np.maximum.at(oldest, inverse, last.minutes)
    longest = np.full(len(split), -1.0)
    np.maximum.at(longest, inverse, np.where(last.minutes >= 0, known, -1.0))
    seen = np.zeros(len(split))
    np.maximum.at(seen, inverse, stood)
    over = [
        _sums(each, dump.count, 2 * len(keys))
        for each, dump in zip(codes, found.dumps, strict=True)
    ]
    with_certain = set() if found.with_ids else _counted_with_certain(over, split)
    movements, gone = _movements(found, codes, 2 * len(keys))
    ancestors = _different(inverse, last.ancestors, len(split))
    groups = []
    for i, (code, row) in enumerate(zip(split.tolist(), first.tolist(), strict=True)):
        key = code >> 1
        creator, stack, state = keys.texts(key)
        groups.append(
            Group(
                creator=frames(creator),
                stack=frames(stack),
                state=state if int(last.state[row]) >= 0 else None,
                certain=bool(code & 1),
                count=int(counts[i]),
                leaked=int(leaked[i]),
                oldest_minutes=int(oldest[i]) if oldest[i] >= 0 else None,
                waited=int(long[i]),
                seeming=int(maybe[i]),
                longest=float(longest[i]) if longest[i] >= 0 else None,
                seen=float(seen[i]) or None,
                counts=() if code in with_certain else tuple(int(each[code]) for each in over),
                intervals=tuple(Interval(int(a[code]), int(d[code])) for a, d in movements),
                gone=int(gone[code]),
                ancestors=tuple(map(last.frames, ancestors[i])),
                key=key,
            )
        )
    if vanished:
        there = {code >> 1 for code in split.tolist()}
        for key in sorted(set(range(len(keys))) - there):
            creator, stack, state = keys.texts(key)
            groups.append(
                Group(
                    creator=frames(creator),
                    stack=frames(stack),
                    state=state or None,
                    certain=False,
                    count=0,
                    counts=tuple(int(each[2 * key]) for each in over),
                    intervals=tuple(
                        Interval(int(a[2 * key]), int(d[2 * key])) for a, d in movements
                    ),
                    key=key,
                )
            )
    return sorted(groups, key=_rank)


def lasting(found: Dumps, older_than: float | None) -> npt.NDArray[np.bool_]:
    """Which goroutines of the last dump have waited for so many seconds, or seem to have."""
    keys = _Keys()
    rows = [keys.of(dump) for dump in found.dumps]
    sure, seeming = _so_long(_known(found.dumps[-1]), _stood(found, rows), older_than)
    return sure | seeming


def _so_long(
    known: npt.NDArray[np.float64], stood: npt.NDArray[np.float64], older_than: float | None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which have waited for so long, and which others seem to have. Without a time, all have."""
    if not older_than:
        return np.ones(len(known), np.bool_), np.zeros(len(known), np.bool_)
    sure = known >= older_than
    return sure, ~sure & (stood >= older_than)


def _rank(each: Group) -> tuple[Any, ...]:
    return -each.count, not each.certain, each.creator, each.stack, each.state or ""


class _Keys:
    """Numbers groups over dumps by what they say: creator, stack and state."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {"": 0}
        self._keys: dict[tuple[int, int, int], int] = {}
        self._by_number: list[tuple[int, int, int]] = []
        self._names: list[str] = []

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, dump: Dump) -> Int64s:
        """The number of each row's group."""
        columns = np.stack([self._common(dump, each) for each in _key_columns(dump)])
        # Rows repeat: equal neighbours and then equal rows are looked up once.
        unique, inverse = _unique_columns(columns)
        numbers = [
            self._keys.setdefault((a, b, c), len(self._keys)) for a, b, c in unique.T.tolist()
        ]
        return np.array(numbers, np.int64)[inverse]

    def texts(self, key: int) -> tuple[str, str, str]:
        """Creator, stack and state of a group."""
        if len(self._by_number) < len(self._keys):
            self._by_number = list(self._keys)
            self._names = list(self._texts)
        a, b, c = self._by_number[key]
        return self._names[a], self._names[b], self._names[c]

    def _common(self, dump: Dump, column: Int32s) -> Int64s:
        """A dump's text numbers as numbers that all dumps share."""
        unique, inverse = np.unique(column, return_inverse=True)
        numbers = [
            self._texts.setdefault(dump.text(number), len(self._texts))
            for number in unique.tolist()
        ]
        return np.array(numbers, np.int64)[inverse.reshape(-1)]


def _key_columns(dump: Dump) -> tuple[Int32s, Int32s, Int32s]:
    return dump.creator, dump.stack, dump.state


def _unique_columns(columns: Int64s) -> tuple[Int64s, Int64s]:
    """The different columns, and which of them each column is."""
    number = columns[0]
    for row in columns[1:]:
        _, number = np.unique(number * (int(row.max(initial=0)) + 1) + row, return_inverse=True)
        number = number.reshape(-1)
    _, first, inverse = np.unique(number, return_index=True, return_inverse=True)
    return columns[:, first], inverse.reshape(-1)


def _certain(dump: Dump) -> Int64s:
    """1 for goroutines that can never go on, by METHODS' rule, else 0."""
    names = {number: dump.text(number) for number in np.unique(dump.state).tolist()}
    nil = [number for number, name in names.items() if name in NIL_CHANNEL]
    empty = [number for number, name in names.items() if name == NO_CASES]
    sure = (dump.flags & LEAKED) != 0
    sure |= np.isin(dump.state, nil)
    sure |= np.isin(dump.state, empty) & (dump.id != 1)
    numbers: Int64s = sure.astype(np.int64)
    return numbers


def _codes(found: Dumps, rows: Sequence[Int64s], certain: Int64s) -> list[Int64s]:
    """By dump and goroutine, twice its group's number, and one more for those that are certain in
    the last dump, as far as ids tell which these are in the others: so that what arrived of the
    others is not what arrived of these.
    """
    own = rows[-1] * 2 + certain
    if not found.with_ids:
        return [*(each * 2 for each in rows[:-1]), own]
    sure = certain != 0
    ids, theirs = found.dumps[-1].id[sure], rows[-1][sure]
    earlier = zip(rows[:-1], found.dumps[:-1], strict=True)
    return [*(each * 2 + (beside(dump.id, ids, theirs) == each) for each, dump in earlier), own]


def _counted_with_certain(over: Sequence[Int64s], split: Int64s) -> set[int]:
    """Counts the others at the place of certain ones with these, as without ids nothing tells which
    were which in earlier dumps. Returns their codes.
    """
    sure = split[split % 2 == 1]
    for counts in over:
        counts[sure] += counts[sure - 1]
    return set((sure - 1).tolist())


def _known(last: Dump) -> npt.NDArray[np.float64]:
    """Seconds that each goroutine is known to have waited at least."""
    if last.traced is not None:
        return last.traced.waited_ns / 1e9
    return last.minutes.astype(np.float64) * 60


def _stood(found: Dumps, rows: Sequence[Int64s]) -> npt.NDArray[np.float64]:
    """Seconds back to the first of the dumps without a break that have each goroutine in its group,
    where that is a wait for something that others do; 0 where none has.
    """
    last = found.dumps[-1]
    stood = np.zeros(len(last.id))
    if not (found.with_ids and found.every):
        return stood
    unbound = [n for n in np.unique(last.state).tolist() if last.text(n) in UNBOUND]
    here = ~np.isin(last.state, unbound)
    for back, (dump, keys) in enumerate(
        zip(reversed(found.dumps[:-1]), reversed(rows[:-1]), strict=True), 1
    ):
        here &= stayed(last.id, rows[-1], dump.id, keys)
        # Who has waited for fewer minutes than before has begun anew.
        here &= last.minutes >= beside(last.id, dump.id, dump.minutes)
        stood = np.where(here, back * found.every, stood)
    return stood


def _movements(
    found: Dumps, codes: Sequence[Int64s], size: int
) -> tuple[list[tuple[Int64s, Int64s]], Int64s]:
    """Arrivals and departures by code and interval, and how many of the first arrivals are gone
    later; no interval where nothing tells.
    """
    if found.traced is not None:
        return went_on(found.traced, codes[-1], size)
    if found.with_ids:
        return moved(found.dumps, codes, size)
    return [], np.zeros(size, np.int64)


def _different(which: Int64s, numbers: Int32s, size: int) -> list[list[int]]:
    """By group, the numbers of texts that its goroutines have; -1 is none."""
    found: list[list[int]] = [[] for _ in range(size)]
    there = numbers >= 0
    pairs = np.unique(np.stack([which[there], numbers[there].astype(np.int64)]), axis=1)
    for group_, number in pairs.T.tolist():
        found[group_].append(number)
    return found


def _sums(which: Int64s, amounts: npt.NDArray[Any], size: int) -> Int64s:
    """Whole sums by group; a float would round what is beyond 2^53."""
    total = np.zeros(size, np.int64)
    np.add.at(total, which, amounts)
    return total
