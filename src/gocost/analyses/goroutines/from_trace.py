"""The goroutines that live at the end of an execution trace, as a dump has them.

A trace says since when each waits, to the nanosecond, and what went on meanwhile, so that one of
ten seconds tells what three dumps tell. Of goroutines that waited before it began it has no reason
and no creator: the reason is read from the runtime's frames of their stack, and the creator is
that of others which start in the same function, where all of those have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gocost.analyses.goroutines.names import blocked_in
from gocost.analyses.trace.account import Joined, Stacks
from gocost.formats.goroutine_dump.dump import Dump, Form, Traced, column

_WAITING: Final = 4
_STATES: Final = ("", "runnable", "running", "syscall")
_REASONS: Final = {
    "network": "IO wait",
    "sync.(*Cond).Wait": "sync.Cond.Wait",
}
"""Words of a trace (traceBlockReasonStrings in Go's src/runtime/traceruntime.go) that a dump has
otherwise (waitReasonStrings in runtime2.go)."""
_WAYS: Final = (
    "runtime.", "internal/poll.runtime_", "internal/poll.(*pollDesc).", "sync.runtime_",
    "internal/sync.runtime_",
)  # fmt: skip
"""How functions begin that only park a goroutine: one stack has them and another of the same place
has not, as the runtime leaves out some where a goroutine blocks and none where it is looked at."""
_NIL: Final = {"chan receive": "chan receive (nil chan)", "chan send": "chan send (nil chan)"}


def from_trace(trace: Joined) -> Dump:
    """The goroutines that live at the trace's end, with how long they wait at least."""
    texts: dict[str, int] = {}
    told = _Told(trace.stacks, texts)
    rows = trace.open
    length = trace.end - trace.start
    known = _creators(trace)
    table = np.full((len(rows), 4), -1, np.int64)
    for at, (_, entry, creator, state, _, reason, stack) in enumerate(rows.tolist()):
        text = told.stack(stack)
        word = told.state(state, reason, stack)
        created = told.creator(creator or known.get(entry, 0))
        table[at] = text, word, created, 0
    went: dict[int, int] = {}
    for (state, stack, _), row in trace.waits.rows.items():
        if state == _WAITING - 1:
            number = told.stack(stack)
            went[number] = went.get(number, 0) + row[0]
    waited = np.where(rows[:, 3] == _WAITING, trace.end - rows[:, 4], 0)
    arrived = (rows[:, 3] == _WAITING) & (rows[:, 5] != 0)
    size = len(rows)
    return Dump(
        form=Form.TRACE,
        leaks=False,
        count=column(size, 1, np.int64),
        id=rows[:, 0].copy(),
        parent=column(size, 0, np.int64),
        minutes=np.minimum(waited // 60_000_000_000, 1 << 30).astype(np.int32),
        flags=column(size, 0),
        state=table[:, 1].astype(np.int32),
        stack=table[:, 0].astype(np.int32),
        creator=table[:, 2].astype(np.int32),
        labels=column(size, -1),
        ancestors=column(size, -1),
        texts=list(texts),
        lost=trace.lost,
        traced=Traced(
            length_ns=length,
            waited_ns=waited,
            arrived=arrived,
            went_on=np.array([went.get(n, 0) for n in table[:, 0].tolist()], np.int64),
        ),
    )


def _creators(trace: Joined) -> dict[int, int]:
    """The stack that creates goroutines of an entry function, where there is one such place."""
    found: dict[int, set[int]] = {}
    for entry, creator in trace.open[:, 1:3].tolist():
        if creator and entry:
            found.setdefault(entry, set()).add(creator)
    places: dict[int, int] = {}
    for entry, creators in found.items():
        leaves = {tuple(trace.stacks.frames[creator][:, 0].tolist()) for creator in creators}
        if len(leaves) == 1:
            places[entry] = min(creators)
    return places


class _Told:
    """Stacks, states and creators as numbers of `texts`, each worked out once."""

    def __init__(self, stacks: Stacks, texts: dict[str, int]) -> None:
        self._stacks, self._texts = stacks, texts
        self._known: dict[int, int] = {}
        self._states: dict[tuple[int, int, int], int] = {}
        self._created: dict[int, int] = {}

    def stack(self, number: int) -> int:
        """The stack from the function that waits on, without how it is parked."""
        if number not in self._known:
            frames = self._frames(number)
            own = 0
            while own < len(frames) and frames[own][0].startswith(_WAYS):
                own += 1
            if own == len(frames):  # the runtime's own
                own = sum(frame[0].startswith("runtime.gopark") for frame in frames)
            self._known[number] = self._number(_written(frames[own:]))
        return self._known[number]

    def state(self, state: int, reason: int, stack: int) -> int:
        """What a dump would say in its brackets."""
        key = state, reason, stack
        if key not in self._states:
            self._states[key] = self._number(self._word(*key))
        return self._states[key]

    def creator(self, stack: int) -> int:
        """The line of the go statement; -1 where it is not known."""
        if not stack:
            return -1
        if stack not in self._created:
            self._created[stack] = self._number(_written(self._frames(stack)[:1]))
        return self._created[stack]

    def _word(self, state: int, reason: int, stack: int) -> str:
        if state != _WAITING:
            return _STATES[state] if 0 < state < _WAITING else "unknown"
        said = self._stacks.texts[reason]
        seen = blocked_in(self._stacks.functions(stack))
        if said == "forever":
            return _NIL.get(seen, "select (no cases)")
        if said in ("", "sync"):
            return seen or said or "waiting"
        return _REASONS.get(said, said)

    def _frames(self, number: int) -> list[tuple[str, str]]:
        texts = self._stacks.texts
        return [
            (texts[function], f"{texts[file]}:{line}")
            for function, file, line in self._stacks.frames[number].T.tolist()
        ]

    def _number(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))


def _written(frames: Sequence[tuple[str, str]]) -> str:
    """Frames as `Dump.texts` has them."""
    return "".join(f"{function}\n{place}\n" for function, place in frames)
