"""Goroutine dumps as a relation: a row for each goroutine, or for as many as `count` says."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.goroutines.names import entry, waits_at
from gocost.analyses.profile.groups import packages_of
from gocost.analyses.query.relation import (
    Coded,
    Filled,
    Lists,
    Relation,
    coded,
    text,
    texts,
    whole,
    yes,
)
from gocost.formats.goroutine_dump.dump import LEAKED, LOCKED, Dump, Frame
from gocost.formats.recognition import Kind

DUMPED: Final = Relation(
    "dump_goroutines",
    "the goroutines of a dump, or of several that stand in one file",
    (Kind.DUMP,),
    (
        whole("dump", "which of the file's dumps it is in: from 1, in their order"),
        whole("goroutine", "its id; NULL where the dump has none"),
        whole("parent", "the goroutine that created it; NULL where that is not said"),
        whole("count", "how many the row stands for: 1, or more where the dump is grouped"),
        text("state", "what it does or waits for; NULL where the dump does not say"),
        whole("minutes", "it has waited for, since a collection saw it; NULL where not said"),
        text("function", "the innermost function"),
        text("package", "the package of the innermost function that is no mere way of waiting"),
        text("waits_at", "that function"),
        text("waits_in", "file:line of it"),
        text("created_by", "the function with the go statement"),
        text("created_in", "file:line of the go statement"),
        text("entry", "the function that it began in"),
        texts("stack", "functions from the innermost to the outermost"),
        texts(
            "ancestors",
            "functions of the goroutines that it descends from, the nearest first, *** between two",
        ),
        text("labels", "key:text, as the dump has them"),
        yes("leaked", "the runtime says so"),
        yes("locked", "to its thread"),
    ),
)


def dumped(found: tuple[int, Dump]) -> Filled:
    """The goroutines of a file's dump with this number."""
    order, dump = found
    stacks = np.unique(dump.stack)
    frames = {int(number): dump.frames(int(number)) for number in stacks}
    creators = {int(number): dump.frames(int(number)) for number in np.unique(dump.creator)}
    places = np.unique(dump.stack, return_index=True)[1]
    states = [dump.text(number) for number in dump.state[places].tolist()]
    waits = {
        number: waits_at(found, state)
        for (number, found), state in zip(frames.items(), states, strict=True)
    }
    packages = packages_of([each.function if each else "" for each in waits.values()])
    package = dict(zip(waits, packages, strict=True))
    ancestors = {int(number): dump.frames(int(number)) for number in np.unique(dump.ancestors)}

    def by_stack(values: dict[int, str | None]) -> Coded:
        found = coded([values[int(number)] for number in stacks])
        return Coded(found.texts, found.numbers[np.searchsorted(stacks, dump.stack)])

    return {
        "dump": np.full(len(dump.id), order, np.int64),
        "goroutine": _some(dump.id, dump.id > 0),
        "parent": _some(dump.parent, dump.parent > 0),
        "count": dump.count,
        "state": Coded(dump.texts, dump.state),
        "minutes": _some(dump.minutes, dump.minutes >= 0),
        "function": by_stack({n: f[0].function if f else None for n, f in frames.items()}),
        "package": by_stack({n: package[n] if waits[n] else None for n in frames}),
        "waits_at": by_stack({n: w.function if w else None for n, w in waits.items()}),
        "waits_in": by_stack({n: w.place if w else None for n, w in waits.items()}),
        "created_by": _of_creator(dump, creators, place=False),
        "created_in": _of_creator(dump, creators, place=True),
        "entry": by_stack({n: entry(f) or None for n, f in frames.items()}),
        "stack": _functions(dump.stack, frames),
        "ancestors": _functions(dump.ancestors, ancestors),
        "labels": Coded(dump.texts, dump.labels),
        "leaked": ((dump.flags & LEAKED) != 0) | dump.leaks,
        "locked": (dump.flags & LOCKED) != 0,
    }


def _functions(stacks: npt.NDArray[np.int32], frames: dict[int, tuple[Frame, ...]]) -> Lists:
    """The functions of the stack that each row names by its number."""
    numbers: dict[str, int] = {}
    of_stack = {
        number: [numbers.setdefault(each.function, len(numbers)) for each in found]
        for number, found in frames.items()
    }
    rows = stacks.tolist()
    sizes = np.array([len(of_stack[number]) for number in rows], np.int64)
    items = np.array([each for number in rows for each in of_stack[number]], np.int64)
    return Lists(Coded(list(numbers), items), np.cumsum(sizes))


def _of_creator(dump: Dump, creators: dict[int, tuple[Frame, ...]], *, place: bool) -> Coded:
    numbers = np.array(sorted(creators), np.int64)
    found = coded(
        [
            (creators[n][0].place if place else creators[n][0].function) if creators[n] else None
            for n in numbers.tolist()
        ]
    )
    return Coded(found.texts, found.numbers[np.searchsorted(numbers, dump.creator)])


def _some(values: npt.NDArray[Any], known: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.ma.masked_array(values.astype(np.int64), mask=~known)
